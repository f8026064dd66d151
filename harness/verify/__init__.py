"""Replies against the contract, over a real socket, before any load is sent."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from apps.contract.case import Case
from apps.contract.endpoints import ENDPOINTS
from apps.contract.tokens import fill
from harness.errors import UsageError
from harness.model import PlannedRequest, RawRequest, Target
from harness.servers import Bind

TIMEOUT_S = 15.0
EARLY_REFUSAL = "early-refusal"
# What servers and not apps decide; any other header must be in the case's own list.
FREE_HEADERS = frozenset(
    ("date", "server", "connection", "keep-alive", "content-type", "content-length", "transfer-encoding")
)
VARY = frozenset(
    (
        "origin",
        "access-control-request-method",
        "access-control-request-headers",
        "access-control-request-private-network",
    )
)
"""What a reply may depend on besides: every app with CORS says ``Origin``, and a preflight more."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Checked:
    """One case sent to one target; ``difference`` is empty where the reply was equal."""

    target: str
    endpoint: str
    case: str
    difference: str = ""


def endpoints_of(target: Target) -> tuple[str, ...]:
    """The contract's endpoints that a target declares."""
    declared = [name for name in target.endpoints if name != "*"]
    unknown = [name for name in declared if name not in ENDPOINTS]
    if unknown:
        raise UsageError(
            f"target {target.name!r} names the endpoint {unknown[0]!r}, which the contract does not have",
            hint=f"the contract has {', '.join(ENDPOINTS)}",
        )
    names = ENDPOINTS if "*" in target.endpoints else declared
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

    Those whose body is withheld are left out where the target lacks the capability that they are about.
    """
    names = endpoints_of(target)
    cases = [(name, case) for name in names for case in (ENDPOINTS[name].cases if every else ENDPOINTS[name].cases[:1])]
    return [(name, case) for name, case in cases if not (case.withhold and EARLY_REFUSAL in target.lacks)]


def verify_all(target: Target, bind: Bind, secret: str = "", *, every: bool = True) -> list[Checked]:
    """Every case of ``cases_of``; ``secret`` is the key of the tokens that the target accepts.

    A case that the target is declared to lack (``endpoint/case``) must differ indeed.
    """
    checked = verify(target, bind, cases_of(target, every), secret)
    return [_as_declared(entry, target) for entry in checked]


def verify(target: Target, bind: Bind, pairs: Iterable[tuple[str, Case]], secret: str = "") -> list[Checked]:
    checked = []
    for endpoint, case in pairs:
        try:
            difference = compare(case, exchange(bind, fill(case, secret)))
        except (OSError, http.client.HTTPException) as error:
            difference = f"{type(error).__name__}: {error}"
        checked.append(Checked(target.name, endpoint, case.name, difference))
    return checked


def _as_declared(entry: Checked, target: Target) -> Checked:
    if f"{entry.endpoint}/{entry.case}" not in target.lacks:
        return entry
    return replace(entry, difference="" if entry.difference else "as the contract says, but declared as lacking")


def exchange(bind: Bind, case: Case, timeout_s: float = TIMEOUT_S) -> Reply:
    """Sends a case on a connection of its own, without its body where that is withheld, and reads the whole reply.

    Raises:
        OSError, http.client.HTTPException: there was no whole reply.
    """
    connection = http.client.HTTPConnection(bind.host, bind.port, timeout=timeout_s)
    try:
        try:
            if case.withhold:
                _send_head(connection, case)
            else:
                connection.request(case.method, case.path, case.body or None, dict(case.headers))
        except (BrokenPipeError, ConnectionResetError):
            # A body past the limit is refused before it is read whole; the refusal is already there to be read.
            pass
        response = connection.getresponse()
        headers = tuple((key.lower(), value) for key, value in response.getheaders())
        return Reply(response.status, headers, response.read())
    finally:
        connection.close()


def compare(case: Case, reply: Reply) -> str:
    """How the reply differs from the case's; empty when it does not."""
    if case.preflight:
        return _preflight_difference(case, reply)
    if reply.status != case.status:
        return f"status {reply.status} instead of {case.status}: {_short(reply.body)}"
    media_type = (reply.header("content-type") or "").partition(";")[0].strip().lower()
    if not case.media_type:
        return "" if case.text in (None, reply.body) else f"body {_short(reply.body)} instead of {_short(case.text)}"
    if media_type != case.media_type:
        return f"content type {media_type or 'missing'} instead of {case.media_type}"
    if difference := _header_difference(case, reply):
        return difference
    allowed = FREE_HEADERS | {name.lower() for name, _ in case.reply_headers}
    extra = sorted({name for name, value in reply.headers if not (name == "vary" and _is_cors(value))} - allowed)
    if extra:
        return f"header that others lack: {', '.join(extra)}"
    if case.media_type != "application/json":
        return "" if reply.body == case.text else f"body {_short(reply.body)} instead of {_short(case.text or b'')}"
    try:
        value = json.loads(reply.body)
    except ValueError:
        return f"body is not JSON: {_short(reply.body)}"
    return _json_difference(value, case.json, "", case.volatile)


def _send_head(connection: http.client.HTTPConnection, case: Case) -> None:
    connection.putrequest(case.method, case.path)
    for name, value in case.headers:
        connection.putheader(name, value)
    connection.endheaders()


def _preflight_difference(case: Case, reply: Reply) -> str:
    """The browser asks for a success and these headers, whatever a CORS package says besides."""
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


def _is_cors(vary: str) -> bool:
    return {part.strip().lower() for part in vary.split(",")} <= VARY


def _raw_case(raw: RawRequest) -> Case:
    """A request outside the contract as a case; without a media type, only status and body are compared."""
    text = None if raw.body is None else raw.body.encode("latin-1")
    content = raw.content.encode("latin-1")
    return Case(f"{raw.method} {raw.path}", raw.method, raw.path, raw.headers, content, raw.status, "", None, text)


def _header_holds(got: str | None, wanted: str) -> bool:
    """Whether the header lists the value: frameworks add HEAD or OPTIONS to ``Allow`` as they see fit."""
    return got is not None and wanted.lower() in (part.strip().lower() for part in (got, *got.split(",")))


def _json_difference(got: Any, wanted: Any, path: str, volatile: tuple[str, ...] = ()) -> str:
    """The first place where two JSON values differ; ``1``, ``1.0`` and ``true`` are different values."""
    where = path or "the reply"
    if type(got) is not type(wanted):
        return f"{where} is {_short(got)} instead of {_short(wanted)}"
    if isinstance(got, dict):
        if set(got) != set(wanted):
            missing, extra = sorted(set(wanted) - set(got)), sorted(set(got) - set(wanted))
            return f"{where}: " + "; ".join(
                f"{what} {', '.join(keys)}" for what, keys in (("lacks", missing), ("adds", extra)) if keys
            )
        for key in wanted:
            if key not in volatile:
                difference = _json_difference(got[key], wanted[key], f"{path}.{key}" if path else key)
                if difference:
                    return difference
        return ""
    if isinstance(got, list):
        if len(got) != len(wanted):
            return f"{where} has {len(got)} entries instead of {len(wanted)}"
        for index, pair in enumerate(zip(got, wanted, strict=True)):
            difference = _json_difference(*pair, f"{path}[{index}]")
            if difference:
                return difference
        return ""
    return "" if got == wanted else f"{where} is {_short(got)} instead of {_short(wanted)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "…"
