"""The order in which the requests of a mix are sent, and the judgement of their replies.

A right reply that the full reader has checked once is remembered byte for byte for its request, so that the same bytes
need no second reading. The memory is bounded; it changes what checking costs, never its result.
"""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Iterator, Sequence
from itertools import cycle
from math import gcd
from typing import Any

from harness.engine.replies import MAX_REPLY
from harness.engine.spec import WireRequest
from harness.model.difference import json_difference
from harness.model.units import MIB

SEQUENCE = 1024
MEMO_ENTRIES = 64
MEMO_BYTES = MIB
"""The largest reply that is remembered: to read one of 90 kB again takes 7 ms, to recognise it 0.1."""
MEMO_TOTAL = 16 * MIB
_CLOSES = re.compile(rb"\r\nconnection:[^\r]*\bclose\b", re.IGNORECASE)
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})


class ReplyCheck:
    """Checks the replies to one request, and remembers the right ones.

    Attributes:
        last: the whole reply seen last that was right and keeps the connection open; ``None`` before the first, since
            ``b""`` is what a closed connection reads as.
        hits: right replies that were recognised from memory.
        closes: whether the request asks the server to close the connection.
        usual_status: the status that every remembered reply has; 0 before the first.
    """

    __slots__ = (
        "_bodies", "_case", "_compared", "_heads", "_json", "_known", "closes", "data", "head_only", "hits",
        "idempotent", "last", "request", "size", "usual_status",
    )  # fmt: skip

    def __init__(self, request: WireRequest) -> None:
        self.request = request
        self.data = request.data
        self.size = len(request.data)
        case = self._case = request.case
        self.head_only = case.method.upper() == "HEAD"
        self.idempotent = case.method.upper() in _IDEMPOTENT
        self._json = case.is_json
        self._compared = not self.head_only and (self._json or case.text is not None)
        self.closes = _CLOSES.search(request.data.partition(b"\r\n\r\n")[0]) is not None
        self.last: bytes | None = None
        self.hits = self.usual_status = 0
        self._known: dict[bytes, bool] = {}
        self._heads: set[bytes] = set()
        self._bodies: dict[bytes, str] = {}

    def judge(self, status: int, media_type: str, body: bytes, encoding: str = "") -> tuple[str, str]:
        """``("", "")`` for a right reply, or the kind of error and an example in words.

        Args:
            encoding: the reply's ``Content-Encoding``; the body is compared without it.
        """
        case = self._case
        if encoding and self._compared:
            try:
                body = decoded(body, encoding)
            except (ValueError, zlib.error) as error:
                return "wrong-body", f"{case.name}: {error}"
        if status != case.status and (case.status or not 200 <= status < 400):
            expected = case.status or "200–399"
            return "wrong-status", f"{case.name}: status {status} instead of {expected}: {_excerpt(body)}"
        if media_type != case.media_type and case.media_type:
            return "wrong-type", f"{case.name}: {media_type or 'no type'} instead of {case.media_type}"
        fault = self._body_fault(body) if self._compared else ""
        return ("wrong-body", f"{case.name}: {fault}") if fault else ("", "")

    def _body_fault(self, body: bytes) -> str:
        if not self._json:
            return "" if body == self._case.text else f"{_excerpt(body)} instead of {_excerpt(self._case.text or b'')}"
        fault = self._bodies.get(body)
        if fault is None:
            fault = self._json_fault(body)
            if len(body) <= MEMO_BYTES:
                _make_room(self._bodies, len(body))
                self._bodies[body] = fault
        return fault

    def _json_fault(self, body: bytes) -> str:
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            return f"not JSON: {_excerpt(body)}"
        return json_difference(value, self._case.json, self._case.volatile)

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
        """Remember a right reply that arrived in pieces ending at ``cuts``."""
        if self.usual_status == 0:
            self.usual_status = status
        if status != self.usual_status or len(raw) > MEMO_BYTES:
            return
        _make_room(self._known, len(raw))
        self._known[raw] = keep_alive
        if len(cuts) <= 4:
            for cut in cuts[:-1]:
                _make_room(self._heads, cut)
                self._heads.add(raw[:cut])


def sequence(weights: Sequence[int], seed: int) -> list[int]:
    """Indexes into ``weights``: shuffled decks that each hold every request exactly in proportion to its weight.

    Raises:
        ValueError: no weight is above zero, or one is below.
    """
    if not any(weights) or min(weights) < 0:
        raise ValueError(f"weights must be 0 or more and not all 0: {list(weights)}")
    if len(weights) == 1:
        return [0]
    divisor = gcd(*weights)
    deck = [index for index, weight in enumerate(weights) for _ in range(weight // divisor)]
    rng, order = random.Random(seed), list[int]()
    while len(order) < SEQUENCE:
        order += rng.sample(deck, len(deck))
    return order


def endless(checks: Sequence[ReplyCheck], seed: int, share: int = 0, shares: int = 1) -> Iterator[ReplyCheck]:
    """The checks in the order of ``sequence``, over and over; every ``shares``-th from ``share`` on."""
    order = sequence([check.request.weight for check in checks], seed)
    return cycle([checks[order[(share + step * shares) % len(order)]] for step in range(len(order))])


def decoded(body: bytes, encoding: str) -> bytes:
    """``body`` without its content codings.

    Raises:
        ValueError: a coding is unknown, or the body becomes larger than a reply may be.
        zlib.error: the body is not encoded that way.
    """
    for coding in reversed([part.strip() for part in encoding.split(",")]):
        if coding in ("identity", ""):
            continue
        if coding not in ("gzip", "x-gzip", "deflate"):
            raise ValueError(f"the reply is encoded with {coding}, and only gzip and deflate can be compared")
        # Deflate comes with and without the head of zlib's format.
        raw = coding == "deflate" and (body[:1] != b"\x78")
        stream = zlib.decompressobj(-zlib.MAX_WBITS if raw else 32 + zlib.MAX_WBITS)
        body = stream.decompress(body, MAX_REPLY)
        if stream.unconsumed_tail or not stream.eof:
            raise ValueError(f"the reply is not a complete {coding} stream, or is very large")
    return body


def _make_room(memo: dict[bytes, Any] | set[bytes], size: int) -> None:
    """Empty ``memo`` if one more entry, at ``size`` bytes for each, would be too much."""
    if len(memo) >= MEMO_ENTRIES or (len(memo) + 1) * size > MEMO_TOTAL:
        memo.clear()


def _excerpt(body: bytes) -> str:
    text = body[:80].decode("utf-8", "replace")
    return repr(text) + ("…" if len(body) > 80 else "")
