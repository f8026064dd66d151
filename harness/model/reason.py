"""Why something gave no number, or is doubtful: a code with its numbers and names. The words for it are in
``harness/report/language``, under ``[reasons]``, a text for every code.

Shares are of 1, times in the unit that ends the field's name. In any reason, ``worker`` or ``side`` names who reported
it, ``windows`` is how many have it, and ``text`` quotes an error, a user's declaration, or a run of an old schema.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

Value = int | float | str | tuple[str, ...]

LACKS = frozenset({"lacks", "no-websocket", "not-implemented"})
"""Codes of what a target declares that it cannot do, which is no fault of it."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A code, and the numbers and names that go with it."""

    code: str
    fields: Mapping[str, Value] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.code, *sorted(self.fields.items())))

    @property
    def text(self) -> str:
        """The text that it quotes; its code where it quotes none."""
        return str(self.fields.get("text", self.code))

    def plus(self, **fields: Value) -> Reason:
        """The same with more fields."""
        return replace(self, fields={**self.fields, **fields})


def tallied(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Each reason once, in order of appearance, with the number of windows that have it where these are several."""
    counts = Counter(reasons)
    return tuple(reason if count == 1 else reason.plus(windows=count) for reason, count in counts.items())
