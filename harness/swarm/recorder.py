"""Every request event of Locust, at full precision: Locust itself keeps response times rounded to two digits."""

from __future__ import annotations

import re
from array import array
from collections import Counter

import numpy as np

from harness.load.spec import FloatArray
from harness.units import MS, US


class Recorder:
    """A listener of Locust's ``request`` event; counts what ends between ``begin`` and ``end``."""

    def __init__(self) -> None:
        self._samples: dict[str, array[float]] = {}
        self._counting = False
        self.errors: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.replies = 0

    def begin(self) -> None:
        self._counting = True

    def end(self) -> None:
        self._counting = False

    def __call__(
        self,
        request_type: str,
        name: str,
        response_time: float | None,
        exception: BaseException | str | None = None,
        **_: object,
    ) -> None:
        """``response_time`` in milliseconds."""
        if exception is not None:
            kind = error_kind(exception)
            self.errors[kind] += 1
            self.examples.setdefault(kind, f"{name}: {exception}"[:300])
            return
        self.replies += 1
        if self._counting and response_time is not None:
            key = class_name(request_type, name)
            if key not in self._samples:
                self._samples[key] = array("d")
            self._samples[key].append(response_time)

    def latency_us(self) -> dict[str, FloatArray]:
        """Class of request → response times in microseconds, in order of completion."""
        return {key: np.array(values, dtype=np.float64) * (US / MS) for key, values in sorted(self._samples.items())}


def class_name(request_type: str, name: str) -> str:
    """A name that the locustfile gave says it all; a path needs its method."""
    return f"{request_type} {name}" if name.startswith(("/", "http://", "https://")) else name


def error_kind(exception: BaseException | str) -> str:
    """``wrong-reply`` for what a locustfile refused; else the exception's name: ``connection-refused``, ``timeout``."""
    if isinstance(exception, str) or type(exception).__name__ in ("CatchResponseError", "ResponseError"):
        return "wrong-reply"
    if type(exception).__name__ in ("LocustBadStatusCode", "HTTPError"):
        return "wrong-status"
    words = re.findall("[A-Z][a-z0-9]*|[A-Z]+(?![a-z])|[a-z0-9]+", type(exception).__name__)
    return "-".join(word.lower() for word in words if word != "Error") or "error"
