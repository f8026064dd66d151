"""A language's texts by key, filled with fields: the only way by which words get into the report."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter

from markupsafe import Markup

from harness.errors import UsageError
from harness.model.reason import Reason, Value
from harness.model.units import format_duration
from harness.report.numbers import Figure, Sentence, plain

Field = str | int | float | Figure | Sentence
FOLDER = Path(__file__).parent
DEFAULT = "en"
FORMATS: dict[str, Callable[[float], str]] = {
    "%": lambda share: f"{100 * share:.1f}".removesuffix(".0") + "%",
    "ms": lambda us: f"{us / 1000:.1f} ms",
    "time": format_duration,
}

_FIRST, _LAST, _FINALS = 0xAC00, 0xD7A3, 28
_RIEUL, _NG = 8, 21
_DIGITS = {"0": _NG, "1": _RIEUL, "3": 16, "6": 1, "7": _RIEUL, "8": _RIEUL}
"""Digit → its final consonant as it is read in Sino-Korean (영, 일, 삼, 육, 칠, 팔); others end in a vowel."""
_LETTERS = {"l": _RIEUL, "m": 16, "n": 4}
"""Last letter of a Latin word → its final consonant in Hangul; others end in a vowel there (Flask, 플라스크)."""
_CLOSING = ")]}\"'”’»"


@dataclass(frozen=True)
class Language:
    """Texts under dotted keys. In a text, ``{name}`` stands for a field, and

    - ``{count:block|blocks}`` for a number with its noun in the singular or the plural: ``1 block``, ``1,200 blocks``;
    - ``{name:은/는}`` for a field with the Korean particle that its last sound asks for;
    - ``{share:%}`` for a share as a percentage, ``{p99_us:ms}`` for microseconds in milliseconds, ``{wait_s:time}`` for
      seconds as a duration, and ``{ratio:.2f}`` for any other of Python's formats.
    """

    code: str
    texts: Mapping[str, str]

    def has(self, key: str) -> bool:
        return key in self.texts

    def say(self, key: str, **fields: Field) -> Sentence:
        """The text with its fields, in which figures stay figures so that a rendering can mark them up.

        Raises:
            KeyError: there is no such text, or it names a field that was not given.
        """
        return _said(self.texts[key], fields)

    def text(self, key: str, **fields: Field) -> str:
        """``say`` as plain text."""
        return plain(self.say(key, **fields))

    def names(self, prefix: str) -> dict[str, str]:
        """All texts right under a key, by the last part of theirs, in the order of the file."""
        start = f"{prefix}."
        return {key.removeprefix(start): text for key, text in self.texts.items() if key.startswith(start)}

    def known(self, text: str) -> str:
        """A text that ships with the toolkit (a scenario's title) in this language; any other one as it is."""
        return self.texts.get(f"known.{text}", text)

    def reason(self, reason: Reason) -> str:
        """A reason in words; of an old run, which may not have the fields, the sentence that it wrote."""
        fields = {"text": reason.code} | {name: self._shown(value) for name, value in reason.fields.items()}
        text = self.texts.get(f"reasons.{reason.code}", "{text}")
        if not {name for _, name, _ in _pieces(text) if name} <= fields.keys():
            text = "{text}"
        said = plain(_said(text, fields))
        for part in ("side", "worker", "windows", "more"):
            if part in fields:
                said = self.text(f"reasons.{part}", **{part: fields[part], "reason": said})
        return said

    def reasons(self, reasons: Iterable[Reason]) -> str:
        """One after the other."""
        return "; ".join(map(self.reason, reasons))

    def _shown(self, value: Value) -> str | int | float:
        if isinstance(value, tuple):
            return ", ".join(value)
        return self.known(value) if isinstance(value, str) else value


@cache
def language(code: str) -> Language:
    """The language of ``xx.toml``.

    Raises:
        UsageError: there is no such file.
    """
    known = languages()
    if code not in known:
        raise UsageError(f"no report in {code!r}", hint=f"--lang takes {', '.join(known)}")
    texts: dict[str, str] = {}
    for name in (DEFAULT, code):
        texts |= _flat(tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8")))
    return Language(code, texts)


def languages() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


@cache
def _pieces(text: str) -> tuple[tuple[str, str, str], ...]:
    """Literal text, the field after it (or nothing) and how the field is written."""
    return tuple((literal, name or "", spec or "") for literal, name, spec, _ in Formatter().parse(text))


def _said(text: str, fields: Mapping[str, Field]) -> Sentence:
    parts: list[str | Figure] = []
    for literal, name, spec in _pieces(text):
        _add(parts, literal)
        if name:
            for part in _filled(fields[name], spec):
                _add(parts, part)
    return tuple(parts)


def _filled(value: Field, spec: str) -> Sentence:
    if isinstance(value, int | float) and spec and "|" not in spec and "/" not in spec:
        return (FORMATS[spec](value) if spec in FORMATS else format(value, spec),)
    parts: Sentence = (
        value if isinstance(value, tuple) else (_number(value) if isinstance(value, int | float) else value,)
    )
    if "|" in spec:
        number = value.value if isinstance(value, Figure) else value
        one, _, many = spec.partition("|")
        return (*parts, f" {one if number == 1 else many}")
    if "/" in spec:
        return (*parts, with_particle(Markup(plain(parts)).striptags(), spec))
    return parts


def _number(value: int | float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"


def _add(parts: list[str | Figure], part: str | Figure) -> None:
    """Puts neighbouring texts together; markup stays separate, so that it is never escaped nor trusted by mistake."""
    if part == "":
        return
    last = parts[-1] if parts else None
    if type(part) is str and type(last) is str:
        parts[-1] = last + part
    else:
        parts.append(part)


def with_particle(word: str, pair: str) -> str:
    """The particle of ``pair`` that fits after ``word``: ``은/는``, ``이/가``, ``을/를``, ``과/와``, ``으로/로``.

    The first form follows a final consonant. ``으로/로`` takes the second after ㄹ too. Brackets and quotation marks at
    the end are ignored.
    """
    closed, _, open_ = pair.partition("/")
    final = _final(word.rstrip(_CLOSING + " "))
    if not final or (final == _RIEUL and closed.startswith("으")):
        return open_
    return closed


def _final(word: str) -> int:
    """Number of the last syllable's final consonant, as Unicode counts them; 0 for a vowel or what is not known."""
    if not word:
        return 0
    last = word[-1].lower()
    if _FIRST <= ord(last) <= _LAST:
        return (ord(last) - _FIRST) % _FINALS
    if word.lower().endswith("ng"):
        return _NG
    return _DIGITS.get(last, 0) or _LETTERS.get(last, 0)


ENGLISH = language(DEFAULT)
