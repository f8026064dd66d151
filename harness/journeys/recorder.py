"""Every request event of Locust, at full precision: Locust itself keeps response times rounded to two digits."""

from __future__ import annotations

import re
import time
from array import array
from collections import Counter
from typing import Any

from harness.engine.spec import ClassProgress, JourneySpec, Progress
from harness.engine.tally import floats
from harness.model.load import Latencies, LoadResult
from harness.model.units import MS, US


class Recorder:
    """A listener of Locust's ``request`` event.

    Attributes:
        counting: whether response times are recorded; errors count at any time.
    """

    def __init__(self) -> None:
        self.counting = False
        self.errors: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self._began = time.perf_counter()
        self._samples: dict[str, array[float]] = {}
        self._classes: dict[str, ClassProgress] = {}

    def __call__(
        self,
        request_type: str,
        name: str,
        response_time: float | None,
        exception: BaseException | str | None = None,
        **_: object,
    ) -> None:
        """``response_time`` in milliseconds."""
        key = class_name(request_type, name)
        replies, failures, latest_us = self._classes.get(key, (0, 0, 0.0))
        if exception is not None:
            self._classes[key] = replies, failures + 1, latest_us
            self._fail(error_kind(exception), f"{name}: {exception}")
            return
        self._classes[key] = replies + 1, failures, (response_time or 0.0) * US / MS
        if self.counting and response_time is not None:
            self._samples.setdefault(key, array("d")).append(response_time)

    def raised(self, exception: BaseException, **_: object) -> None:
        """A listener of ``user_error``: what a locustfile's tasks raise."""
        self._fail(f"raised-{error_kind(exception)}", f"the locustfile raised {exception!r}")

    def progress(self) -> Progress:
        replies = sum(count for count, _, _ in self._classes.values())
        return Progress(time.perf_counter() - self._began, 0, replies, classes=dict(self._classes))

    def result(self, spec: JourneySpec, seconds: float, shares: dict[str, Any]) -> LoadResult:
        """The result of ``seconds`` of counting; times are from sending to the last byte, by Locust's clients."""
        recorded = {key: Latencies.of(floats(times) * (US / MS)) for key, times in sorted(self._samples.items())}
        series = {key: latencies for key, latencies in recorded.items() if latencies is not None}
        answered, failed = sum(latencies.count for latencies in series.values()), self.errors.total()
        return LoadResult(
            loop="journey",
            connections=spec.users,
            seed=spec.seed,
            duration_s=seconds,
            elapsed_s=seconds,
            planned=answered + failed,
            answered=answered,
            failed=failed,
            in_time=answered,
            service_time_us=Latencies.merge(series.values()),
            series=series,
            errors=dict(self.errors),
            examples=dict(self.examples),
            **shares,
        )

    def _fail(self, kind: str, detail: str) -> None:
        self.errors[kind] += 1
        self.examples.setdefault(kind, detail[:300])


def class_name(request_type: str, name: str) -> str:
    """A name that the locustfile gives, or a path with its method."""
    return f"{request_type} {name}" if name.startswith(("/", "http://", "https://")) else name


def error_kind(exception: BaseException | str) -> str:
    """``wrong-reply`` for what a locustfile refused; else the exception's name: ``connection-refused``, ``timeout``."""
    if isinstance(exception, str) or type(exception).__name__ in ("CatchResponseError", "ResponseError"):
        return "wrong-reply"
    if type(exception).__name__ in ("LocustBadStatusCode", "HTTPError"):
        return "wrong-status"
    words = re.findall("[A-Z][a-z0-9]*|[A-Z]+(?![a-z])|[a-z0-9]+", type(exception).__name__)
    return "-".join(word.lower() for word in words if word != "Error") or "error"
