"""What crosses the pipe between the engine and its process, beside the values of ``spec``."""

from __future__ import annotations

from dataclasses import dataclass

from harness.load.spec import EventsSpec, LoadMeasurement, LoadSpec, SlotMeasurement, SlotSpec, WebSocketSpec

Order = SlotSpec | LoadSpec | WebSocketSpec | EventsSpec
Answer = SlotMeasurement | LoadMeasurement


@dataclass(frozen=True, slots=True)
class Stop:
    """To the process: end what is under way and answer with what was measured."""


@dataclass(frozen=True, slots=True)
class Ready:
    """From the process, first of all: it is up and takes orders."""


@dataclass(frozen=True, slots=True)
class Fault:
    """From the process: the order could not be carried out."""

    message: str
    traceback: str
