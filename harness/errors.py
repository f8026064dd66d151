"""The errors that a user can cause or meet; each says what failed, where, and what to do next.

HarnessError            exit code 3
├── UsageError          2: unknown name, bad option, malformed file
│   ├── DeclarationError   a TOML file: file, line, key, what was expected
│   └── OptionError        an option of a server
├── NotReadyError          a target or the machine is not ready
│   └── LaunchError        a server exited, never became ready, or its port was taken
├── RecordError            a results folder cannot be written or read
└── EngineError            the load generator itself failed
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path


class HarnessError(Exception):
    """What failed; ``hint`` is what to do next."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(HarnessError):
    exit_code = 2


class DeclarationError(UsageError):
    """A fault in a file that a user writes."""

    def __init__(self, message: str, *, file: str, line: int | None = None, key: str = "", hint: str = "") -> None:
        where = file if line is None else f"{file}:{line}"
        super().__init__(f"{where}: {key + ': ' if key else ''}{message}", hint=hint)
        self.file, self.line, self.key = file, line, key


class OptionError(UsageError):
    """A server does not take an ``option``, or its value."""

    def __init__(self, message: str, *, option: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.option = option


class NotReadyError(HarnessError):
    pass


class LaunchError(NotReadyError):
    """A server that did not come up: ``code`` is ``exited`` or ``not-ready``; ``log`` holds its last lines."""

    def __init__(self, message: str, *, log: tuple[str, ...] = (), hint: str = "", code: str = "not-ready") -> None:
        super().__init__(message, hint=hint)
        self.log, self.code = log, code


class RecordError(HarnessError):
    pass


class EngineError(HarnessError):
    pass


@contextmanager
def writing(path: Path, hint: str = "") -> Iterator[None]:
    """Raises ``RecordError`` where the system refuses what is done within to write a file or a folder."""
    try:
        yield
    except OSError as error:
        raise RecordError(f"{path} cannot be written: {error.strerror}", hint=hint) from None


def nearest(text: str, known: Iterable[str]) -> str:
    """``did you mean quick or quack?``; empty where nothing is near."""
    near = get_close_matches(text, list(known), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else ""


def one_of(option: str, text: str, known: Iterable[str]) -> str:
    """``text``, where it is one of the known values.

    Raises:
        UsageError: it is not; the nearest ones, or all of them, are offered.
    """
    values = list(known)
    if text in values:
        return text
    hint = nearest(text, values)
    raise UsageError(f"{option} {text!r}: must be {', '.join(values[:-1])} or {values[-1]}", hint=hint)
