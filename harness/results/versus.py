"""A comparison of two targets in any metric: which contrasts it has, and when it is decided."""

from __future__ import annotations

from dataclasses import dataclass

from harness.results.gate import Outcome, outcome_of, slower_limit
from harness.results.summary import ContrastResult, Summary
from harness.stats.looks import beyond_early


@dataclass(frozen=True, slots=True)
class Limit:
    """The outcome of ``--fail-if-slower``.

    Attributes:
        share: 0.03 for 3%.
        outcome: for all requests together.
        beyond: points of single requests that are slower than that, whatever all together are.
    """

    share: float
    outcome: Outcome
    beyond: tuple[str, ...] = ()


def main_contrast(summary: Summary) -> ContrastResult:
    """The contrast of A and B; those of its requests stand before it, and the control, if there is one, before all."""
    return summary.contrasts[-1]


def request_contrasts(summary: Summary) -> tuple[ContrastResult, ...]:
    """A and B at each request of a mix by itself."""
    main = main_contrast(summary)
    pair = main.a.target, main.b.target
    return tuple(each for each in summary.contrasts[:-1] if (each.a.target, each.b.target) == pair)


def control_contrasts(summary: Summary) -> tuple[ContrastResult, ...]:
    """A against its own twin."""
    compared = {main_contrast(summary).id, *(each.id for each in request_contrasts(summary))}
    return tuple(each for each in summary.contrasts if each.id not in compared and each.ratio is not None)


def decided(summary: Summary, limit: float | None) -> bool:
    """Whether there is a verdict on everything, and each interval lies on one side of ``limit``, a share, if any."""
    return all(
        each.verdict not in ("undecided", "not-measurable") and (limit is None or slower(each, limit) != "undecided")
        for each in (main_contrast(summary), *request_contrasts(summary))
    )


def judged(summary: Summary, limit: float) -> Limit:
    """The gate that A is slower than B by at most ``limit``, a share."""
    beyond = [each.a.point for each in request_contrasts(summary) if slower(each, limit) == "failed"]
    return Limit(limit, slower(main_contrast(summary), limit), tuple(beyond))


def large(summary: Summary) -> bool:
    """Whether every difference is so large that an early look may end the run."""
    ends = [(each.ci_low, each.ci_high) for each in (main_contrast(summary), *request_contrasts(summary))]
    return all(low is not None and high is not None and bool(beyond_early(low, high)) for low, high in ends)


def slower(result: ContrastResult, limit: float) -> Outcome:
    """The gate that A is slower (or costs more) than B by at most ``limit``, a share."""
    most = result.metric != "throughput"
    return outcome_of((result.ratio, result.ci_low, result.ci_high), slower_limit(limit, most=most), most=most)
