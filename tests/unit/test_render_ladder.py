"""Cost ladders and memory of waiting requests, as the report, its text and the Markdown tell them."""

import dataclasses

import pytest

from harness.analyse.summary import Upkeep, Waiting
from harness.render.markdown import render_markdown
from harness.render.numbers import plain
from harness.render.report import render_report
from harness.render.sections.ladder import check_sentence, ladder, ladder_sentence
from harness.render.sections.upkeep import upkeep_rows
from harness.render.view import view_of
from tests.unit.summaries import LADDERS, manifest, summary


def view(**changes):
    return view_of(manifest(), summary(**changes))


def test_frameworks_come_before_servers_and_rungs_that_are_missing_say_why():
    first, second = ladder(view())
    assert (first.title, second.title) == ("Fast on the floor", "One app, two servers")
    assert first.passed == ("other (died: exited with code 1)",)
    assert [row.label for row in first.rows] == ["other, fast", "body", "checked"]
    assert [row.within for row in first.rows][1:] == ["within blocks, in different slots", "within rounds"]
    assert second.check == ()


def test_a_sentence_names_what_is_told_apart_largest_first_and_counts_the_rest():
    assert plain(ladder_sentence(view(), 1)) == (
        "Fast on the floor: other, fast 40 µs [38, 41], body 8.9 µs [7.6, 10] (size not pinned down) of CPU per "
        "request; no difference at the margin for 1."
    )
    assert plain(ladder_sentence(view(), 0)) == "One app, two servers: fast one −10 µs [−12, −9.0] of CPU per request."
    steps = tuple(dataclasses.replace(step, verdict="undecided") for step in LADDERS[1].steps)
    open_one = view(ladders=(dataclasses.replace(LADDERS[1], steps=steps),))
    assert plain(ladder_sentence(open_one, 0)) == (
        "Fast on the floor: no step was shown to cost anything; undecided for 3."
    )


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("adds-up", "The steps add up: their sum is 49 µs, top against bottom is 48 µs [47, 50]"),
        ("within-interval", "The steps add up as far as can be told: their sum is 49 µs"),
        ("does-not-add-up", "The steps do not add up: their sum is 49 µs"),
    ],
)
def test_the_check_is_said_in_words(check, words):
    found = dataclasses.replace(LADDERS[1], check=check)
    assert plain(check_sentence(view(ladders=(found,)), 0)).startswith(words)


def test_a_check_that_could_not_be_made_is_said():
    found = dataclasses.replace(LADDERS[1], gap=0.5, gap_low=None, gap_high=None, check="not-checked")
    assert "too few blocks to check" in plain(check_sentence(view(ladders=(found,)), 0))


def test_memory_of_waiting_requests_says_where_they_wait():
    table = upkeep_rows(view())
    fast, slow = table.rows
    assert table.counts == (100, 1000)
    assert (fast.waiting[0].each.text, fast.waiting[0].half.text, fast.waiting[1]) == ("17", "0.80", None)
    assert plain(slow.waiting[0].note) == "worked on: 8, the others in the server's queue"
    assert plain(slow.waiting[1].note) == "1 of 1,000 taken over, the others in the kernel's backlog"
    assert slow.waiting[1].half is None


def test_what_could_not_connect_is_said_and_a_capacity_that_suffices_is_not():
    def note(waiting, **changes):
        targets = tuple(dataclasses.replace(t, **changes) if t.name == "slow" else t for t in manifest().targets)
        results = summary(upkeep=(Upkeep("slow", None, None, waiting=(waiting,)),))
        return plain(upkeep_rows(view_of(manifest(targets=targets), results)).rows[0].waiting[0].note)

    few = Waiting(1000, 25000.0, None, None, 326, 326, 1)
    assert note(few) == "only 326 of 1,000 could connect"
    assert note(dataclasses.replace(few, connected=1000, accepted=1000), threads=1000) == ""


def test_page_and_markdown_have_both():
    page = render_report(manifest(), summary(), ())
    assert page.count('id="ladder-') >= 2
    assert "per request, KiB, 1,000 waiting" in page
    text = render_markdown(manifest(), summary())
    assert "## Cost ladder" in text
    assert "| fast | 58.4 | 0.81 | 17 | not known |" in text


def test_without_them_the_page_says_how_to_get_them():
    page = render_report(manifest(), summary(ladders=(), upkeep=()), ())
    assert "-s dependency" in page
    assert "KiB" not in page
