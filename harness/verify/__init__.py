"""Replies against the contract, over a real socket, before any load is sent."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from apps.contract.case import Case
from apps.contract.endpoints import ENDPOINTS, OPT_IN
from apps.contract.tokens import fill
from harness.config.requests import WITH_BODY
from harness.errors import UsageError
from harness.model import PlannedRequest, RawRequest, Reason, Target
from harness.model.address import Address
from harness.model.difference import json_difference, short
from harness.model.units import EARLY_S, MS
from harness.serve import Running

TIMEOUT_S = 15.0
EARLY_REFUSAL = "early-refusal"
CLEAR_422 = "clear-422"
STREAMING = "streaming"
EVENTS = "text/event-stream"
SERVER_HEADERS = frozenset(("date", "server", "connection", "keep-alive"))
"""What servers and not apps decide: Daphne and Tornado's WSGI container send no Date, uWSGI neither Date nor Server,
and gunicorn's WSGI workers always say Connection. Any other header must be in the case's own list.
"""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply.

    Attributes:
        arrived: seconds after the request was sent, and how many bytes of the body were there by then; the last of them
            is the whole reply's. Empty where this was not recorded.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    arrived: tuple[tuple[float, int], ...] = ()

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    @property
    def media_type(self) -> str:
        return (self.header("content-type") or "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Checked:
    """One case sent to one target; ``difference`` is empty where the reply was equal."""

    target: str
    endpoint: str
    case: str
    difference: str = ""

    @property
    def reason(self) -> Reason | None:
        """Why the reply is wrong, where it is."""
        fields = {"endpoint": self.endpoint, "case": self.case, "text": self.difference}
        return Reason("wrong-reply", fields) if self.difference else None


def endpoints_of(target: Target) -> tuple[str, ...]:
    """The contract's endpoints that a target declares."""
    declared = [name for name in target.endpoints if name != "*"]
    unknown = [name for name in declared if name not in ENDPOINTS]
    if unknown:
        raise UsageError(
            f"target {target.name!r} names the endpoint {unknown[0]!r}, which the contract does not have",
            hint=f"the contract has {', '.join(ENDPOINTS)}",
        )
    names = [*(name for name in ENDPOINTS if name not in OPT_IN), *declared] if "*" in target.endpoints else declared
    return tuple(name for name in names if name not in target.lacks)


def case_of(request: PlannedRequest) -> Case:
    """The contract's case that a scenario's request stands for.

    Raises:
        UsageError: the contract has no such endpoint, case or parameter.
    """
    if request.raw is not None:
        return _raw_case(request.raw)
    if request.endpoint not in ENDPOINTS:
        raise UsageError(f"the contract has no endpoint {request.endpoint!r}", hint=f"it has {', '.join(ENDPOINTS)}")
    try:
        return ENDPOINTS[request.endpoint].case(request.case, **request.params)
    except (LookupError, TypeError, ValueError) as error:
        raise UsageError(f"endpoint {request.endpoint!r}: {error}") from None


def cases_of(target: Target, every: bool = True) -> list[tuple[str, Case]]:
    """The cases of the endpoints that a target declares; without ``every``, only the first of each endpoint.

    Cases that withhold their body are left out where the target lacks the capability that they test. A target that
    lacks clear 422s lists the faults too, but in its own words; one that lacks streaming says how long every body is.
    """
    names = endpoints_of(target)
    cases = [(name, case) for name in names for case in (ENDPOINTS[name].cases if every else ENDPOINTS[name].cases[:1])]
    if EARLY_REFUSAL in target.lacks:
        cases = [(name, case) for name, case in cases if not case.withhold]
    if CLEAR_422 in target.lacks:
        cases = [(name, replace(case, volatile=("detail",)) if case.status == 422 else case) for name, case in cases]
    if STREAMING in target.lacks:
        cases = [(name, replace(case, streamed=False)) for name, case in cases]
    return cases


def verify_all(running: Running, *, every: bool = True) -> list[Checked]:
    """Every case of ``cases_of``; one that the target is declared to lack (``endpoint/case``) must differ indeed."""
    return [
        replace(entry, difference="" if entry.difference else "equal to the contract's, but declared as lacking")
        if lacks_case(running.target, entry)
        else entry
        for entry in verify(running, cases_of(running.target, every))
    ]


def verify(running: Running, pairs: Iterable[tuple[str, Case]]) -> list[Checked]:
    """Each case once; one that has a wait twice, since a server's first reply may take that long without waiting."""
    checked = []
    for endpoint, case in pairs:
        difference = _difference(running, case)
        if case.least_ms and not difference:
            difference = _difference(running, case)
        checked.append(Checked(running.target.name, endpoint, case.name, difference))
    return checked


def _difference(running: Running, case: Case) -> str:
    try:
        return compare(case, exchange(running.bind, fill(case, running.secret)), running.target.adds)
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"


def lacks_case(target: Target, entry: Checked) -> bool:
    """Whether it is declared that the target does not answer the case as the contract says."""
    return any(fnmatchcase(f"{entry.endpoint}/{entry.case}", name) for name in target.lacks)


def exchange(address: Address, case: Case, timeout_s: float = TIMEOUT_S) -> Reply:
    """Sends a case on a connection of its own, without its body where that is withheld, and reads the whole reply.

    Raises:
        OSError, http.client.HTTPException: there was no whole reply.
    """
    connection = _connection(address, timeout_s)
    try:
        connection.connect()
        started = time.perf_counter()
        try:
            names = {name.lower() for name, _ in case.headers}
            connection.putrequest(case.method, case.path, skip_host="host" in names, skip_accept_encoding=True)
            for name, value in case.headers:
                connection.putheader(name, value)
            if "content-length" not in names and (case.body or case.method in WITH_BODY):
                connection.putheader("Content-Length", str(len(case.body)))
            connection.endheaders(None if case.withhold else case.body or None)
        except (BrokenPipeError, ConnectionResetError):
            # A body past the limit is refused before it is read whole; the refusal is already there to be read.
            pass
        response = connection.getresponse()
        headers = tuple((key.lower(), value) for key, value in response.getheaders())
        arrived, body = [], b""
        while piece := response.read1() if case.media_type == EVENTS else response.read():
            body += piece
            arrived.append((time.perf_counter() - started, len(body)))
        if response.length:
            raise http.client.IncompleteRead(body, response.length)
        return Reply(response.status, headers, body, (*arrived, (time.perf_counter() - started, len(body))))
    finally:
        connection.close()


def _connection(address: Address, timeout_s: float) -> http.client.HTTPConnection:
    if address.tls is None:
        return http.client.HTTPConnection(address.host, address.port, timeout=timeout_s)
    return http.client.HTTPSConnection(address.host, address.port, timeout=timeout_s, context=address.tls.context)


def compare(case: Case, reply: Reply, adds: Collection[str] = ()) -> str:
    """How the reply differs from the case's, except for headers that the target ``adds``; empty when it does not."""
    if case.preflight:
        return _preflight_difference(case, reply)
    if not (reply.status == case.status or (not case.status and 200 <= reply.status < 400)):
        return f"status {reply.status} instead of {case.status or 'a status below 400'}: {short(reply.body)}"
    if not case.media_type:
        return "" if case.text is None and not case.volatile else _body_difference(case, reply)
    return (
        _type_difference(case, reply)
        or _header_difference(case, reply)
        or _framing_difference(case, reply, adds)
        or _body_difference(case, reply)
        or _early(case, reply)
    )


def _body_difference(case: Case, reply: Reply) -> str:
    if not case.is_json:
        return "" if reply.body == case.text else f"body {short(reply.body)} instead of {short(case.text or b'')}"
    try:
        value = json.loads(reply.body)
    except ValueError:
        return f"body is not JSON: {short(reply.body)}"
    return json_difference(value, case.json, case.volatile)


def _early(case: Case, reply: Reply) -> str:
    """Whether the reply came before its wait was over; of a stream, any of its events."""
    ends = [event.end() for event in re.finditer(b"\n\n", reply.body)] if case.media_type == EVENTS else []
    for number, end in enumerate(ends[1:], start=1):
        due_s = case.least_ms / MS * number / (len(ends) - 1)
        arrived_s = next(seconds for seconds, size in reply.arrived if size >= end)
        if arrived_s < due_s - EARLY_S:
            return f"event {number + 1} of {len(ends)} {_arrival(arrived_s, due_s)}"
    took_s, least_s = reply.arrived[-1][0], case.least_ms / MS
    return f"the reply {_arrival(took_s, least_s)}" if took_s < least_s - EARLY_S else ""


def _arrival(seconds: float, due_s: float) -> str:
    return f"came after {seconds * MS:.1f} ms, expected at least {due_s * MS:g} ms: the app does not wait"


def _preflight_difference(case: Case, reply: Reply) -> str:
    """The browser asks for a success and these headers, whatever else a CORS package says."""
    if case.absent_headers == () and not 200 <= reply.status < 300:
        return f"status {reply.status} instead of a success"
    if reply.status >= 500:
        return f"status {reply.status}"
    return _header_difference(case, reply)


def _header_difference(case: Case, reply: Reply) -> str:
    for name, value in case.reply_headers:
        if not _header_holds(reply.header(name.lower()), value):
            return f"header {name}: {reply.header(name.lower())!r} instead of {value!r}"
    for name in case.absent_headers:
        if reply.header(name) is not None:
            return f"header {name}: {reply.header(name)!r} instead of none"
    return ""


def _type_difference(case: Case, reply: Reply) -> str:
    """Text says that it is UTF-8; JSON always is, so that its type may say so or not (Tornado's does)."""
    actual = reply.header("content-type") or "missing"
    media_type, *parameters = (part.strip().lower() for part in actual.split(";"))
    is_text = case.media_type.startswith("text/")
    if media_type == case.media_type and (parameters == ["charset=utf-8"] or not (parameters or is_text)):
        return ""
    return f"content type {actual} instead of {case.media_type}{'; charset=utf-8' if is_text else ''}"


def _framing_difference(case: Case, reply: Reply, adds: Collection[str]) -> str:
    """Whether header names differ from those of other apps, or the length of a body is missing that is known."""
    names = [name for name, _ in reply.headers]
    if case.streamed and case.text and "content-length" in names:
        return "Content-Length: the body is not streamed"
    if not case.streamed and "content-length" not in names:
        chunked = "transfer-encoding" in names
        return f"no Content-Length: the body is {'chunked' if chunked else 'ended by closing the connection'}"
    framing = {"content-type", "content-length", *(("transfer-encoding",) if case.streamed else ())}
    allowed = {*SERVER_HEADERS, *framing, *adds, *(name for name, _ in case.reply_headers)}
    if extra := sorted(set(names) - allowed):
        return f"header that other apps do not send: {', '.join(extra)}"
    if repeated := sorted(name for name in set(names) - {*adds} if names.count(name) > 1):
        return f"header sent twice: {', '.join(repeated)}"
    return ""


def _raw_case(raw: RawRequest) -> Case:
    """A request outside the contract as a case; without a media type, only status and body are compared."""
    text = None if raw.body is None else raw.body.encode("latin-1")
    content, name = raw.content.encode("latin-1"), f"{raw.method} {raw.path}"
    case = Case(name, raw.method, raw.path, raw.headers, content, raw.status, "", None, text)
    if text is None or not raw.volatile:
        return case
    return replace(case, json=json.loads(text), text=None, volatile=raw.volatile)


def _header_holds(actual: str | None, wanted: str) -> bool:
    """Whether the header lists the value: frameworks may add HEAD or OPTIONS to ``Allow``."""
    return actual is not None and wanted.lower() in (part.strip().lower() for part in (actual, *actual.split(",")))
