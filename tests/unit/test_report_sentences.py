"""No sentence claims more than its verdict."""

import dataclasses

import pytest
from hypothesis import given, strategies as st

from harness.model import Reason
from harness.report.answers import answers
from harness.report.language.catalogue import ENGLISH
from harness.report.numbers import Figure, plain
from harness.report.sentences import contrast_sentence, margins, noise
from harness.report.view import View
from tests.unit.summaries import TARGETS, agrees, contrast, manifest, resolve, summary
from tests.unit.test_report_answers import QUESTIONS


def said(one, **how):
    return plain(contrast_sentence(View(manifest(), summary(contrasts=(one,))), "contrasts.0", one, **how))


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (
            contrast(),
            "fast answers 12% [9.0, 15] more requests per second than slow (Small JSON reply, 32 connections).",
        ),
        (
            contrast(ratio=0.81, low=0.78, high=0.84),
            "fast answers 19% [16, 22] fewer requests per second than slow (Small JSON reply, 32 connections).",
        ),
        (
            contrast(ratio=0.81, low=0.78, high=0.84, metric="cpu_cost"),
            "fast uses 19% [16, 22] less CPU per request than slow (Small JSON reply, 32 connections).",
        ),
        (
            contrast(ratio=3.21, low=3.1, high=3.3),
            "fast answers 3.2 [3.1, 3.3] times the requests per second of slow (Small JSON reply, 32 connections).",
        ),
        (
            contrast("different-size-open", 1.031, 1.005, 1.058, metric="cpu_cost"),
            "fast uses 3.1% [0.50, 5.8] more CPU per request than slow (Small JSON reply, 32 connections); they differ "
            "for certain, but by how much is still open.",
        ),
        (
            contrast("small", 1.012, 1.009, 1.015),
            "fast answers 1.2% [0.90, 1.5] more requests per second than slow (Small JSON reply, 32 connections): "
            "real, but smaller than the margin of 2.0%.",
        ),
        (
            contrast("same", 1.001, 0.995, 1.007),
            "No difference at ±2.0% between fast and slow in requests per second (Small JSON reply, 32 connections): "
            "ratio 1.0010 [0.9950, 1.0070].",
        ),
        (
            contrast("undecided", 1.01, 0.95, 1.07, blocks_needed=24),
            "Undecided whether fast and slow differ in requests per second (Small JSON reply, 32 connections): ratio "
            "1.010 [0.950, 1.070] after 8 blocks.",
        ),
        (
            contrast("undecided", 1.01, None, None, blocks=1),
            "Undecided whether fast and slow differ in requests per second (Small JSON reply, 32 connections): ratio "
            "1.010 after 1 block.",
        ),
        (
            contrast("not-measurable", None, None, None, reasons=(Reason("told", {"text": "generator-bound"}),)),
            "Not measurable: fast against slow in requests per second (Small JSON reply, 32 connections) "
            "(generator-bound).",
        ),
        (
            contrast(
                "different", 1.2, 1.1, 1.3, a="slow", b="slow", point="checked@32", to="raw@32", metric="cpu_cost"
            ),
            "Order, checked, 32 connections uses 20% [10, 30] more CPU per request than Order, raw, 32 connections "
            "(on slow).",
        ),
    ],
)
def test_a_contrast_is_worded_as_its_verdict(one, text):
    assert said(one) == text


@pytest.mark.parametrize(
    ("needed", "text"),
    [
        (24, " after 8 blocks. About 24 blocks in all would decide it."),
        (8, " after 8 blocks. It is too early to say how many blocks would decide more."),
        (None, " after 8 blocks. It is too early to say how many blocks would decide more."),
    ],
)
def test_a_contrast_that_stands_alone_says_what_would_decide_it(needed, text):
    found = said(contrast("undecided", 1.01, 0.95, 1.07, blocks_needed=needed), single=True)
    assert found == "Undecided whether fast and slow differ in requests per second: ratio 1.010 [0.950, 1.070]" + text


positive = st.floats(0.01, 100)
verdicts = st.sampled_from(["different", "different-size-open", "small", "same", "undecided", "not-measurable"])


@st.composite
def contrasts(draw):
    low, ratio, high = sorted(draw(st.tuples(positive, positive, positive)))
    verdict = draw(verdicts)
    interval = draw(st.booleans())
    question = draw(st.sampled_from(["pick", "move", "validate", "real"]))
    point = draw(st.sampled_from(["json@32", "io-sleep[ms=0]@64", "io-sleep[ms=2]@64", "io-sleep[ms=20]@64", "gone@1"]))
    a, b = draw(st.permutations([target.name for target in TARGETS]))[:2]
    return contrast(
        verdict,
        None if verdict == "not-measurable" else ratio,
        low if interval else None,
        high if interval else None,
        a=a,
        b=b,
        point=point,
        question=question,
        metric=draw(st.sampled_from(["cpu_cost", "throughput"])),
        blocks_needed=draw(st.none() | st.integers(6, 99)) if verdict == "undecided" else None,
    )


@given(contrasts())
def test_the_words_never_exceed_the_verdict(one):
    text = said(one)
    directed = any(word in text for word in (" more ", " less ", " fewer ", " times the "))
    assert directed == (one.verdict in ("different", "different-size-open", "small"))
    assert ("No difference" in text) == (one.verdict == "same")
    assert ("Undecided" in text) == (one.verdict == "undecided")
    assert "would decide" not in text
    assert "equal" not in text
    if directed and " times the " not in text:
        assert (" more " in text) == (one.ratio >= 1)


@given(st.lists(contrasts(), max_size=12))
def test_answers_show_the_numbers_of_the_summary_and_hold_what_is_open_open(found):
    results = summary(contrasts=tuple(found))
    document = dataclasses.asdict(results)
    for question, answer in zip(QUESTIONS, answers(View(manifest(), results)), strict=True):
        for sentence in (answer.headline, *answer.details):
            for part in sentence:
                if isinstance(part, Figure):
                    assert resolve(document, part.path) == part.value
                    assert agrees(part.text, part.value), part
        text = " ".join(plain(sentence) for sentence in (answer.headline, *answer.details))
        related = {c.verdict for c in found if c.question == question and c.metric == "throughput"}
        if question == "move" and related <= {"undecided", "not-measurable"}:
            assert "overtakes" not in text
            assert "draws ahead" not in text
            assert "at every measured" not in text


def test_a_run_that_measured_nothing_has_four_answers_and_no_number():
    found = answers(View(manifest(), summary(cells=(), contrasts=())))
    assert [answer.heading for answer in found] == [ENGLISH.text(f"questions.{each}") for each in QUESTIONS]
    assert plain(found[0].headline) == "This run measured nothing that answers “Which framework and server?”."
    assert "no A/A control" in plain(found[3].headline)


def test_counts_leave_nothing_out():
    verdicts = ["different", "different-size-open", "small", "same", "undecided", "undecided", "undecided"]
    needed = [*[None] * 4, 40, None, 12]
    found = [contrast(verdict, blocks_needed=blocks) for verdict, blocks in zip(verdicts, needed, strict=True)]
    found.append(contrast("not-measurable", None, None, None))
    assert plain(noise(View(manifest(), summary(contrasts=tuple(found))))) == (
        "Of 8 comparisons, 3 show a difference (1 with the size not settled, 1 smaller than the margin), 1 is equal "
        "within ±2.0%, 1 not measurable, 3 are undecided. About 40 blocks in all would decide at least half of the "
        "undecided ones."
    )


def test_the_margin_of_waits_stands_beside_that_of_the_rest():
    def said(*waits):
        found = [
            contrast(point=f"io-sleep[ms={ms}]@64", margin=margin) for ms, margin in zip((2, 20), waits, strict=False)
        ]
        return plain(margins(View(manifest(), summary(contrasts=(contrast(margin=0.02), *found)))))

    assert said() == "±2.0%"
    assert said(0.02) == "±2.0%"
    assert said(0.36) == "±2.0% (waits: ±36%)"
    assert said(0.36, 0.33) == "±2.0% (waits: ±33–36%)"
