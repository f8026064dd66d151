"""Cases of files and streams."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from apps.contract.case import JSON, Case, Endpoint, missing, not_a_number, number_fault, refused, too_large
from apps.contract.inbound import MAX_UPLOAD_BODY_BYTES, MULTIPART
from apps.contract.inputs import DownloadQuery, EventsQuery

LARGEST_KB = MAX_UPLOAD_BODY_BYTES // 1_024 - 1
BOUNDARY = "----contract7MA4YWxkTrZu0gW"
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n"


def transfers() -> tuple[Endpoint, ...]:
    """``/upload``, ``/download`` and ``/stream/events``."""
    return _upload(), _download(), _events()


def multipart(content: bytes, filename: str | None = "data.bin", field: str = "file", before: str = "") -> bytes:
    """A multipart body with one part; a text where ``filename`` is ``None``."""
    disposition = f'form-data; name="{field}"' + (f'; filename="{filename}"' if filename is not None else "")
    media = "Content-Type: application/octet-stream\r\n" if filename is not None else ""
    head = f"{before}--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n{media}\r\n".encode()
    return head + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def _upload() -> Endpoint:
    typed = (("content-type", f"{MULTIPART}; boundary={BOUNDARY}"),)

    def sent(name: str, body: bytes, status: int, reply: Any, **changes: Any) -> Case:
        return replace(Case(name, "POST", "/upload", typed, body, status, JSON, reply, None), **changes)

    def taken(name: str, content: bytes, filename: str = "data.bin", before: str = "") -> Case:
        reply = {"name": filename, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        return sent(name, multipart(content, filename, before=before), 200, reply)

    def make(kb: int = 64) -> Case:
        if not 0 <= kb <= LARGEST_KB:
            raise ValueError(f"kb must be from 0 to {LARGEST_KB}")
        return taken(f"{kb}", _bytes(kb * 1_024))

    def wrong(name: str, body: bytes, *faults: dict[str, Any], **changes: Any) -> Case:
        return sent(name, body, 422, {"detail": list(faults)}, **changes)

    other_field = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
    room = MAX_UPLOAD_BODY_BYTES - len(multipart(b""))
    other_type = {"detail": "Unsupported Media Type"}
    cases = (
        replace(make(), name="valid"),
        taken("empty-file", b""),
        taken("line-ends", b"a\r\nb\n\r\n--\r\n--almost a boundary\r\n"),
        taken("unicode-name", b"x", "사진 1.png"),
        taken("with-another-field", b"x" * 10, before=other_field),
        # Werkzeug refuses a form that fills its limit to the last byte.
        taken("largest", _bytes(room - 1)),
        too_large(taken("one-too-large", _bytes(room + 1))),
        too_large(taken("far-too-large", _bytes(2 * MAX_UPLOAD_BODY_BYTES))),
        too_large(
            sent(
                "withheld",
                b"",
                413,
                None,
                headers=(*typed, ("content-length", str(MAX_UPLOAD_BODY_BYTES + 1))),
                withhold=True,
            )
        ),
        wrong("no-file", multipart(b"x", "a.bin", field="other"), missing("body", "file")),
        # Frameworks word what they find in a form's place themselves.
        wrong("text-instead", multipart(b"x", None), volatile=("detail",)),
        sent("json", b"{}", 415, other_type, headers=(("content-type", JSON),)),
        sent("no-type", multipart(b"x"), 415, other_type, headers=()),
    )
    return Endpoint("upload", "POST", "/upload", "a file: size and hash", cases, make)


def _bytes(length: int) -> bytes:
    pattern = bytes(range(256))
    return (pattern * (length // 256 + 1))[:length]


def _download() -> Endpoint:
    path, kb = "/download", ("query", "kb")

    def make(kb: int = 64) -> Case:
        kb = DownloadQuery(kb=kb).kb
        text = (_ALPHABET * (16 * kb)).encode()
        return Case(f"{kb}", "GET", f"{path}?kb={kb}", (), b"", 200, "text/plain", None, text, streamed=True)

    cases = (
        replace(make(), name="valid"),
        make(0),
        make(1),
        make(1_000),
        refused("kb-missing", path, missing(*kb)),
        refused("kb-negative", f"{path}?kb=-1", number_fault(kb, "greater_than_equal", 0)),
        refused("kb-too-big", f"{path}?kb=10241", number_fault(kb, "less_than_equal", 10_240)),
        refused("kb-text", f"{path}?kb=much", not_a_number(*kb)),
    )
    return Endpoint("download", "GET", path, "a streamed body", cases, make)


def _events() -> Endpoint:
    path = "/stream/events"
    n, interval = ("query", "n"), ("query", "interval_ms")

    def make(n: int = 3, interval_ms: int = 0) -> Case:
        query = EventsQuery(n=n, interval_ms=interval_ms)
        text = "".join(f'event: tick\ndata: {{"n":{i}}}\nid: {i}\n\n' for i in range(query.n)).encode()
        where = f"{path}?n={query.n}&interval_ms={query.interval_ms}"
        headers = (("cache-control", "no-cache"), ("x-accel-buffering", "no"))
        return Case(
            f"{query.n}",
            "GET",
            where,
            (),
            b"",
            200,
            "text/event-stream",
            None,
            text,
            reply_headers=headers,
            streamed=True,
            least_ms=(query.n - 1) * query.interval_ms,
        )

    cases = (
        replace(make(5, 5), name="valid"),
        replace(make(), name="defaults", path=path),
        make(1_000),
        refused("n-zero", f"{path}?n=0", number_fault(n, "greater_than_equal", 1)),
        refused("n-too-big", f"{path}?n=1001", number_fault(n, "less_than_equal", 1_000)),
        refused("interval-too-long", f"{path}?interval_ms=1001", number_fault(interval, "less_than_equal", 1_000)),
        refused("interval-text", f"{path}?interval_ms=no", not_a_number(*interval)),
    )
    return Endpoint("stream-events", "GET", path, "server-sent events", cases, make)
