"""The page as text: every number is the summary's, hostile text is inert, and poor runs are told plainly."""

import dataclasses
import json
import random
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings, strategies as st
from markupsafe import escape

from harness.model import Failure, Feature, Gate, Reason, Side, Statements, Target
from harness.report.language.catalogue import language
from harness.report.report import render_report
from harness.report.sections.everything import repeat_command
from harness.report.sections.registry import SECTIONS
from harness.report.view import View
from harness.results.claims.judge import CLAIMS
from harness.results.summarise import summarise
from harness.results.summary import Estimate, Upkeep
from tests.synthetic import make_run
from tests.unit.summaries import (
    POINTS,
    SCENARIOS,
    Numbers,
    agrees,
    cells,
    contrast,
    embedded,
    estimate,
    manifest,
    resolve,
    summary,
)


class Elements(HTMLParser):
    """Counts of elements, and all attributes."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.ids = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id"]

    handle_startendtag = handle_starttag


def rendered(run):
    found = summarise(run.manifest, run.records, run.samples)
    return render_report(run.manifest, found, run.records), found


def check_numbers(page, results):
    document = json.loads(json.dumps(dataclasses.asdict(results)))
    assert embedded(page) == document
    shown = Numbers(page).shown
    for path, value, text in shown:
        assert value == resolve(document, path), path
        assert agrees(text, value), (path, value, text)
    return len(shown)


def test_every_shown_number_is_the_summarys():
    results = summary()
    assert check_numbers(render_report(manifest(), results, ()), results) > 200


def test_numbers_of_an_analysed_run_are_its_summarys():
    page, results = rendered(make_run(blocks=6, rounds=4))
    assert check_numbers(page, results) > 300


@pytest.mark.fuzz
@settings(max_examples=6, deadline=None, derandomize=True)
@given(
    blocks=st.integers(1, 6),
    failing=st.lists(st.sampled_from(["tornado", "flask-gunicorn", "fastapi-uvicorn"]), max_size=2),
    odd=st.fixed_dictionaries({name: st.booleans() for name in ("hostile", "all_failed", "interrupted", "retried")}),
    code=st.sampled_from(["en", "ko"]),
)
def test_any_run_shows_its_summarys_numbers_in_any_language(blocks, failing, odd, code):
    run = make_run(blocks=blocks, rounds=2, failing=failing, **odd)
    found = summarise(run.manifest, run.records, run.samples)
    page = render_report(run.manifest, found, run.records, language=language(code))
    assert check_numbers(page, found) >= 6
    assert "alert('x')</script>" not in page
    told = [claim.verdict for claim in found.claims]
    assert page.count('class="ruled ') == len(told)


def test_the_page_asks_nothing_of_a_network_and_has_unique_ids():
    page, _ = rendered(make_run(blocks=5, rounds=3))
    found = Elements(page)
    assert not {"link", "img", "iframe", "object", "embed"} & (set(found.tags) - {"link"})
    links = [value for name, value in found.attributes if name in ("href", "src", "xlink:href")]
    documented = {source for claim in CLAIMS for source in claim.sources}
    assert all(link.startswith(("#", "data:,")) or link in documented for link in links)
    assert "url(http" not in page
    assert len(found.ids) == len(set(found.ids))
    anchors = {link[1:] for link in links if link.startswith("#")}
    assert anchors <= set(found.ids)
    assert not re.search(r"#0f0f0|#f1f10", page)


def test_hostile_names_are_inert():
    harmless = Elements(rendered(make_run(blocks=5, rounds=3))[0])
    run = make_run(blocks=5, rounds=3, hostile=True)
    page, results = rendered(run)
    hostile = Elements(page)
    assert hostile.tags.count("script") == harmless.tags.count("script")
    assert "i" not in hostile.tags
    assert not any(name.startswith("on") for name, _ in hostile.attributes)
    assert "\u202e" not in page
    assert check_numbers(page, results) > 200


def test_json_cannot_end_its_element():
    evil = "</script><script>alert(1)</script><!--"
    results = summary(name=evil, reasons=(Reason(evil, {"text": evil}),), badge="warnings")
    page = render_report(
        manifest(name=evil, warnings=(Reason("told", {"text": evil}),), environment={evil: evil}), results, ()
    )
    assert embedded(page)["name"] == evil
    harmless = render_report(manifest(), summary(), ())
    assert Elements(page).tags.count("script") == Elements(harmless).tags.count("script")


def test_a_very_long_name_stays_one_cell():
    long = "x" * 3000
    renamed = tuple(dataclasses.replace(cell, target=long) if cell.target == "fast" else cell for cell in cells())
    page = render_report(manifest(), summary(cells=renamed, contrasts=()), ())
    assert max(len(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", page)) < 100


@pytest.mark.parametrize(
    ("badge", "words"),
    [("sound", "Checks passed"), ("warnings", "Checks passed, with warnings"), ("do-not-cite", "Do not cite")],
)
def test_the_badge_links_its_reasons_to_run_health(badge, words):
    page = render_report(manifest(), summary(badge=badge, reasons=(Reason("told", {"text": "a & b"}),)), ())
    assert f'<strong class="badge {badge}">{words}</strong>' in page
    assert '<a href="#health">a &amp; b</a>' in page
    assert "The figures hold for this machine and these loads." in page


def test_what_was_not_measured_says_which_command_gets_it():
    results = summary(cells=(), contrasts=(), upkeep=(), ladders=())
    page = render_report(manifest(), results, ())
    empty = [section for section in SECTIONS if not section.build(View(manifest(), results))]
    assert {"decision", "ladder", "validation", "upkeep", "real"} <= {section.id for section in empty}
    assert page.count("Not measured in this run") == bool(empty)
    assert all(str(escape(section.command)) in page for section in empty)


def test_statements_per_request_stand_below_what_targets_can_do():
    counted = (
        Statements("fast", "product", ("SELECT",), 1),
        Statements("fast", "io-db"),
        Statements("slow", "product", ("BEGIN", "SELECT", "ROLLBACK"), 0),
        Statements("slow", "io-db", ()),
    )
    results = summary(features=(Feature("fast", "docs", True, True),), statements=counted)
    page = render_report(manifest(), results, ())
    rows = [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in re.findall(r"<tr>(?:(?!</tr>).)*</tr>", page)]
    assert ["target", "product", "io-db"] in rows
    assert ["fast", "1: SELECT", "not the same in every request"] in rows
    assert ["slow", "3: BEGIN, SELECT, ROLLBACK (not prepared)", "none"] in rows
    assert "SQL statements" not in render_report(manifest(), summary(features=results.features), ())


def test_a_run_in_which_all_failed_is_told_with_its_logs():
    run = make_run(blocks=5, rounds=2, all_failed=True)
    page, results = rendered(run)
    assert "boom &lt;&amp;&gt;" in page
    assert check_numbers(page, results) >= 6
    assert "leads with" not in page


def test_failed_and_unmeasurable_cells_are_hatched_with_the_reason():
    gate = Gate(Reason("generator", {"text": "generator at 91% of its CPU"}), "tornado", "json@32")
    page, _ = rendered(make_run(blocks=5, rounds=2, failing=["flask-gunicorn"], gates=[gate]))
    assert 'class="none" title="exited with code 1' in page
    assert re.search(r'<td class="none" title="[^"]*generator at 91% of its CPU', page)


def test_one_block_has_values_without_intervals():
    lone = tuple(
        dataclasses.replace(
            cell,
            throughput_rps=Estimate(cell.throughput_rps.value, None, None, 1),
            cpu_us=Estimate(cell.cpu_us.value, None, None, 1),
        )
        if cell.throughput_rps and cell.cpu_us
        else cell
        for cell in cells()
    )
    results = summary(
        cells=lone, blocks=1, contrasts=(contrast("undecided", 1.1, None, None, blocks=1),), ladders=(), upkeep=()
    )
    page = render_report(manifest(), results, ())
    assert check_numbers(page, results) > 50
    assert 'class="half"' not in page


def test_a_run_of_one_block_is_rendered():
    page, results = rendered(make_run(blocks=1, rounds=3))
    assert check_numbers(page, results) > 50


def test_missing_sides_and_interrupted_runs_are_rendered():
    run = make_run(blocks=6, rounds=2, missing=[Side("tornado", "json@32")], interrupted=True, retried=True)
    page, results = rendered(run)
    assert check_numbers(page, results) > 200
    assert "interrupted" in page


def test_tie_letters_stand_beside_the_values():
    page = render_report(manifest(), summary(), ())
    assert re.findall(r"<sup>(\w+)</sup>", page)[:3] == ["A", "A", "A"]


def test_targets_that_were_not_started_are_listed():
    skipped = Failure("slow", "", Reason("not-installed", {"text": "granian is not installed"}), ("pip says no",))
    page = render_report(manifest(skipped=(skipped,)), summary(), ())
    assert "Not started" in page
    assert "slow: not-installed, granian is not installed" in page


@pytest.mark.parametrize(
    ("command", "repeated"),
    [("harness run", "harness run --seed 7"), ("harness run --seed 7 -q", "harness run --seed 7 -q")],
)
def test_the_command_that_repeats_the_run_has_its_seed(command, repeated):
    assert repeat_command(manifest(command=command)) == repeated


def test_forty_targets_in_twelve_scenarios_fit_into_one_and_a_half_megabytes():
    targets = tuple(
        Target(f"fw{i % 9}-gunicorn-{i}", f"fw{i % 9}", ("asgi", "wsgi")[i % 2], "gunicorn", "a:b", reference=i < 12)
        for i in range(40)
    )
    noise = random.Random(1).uniform
    scenarios = tuple(dataclasses.replace(SCENARIOS[i % 4], name=f"scenario-{i}", against="") for i in range(12))
    points = tuple(
        dataclasses.replace(POINTS[0], id=f"{scenario.name}@32", scenario=scenario.name, wait_s=0.001 * i)
        for i, scenario in enumerate(scenarios)
    )
    template = cells()[0]
    many = tuple(
        dataclasses.replace(
            template,
            target=target.name,
            point=point.id,
            scenario=point.scenario,
            throughput_rps=estimate(noise(900, 20000), noise(0.01, 0.03)),
            cpu_us=estimate(noise(50, 900), noise(0.01, 0.03)),
            service_time_us={name: noise(500, 9000) for name in template.service_time_us},
        )
        for target in targets
        for point in points
    )
    compared = tuple(
        contrast(
            "different",
            noise(1.1, 1.2),
            noise(1.0, 1.1),
            noise(1.2, 1.3),
            a=target.name,
            b=targets[0].name,
            point=point.id,
            metric=metric,
            difference=noise(1, 90),
            difference_low=noise(1, 90),
            difference_high=noise(1, 90),
            p_value=noise(0, 0.01),
            p_adjusted=noise(0, 0.01),
        )
        for target in targets[1:]
        for point in points
        for metric in ("throughput", "cpu_cost")
    )
    run = manifest(targets=targets, scenarios=scenarios, plan=dataclasses.replace(manifest().plan, points=points))
    upkeep = tuple(Upkeep(target.name, estimate(0.5123), estimate(61234567.0)) for target in targets)
    results = summary(cells=many, contrasts=compared, upkeep=upkeep)
    page = render_report(run, results, ())
    assert len(page.encode()) < 1_500_000
    assert check_numbers(page, results) > 5000
