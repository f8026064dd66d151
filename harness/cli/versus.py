"""``harness versus``: two targets, one request, one verdict."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from harness.cli import completion, options as opt
from harness.cli.output import check_writable, errors, print_result
from harness.errors import LaunchError, NotReadyError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from harness.config.placement import Placement
    from harness.instruments import CountingFleet
    from harness.model import Extension, Target
    from harness.record import Run
    from harness.report.progress import VersusProgress
    from harness.serve import Fleet
    from harness.serve.services import Services


EXPLAIN_S = 10
FORTY_SECONDS = opt.duration("40s")


def versus(
    context: typer.Context,
    a: Annotated[
        str, opt.argument("A", f"A target, {opt.SPELLED_OUT}, or [NAME=]URL of what runs already", completion.targets)
    ],
    b: Annotated[str, opt.argument("B", "What A is compared with; left out with --against.", completion.targets)] = "",
    against: Annotated[
        str, opt.text("REF", "Compare A in the working tree with A at a git commit, branch or tag.")
    ] = "",
    install: Annotated[
        list[str],
        opt.text(
            "REQUIREMENT",
            "With --against: packages, such as '-r FILE', instead of those that the project declares; repeatable.",
            by_line=True,
        ),
    ] = [],  # noqa: B006
    setup: Annotated[str, opt.text("COMMAND", "Run once for each side before its first start, in its folder.")] = "",
    env_file: Annotated[str, opt.text("FILE", "Variables of both sides, as lines NAME=value.")] = "",
    startup_timeout: Annotated[
        opt.Quantity | None, opt.time("Longest start of a server, if longer than 30s. Default: 30s.")
    ] = None,
    path: Annotated[
        list[str],
        opt.text("PATH", "The path to request, with its query; repeatable: each by itself, and a mix in equal shares."),
    ] = [],  # noqa: B006
    requests: Annotated[
        Path | None,
        opt.text("FILE", "Requests, as a scenario file in TOML or JSON has them, or a browser's HAR."),
    ] = None,
    scenario: opt.Scenario = "",
    method: opt.Method = "",
    header: opt.Headers = [],  # noqa: B006
    body: opt.Body = "",
    expect_status: opt.ExpectStatus = None,
    volatile: Annotated[
        list[str], opt.text("FIELD", "JSON field that may change, such as meta.at or items.*.id; repeatable.")
    ] = [],  # noqa: B006
    ignore_body: Annotated[
        bool, typer.Option("--ignore-body", help="Compare bodies by shape: JSON by keys and types, others not at all.")
    ] = False,
    concurrency: opt.Concurrency = None,
    metric: Annotated[
        Literal["cpu_cost", "throughput", "instructions"] | None,
        typer.Option(help="Default: cpu_cost; throughput for URLs. Instructions need valgrind, and no quiet machine."),
    ] = None,
    margin: Annotated[
        opt.Quantity | None, opt.percent("Of instructions: what is called a difference of consequence. Default: 0.5%.")
    ] = None,
    with_a: Annotated[
        list[str], opt.text("PACKAGE==VERSION", "Packages of A's own environment; also python==VERSION or python=PATH.")
    ] = [],  # noqa: B006
    with_b: Annotated[list[str], opt.text("PACKAGE==VERSION", "The same for B.")] = [],  # noqa: B006
    budget: Annotated[opt.Quantity, opt.time("Wall time, server starts included.")] = FORTY_SECONDS,
    fail_if_slower: Annotated[opt.Quantity | None, opt.percent("Exit with 1 if A is slower by more than this.")] = None,
    control: Annotated[
        bool | None,
        typer.Option(
            "--control/--no-control",
            help="Measure A a second time as the A/A control. Default: yes, but for instructions.",
            show_default=False,
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show where the difference comes from: half a minute more, needs py-spy.")
    ] = False,
    comment: Annotated[
        Path | None, opt.text("FILE", "Write the verdict there too, as Markdown for a pull request.")
    ] = None,
    cacert: opt.CaCert = "",
    insecure: opt.Insecure = False,
    seed: opt.Seed = None,
    out: opt.Out = None,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> int:
    """Say whether A is cheaper (or faster) than B, by how much, and how certain that is.

    Environments made for a side are stored in ~/.cache/web-harness/environments, which can be deleted.

    Exit codes: 0 measured; 1 slower by more than --fail-if-slower; 2 usage; 3 a side is not ready; 4 nothing valid was
    measured; 130 interrupted.
    """
    from harness.config.placement import detect
    from harness.instruments import counter_kind, counting_ahead, sampler
    from harness.model.difference import WHOLE
    from harness.prepare import versus as prepare
    from harness.prepare.point import RequestOptions, requested_point
    from harness.prepare.probe import probe
    from harness.prepare.profile import fewer_workers, profiles
    from harness.prepare.remote import MixedFleet
    from harness.prepare.select import is_url
    from harness.prepare.sides import sides, with_common_options
    from harness.record import Run
    from harness.report.files import save_summary, summary_of
    from harness.report.language.catalogue import ENGLISH
    from harness.report.profile import explanation
    from harness.report.step_summary import append
    from harness.report.versus import comment_of, document, lines
    from harness.results.versus import judged, main_contrast
    from harness.serve import READY_S, serving_all
    from harness.serve.services import needs_of, services
    from harness.session.instruments import recorded

    urls = [side for side in (a, b) if is_url(side)]
    metric = metric or ("throughput" if urls else "cpu_cost")
    counting = metric == "instructions"
    if urls:
        local = {"--explain": explain, "--setup": setup, "--env-file": env_file, "--startup-timeout": startup_timeout}
        for option, is_set in {f"--metric {metric}": metric != "throughput", **local}.items():
            if is_set:
                raise UsageError(
                    f"{option}: {urls[0]} is not started here, and its CPU cannot be read", hint=f"leave out {option}"
                )
    elif cacert or insecure:
        raise UsageError("--cacert and --insecure are for https:// sides", hint="harness versus https://… https://…")
    if counting:
        counter_kind()
        # More connections make the order of work differ from start to start.
        concurrency = concurrency or 1
    elif margin is not None:
        raise UsageError("--margin is for --metric instructions", hint="other metrics' margin is the A/A control's")
    if explain and counting:
        raise UsageError("--explain is for time", hint="--metric instructions shows shared objects, without --explain")
    if explain:
        sampler()
    check_writable([comment] if comment else [])
    control = not counting if control is None else control
    sent = opt.content("--body", body)
    say = errors(quiet).print
    made = sides(a, b, against, (with_a, with_b), install, (opt.RESULTS, opt.REPORTS), say, cacert, insecure)
    # Ended with the command, after its last look at the environments.
    pair, side_notes = context.with_resource(made)
    varying = [WHOLE] if ignore_body else volatile
    options = RequestOptions(scenario, path, method, header, sent, expect_status, varying, requests)
    point, skipped = requested_point(pair, options, concurrency)
    if not counting:
        prepare.check_budget(prepare.versus_targets(*pair, point, control), point, budget)
    with _adding_differences(pair):
        pair = with_common_options(pair, env_file, startup_timeout, setup, say)
    began = monotonic()
    here = not all(side.elsewhere for side in pair)
    placement, seed = detect(), random.SystemRandom().randrange(1_000_000) if seed is None else seed
    targets = prepare.versus_targets(*pair, point, control)
    # Who starts first may get other memory than who starts last.
    shuffled = random.Random(seed).sample(targets, len(targets))
    # Those that are counted start at the same time, and slow the others down.
    ready_s = 2 * READY_S if counting else READY_S
    with (
        _adding_differences(pair),
        services(needs_of(request.endpoint for request in point.requests if here), placement.backing) as around,
        counting_ahead(shuffled, placement, around.environment) if counting else nullcontext() as counted,
        serving_all(targets, placement, around.environment, ready_s, MixedFleet) as fleet,
    ):
        probed = probe(fleet, pair, point, around)
        point = probed.point
        spent = monotonic() - began
        plan = prepare.versus_plan(
            targets,
            point,
            metric,
            seed=seed,
            budget_s=budget - spent,
            start_s=probed.start_s,
            spent_s=spent,
            margin=None if margin is None else float(margin),
        )
        manifest = prepare.versus_manifest(plan, targets, placement, opt.repeated(context, seed=seed), opt.RESULTS)
        opened = Run.create(out or opt.RESULTS / manifest.run, manifest)
        sampling = monotonic()
        # Before the blocks, so that what cannot be sampled is known at once.
        profiled = profiles(pair, point, placement, around, opened.folder, EXPLAIN_S) if explain else []
        began += monotonic() - sampling
        interrupted = _measure(opened, placement, around, fleet, counted, errors(quiet), fail_if_slower)
    if not opened.windows():
        return 130
    for each in profiled:
        opened.append(recorded(each, {point.id: point}), {})
    summary, took = summary_of(opened), monotonic() - began
    save_summary(opened, summary)
    limit = None if fail_if_slower is None else judged(summary, fail_if_slower)
    fewer = fewer_workers(pair, placement) if explain else []
    result = document(
        summary,
        opened.windows(),
        took,
        notes=[*side_notes, *skipped, *probed.notes, *manifest.warnings, *fewer],
        packages=prepare.differing_packages(*pair),
        folder=str(opened.folder),
        explanation=explanation(profiled, summary) if profiled else None,
        limit=limit,
    )
    output = lines(opened.manifest, summary, result)
    print_result(result, output, as_json)
    text = comment_of(opened.manifest, output)
    append(text)
    if comment:
        comment.write_text(text, "utf-8")
    if interrupted:
        return 130
    for record in opened.windows():
        for failure in record.failures:
            raise LaunchError(f"{failure.target}: {ENGLISH.reason(failure.reason)}", log=failure.log)
        for gate in record.gates if record.study else ():
            raise NotReadyError(f"{gate.target}: {ENGLISH.reason(gate.reason)}")
    if main_contrast(summary).ratio is None:
        return 4
    return 1 if limit and limit.outcome == "failed" else 0


@contextmanager
def _adding_differences(pair: tuple[Target, Target]) -> Iterator[None]:
    """Adds to the error of a side that fails in which packages the environments differ: they may be its cause."""
    from harness.prepare.versus import differing_packages
    from harness.report.versus import listed_packages

    try:
        yield
    except LaunchError as error:
        packages: dict[str, tuple[str | None, str | None]] = {}
        with suppress(NotReadyError):
            packages = differing_packages(*pair)
        if packages:
            note = f"the two environments differ in: {listed_packages(packages)}"
            error.hint = f"{error.hint}\n  {note}" if error.hint else note
        raise


def _measure(
    run: Run,
    placement: Placement,
    around: Services,
    fleet: Fleet,
    counted: CountingFleet | None,
    err: Console,
    limit: float | None,
) -> bool:
    """Measures the run and shows its verdict as it firms up; returns whether it was interrupted.

    Args:
        fleet: the servers that were probed, which are those of the first block.
        counted: those of the first count, where instructions are compared.
    """
    from harness.engine.engine import Engine
    from harness.prepare.ceiling import ceilings
    from harness.prepare.remote import MixedFleet
    from harness.report.progress import VersusProgress
    from harness.session import TRIES, Bench, measure

    with Engine(placement.generator) as engine, VersusProgress(err) as observer:
        try:
            # Nothing is decided by the clocks of a count.
            null = {} if counted else ceilings(engine, placement, run.manifest.plan)
            tries = 1 if counted else TRIES
            bench = Bench(
                engine,
                placement,
                observer,
                around,
                kind=MixedFleet,
                ceilings=null,
                tries=tries,
                features=False,
                first=fleet,
                counted=counted,
                overlap=not counted,
            )
            measure(run, bench, partial(_more, observer, limit))
        except KeyboardInterrupt:
            return True
    return False


def _more(observer: VersusProgress, limit: float | None, run: Run, left_s: float) -> Extension | None:
    """What is measured next: nothing once all is decided at a look, or the time or the looks are over."""
    from harness.prepare.versus import next_block, next_starts
    from harness.report.versus import state
    from harness.results.summarise import summarise
    from harness.results.versus import decided, large, main_contrast

    plan, records = run.manifest.plan, run.windows()
    if any(record.failures or (record.study and record.gates) for record in records):
        return None
    summary = summarise(run.manifest, records, lambda record: {})
    result, sure = main_contrast(summary), decided(summary, limit)
    observer.verdict_changed(state(result))
    if result.metric == "instructions":
        return next_starts(plan, left_s, decided=sure)
    measured_s = sum(record.duration_s for record in records)
    return next_block(plan, left_s, measured_s, decided=sure, large=large(summary))
