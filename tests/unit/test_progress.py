"""Progress of a run: a bar on a terminal, plain lines elsewhere, nothing when asked to be quiet."""

import io
import re

import pytest
from rich.console import Console

from harness.engine.spec import Progress
from harness.report.progress import RunProgress
from harness.results.summarise import summarise
from tests.synthetic import make_run


def shown(terminal, quiet=False, **options):
    run = make_run(blocks=2, rounds=3, **options)
    plan, out = run.manifest.plan, io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=150, stderr=False, quiet=quiet)
    with RunProgress(console, run.manifest) as observer:
        observer.run_started(plan, "results/r1")
        records = iter(run.records)
        for block in plan.blocks:
            observer.block_started(block)
            for window in block.windows:
                observer.window_started(window, 0)
                observer.progressed(Progress(window.seconds / 2, 500, 1))
                observer.window_ended(window, next(records))
    return out.getvalue()


def test_without_a_terminal_each_window_is_a_plain_line():
    text = shown(False)
    lines = text.splitlines()
    assert "about 9m 00s. Results: results/r1" in lines[0]
    assert len([line for line in lines if "verified replies in" in line]) == sum("[" in line for line in lines)
    assert "\x1b" not in text


def test_a_terminal_gets_a_bar_with_the_time_that_is_left():
    text = shown(True)
    assert "left" in text
    assert "using the rest of the budget" in text
    assert "verified replies in" not in text


def test_a_terminal_says_what_happens_and_what_it_came_to_so_far():
    text = shown(True)
    assert re.search(r"block 2 of 2: [^:]+, \d+ connections, \d targets in turns", text)
    assert "requests per second" in text
    rates = re.findall(r"FastAPI on Uvicorn +([\d,]+)", text, re.M)
    run = make_run(blocks=2, rounds=3)
    summary = summarise(run.manifest, run.records, run.samples)
    value = next(c.throughput_rps.value for c in summary.cells if (c.target, c.point) == ("fastapi-uvicorn", "json@32"))
    assert float(rates[-1].replace(",", "")) == pytest.approx(value, rel=0.05)


def test_quiet_says_nothing():
    assert shown(False, quiet=True) == shown(True, quiet=True) == ""


@pytest.mark.parametrize("variable", ["NO_COLOR"])
def test_no_color_leaves_no_color(monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    assert "\x1b[3" not in shown(True)


def test_plain_lines_say_how_far_the_run_is_and_how_long_it_takes():
    lines = [line for line in shown(False).splitlines() if "verified replies in" in line]
    assert re.match(r"\[ *\d+%\] block 1 of 2: .* \(\S+ \S* ?so far, .* left\)$", lines[0]), lines[0]
    assert lines[-1].startswith("[100%] block 2 of 2: ")
