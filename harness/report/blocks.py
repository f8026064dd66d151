"""What sections are made of: paragraphs, tables, charts and folds. One template lays them all out, Markdown a part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass, replace
from typing import Any

from harness.report.charts.svg import Chart
from harness.report.language.catalogue import Field
from harness.report.numbers import Figure, Measured, Sentence, Show, number, shown
from harness.report.view import View


@dataclass(frozen=True, slots=True)
class Missing:
    """In place of a number: the state of what has none."""

    state: str


Entry = str | Sentence | Figure | Measured | Missing | None
Said = Callable[[View, Any, str], Entry]
"""What stands in a cell, of a part of the summary and where that stands."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and what it shows of each row's part of the summary.

    Attributes:
        name: key of its heading, or the heading itself.
        path: where in the part its number stands.
        show: how that is written.
        said: what else stands there.
        numeric: whether it is read as numbers are.
    """

    name: str
    path: str = ""
    show: Show = number
    said: Said | None = None
    numeric: bool = True

    def entry(self, view: View, part: Any, path: str) -> Entry:
        return self.said(view, part, path) if self.said else shown(part, path, self.path, self.show)


def words(name: str, said: Said | None = None) -> Column:
    """A column of text."""
    return Column(name, said=said, numeric=False)


@dataclass(frozen=True, slots=True)
class Row:
    """``why`` stands in place of the entries where there is no number; ``path``: of its part of the summary."""

    head: str
    entries: tuple[Entry, ...]
    why: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """``head`` names the first column, whose cells are the rows' heads; one of thousands of numbers is ``long``."""

    name: str
    head: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    long: bool = False

    @classmethod
    def of(
        cls,
        view: View,
        name: str,
        columns: Iterable[Column],
        parts: Iterable[tuple[str, Any]],
        *,
        head: str = "words.target",
        row: Callable[[Any], str] | None = None,
        why: Callable[[Any], str] = lambda part: "",
        long: bool = False,
        fields: Mapping[str, Field] | None = None,
    ) -> Table:
        """A row for each part of the summary, which follows where it stands there.

        Args:
            name, head: keys of texts, or the texts themselves, as the columns' headings are; ``fields``: theirs.
            row: what heads a row; default: what its target is called.
        """

        def text(key: str) -> str:
            return view.text_or_literal(key, **(fields or {}))

        listed = tuple(replace(column, name=text(column.name)) for column in columns)
        rows = (
            Row(
                row(part) if row else view.name(part.target),
                tuple(column.entry(view, part, path) for column in listed),
                why(part),
                path,
            )
            for path, part in parts
        )
        return cls(text(name), text(head), listed, tuple(rows), long)


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; a ``note`` is set smaller."""

    said: str | Sentence
    note: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    items: tuple[str | Sentence, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and numbers."""

    facts: tuple[tuple[str, Figure], ...]


@dataclass(frozen=True, slots=True)
class Pre:
    """Text as a program printed it; one to take along has a button that makes a ``copy``."""

    text: str
    copy: bool = False


@dataclass(frozen=True, slots=True)
class Plots:
    """Charts under a title, or, without one, side by side under their own; ``id`` is the figure's anchor."""

    charts: tuple[Chart, ...]
    title: str = ""
    said: str | Sentence = ""
    note: str | Sentence = ""
    id: str = ""
    inside: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks behind a line; ``open`` where nothing else shows what they hold."""

    summary: str
    blocks: tuple[Block, ...]
    open: bool = False


Block = Table | Heading | Text | Items | Facts | Pre | Plots | Fold


def folded(summary: str, block: Block, rows: Sized) -> tuple[Fold, ...]:
    """A fold of one block; nothing where it would be empty."""
    return (Fold(summary, (block,)),) if rows else ()
