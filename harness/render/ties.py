"""Tie groups of a point: targets that no contrast of this run tells apart share a letter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.analyse.summary import ContrastResult

APART = frozenset({"different", "different-size-open", "small"})


def tie_groups(ordered: Sequence[str], apart: Iterable[frozenset[str]]) -> Mapping[str, str]:
    """Letters per name, ``a`` first; a name may be in several groups (``ab``).

    A group is a largest set of names of which no two are told apart (the compact letter display of Piepho, 2004).

    Args:
        ordered: the names, best first.
        apart: pairs that a contrast tells apart.
    """
    groups: list[set[str]] = [set(ordered)] if ordered else []
    for pair in sorted(apart, key=sorted):
        if len(pair) != 2:
            continue
        split: list[set[str]] = []
        for group in groups:
            split.extend([group - {name} for name in pair] if pair <= group else [group])
        unique = {frozenset(group) for group in split}
        groups = [set(group) for group in unique if not any(group < other for other in unique)]
    rank = {name: position for position, name in enumerate(ordered)}
    groups.sort(key=lambda group: sorted(rank[name] for name in group))
    letters = {name: "" for name in ordered}
    for position, group in enumerate(groups):
        for name in group:
            letters[name] += letter(position)
    return letters


def told_apart(contrasts: Iterable[ContrastResult], point: str) -> set[frozenset[str]]:
    """Pairs of targets whose throughput a contrast at ``point`` found to differ."""
    return {
        frozenset({contrast.a.target, contrast.b.target})
        for contrast in contrasts
        if contrast.metric == "throughput"
        and contrast.a.point == contrast.b.point == point
        and contrast.verdict in APART
    }


def compared(contrasts: Iterable[ContrastResult], point: str) -> set[str]:
    """Targets that some contrast of throughput at ``point`` compares with another target."""
    return {
        side.target
        for contrast in contrasts
        if contrast.metric == "throughput" and contrast.a.point == contrast.b.point == point
        for side in (contrast.a, contrast.b)
    }


def letter(position: int) -> str:
    """``a`` … ``z``, then ``a2`` …."""
    cycle, index = divmod(position, 26)
    return chr(ord("a") + index) + (str(cycle + 1) if cycle else "")
