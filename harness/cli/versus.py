"""``harness versus``: two targets, one request, one verdict."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from harness.cli import completion, options as opt
from harness.cli.output import check_writable, errors, print_json, print_lines
from harness.cli.repeat import repeated
from harness.errors import LaunchError, NotReadyError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from harness.config.placement import Placement
    from harness.model import Extension
    from harness.record import Run
    from harness.report.progress import VersusProgress
    from harness.results.versus import Limit
    from harness.serve import Fleet
    from harness.serve.services import Services

    Extend = Callable[[VersusProgress, Run, float], Extension | None]

EXPLAIN_S = 10
FORTY_SECONDS = opt.duration("40s")


def versus(
    context: typer.Context,
    a: Annotated[
        str,
        typer.Argument(metavar="A", autocompletion=completion.targets, help=f"A target, or {opt.SPELLED_OUT}"),
    ],
    b: Annotated[
        str,
        typer.Argument(
            metavar="B",
            autocompletion=completion.targets,
            help="The target that A is compared with; left out with --against.",
        ),
    ] = "",
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
        typer.Option(metavar="FILE", help="Requests, as a scenario file in TOML or JSON has them, or a browser's HAR."),
    ] = None,
    scenario: Annotated[
        str,
        opt.text("NAME", "A scenario, instead of --path.", "-s", "--scenario", complete=completion.scenarios),
    ] = "",
    method: opt.Method = "",
    header: opt.Headers = [],  # noqa: B006
    body: Annotated[str, opt.text("TEXT|@FILE", "The body to send.")] = "",
    expect_status: Annotated[int | None, opt.number("The correct status. Default: any below 400.")] = None,
    volatile: opt.Volatile = [],  # noqa: B006
    ignore_body: opt.IgnoreBody = False,
    concurrency: Annotated[int | None, opt.number("Connections.", "-c", "--concurrency")] = None,
    metric: Annotated[
        Literal["cpu_cost", "throughput", "instructions"],
        typer.Option(help="What is compared; instructions need valgrind, and no quiet machine."),
    ] = "cpu_cost",
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
    seed: opt.Seed = None,
    out: opt.Out = None,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> int:
    """Say whether A is cheaper (or faster) than B, by how much, and how certain that is.

    Environments that are made for a side are kept in ~/.cache/web-harness/environments, which can be deleted.

    Exit codes: 0 measured; 1 slower by more than --fail-if-slower; 2 usage; 3 a side is not ready; 4 nothing valid was
    measured; 130 interrupted.
    """
    from harness.config.placement import detect
    from harness.instruments import counter_kind, sampler
    from harness.model.difference import WHOLE
    from harness.prepare import versus as prepare
    from harness.prepare.asked import Asked, asked_point
    from harness.prepare.probe import probe
    from harness.prepare.profile import profiles
    from harness.prepare.sides import sides, surrounded
    from harness.record import Run
    from harness.report import instructions as counted
    from harness.report.comment import comment_of
    from harness.report.files import save_summary, summary_of
    from harness.report.language.catalogue import ENGLISH
    from harness.report.profile import explained, explanation
    from harness.report.step_summary import append
    from harness.report.versus import document, limit_line, lines
    from harness.results.instructions import MARGIN, result_of
    from harness.results.versus import Limit, judged, main_contrast
    from harness.serve import serving_all
    from harness.serve.envs import shadowed
    from harness.serve.services import needs_of, services
    from harness.session.samples import recorded

    if metric == "instructions":
        counter_kind()
        # More connections make the order of work differ from start to start.
        concurrency = concurrency or 1
    elif margin is not None:
        raise UsageError("--margin is for --metric instructions", hint="other metrics' margin is the A/A control's")
    if explain and metric == "instructions":
        raise UsageError("--explain is for time", hint="--metric instructions shows shared objects, without --explain")
    if explain:
        sampler()
    check_writable([comment] if comment else [])
    sent = opt.content("--body", body)
    say = partial(errors(quiet).print, markup=False)
    made = sides(a, b, against, (with_a, with_b), install, (opt.RESULTS, opt.REPORTS), say)
    # Ended with the command, after its last look at the environments.
    pair, told = context.with_resource(made)
    varying = [WHOLE] if ignore_body else volatile
    asked = Asked(scenario, path, method, header, sent, expect_status, varying, requests)
    point, skipped = asked_point(pair, asked, concurrency)
    control = metric != "instructions" if control is None else control
    if metric != "instructions":
        prepare.check_budget(pair, point, budget, control)
    pair = surrounded(pair, env_file, startup_timeout, setup, say)
    began, share = monotonic(), MARGIN if margin is None else float(margin)
    placement, seed = detect(), random.SystemRandom().randrange(1_000_000) if seed is None else seed
    with (
        services(needs_of(request.endpoint for request in point.requests), placement.backing) as around,
        serving_all(prepare.served(*pair, point, control), placement, around.environment) as fleet,
    ):
        probed = probe(fleet, pair, point, around)
        point = probed.point
        spent = monotonic() - began
        if metric == "instructions":
            plan = prepare.counting_plan(*pair, point, seed=seed, budget_s=budget - spent, control=control)
        else:
            plan = prepare.versus_plan(
                *pair,
                point,
                metric,
                seed=seed,
                budget_s=budget - spent,
                start_s=probed.start_s,
                control=control,
                spent_s=spent,
            )
        manifest = prepare.versus_manifest(plan, pair, placement, repeated(context, seed=seed), opt.RESULTS)
        opened = Run.create(out or opt.RESULTS / manifest.run, manifest)
        sampling = monotonic()
        # Before the blocks, so that what cannot be sampled is known at once.
        profiled = profiles(pair, point, placement, around, opened.folder, EXPLAIN_S) if explain else []
        began += monotonic() - sampling
        counting = metric == "instructions"
        extend = partial(_next_start, margin=share) if counting else _next_block
        extend = partial(extend, limit=fail_if_slower)
        interrupted = _measure(opened, placement, around, fleet, errors(quiet), extend, counting)
    if not opened.windows():
        return 130
    for each in profiled:
        opened.append(recorded(each, {point.id: point}), {})
    summary = summary_of(opened)
    save_summary(opened, summary)
    notes = [note for note in (*told, *skipped, *probed.notes, placement.note, *shadowed(pair)) if note]
    result, took, packages = main_contrast(summary), monotonic() - began, prepare.differing_packages(*pair)
    limit: Limit | None = None
    measured = False
    shown: object = None
    said = [ENGLISH.reasons(summary.reasons)]
    if metric != "instructions":
        sampled = explanation(profiled, summary) if profiled else None
        limit = None if fail_if_slower is None else judged(summary, fail_if_slower)
        measured = result.ratio is not None
        shown = document(summary, result, took, notes, packages, str(opened.folder), sampled, limit)
        said = [
            *lines(opened.manifest, summary, result, took, notes, packages),
            *(explained(sampled) if sampled else ()),
        ]
    elif (found := result_of(opened.manifest.plan, opened.windows(), share)) is not None:
        limit = None if fail_if_slower is None else Limit(fail_if_slower, found.slower(fail_if_slower))
        measured = True
        shown = counted.document(found, took, notes, packages, str(opened.folder), limit)
        said = counted.lines(found, took, notes, packages)
    if limit:
        said.append(limit_line(limit))
    if shown is not None and as_json:
        print_json(shown)
    elif shown is not None:
        print_lines(said)
    text = comment_of(opened.manifest, said)
    append(text)
    if comment:
        comment.write_text(text, "utf-8")
    if interrupted:
        return 130
    for record in opened.windows():
        for failure in record.failures:
            raise LaunchError(f"{failure.target}: {ENGLISH.reason(failure.reason)}", log=failure.log)
        for gate in record.gates if metric == "instructions" and record.study else ():
            raise NotReadyError(f"{gate.target}: {ENGLISH.reason(gate.reason)}")
    return 4 if not measured else 1 if limit and limit.outcome == "failed" else 0


def _measure(
    run: Run, placement: Placement, around: Services, fleet: Fleet, err: Console, extend: Extend, counting: bool
) -> bool:
    """Measures the run and shows its verdict as it firms up; returns whether it was interrupted.

    Args:
        fleet: the servers that were probed, which are those of the first block.
    """
    from harness.engine.engine import Engine
    from harness.prepare.ceiling import busy_concurrencies, ceilings
    from harness.report.progress import VersusProgress
    from harness.session import TRIES, Bench, measure

    with Engine(placement.generator) as engine, VersusProgress(err) as observer:
        try:
            # Nothing is decided by the clocks of a count.
            null = {} if counting else ceilings(engine, placement, busy_concurrencies(run.manifest.plan))
            tries = 1 if counting else TRIES
            bench = Bench(
                engine,
                placement,
                observer,
                around,
                ceilings=null,
                tries=tries,
                features=False,
                first=fleet,
                brisk=not counting,
            )
            measure(run, bench, partial(extend, observer))
        except KeyboardInterrupt:
            return True
    return False


def _next_start(
    observer: VersusProgress, run: Run, left_s: float, *, limit: float | None, margin: float
) -> Extension | None:
    """Two starts, then one at a time until the difference and the limit are decided, or time or looks are over."""
    from harness.model.units import number_of
    from harness.prepare.versus import further_starts
    from harness.report.instructions import state
    from harness.results.instructions import STARTS, result_of

    plan, records = run.manifest.plan, run.windows()
    done = len([record for record in records if record.study])
    if any(record.failures for record in records) or any(record.study and record.gates for record in records):
        return None
    if (result := result_of(plan, records, margin)) is not None:
        observer.firmed_up(f"{state(result)} after {number_of(result.starts, 'start')}: {result.verdict}")
        late = done > STARTS[0] and left_s <= 0
        if done >= STARTS[-1] or (done in STARTS and (late or result.decided(limit))):
            return None
    return further_starts(plan, done, max(1, STARTS[0] - done))


def _next_block(observer: VersusProgress, run: Run, left_s: float, *, limit: float | None) -> Extension | None:
    """One more block until the contrast and the limit are decided at a look, or the time or the looks are over."""
    from harness.model import Extension
    from harness.prepare.versus import another_block
    from harness.report.versus import state
    from harness.results.summarise import summarise
    from harness.results.versus import decided, large, main_contrast
    from harness.stats.looks import stops

    plan, records = run.manifest.plan, run.windows()
    done = len(plan.blocks)
    if any(record.failures for record in records):
        return None
    summary = summarise(run.manifest, records, lambda record: {})
    observer.firmed_up(state(main_contrast(summary)))
    if stops(done, decided=decided(summary, limit), large=large(summary)):
        return None
    spent = sum(record.duration_s for record in records)
    starting = max(0.0, (plan.budget_s - left_s - spent) / done)
    block = another_block(plan, left_s, starting)
    return Extension((block,)) if block else None
