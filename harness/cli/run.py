"""``harness run``: select, plan, measure, report."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from harness.cli import completion, options as opt
from harness.cli.output import check_writable, errors, print_lines, print_summary, print_text, report_files
from harness.cli.signals import OutOfTime, time_left
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.model import Extension, Manifest
    from harness.record import Run
    from harness.results.summary import Summary


def run(
    context: typer.Context,
    target: opt.Targets = [],  # noqa: B006
    scenario: opt.Scenarios = [],  # noqa: B006
    python: Annotated[
        list[str],
        opt.text("VERSION|PATH", "Measure every target under this interpreter; several are compared. Repeatable."),
    ] = [],  # noqa: B006
    profile: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            autocompletion=completion.profiles,
            parser=opt.known(lambda: completion.profiles("")),
            help="smoke (30 s), quick (4 min), standard (30 min), thorough (1 h) or async (30 min).",
        ),
    ] = "quick",
    seed: opt.Seed = None,
    budget: Annotated[opt.Quantity | None, opt.time("Wall time of the whole run. Default: from the profile.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and how long it takes.")] = False,
    resume: Annotated[str, opt.text("RUN", "Continue an interrupted run.", complete=completion.runs)] = "",
    out: opt.Out = None,
    report: Annotated[Path | None, opt.text("FILE", "The report. Default: reports/<run>.html.")] = None,
    name: Annotated[str, opt.text("TEXT", "A name for the run, shown in the report.")] = "",
    fleet: Annotated[
        Literal["processes", "compose"], typer.Option(help="Servers as processes, or in containers.")
    ] = "processes",
    locustfile: Annotated[
        str, opt.text("FILE", "A Locust journey of your own, with scenarios only if -s names some.")
    ] = "",
    users: Annotated[int | None, opt.number("Users of a journey. Default: from the journey.")] = None,
    url: Annotated[list[str], opt.text("[NAME=]URL", "A target that runs elsewhere, instead of -t; repeatable.")] = [],  # noqa: B006
    cacert: opt.CaCert = "",
    insecure: opt.Insecure = False,
    concurrency: Annotated[int, opt.number("Connections, with --url and without -s.", "-c", "--concurrency")] = 32,
    workers: opt.Workers = 0,
    join: opt.Join = 0,
    listen: opt.Listen = "",
    port: opt.Port = None,
    on_lost: opt.OnLost = "invalid",
    live: opt.Live = False,
    instructions: Annotated[
        bool, typer.Option(help="Count instructions, where the CPU or valgrind can, in up to a quarter of the budget.")
    ] = True,
    samples: Annotated[
        bool,
        typer.Option(help="Sample where CPU time goes, where py-spy may, in up to a tenth of the budget."),
    ] = True,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> int:
    """Measure targets on scenarios (and Locust journeys, if -s names them) and write a report.

    With --workers, or --join and "harness worker" on other machines, several workers send, to one target at a time.

    Ctrl-C is safe: continue with harness run --resume RUN.

    Exit codes: 0 done; 2 usage; 3 a target or the machine is not ready; 4 finished with invalid or missing windows;
    130 interrupted, with everything measured so far saved.
    """
    from harness.cluster.options import LIVE_PORT, ClusterOptions
    from harness.config.placement import detect
    from harness.engine.extra import allow_connections
    from harness.instruments import why_not_counted, why_not_sampled
    from harness.plan.profiles import PROFILES
    from harness.prepare.bench import bench_of
    from harness.prepare.choose import select, select_elsewhere
    from harness.prepare.manifest import new_manifest
    from harness.prepare.plan import connections, plan_run, remaining
    from harness.prepare.remote import destination_of
    from harness.record import Run, find_run
    from harness.report.plan import plan_lines
    from harness.report.progress import RunProgress, worker_news
    from harness.session import measure

    placement, cluster = detect(), ClusterOptions(workers, join, listen, port, on_lost, live)
    lacking: list[str] = []
    if resume:
        _check_resumed(context)
        opened = Run.open(find_run(resume, opt.RESULTS))
        manifest = opened.manifest
        if dry_run:
            print_lines(plan_lines(remaining(manifest.plan, opened)))
            return 0
    else:
        if url:
            # Targets from the project's defaults do not count then.
            if any(opt.source_of(context, name) == "COMMANDLINE" for name in ("target", "python", "fleet")):
                raise UsageError("--url names what already runs: it excludes -t, --python and --fleet")
            selection = select_elsewhere(url, scenario, concurrency, locustfile, users, cacert, insecure)
            for each in selection.targets:
                cluster.check_target(destination_of(each).address.host)
        else:
            selection = select(PROFILES[profile], target, scenario, locustfile, users, python)
        seed = random.SystemRandom().randrange(1_000_000) if seed is None else seed
        shared, hold = cluster.count > 0, fleet == "processes"
        # What a run would measure with, and why this machine cannot.
        extra = PROFILES[profile].instruments and hold and bool(selection.scenarios) and not (shared or url)
        uncounted = why_not_counted() if extra and instructions else ""
        unsampled = why_not_sampled() if extra and samples else ""
        lacking = [why for why in (uncounted, unsampled) if why]
        planned = plan_run(
            selection,
            PROFILES[profile],
            seed=seed,
            budget_s=budget,
            shared=shared,
            hold=hold,
            count=extra and instructions and not uncounted,
            sample=extra and samples and not unsampled,
        )
        if dry_run:
            print_lines(plan_lines(planned.plan))
            return 0
        manifest = new_manifest(
            planned.plan,
            planned.targets,
            (*selection.scenarios, *selection.studies),
            placement=placement,
            command=opt.repeated(context, seed=seed, **({"target": []} if url else {})),
            results=opt.RESULTS,
            name=name,
            journeys=planned.journeys,
            skipped=selection.skipped,
        )
    files = report_files(manifest, report)
    check_writable(files)
    allow_connections(connections(manifest.plan), required=True)
    if not resume:
        opened = Run.create(out or opt.RESULTS / manifest.run, manifest)
    for note in (*_notes(manifest), *lacking):
        errors().print(note, style="yellow")
    _import_report_modules()
    try:
        news = worker_news(errors(quiet), LIVE_PORT if live else 0)
        with (
            RunProgress(errors(quiet), manifest) as progress,
            bench_of(opened, placement, progress, fleet=fleet, cluster=cluster, on_note=news) as bench,
        ):
            complete = not measure(opened, bench, _extend_plan)
    except KeyboardInterrupt as interrupt:
        return _interrupted(opened, files, as_json, interrupt)
    summary = _report(opened, files, as_json)
    tried = [each for each in (*summary.cells, *summary.journeys, *summary.shared_loads) if each.status != "not-run"]
    # Sound windows may still hold too few numbers for any value.
    return 0 if complete and (not tried or any(each.status == "ok" for each in tried)) else 4


def _notes(manifest: Manifest) -> Iterator[str]:
    """What the user should know before anything is measured."""
    from harness.report.language.catalogue import ENGLISH
    from harness.report.plan import left_out

    yield from (f"{failure.target} is left out: {ENGLISH.reason(failure.reason)}" for failure in manifest.skipped)
    yield from (f"warning: {ENGLISH.reason(warning)}" for warning in manifest.warnings)
    if manifest.plan.left_out:
        yield left_out(manifest.plan)


def _report(run: Run, files: list[Path], as_json: bool) -> Summary:
    from harness.report.files import save_summary, summary_json, summary_of, write_report
    from harness.report.step_summary import append

    summary = summary_of(run)
    save_summary(run, summary)
    append((run.folder / "summary.md").read_text("utf-8"))
    if as_json:
        print_text(summary_json(summary))
    else:
        print_summary(run, summary, files[0])
    write_report(run, summary, files)
    return summary


def _interrupted(run: Run, files: list[Path], as_json: bool, interrupt: KeyboardInterrupt) -> int:
    """Ends the command in time, with the report if there is time for it."""
    from harness.report.terminal import resume_command

    errors().print(f"interrupted; continue with: {resume_command(run.manifest, run.folder)}")
    if run.windows():
        try:
            with time_left(interrupt):
                _report(run, files, as_json)
        except OutOfTime:
            errors().print(f"no report was written in time; make it with: harness report {run.folder}")
    return 130


def _import_report_modules() -> None:
    """These take seconds to import, which a run that is interrupted later does not have."""
    import vl_convert  # noqa: F401

    import harness.report.files
    import harness.report.terminal  # noqa: F401


def _check_resumed(context: typer.Context) -> None:
    """Raises ``UsageError`` for options that would change what a run measures."""
    allowed = {"resume", "dry_run", "report", "fleet", "workers", "join", "listen", "port", "on_lost", "live"}
    allowed |= {"as_json", "quiet"}
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in allowed and opt.source_of(context, name) == "COMMANDLINE":
            raise UsageError(f"--resume continues the run's own plan: leave out {opt.name_of(parameter)}")


def _extend_plan(run: Run, left_s: float) -> Extension | None:
    """More waits around a wide crossover, then a block for what is undecided, while there is time."""
    from harness.model import Extension
    from harness.plan.allocate import next_block
    from harness.plan.narrow import narrow
    from harness.plan.profiles import PROFILES
    from harness.results.live import open_at_crossovers, sign_changes, undecided
    from harness.stats.looks import LOOKS, stops

    manifest, records = run.manifest, run.windows()
    blocks = len(manifest.plan.alternating)
    profile = PROFILES.get(manifest.plan.profile)
    if blocks < LOOKS[0]:
        return None
    if profile is not None and profile.bisect:
        wide = sign_changes(manifest, records)
        added = narrow(manifest.plan, manifest.scenarios, manifest.targets, wide, left_s, profile.longest_turn_s)
        if added is not None:
            return added
        block = next_block(manifest.plan, blocks, open_at_crossovers(manifest, records, LOOKS[-1]), left_s)
    else:
        waiting = undecided(manifest, records)
        block = None if stops(blocks, decided=not waiting) else next_block(manifest.plan, blocks, waiting, left_s)
    return None if block is None else Extension((block,))
