"""What a target can do, asked of it while it runs: a capability is present or refused, never taken on trust."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from apps.contract.endpoints import ENDPOINTS
from apps.contract.operations import OPERATIONS
from apps.contract.tokens import fill
from harness.launch import Running
from harness.model import Feature, Target
from harness.servers import Bind
from harness.verify import EARLY_REFUSAL, TIMEOUT_S, Reply, compare, exchange

_ODD = (OSError, ValueError, TypeError, AttributeError, http.client.HTTPException, ProtocolError)
"""What a reply can lead to that is nothing like what was asked for."""
LACKING_TIMEOUT_S = 2.0
AT_ONCE = 8
_ASSET = re.compile(rb'(?:src|href)="([^"]+)"')


@dataclass(frozen=True, slots=True)
class _Site:
    bind: Bind
    secret: str
    lacks: frozenset[str]

    def case(self, endpoint: str, name: str) -> str:
        """How the reply to a case differs from the contract."""
        case = ENDPOINTS[endpoint].case(name)
        difference = compare(case, exchange(self.bind, fill(case, self.secret)))
        return f"{endpoint} ({name}): {difference}" if difference else ""

    def cases(self, endpoint: str, *names: str) -> str:
        return next(filter(None, (self.case(endpoint, name) for name in names)), "")

    def get(self, path: str) -> Reply:
        connection = http.client.HTTPConnection(self.bind.host, self.bind.port, timeout=TIMEOUT_S)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            headers = tuple((key.lower(), value) for key, value in response.getheaders())
            return Reply(response.status, headers, response.read())
        finally:
            connection.close()


def probe_all(running: Iterable[Running]) -> list[Feature]:
    """Every capability of every target of the contract, some at the same time; apps of a user's own are left be.

    Where one waits for what it lacks the others go on, so a whole run's targets take a few seconds.
    """
    asked = [one for one in running if one.target.endpoints and not one.target.twin_of and one.alive]
    if not asked:
        return []
    with ThreadPoolExecutor(min(len(asked), AT_ONCE)) as pool:
        found = pool.map(lambda one: probe(one.target, one.bind, one.secret), asked)
        return [feature for features in found for feature in features]


def probe(target: Target, bind: Bind, secret: str = "") -> list[Feature]:
    """Every capability of ``CAPABILITIES``, asked of a running target."""
    site = _Site(bind, secret, frozenset(target.lacks))
    found = []
    for name, ask in CAPABILITIES.items():
        try:
            detail = ask(site)
        except _ODD as error:
            detail = f"{type(error).__name__}: {error}"
        declared = name not in target.lacks
        found.append(Feature(target.name, name, declared, not detail, target.lacks.get(name, ""), detail))
    return found


def _openapi(site: _Site) -> str:
    reply = site.get("/openapi.json")
    if reply.status != 200:
        return f"status {reply.status}"
    document = json.loads(reply.body)
    if not str(document.get("openapi", "")).startswith("3.1"):
        return f"OpenAPI {document.get('openapi')} instead of 3.1"
    paths = document.get("paths", {})
    missing = [f"{o.method} {o.path}" for o in OPERATIONS if o.method.lower() not in paths.get(o.path, {})]
    return f"lacks {', '.join(missing)}" if missing else ""


def _page(path: str, mark: bytes) -> Callable[[_Site], str]:
    def ask(site: _Site) -> str:
        reply = site.get(path)
        if reply.status != 200 or mark not in reply.body:
            return f"status {reply.status}, no page"
        for name in (found.decode() for found in _ASSET.findall(reply.body)):
            if not name.startswith("/"):
                return f"needs {name} from elsewhere"
            if site.get(name).status != 200:
                return f"lacks {name}"
        return ""

    return ask


def _clear_422(site: _Site) -> str:
    return site.cases("orders-validated", "S-wrong-types", "M-every-line")


def _jwt(site: _Site) -> str:
    wrong = ("missing", "expired", "wrong-signature", "alg-none", "tampered")
    return site.case("auth-token", "valid") or site.cases("users-me", "valid", *wrong)


def _cors(site: _Site) -> str:
    return site.cases("cors", "simple", "simple-other", "preflight-post", "preflight-other-post")


def _upload_limit(site: _Site) -> str:
    return site.cases("upload", "valid", "one-too-large")


def _early_refusal(site: _Site) -> str:
    """A body past the limit is refused by its announced length, before it is sent."""
    case = ENDPOINTS["upload"].case("withheld")
    # A server that waits for the body waits for good.
    timeout_s = LACKING_TIMEOUT_S if EARLY_REFUSAL in site.lacks else TIMEOUT_S
    return compare(case, exchange(site.bind, fill(case, site.secret), timeout_s))


def _streaming(site: _Site) -> str:
    """A body of 4 MiB whose length its head does not know."""
    reply = site.get("/download?kb=4096")
    if reply.status != 200 or len(reply.body) != 4_096 * 1_024:
        return f"status {reply.status}, {len(reply.body)} bytes"
    return "it was whole before it was sent" if reply.header("content-length") else ""


def _sse(site: _Site) -> str:
    """Events come when they happen: the first is there before the last one is due."""
    connection = http.client.HTTPConnection(site.bind.host, site.bind.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/stream/events?n=4&interval_ms=250")
        response = connection.getresponse()
        if response.status != 200 or "text/event-stream" not in (response.getheader("content-type") or ""):
            return f"status {response.status}, {response.getheader('content-type')}"
        first = response.read1()
        rest = response.read()
    finally:
        connection.close()
    if (first + rest).count(b"event: tick") != 4:
        return "events are missing"
    return "all events came at once" if b"id: 3" in first else ""


def _websocket(site: _Site) -> str:
    """A text, a long one and bytes come back as they were sent, and the connection closes cleanly."""
    messages: list[str | bytes] = ["Hello, 안녕", "x" * 70_000, bytes(range(256))]
    client = WSConnection(ConnectionType.CLIENT)
    with socket.create_connection((site.bind.host, site.bind.port), timeout=TIMEOUT_S) as stream:
        stream.sendall(client.send(Request(host=f"{site.bind.host}:{site.bind.port}", target="/ws/echo")))
        back: list[str | bytes] = []
        part: str | bytes | None = None
        while data := stream.recv(65_536):
            client.receive_data(data)
            for event in client.events():
                match event:
                    case RejectConnection():
                        return f"the handshake was refused with status {event.status_code}"
                    case RejectData():
                        continue
                    case AcceptConnection():
                        stream.sendall(_message(client, messages[0]))
                    case Ping():
                        stream.sendall(client.send(event.response()))
                    case TextMessage() | BytesMessage():
                        piece: str | bytes = event.data if isinstance(event, TextMessage) else bytes(event.data)
                        part = piece if part is None else part + piece  # type: ignore[operator]
                        if event.message_finished:
                            back.append(part)
                            part = None
                            more = len(back) < len(messages)
                            stream.sendall(
                                _message(client, messages[len(back)]) if more else client.send(CloseConnection(1000))
                            )
                    case CloseConnection():
                        return "" if back == messages else "what came back is not what was sent"
    return "the connection ended without a close"


def _message(client: WSConnection, content: str | bytes) -> bytes:
    return client.send(TextMessage(content) if isinstance(content, str) else BytesMessage(content))


CAPABILITIES: Mapping[str, Callable[[_Site], str]] = {
    "openapi": _openapi,
    "docs": _page("/docs", b"swagger-ui"),
    "redoc": _page("/redoc", b"redoc"),
    "clear-422": _clear_422,
    "jwt": _jwt,
    "cors": _cors,
    "upload-limit": _upload_limit,
    EARLY_REFUSAL: _early_refusal,
    "streaming": _streaming,
    "sse": _sse,
    "websocket": _websocket,
}
"""Name of a capability → what tells, empty where it is present, why it is not."""
