"""The terminal's closing lines, ``summary.md`` and ``summary.csv``."""

import csv
import dataclasses
import io

import pytest

from harness.model import Reason
from harness.report.export import HEADER, summary_csv
from harness.report.markdown import LISTED, escape, render_markdown
from harness.report.terminal import LINES, closing_lines, next_line
from harness.results.summary import Cell
from tests.synthetic import HOSTILE_NAMES
from tests.unit.summaries import CONTRASTS, cells, contrast, estimate, manifest, summary


def test_the_terminal_ends_with_answers_path_and_next_command():
    lines = closing_lines(
        manifest(),
        summary(badge="warnings", reasons=(Reason("steal", {"share": 0.03, "limit": 0.02}),)),
        "reports/x.html",
        "results/x",
    )
    assert (
        lines[0]
        == "Checks passed, with warnings: 8 blocks in 3m 20s. The figures hold for this machine and these loads."
    )
    assert lines[1].startswith("Which framework and server? Small JSON reply, 32 connections: fast leads with ")
    assert lines[2].startswith("Waiting, 20 ms of I/O wait, 64 connections: fast leads with ")
    assert lines[-4:-1] == [
        "Warning: other guests of the host took 3% of the CPUs (limit 2%)",
        "Report: reports/x.html",
        "Data: results/x",
    ]
    assert lines[-1].startswith("Next, to decide what is undecided: harness run")
    assert len(lines) <= LINES


def test_many_warnings_are_counted_and_not_dropped_in_silence():
    reasons = tuple(Reason(f"reason {number}") for number in range(20))
    lines = closing_lines(manifest(), summary(badge="do-not-cite", reasons=reasons), "r.html", "results/x")
    assert len(lines) == LINES
    listed = sum(line.startswith("Warning: reason") for line in lines)
    assert f"Warning: {20 - listed} more, under Run health in the report" in lines


def test_no_control_character_reaches_the_terminal():
    lines = closing_lines(
        manifest(), summary(badge="warnings", reasons=(Reason("told", {"text": "\x1b[31mred\u202e"}),)), "r.html", "x"
    )
    assert not any(character in line for line in lines for character in "\x1b\u202e\n")


@pytest.mark.parametrize(
    ("run", "results", "command"),
    [
        (manifest(status="interrupted"), summary(), "Next: harness run --resume 'my results/r1'"),
        (manifest(), summary(), "Next, to decide what is undecided: harness run --profile thorough"),
        (manifest(), summary(contrasts=CONTRASTS[:2]), "Next: harness report 'my results/r1' --open"),
        (
            manifest(command="harness run -t x --profile quick -s 'a b' --budget 20s --seed 3 --workers 2"),
            summary(),
            "Next, to decide what is undecided: harness run -t x -s 'a b' --seed 3 --workers 2 --profile thorough",
        ),
        (
            manifest(status="interrupted", command="harness run -t x --workers 2 --fleet compose --live --seed 3"),
            summary(),
            "Next: harness run --resume 'my results/r1' --workers 2 --fleet compose",
        ),
    ],
)
def test_the_next_command_fits_how_the_run_ended(run, results, command):
    assert next_line(run, results, "my results/r1") == command


def test_markdown_holds_answers_cells_and_contrasts():
    text = render_markdown(manifest(), summary())
    assert text.startswith("# example\n\n**Checks passed.** The figures hold for this machine and these loads.\n")
    assert "**Which framework and server?** Small JSON reply, 32 connections: fast leads with " in text
    assert "| fast | json@32 | 9,880 ± 200 | 101 ± 2.0 |" in text
    assert "| other | json@32 | failed: the server died under load (exit code 1) |  |" in text
    assert "- Undecided whether fast and slow differ" in text
    assert "| slow | 1×8 | not known | not known |" in text


def test_markdown_says_how_many_contrasts_it_leaves_out():
    many = tuple(contrast() for _ in range(LISTED + 5))
    assert "- 5 more are in summary.json and in the report." in render_markdown(manifest(), summary(contrasts=many))


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "line\nbreak", "<!-- -->", "![x](y)", "a|b\\|c"])
def test_markdown_keeps_hostile_names_in_their_place(name):
    one = Cell(name, "json@32", "json", {}, 32, status="ok", throughput_rps=estimate(100.0), cpu_us=estimate(10.0))
    text = render_markdown(manifest(), summary(cells=(one,), contrasts=()))
    (row,) = [line for line in text.splitlines() if line.endswith("| 100 ± 2.0 | 10.0 ± 0.20 |")]
    assert row.replace("\\\\", "").replace("\\|", "").count("|") == 5
    assert "<" not in row.replace("\\<", "")


def test_markdown_escapes_what_would_be_markup():
    assert escape("*a* [b](c) `d` <e>\n\u202e") == "\\*a\\* \\[b\\](c) \\`d\\` \\<e\\> "


def test_csv_has_full_precision_and_no_number_where_there_is_none():
    rows = list(csv.DictReader(io.StringIO(summary_csv(summary()))))
    assert len(rows) == len(cells())
    for row, cell in zip(rows, cells(), strict=True):
        assert (row["target"], row["point"], row["status"]) == (cell.target, cell.point, cell.status)
        if cell.throughput_rps is None:
            assert row["throughput_rps"] == row["cpu_us_low"] == row["service_time_us_p50"] == ""
            continue
        assert float(row["throughput_rps"]) == cell.throughput_rps.value
        assert float(row["throughput_rps_low"]) == cell.throughput_rps.ci_low
        assert float(row["cpu_us_high"]) == cell.cpu_us.ci_high
        assert float(row["service_time_us_p50"]) == cell.service_time_us["p50"]


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, 'a,"b"', "two\nlines", ""])
def test_csv_reads_back_any_name(name):
    one = dataclasses.replace(cells()[0], target=name)
    (head, row) = list(csv.reader(io.StringIO(summary_csv(summary(cells=(one,))))))
    assert tuple(head) == HEADER
    assert row[0] == name


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x"])
def test_csv_has_no_formula(name):
    one = dataclasses.replace(cells()[0], target=name)
    assert list(csv.reader(io.StringIO(summary_csv(summary(cells=(one,))))))[1][0] == f"'{name}"
