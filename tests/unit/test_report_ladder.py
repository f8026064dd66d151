"""Cost ladders and memory of waiting requests, as the report, its text and the Markdown tell them."""

import dataclasses

import pytest

from harness.report.markdown import render_markdown
from harness.report.numbers import plain
from harness.report.report import render_report
from harness.report.sections.ladder import check_sentence, ladder, ladder_sentence
from harness.report.sections.upkeep import memory_table
from harness.report.view import View
from harness.results.summary import Upkeep, Waiting
from tests.unit.summaries import LADDERS, manifest, summary


def view(**changes):
    return View(manifest(), summary(**changes))


def said(of, number, **changes):
    """What a maker of sentences says of one ladder."""
    seen = view(**changes)
    return plain(of(seen, f"ladders.{number}", seen.summary.ladders[number]))


def test_frameworks_come_before_servers_and_rungs_that_are_missing_say_why():
    _, first, second = ladder(view())
    assert (first.title, second.title) == ("Fast on the floor", "One app, two servers")
    fold, skipped = first.inside
    assert skipped.said.endswith("other (the server died under load (exit code 1)).")
    [table] = fold.blocks
    assert [row.head for row in table.rows[1:]] == ["other, fast", "body", "checked"]
    assert [row.entries[-1] for row in table.rows[2:]] == ["within blocks, in different windows", "within rounds"]
    assert (second.note, len(second.inside)) == ((), 1)


def test_a_sentence_names_the_differences_largest_first_and_counts_the_rest():
    assert said(ladder_sentence, 1) == (
        "Fast on the floor: other, fast 40 µs [38, 41], body 8.9 µs [7.6, 10] (size not settled) of CPU per "
        "request; no difference at the margin for 1."
    )
    assert said(ladder_sentence, 0) == "One app, two servers: fast one −10 µs [−12, −9.0] of CPU per request."
    steps = tuple(dataclasses.replace(step, verdict="undecided") for step in LADDERS[1].steps)
    assert said(ladder_sentence, 0, ladders=(dataclasses.replace(LADDERS[1], steps=steps),)) == (
        "Fast on the floor: no step was shown to cost anything; undecided for 3."
    )
    counted = tuple(
        dataclasses.replace(step, instructions=added)
        for step, added in zip(steps, (61_200.0, 240_000.0, None), strict=True)
    )
    assert said(ladder_sentence, 0, ladders=(dataclasses.replace(LADDERS[1], steps=counted),)) == (
        f"Fast on the floor: {steps[1].label} 240, {steps[0].label} 61.2 thousand instructions per request, counted. "
        "CPU time decided none of these steps in this run."
    )


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("adds-up", "The steps add up: their sum is 49 µs, top against bottom is 48 µs [47, 50]"),
        ("within-interval", "The steps add up as far as this run shows: their sum is 49 µs"),
        ("does-not-add-up", "The steps do not add up: their sum is 49 µs"),
    ],
)
def test_the_check_is_said_in_words(check, words):
    found = dataclasses.replace(LADDERS[1], check=check)
    assert said(check_sentence, 0, ladders=(found,)).startswith(words)


def test_a_check_that_could_not_be_made_is_said():
    found = dataclasses.replace(LADDERS[1], gap=0.5, gap_low=None, gap_high=None, check="not-checked")
    assert "too few blocks to check" in said(check_sentence, 0, ladders=(found,))


def test_memory_of_waiting_requests_says_where_they_wait():
    few, many = memory_table(view()).columns[3:5]
    assert (few.name, many.name) == ("per request, KiB, 100 waiting", "per request, KiB, 1,000 waiting")
    fast, slow = (row.entries[3:5] for row in memory_table(view()).rows)
    assert (fast[0].value.text, fast[0].half.text, fast[1].state) == ("17", "0.80", "not known")
    assert plain(slow[0].note) == "worked on: 8, the others in the server's queue"
    assert plain(slow[1].note) == "1 of 1,000 taken over, the others in the kernel's backlog"
    assert slow[1].half is None


def test_what_could_not_connect_is_said_and_a_capacity_that_suffices_is_not():
    def note(waiting, **changes):
        targets = tuple(dataclasses.replace(t, **changes) if t.name == "slow" else t for t in manifest().targets)
        results = summary(upkeep=(Upkeep("slow", None, None, waiting=(waiting,)),))
        return plain(memory_table(View(manifest(targets=targets), results)).rows[0].entries[3].note)

    few = Waiting(1000, 25000.0, None, None, 326, 326, 1)
    assert note(few) == "only 326 of 1,000 could connect"
    assert note(dataclasses.replace(few, connected=1000, accepted=1000), threads=1000) == ""


def test_page_and_markdown_have_both():
    page = render_report(manifest(), summary(), ())
    assert page.count('id="ladder-') >= 2
    assert "per request, KiB, 1,000 waiting" in page
    text = render_markdown(manifest(), summary())
    assert "## Cost of each layer" in text
    assert "| fast | 1×1 | 58.4 ± 1.2 | 58.4 | 17 ± 0.80 | not known | 0.812 ± 0.016 |" in text


def test_without_them_the_page_says_how_to_get_them():
    page = render_report(manifest(), summary(ladders=(), upkeep=()), ())
    assert "-s dependency" in page
    assert "KiB" not in page
