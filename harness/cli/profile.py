"""``harness profile``: where a target's CPU time goes."""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil
from typing import Annotated

from harness.cli import completion, options as opt
from harness.cli.output import errors, print_result

TEN_SECONDS = opt.duration("10s")


def profile(
    target: Annotated[str, opt.argument("TARGET", f"A target, or {opt.SPELLED_OUT}", completion.targets)],
    path: Annotated[list[str], opt.text("PATH", "The path to request, with its query; repeatable.")] = [],  # noqa: B006
    scenario: opt.Scenario = "",
    method: opt.Method = "",
    header: opt.Headers = [],  # noqa: B006
    body: opt.Body = "",
    expect_status: opt.ExpectStatus = None,
    concurrency: opt.Concurrency = None,
    duration: Annotated[opt.Quantity, opt.time("How long to sample.", "-d", "--duration")] = TEN_SECONDS,
    out: opt.Out = None,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> int:
    """Show where the CPU time of a request goes, by package and by function.

    py-spy samples the server under load. The folder holds a flame graph and a file for speedscope.

    Exit codes: 0 profiled; 2 usage; 3 the target is not ready, or py-spy may not sample; 130 interrupted.
    """
    from harness.config.placement import detect
    from harness.instruments import sampler
    from harness.prepare.choose import chosen_target
    from harness.prepare.point import RequestOptions, requested_point
    from harness.prepare.probe import probe
    from harness.prepare.profile import fewer_workers, profiles
    from harness.record import file_name
    from harness.report.profile import document, lines
    from harness.serve import serving_all
    from harness.serve.envs import shadowed
    from harness.serve.services import needs_of, services

    sampler()
    targets = [chosen_target(target)]
    sent = opt.content("--body", body)
    options = RequestOptions(scenario, path, method, header, sent, expect_status)
    point, _ = requested_point(targets, options, concurrency)
    placement, seconds = detect(), max(1, ceil(duration))
    folder = out or opt.RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{file_name(targets[0].name)}-profile"
    with services(needs_of(request.endpoint for request in point.requests), placement.backing) as around:
        with serving_all(targets, placement, around.environment) as fleet:
            probed = probe(fleet, targets, point, around)
        errors(quiet).print(f"sampling {targets[0].name} for {seconds} s")
        [result] = profiles(targets, probed.point, placement, around, folder, seconds)
    notes = (*probed.notes, placement.note, *fewer_workers(targets, placement), *shadowed(targets))
    shown = document(result, [note for note in notes if note])
    print_result(shown, lines(shown), as_json)
    return 0
