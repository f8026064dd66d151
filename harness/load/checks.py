"""Judging replies against what was expected.

A reply that the full reader once found whole, right and exactly one is remembered byte for byte for its request, so
that the same bytes need no reading again. The memory is bounded; it changes what checking costs, never its result.
"""

from __future__ import annotations

import json
from typing import Any

from harness.load.spec import WireRequest

MEMO_ENTRIES = 64
MEMO_BYTES = 64 * 1024
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})


class ReplyCheck:
    """A request with the judgement of its replies and the memory of right ones.

    Attributes:
        last: the whole reply seen last that was right and keeps the connection open; ``None`` before the first, since
            ``b""`` is what a closed connection reads as.
        hits: right replies that were recognised from memory.
        usual_status: the status that every remembered reply has; 0 before the first.
    """

    __slots__ = (
        "_bodies",
        "_heads",
        "_known",
        "data",
        "head_only",
        "hits",
        "idempotent",
        "last",
        "request",
        "size",
        "usual_status",
    )

    def __init__(self, request: WireRequest) -> None:
        self.request = request
        self.data = request.data
        self.size = len(request.data)
        self.head_only = request.method.upper() == "HEAD"
        self.idempotent = request.method.upper() in _IDEMPOTENT
        self.last: bytes | None = None
        self.hits = self.usual_status = 0
        self._known: dict[bytes, bool] = {}
        self._heads: set[bytes] = set()
        self._bodies: dict[bytes, str] = {}

    def judge(self, status: int, media_type: str, body: bytes) -> tuple[str, str]:
        """``("", "")`` for a right reply, or the kind of error and an example in words."""
        expected = self.request.expected
        low, high = expected.statuses or (0, 999)
        if (expected.status is not None and status != expected.status) or not low <= status <= high:
            wanted = f"{low}–{high}" if expected.status is None else f"{expected.status}"
            return "wrong-status", f"{self.request.name}: status {status} instead of {wanted}: {_excerpt(body)}"
        if expected.media_type is not None and media_type != expected.media_type:
            return "wrong-type", f"{self.request.name}: {media_type or 'no type'} instead of {expected.media_type}"
        if expected.body is not None and body != expected.body and not self.head_only:
            return "wrong-body", f"{self.request.name}: {_excerpt(body)} instead of {_excerpt(expected.body)}"
        if expected.check_json and not self.head_only:
            fault = self._bodies.get(body)
            if fault is None:
                fault = self._json_fault(body)
                if len(body) <= MEMO_BYTES:
                    _bounded(self._bodies)[body] = fault
            if fault:
                return "wrong-body", f"{self.request.name}: {fault}"
        return "", ""

    def _json_fault(self, body: bytes) -> str:
        expected = self.request.expected
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            return f"not JSON: {_excerpt(body)}"
        wanted = expected.json
        if expected.volatile and isinstance(value, dict) and isinstance(wanted, dict):
            missing = [key for key in expected.volatile if key not in value]
            if missing:
                return f"key {missing[0]!r} is missing: {_excerpt(body)}"
            value = {key: item for key, item in value.items() if key not in expected.volatile}
            wanted = {key: item for key, item in wanted.items() if key not in expected.volatile}
        return "" if same_json(value, wanted) else f"another JSON value than expected: {_excerpt(body)}"

    def recall(self, raw: bytes) -> bool | None:
        """Whether the connection stays open after the known right reply ``raw``; ``None`` for an unknown one."""
        keep_alive = self._known.get(raw)
        if keep_alive:
            self.last = raw
        return keep_alive

    def is_head(self, raw: bytes) -> bool:
        """Whether ``raw`` is a known first part of a right reply, so that reading can wait for the rest."""
        return raw in self._heads

    def remember(self, raw: bytes, cuts: list[int], status: int, *, keep_alive: bool) -> None:
        """Keep a right reply that came in pieces ending at ``cuts``."""
        if self.usual_status == 0:
            self.usual_status = status
        if status != self.usual_status or len(raw) > MEMO_BYTES:
            return
        _bounded(self._known)[raw] = keep_alive
        if len(self._heads) + len(cuts) > MEMO_ENTRIES:
            self._heads.clear()
        if len(cuts) <= 4:
            self._heads.update(raw[:cut] for cut in cuts if cut < len(raw))


def same_json(a: Any, b: Any) -> bool:
    """Equality of JSON values: unlike Python's, ``true`` is not 1."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_json(item, b[key]) for key, item in a.items())
    if isinstance(a, list) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same_json(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return bool(a == b)


def _bounded(memo: dict[bytes, Any]) -> dict[bytes, Any]:
    if len(memo) >= MEMO_ENTRIES:
        memo.clear()
    return memo


def _excerpt(body: bytes) -> str:
    text = body[:80].decode("utf-8", "replace")
    return repr(text) + ("…" if len(body) > 80 else "")
