"""What crosses the pipe between the engine and its process, in addition to the values of ``spec`` and the results."""

from __future__ import annotations

from dataclasses import dataclass
from traceback import format_exc

from harness.engine.spec import EventsSpec, LoadSpec, SlicesResult, WebSocketSpec
from harness.errors import EngineError, HarnessError, UsageError
from harness.model.load import LoadResult

Load = LoadSpec | WebSocketSpec | EventsSpec
Answer = SlicesResult | LoadResult


@dataclass(frozen=True, slots=True)
class Stop:
    """To the process: end what is under way and answer with what was measured."""


@dataclass(frozen=True, slots=True)
class Ready:
    """From the process, first of all: it is up and takes orders."""


@dataclass(frozen=True, slots=True)
class Mark:
    """From the process: the measured stretch of a load begins (``begin``) or is over (``end``)."""

    name: str


@dataclass(frozen=True, slots=True)
class Fault:
    """From the process: the order could not be carried out."""

    error: HarnessError

    @classmethod
    def of(cls, error: Exception) -> Fault:
        """Within ``except``: what the user is to hear of an error."""
        if isinstance(error, HarnessError):
            # Not the error itself: one of its subclasses may be more than a message and a hint, and lost in the pipe.
            return cls((UsageError if isinstance(error, UsageError) else EngineError)(str(error), hint=error.hint))
        return cls(EngineError(f"the load generator failed: {type(error).__name__}: {error}", hint=format_exc()))
