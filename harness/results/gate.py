"""A gate as its user writes it: ``fastapi-uvicorn json cpu < 120us``, ``new / old * throughput > -3%``.

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
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase

from harness.errors import UsageError, nearest

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
        """Whether the place that has these names is meant, by one of them or by a glob."""
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
