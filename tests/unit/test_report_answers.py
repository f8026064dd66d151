"""Which contrasts an answer rests on, and what it says where they are missing or open."""

import dataclasses

import pytest

from harness.model import Point
from harness.report.answers import answers
from harness.report.numbers import plain
from harness.report.view import View
from harness.results.crossover import crossovers
from harness.results.summary import Estimate
from tests.unit.summaries import CONTRASTS, JSON, SCENARIOS, cells, contrast, estimate, manifest, summary

MORE, FEWER = ("different", 2.5, 2.4, 2.6), ("different", 0.8, 0.78, 0.82)
SAME, OPEN = ("same", 1.0, 0.99, 1.01), ("undecided", 1.02, 0.9, 1.15)


QUESTIONS = ("pick", "move", "validate", "real")


def answer(question, results, run=None):
    found = dict(zip(QUESTIONS, answers(View(run or manifest(), results)), strict=True))
    return found[question]


def moves(*outcomes):
    found = tuple(
        contrast(*outcome, point=f"io-sleep[ms={ms}]@64", question="move")
        for ms, outcome in zip((0, 2, 20), outcomes, strict=False)
    )
    return summary(contrasts=found, crossovers=crossovers(manifest(), found))


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        ((FEWER, FEWER, MORE), "fast overtakes slow at an I/O wait somewhere between 2 ms and 20 ms"),
        ((FEWER, OPEN, MORE), "fast overtakes slow at an I/O wait somewhere between 0 ms and 20 ms"),
        ((FEWER, SAME, MORE), "fast pulls ahead of slow at an I/O wait somewhere between 2 ms and 20 ms"),
        ((MORE, MORE, MORE), "more requests per second than slow at every measured I/O wait from 0 ms to 20 ms"),
        (
            (FEWER, FEWER, MORE),
            "threads): 0.80 [0.78, 0.82] times as many at 2 ms, 2.5 [2.4, 2.6] times as many at 20 ms.",
        ),
        ((OPEN, OPEN, MORE), "than slow at 20 ms of I/O wait (64 connections, 8 WSGI threads): 2.5"),
        ((OPEN, OPEN, MORE), "times as many at 20 ms; at shorter waits it is undecided or not measurable."),
        ((FEWER, FEWER, FEWER), "answers fewer requests per second than slow at every measured I/O wait"),
        ((MORE, FEWER, OPEN), "No clear crossover between fast and slow in requests per second"),
        ((MORE, OPEN, FEWER), "more at 0 ms, undecided at 2 ms, fewer at 20 ms"),
        ((MORE, OPEN, MORE), "more at 0 ms, undecided at 2 ms, more at 20 ms"),
        ((OPEN, OPEN, OPEN), "undecided at 0 ms, undecided at 2 ms, undecided at 20 ms"),
        ((MORE,), "fast answers 2.5 [2.4, 2.6] times the requests per second of slow"),
    ],
)
def test_the_crossover_lies_between_measured_waits(outcomes, text):
    assert text in plain(answer("move", moves(*outcomes)).headline)


def test_the_highest_is_compared_with_the_next_by_their_contrast():
    text = plain(answer("pick", summary()).headline)
    assert text.startswith(
        "Small JSON reply, 32 connections: fast leads with 9,880 ± 200 requests per second. That is 1.12 [1.09, 1.15] "
        "times as many as slow, which comes next. Waiting, 20 ms"
    )


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (OPEN, " Not clearly slower: slow (4,940 ± 99)."),
        (SAME, " No measurable difference from slow (4,940 ± 99)."),
        (
            ("different-size-open", 1.4, 1.1, 1.8),
            " That is 1.4 [1.10, 1.8] times as many as slow, which comes next; size not settled.",
        ),
    ],
)
def test_what_is_undecided_is_called_so(outcome, text):
    found = contrast(*outcome, blocks_needed=24 if outcome is OPEN else None)
    assert (
        plain(answer("pick", summary(contrasts=(found,))).headline)
        .partition(" requests per second.")[2]
        .startswith(text)
    )


def test_a_rate_near_what_the_connections_allow_says_so():
    waiting = dataclasses.replace(SCENARIOS[1], bisect="ms")
    of = {"fast": 3000.0, "slow": 335.0}
    capped = tuple(
        dataclasses.replace(cell, throughput_rps=estimate(of[cell.target])) if cell.throughput_rps else cell
        for cell in cells()
    )
    run = manifest(scenarios=(SCENARIOS[0], waiting, *SCENARIOS[2:]))
    text = plain(answer("pick", summary(cells=capped, contrasts=()), run).headline)
    assert "3,000 ± 60 requests per second, near the limit of 3,200 (64 connections ÷ 20 ms)." in text
    found = moves(FEWER, FEWER, MORE)
    text = plain(answer("move", dataclasses.replace(found, cells=capped), run).headline)
    assert text.endswith(
        "times as many at 20 ms. slow then runs out of threads: 8 threads ÷ 20 ms = 400 per second at most; more "
        "threads were not measured."
    )


def test_what_a_move_costs_without_a_wait_comes_first():
    waits = tuple(
        contrast(*outcome, point=f"io-sleep[ms={ms}]@64", question="move") for outcome, ms in ((FEWER, 2), (MORE, 20))
    )
    busy = contrast("different", 0.48, 0.45, 0.52, question="move")
    found = answer("move", summary(contrasts=(busy, *waits), crossovers=crossovers(manifest(), waits)))
    assert plain(found.headline).startswith(
        "Not for CPU-bound requests: fast answers 0.48 [0.45, 0.52] times as many per second as slow. It overtakes at "
        "an I/O wait somewhere between 2 ms and 20 ms (64 connections, 8 WSGI threads): 2.5 [2.4, 2.6] times as many at"
    )
    assert found.details == ()


def test_a_rate_that_the_blocks_do_not_agree_on_is_not_given_as_one():
    vague = dataclasses.replace(cells()[0], throughput_rps=Estimate(6410.0, -2990.0, 15810.0, 2))
    text = plain(answer("pick", summary(cells=(vague,), contrasts=())).headline)
    assert "fast leads with about 6,410 requests per second; the run is too short for an exact figure." in text


def test_the_longest_wait_is_told_at_once_too():
    text = plain(answer("pick", summary(contrasts=())).headline)
    assert "Waiting, 20 ms of I/O wait, 64 connections: fast leads with " in text
    assert text.endswith("Every other target measured there is slower.")


@pytest.mark.parametrize(
    ("letters", "text"),
    [
        (("A", "A"), "Not clearly slower: slow (4,940 ± 99)."),
        (("A", "B"), "Every other target measured there is slower."),
        (("", ""), "too few blocks to say whether fast is really ahead."),
    ],
)
def test_without_a_contrast_the_letters_say_whom_the_leader_ties_with(letters, text):
    of = dict(zip(("fast", "slow"), letters, strict=True))
    lettered = tuple(
        dataclasses.replace(cell, tie_group=of.get(cell.target, "")) for cell in cells() if cell.point == "json@32"
    )
    assert plain(answer("pick", summary(cells=lettered, contrasts=())).headline).endswith(text)


def test_a_lone_target_has_no_rival():
    alone = tuple(cell for cell in cells() if cell.target == "fast")
    assert plain(answer("pick", summary(cells=alone)).headline).endswith("No other target was measured there.")


def test_a_failed_target_is_never_the_highest():
    broken = tuple(
        dataclasses.replace(cell, status="failed", throughput_rps=estimate(1e9)) if cell.target == "other" else cell
        for cell in cells()
    )
    assert "other leads" not in plain(answer("pick", summary(cells=broken)).headline)


def test_validation_is_a_range_over_the_targets_that_show_one():
    text = plain(answer("validate", summary()).headline)
    assert text == (
        "Checking the order (32 connections) costs 22 µs [19, 24] of CPU per request with fast (+20%) and up to 33 µs "
        "[31, 36] with slow (+20%)."
    )


@pytest.mark.parametrize(
    ("added", "verdict", "text"),
    [
        (21.75, "different", "costs 22 µs [19, 24] of CPU per request with fast (+12%). Undecided for slow."),
        (-21.75, "different", "changes the CPU per request by −22 µs [−24, −19] with fast (+12%). Undecided for slow."),
        (0.1, "undecided", "no target shows a difference in CPU per request. Undecided for fast and slow."),
    ],
)
def test_undecided_steps_are_counted_and_not_ranged(added, verdict, text):
    shared = {"point": "checked@32", "to": "raw@32", "question": "validate", "metric": "cpu_cost"}
    found = (
        contrast(
            verdict,
            a="fast",
            b="fast",
            difference=added,
            difference_low=added - 2.5,
            difference_high=added + 2.5,
            **shared,
        ),
        contrast("undecided", 1.01, 0.9, 1.1, a="slow", b="slow", difference=90.0, **shared),
    )
    assert text in plain(answer("validate", summary(contrasts=found)).headline)


def test_instructions_answer_where_the_clocks_do_not():
    shared = {"point": "checked@32", "to": "raw@32", "question": "validate", "metric": "cpu_cost"}
    found = tuple(
        dataclasses.replace(contrast("undecided", 1.01, 0.9, 1.1, a=name, b=name, **shared), instructions=added)
        for name, added in (("fast", 61_200.0), ("slow", 143_400.0))
    )
    text = plain(answer("validate", summary(contrasts=found)).headline)
    assert text.startswith(
        "Checking the order (32 connections) costs 61.2 thousand instructions per request with fast and up to 143 "
        "thousand with slow."
    )


def test_the_control_follows_what_is_decided():
    text = plain(answer("real", summary()).headline)
    assert (
        "1 not measurable, 1 is undecided. About 24 blocks in all would decide it. A/A control: No difference" in text
    )


def test_a_control_that_differs_is_a_warning():
    bad = contrast(a="fast twin", b="fast", question="real")
    text = plain(answer("real", summary(contrasts=(bad,))).headline)
    assert text.endswith("One target differs from itself here: treat differences of that size as noise.")


def test_many_controls_are_counted():
    more = tuple(
        contrast(verdict, ratio, 0.9, 1.1, a="fast twin", b="fast", point=point, question="real")
        for verdict, ratio, point in (("same", 1.001, "json@32"), ("undecided", 0.97, "raw@32"))
    )
    found = answer("real", summary(contrasts=(*more, *CONTRASTS[1:])))
    assert plain(found.headline).endswith(
        "Check: one app, measured under two names, showed no real difference in 2 tests (estimates at most 3.0% apart)."
    )


def test_a_control_between_other_targets_is_none():
    stray = contrast(a="slow", b="fast", question="real")
    assert "no A/A control" in plain(answer("real", summary(contrasts=(stray,))).headline)


def test_one_connection_is_singular():
    point = Point("json@1", "json", {}, 1, (JSON,))
    run = manifest(plan=dataclasses.replace(manifest().plan, points=(point,)))
    view = View(run, summary(cells=(dataclasses.replace(cells()[0], point="json@1", concurrency=1),)))
    assert view.where("json@1") == "Small JSON reply, 1 connection"


def test_the_small_json_reply_and_the_usual_order_come_first_in_whatever_order_they_were_asked_for():
    plan = manifest().plan
    json, *others = plan.points
    plain_text = dataclasses.replace(json, id="plaintext@32", scenario="plaintext")
    sized = {
        size: [Point(f"{name}-{size}", name, {"size": size}, 32, (JSON,)) for name in ("raw", "checked")]
        for size in "SM"
    }
    points = (plain_text, json, *others, *sized["S"], *sized["M"])
    run = manifest(
        plan=dataclasses.replace(plan, points=points),
        scenarios=(*SCENARIOS, dataclasses.replace(SCENARIOS[0], name="plaintext", title="Plain text")),
    )
    both = (*cells(), *(dataclasses.replace(each, point=plain_text.id, scenario="plaintext") for each in cells()[:2]))
    both += tuple(
        dataclasses.replace(cells()[0], point=each.id, scenario=each.scenario, params=each.params)
        for each in (*sized["S"], *sized["M"])
    )
    steps = [
        contrast(
            a="fast", b="fast", point=f"checked-{size}", to=f"raw-{size}", question="validate", metric="cpu_cost",
            difference=cost, difference_low=cost - 1, difference_high=cost + 1,
        )
        for size, cost in (("S", 9.0), ("M", 25.0))
    ]  # fmt: skip
    whole = summary(cells=both, contrasts=tuple(steps))
    title = next(each.title for each in SCENARIOS if each.name == "json")
    assert plain(answer("pick", whole, run).headline).startswith(title)
    validate = answer("validate", whole, run)
    assert "25 µs" in plain(validate.headline)
    assert "9.0 µs" in plain(validate.details[0])
