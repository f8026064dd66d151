"""A gate as its user writes it, ``fastapi-uvicorn json cpu < 120us`` or ``new / old * throughput > -3%``; its outcome.

::

    TARGET [POINT] METRIC <|> LIMIT        an absolute value
    A / B  [POINT] METRIC <|> LIMIT        A's value over B's, within the rounds of one run

``TARGET``  name or glob; names with spaces stand in quotes
``POINT``   scenario (``json``), point (``json@32``) or glob; default: every point. A journey or study by its name, with
            a point and a class of request if need be: ``shopping``, ``shopping/login``, ``latency/80-rps``
``METRIC``  ``cpu``, ``throughput``, ``instructions``, ``p50``, ``p90``, ``p99``, ``p999``, ``errors``; of studies also
            ``capacity``, and what their windows hold by its name with the unit: ``recovery_s``, ``rss_bytes``
``LIMIT``   cpu and percentiles: µs, or with ``ms`` or ``s``; throughput and capacity: per second; errors: a share
            (``0.1%``, 0); ratios: ``1.03`` or ``+3%``; other figures: a number

A gate fails only if the whole 99% interval lies beyond its limit, and passes only if it lies wholly within.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np
from scipy import special

from harness.errors import UsageError, nearest
from harness.model import Reason
from harness.stats.estimate import Estimate
from harness.stats.interval import FloatArray, mean_estimate
from harness.stats.looks import ALPHA

SUBJECTS = ("cpu", "throughput", "instructions", "p50", "p90", "p99", "p999", "errors", "capacity")
_FIGURE = re.compile(r"[a-z][a-z0-9_]*_(s|us|ms|rps|bytes|kib|mib|share)")
_OTHER_NAMES = {
    "cpu_us": "cpu",
    "cpu_cost": "cpu",
    "rps": "throughput",
    "throughput_rps": "throughput",
    "capacity_rps": "capacity",
    **{f"{name}_us": name for name in ("p50", "p90", "p99", "p999")},
}
_FORM = re.compile(r"(?P<left>.+?)\s*(?P<sign><=|>=|<|>)\s*(?P<limit>\S+)\s*", re.DOTALL)
_NUMBER = re.compile(r"(?P<number>[+-]?\d+(?:[._]?\d+)*)(?P<unit>us|µs|ms|s|/s|%|x)?")
_US = {None: 1.0, "us": 1.0, "µs": 1.0, "ms": 1e3, "s": 1e6}
FORM = "write TARGET [POINT] METRIC < LIMIT, say 'fastapi-uvicorn json cpu < 120us' or 'new / old json cpu < +3%'"

Outcome = Literal["passed", "failed", "undecided", "missing"]
Ends = tuple[float | None, float | None, float | None]
"""A value with its interval."""
Reasons = tuple[Reason, ...]
NOT_MEASURED = (Reason("not-measured"),)


@dataclass(frozen=True, slots=True)
class Rule:
    """One gate, parsed.

    Attributes:
        against: the target or glob that ``target`` is divided by; empty for absolute values.
        limit: in µs, replies per second, a share, or a ratio.
        most: whether the value must stay below the limit, or else above.
    """

    text: str
    target: str
    against: str
    point: str
    subject: str
    most: bool
    limit: float

    @property
    def unit(self) -> str:
        """Of the value; empty for a figure whose name has it."""
        units = {"throughput": "/s", "capacity": "/s", "errors": "share", "instructions": ""}
        return units.get(self.subject, "µs" if self.subject in SUBJECTS else "")

    def covers(self, names: Collection[str]) -> bool:
        """Whether the rule names the place that has these names, by one of them or by a glob."""
        return self.point in names or any(fnmatchcase(name, self.point) for name in names)


def parse_rule(text: str) -> Rule:
    """Raises ``UsageError``, with the part that is wrong."""
    form = _FORM.fullmatch(text.strip())
    if form is None:
        raise UsageError(f"gate {text!r} has no limit", hint=FORM)
    try:
        words = shlex.split(form["left"])
    except ValueError as error:
        raise UsageError(f"gate {text!r}: {error}", hint=FORM) from None
    sides, rest = _sides(words)
    if not 1 <= len(rest) <= 2:
        raise UsageError(f"gate {text!r}: {' '.join(rest) or 'nothing'!r} is not a point and a metric", hint=FORM)
    subject = _subject(text, rest[-1])
    against = sides[1] if len(sides) > 1 else ""
    if against and subject == "errors":
        raise UsageError(f"gate {text!r}: errors have no ratio", hint="gate each target's errors by themselves")
    limit = _limit(text, form["limit"], subject, bool(against))
    return Rule(text.strip(), sides[0], against, rest[0] if rest[1:] else "*", subject, "<" in form["sign"], limit)


def _sides(words: list[str]) -> tuple[list[str], list[str]]:
    """``A / B``, ``A/B`` or ``A``, and what comes after."""
    if len(words) > 2 and words[1] == "/":
        return [words[0], words[2]], words[3:]
    first, slash, second = words[0].partition("/") if words else ("", "", "")
    if slash and first and second:
        return [first, second], words[1:]
    return words[:1], words[1:]


def _subject(text: str, name: str) -> str:
    subject = _OTHER_NAMES.get(name, name)
    if subject in SUBJECTS or _FIGURE.fullmatch(subject):
        return subject
    hint = nearest(name, [*SUBJECTS, *_OTHER_NAMES]) or f"metrics: {', '.join(SUBJECTS)}"
    raise UsageError(f"gate {text!r}: {name!r} is not a metric", hint=hint)


def _limit(text: str, limit: str, subject: str, ratio: bool) -> float:
    match = _NUMBER.fullmatch(limit)
    number, unit = (float(match["number"].replace("_", "")), match["unit"]) if match else (0.0, "?")
    if ratio:
        allowed: dict[str | None, float] = {None: number, "x": number, "%": 1 + number / 100}
    elif subject == "errors":
        allowed = {None: number, "%": number / 100}
    elif subject in ("throughput", "capacity"):
        allowed = {None: number, "/s": number}
    elif subject not in SUBJECTS or subject == "instructions":
        allowed = {None: number}
    else:
        allowed = {key: number * scale for key, scale in _US.items()}
    if unit not in allowed or allowed[unit] < 0:
        units = ", ".join(key or "no unit" for key in allowed)
        raise UsageError(
            f"gate {text!r}: {limit!r} is not a limit for {'a ratio' if ratio else subject}", hint=f"units: {units}"
        )
    return allowed[unit]


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of one gate at one place.

    Attributes:
        gate: as it was written, or the limit against the baseline.
        point: of the run, or of a study or journey, with the class of request after a ``/`` if there are several.
        measure: ``cpu``, ``throughput``, ``p50`` … ``p999``, ``errors``, ``capacity``, or a figure's own name.
        value: in µs, replies per second, a share, or a ratio, with its 99% interval; a figure in its own unit.
        unit: of the value: ``µs``, ``/s``, ``share``, ``ratio``, or empty if the measure's name has it.
        most: whether the value must stay below the limit, or else above.
    """

    gate: str
    target: str
    against: str
    point: str
    measure: str
    outcome: Outcome
    unit: str
    limit: float
    most: bool
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rule is checked: a target at a point; ``against`` is the target that it is divided by, if there is one.

    In its methods ``why`` are the reasons for a missing value.
    """

    rule: Rule
    target: str
    point: str
    against: str = ""

    def missing(self, why: Reasons) -> Checked:
        return self.of_ends((None, None, None), why or NOT_MEASURED)

    def of_ends(self, ends: Ends, reasons: Reasons = ()) -> Checked:
        """The outcome of a value with its interval."""
        rule = self.rule
        outcome, unit = outcome_of(ends, rule.limit, most=rule.most), "ratio" if rule.against else rule.unit
        return Checked(
            rule.text, self.target, self.against, self.point, rule.subject, outcome, unit, rule.limit, rule.most,
            *ends, reasons,
        )  # fmt: skip

    def over_blocks(self, values: FloatArray, why: Reasons) -> Checked:
        """Of a value per block; ratios as their logarithms. Positive values are averaged as logarithms too."""
        if not values.size:
            return self.missing(why)
        positive, ratio = bool((values > 0).all()), bool(self.rule.against)
        logs = np.log(values) if positive and not ratio else values
        return self.estimated(mean_estimate(logs, ALPHA, math.exp if positive or ratio else float), why)

    def estimated(self, estimate: Estimate | None, why: Reasons) -> Checked:
        if estimate is None:
            return self.missing(why)
        reasons = (Reason("one-block"),) if estimate.blocks == 1 else ()
        return self.of_ends((estimate.value, estimate.ci_low, estimate.ci_high), reasons)

    def share_of_errors(self, errors: Mapping[str, int], replies: int, why: Reasons) -> Checked:
        """Of requests that failed, with its exact binomial interval."""
        bad = sum(errors.values())
        total = bad + replies
        if not total:
            return self.missing(why)
        low = float(special.betaincinv(bad, total - bad + 1, ALPHA / 2)) if bad else 0.0
        high = float(special.betaincinv(bad + 1, total - bad, 1 - ALPHA / 2)) if bad < total else 1.0
        reasons = tuple(Reason("error", {"kind": kind, "count": count}) for kind, count in errors.items())
        result = self.of_ends((bad / total, low, high), reasons)
        # No error at all is a fact about the run, not an estimate.
        return replace(result, outcome="passed") if not bad and self.rule.most and not self.rule.limit else result


def slower_limit(share: float, *, most: bool) -> float:
    """The ratio that is slower by ``share``: more of what must stay below, less of what must stay above."""
    return 1 + share if most else 1 / (1 + share)


def outcome_of(ends: Ends, limit: float, *, most: bool) -> Outcome:
    """The outcome of a value with its interval (value, low, high) at a limit."""
    value, low, high = ends
    if value is None:
        return "missing"
    if low is None or high is None:
        return "undecided"
    if (low > limit) if most else (high < limit):
        return "failed"
    return "passed" if ((high <= limit) if most else (low >= limit)) else "undecided"
