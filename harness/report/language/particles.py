"""Korean particles, whose form depends on whether the word before them ends in a consonant."""

from __future__ import annotations

_FIRST, _LAST, _FINALS = 0xAC00, 0xD7A3, 28
_RIEUL, _NG = 8, 21
_DIGITS = {"0": _NG, "1": _RIEUL, "3": 16, "6": 1, "7": _RIEUL, "8": _RIEUL}
"""Digit → its final consonant as it is read in Sino-Korean (영, 일, 삼, 육, 칠, 팔); others end in a vowel."""
_LETTERS = {"l": _RIEUL, "m": 16, "n": 4}
"""Last letter of a Latin word → its final consonant in Hangul; others end in a vowel there (Flask, 플라스크)."""
_CLOSING = ")]}\"'”’»"


def with_particle(word: str, pair: str) -> str:
    """The particle of ``pair`` that fits after ``word``: ``은/는``, ``이/가``, ``을/를``, ``과/와``, ``으로/로``.

    The first form follows a final consonant. ``으로/로`` takes the second after ㄹ too. Brackets and quotation marks at
    the end are passed over.
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
