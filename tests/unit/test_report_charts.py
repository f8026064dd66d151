"""Charts as the page gets them: colours as variables, labels that fit, time lines with marks."""

import dataclasses
import itertools
import math
import re
from pathlib import Path

import pytest

from harness.model import Failure, Gate, Reason
from harness.report.charts.lines import HEIGHT, model_rps, sweep_charts
from harness.report.charts.rows import forest_chart, throughput_chart
from harness.report.charts.style import HUES, VARIABLES, columns, log_ticks, row_labels, shorten, spread
from harness.report.language.catalogue import ENGLISH
from harness.report.report import TEMPLATES
from harness.report.sections.health import BINS, marks, windows
from harness.report.view import View
from tests.synthetic import make_run
from tests.unit.summaries import CONTRASTS, TARGETS, cells, manifest, summary

CSS = Path(TEMPLATES / "report.css").read_text("utf-8")


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(one, two):
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


THEMES = [dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.S)]


@pytest.mark.parametrize("theme", THEMES[:2], ids=["light", "dark"])
def test_colours_stand_out_from_the_paper(theme):
    for number in range(HUES):
        assert ratio(theme[f"--hue-{number}"], theme["--paper"]) >= 3, number
    for text in ("--ink", "--muted", "--link"):
        assert ratio(theme[text], theme["--paper"]) >= 4.5, text
    assert set(VARIABLES.values()) <= set(theme)


def test_a_chart_is_inert_named_and_coloured_by_variables():
    name = "<script>alert(1)</script>" * 3
    view = View(
        manifest(targets=(dataclasses.replace(TARGETS[0], name=name), *TARGETS[1:])),
        summary(cells=tuple(dataclasses.replace(c, target=name) if c.target == "fast" else c for c in cells())),
    )
    [chart] = throughput_chart(view, view.places["json@32"], "here")
    assert "<script" not in chart.svg
    assert chart.svg.startswith("<svg viewBox=")
    assert 'role="img" aria-label="Small JSON reply, 32 connections. ' in chart.svg
    assert "var(--hue-0)" in chart.svg
    assert not any(placeholder in chart.svg for placeholder in VARIABLES)
    assert not re.search(r"""(fill|stroke)="#""", chart.svg)
    ids = re.findall(r'\bid="([^"]*)"', chart.svg)
    assert all(key.startswith("here-") for key in ids)


def test_there_is_no_chart_without_numbers():
    view = View(manifest(), summary(cells=tuple(dataclasses.replace(cell, status="failed") for cell in cells())))
    assert throughput_chart(view, view.places["json@32"], "x") == ()
    assert sweep_charts(view, view.reference, list(view.places.values())) == ()


def test_a_forest_takes_contrasts_with_and_without_intervals():
    rows = [(str(i), one) for i, one in enumerate(CONTRASTS) if one.ratio is not None]
    rows.append(("alone", dataclasses.replace(rows[0][1], ci_low=None, ci_high=None)))
    assert forest_chart(rows, "f", "Forest", ENGLISH).svg.count("var(--ink)") > len(rows)


def test_the_model_line_is_the_capacity():
    view = View(manifest(), summary())
    place = view.places["io-sleep[ms=20]@64"]
    found = view.cell("slow", place.id)
    assert found is not None
    service = found[1].cpu_us.value / 1e6
    assert model_rps(view, TARGETS[1], place, found[1]) == pytest.approx(min(1 / service, 8 / (0.020 + service)))


@pytest.mark.parametrize(
    ("name", "most", "text"),
    [
        ("short", 10, "short"),
        ("a" * 20, 9, "aaaa…aaaa"),
        ("日本語の名前です", 9, "日本…です"),
        ("tab\there", 20, "tab here"),
    ],
)
def test_labels_are_cut_in_the_middle(name, most, text):
    assert shorten(name, most) == text
    assert columns(shorten(name, most)) <= most


def test_equal_labels_stay_apart_and_in_order():
    keys, axis = row_labels(["b" * 50, "b" * 50, "a"], 10, room=30)
    assert keys == sorted(keys)
    assert len(set(keys)) == 3
    assert axis["minExtent"] >= 200


@pytest.mark.parametrize("ends", [[100.0] * 6, [990.0, 995.0, 999.0], [11.0, 12.0, 500.0], [], [0.0, 5.0]])
def test_labels_of_lines_that_end_together_are_spread(ends):
    placed = [row["y"] for row in spread([{"y": end} for end in ends], (1.0, 1000.0), HEIGHT)]
    assert len(placed) == sum(end > 0 for end in ends)
    assert placed == sorted(placed)
    assert all(level <= 1000 for level in placed)
    pixels = [HEIGHT * math.log(level) / math.log(1000) for level in placed]
    assert all(after - before >= 12.9 for before, after in itertools.pairwise(pixels))


def test_a_label_with_room_stays_beside_its_line():
    assert [row["y"] for row in spread([{"y": 900.0}, {"y": 2.0}], (1.0, 1000.0), HEIGHT)] == [2.0, 900.0]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(90, 600, [100, 200, 500]), (1, 10, [1, 2, 5, 10]), (1, 10000, [1, 10, 100, 1000, 10000]), (3, 4, [])],
)
def test_log_ticks_are_round(low, high, ticks):
    assert log_ticks(low, high) == pytest.approx(ticks)


def test_windows_are_bounded_and_in_order():
    run = make_run(blocks=3, rounds=10)
    points = windows(run.records)
    assert 0 < len(points) <= BINS
    assert [point.minute for point in points] == sorted(point.minute for point in points)
    assert all(point.low <= point.middle <= point.high for point in points)


def test_marks_name_what_happened():
    records = make_run(blocks=1, rounds=2).records
    gate, failure = (
        Gate(Reason("steal", {"text": "steal of 4%"})),
        Failure("fast", "json@32", Reason("died", {"text": "exited"})),
    )
    changed = (dataclasses.replace(records[0], gates=(gate, gate), failures=(failure,), attempt=1), *records[1:])
    assert [mark.text for mark in marks(changed)] == ["died, steal, retry"]
    assert windows([]) == []
    assert marks([]) == []


def test_a_start_that_cannot_be_read_does_no_harm():
    records = [dataclasses.replace(one, started_at="yesterday") for one in make_run(blocks=1, rounds=2).records]
    assert windows(records)
