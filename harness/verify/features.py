"""What a target can do, asked of it while it runs: a capability is present or refused, never taken on trust."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from apps.contract.case import Case
from apps.contract.endpoints import ENDPOINTS
from apps.contract.operations import OPERATIONS
from apps.contract.tokens import fill
from harness.model import Abilities, Feature, Target
from harness.serve import Running
from harness.serve.guard import Guard
from harness.verify import CLEAR_422, EARLY_REFUSAL, EVENTS, TIMEOUT_S, Reply, compare, endpoints_of, exchange
from harness.verify.effort import effort
from harness.verify.untouched import asked, probe_untouched

LACKING_TIMEOUT_S = 2.0
AT_ONCE = 8
_ASSET = re.compile(rb'(?:src|href)="([^"]+)"')


def abilities(running: Iterable[Running], guard: Guard) -> Abilities:
    """Asked of servers that are up, and of small apps that are started for it; empty for apps of a user's own."""
    servers = [one for one in running if one.target.endpoints]
    if not servers:
        return Abilities(())
    targets = [one.target for one in servers]
    untouched, sizes = probe_untouched({target.framework for target in targets}, guard)
    return Abilities(tuple(probe_all(servers)), (*effort(targets), *sizes), untouched=tuple(untouched))


def probe_all(running: Iterable[Running]) -> list[Feature]:
    """Every capability of every target of the contract, some at the same time; apps of a user's own are left be.

    Where one waits for what it lacks the others go on, so a whole run's targets take a few seconds.
    """
    servers = [one for one in running if one.target.endpoints and not one.target.twin_of and one.alive]
    if not servers:
        return []
    with ThreadPoolExecutor(min(len(servers), AT_ONCE)) as pool:
        return [feature for features in pool.map(probe, servers) for feature in features]


def probe(running: Running) -> list[Feature]:
    """Every capability of ``CAPABILITIES`` that the target's endpoints are enough for, asked while it runs."""
    target, features = running.target, []
    for name, capability in CAPABILITIES.items():
        if not capability.concerns(target):
            continue
        detail = asked(capability.ask, running)
        declared = name not in target.lacks
        features.append(Feature(target.name, name, declared, not detail, target.lacks.get(name, ""), detail))
    return features


def _case(site: Running, endpoint: str, name: str) -> str:
    """How the reply to a case differs from the contract."""
    case = ENDPOINTS[endpoint].case(name)
    difference = compare(case, exchange(site.bind, fill(case, site.secret)), site.target.adds)
    return f"{endpoint} ({name}): {difference}" if difference else ""


def _get(site: Running, path: str, media_type: str = "") -> Reply:
    return exchange(site.bind, Case("", "GET", path, (), b"", 200, media_type, None, None))


def _openapi(site: Running) -> str:
    reply = _get(site, "/openapi.json")
    if reply.status != 200:
        return f"status {reply.status}"
    document = json.loads(reply.body)
    if not str(document.get("openapi", "")).startswith("3.1"):
        return f"OpenAPI {document.get('openapi')} instead of 3.1"
    paths = document.get("paths", {})
    missing = [f"{o.method} {o.path}" for o in OPERATIONS if o.method.lower() not in paths.get(o.path, {})]
    return f"lacks {', '.join(missing)}" if missing else ""


def _page(path: str, mark: bytes) -> Callable[[Running], str]:
    def ask(site: Running) -> str:
        reply = _get(site, path)
        if reply.status != 200 or mark not in reply.body:
            return f"status {reply.status}, no page"
        for name in (asset.decode() for asset in _ASSET.findall(reply.body)):
            if not name.startswith("/"):
                return f"needs {name} from elsewhere"
            if _get(site, name).status != 200:
                return f"lacks {name}"
        return ""

    return ask


def _answers(endpoint: str, *names: str) -> Callable[[Running], str]:
    """Whether the replies to these cases are as the contract says."""
    return lambda site: next(filter(None, (_case(site, endpoint, name) for name in names)), "")


def _jwt(site: Running) -> str:
    wrong = ("missing", "expired", "wrong-signature", "alg-none", "tampered")
    return _case(site, "auth-token", "valid") or _answers("users-me", "valid", *wrong)(site)


def _early_refusal(site: Running) -> str:
    """A body past the limit is refused by its announced length, before it is sent."""
    case = ENDPOINTS["upload"].case("withheld")
    # A server that waits for the body waits for good.
    timeout_s = LACKING_TIMEOUT_S if EARLY_REFUSAL in site.target.lacks else TIMEOUT_S
    return compare(case, exchange(site.bind, fill(case, site.secret), timeout_s), site.target.adds)


def _streaming(site: Running) -> str:
    """A body of 4 MiB whose length its head does not know."""
    reply = _get(site, "/download?kb=4096")
    if reply.status != 200 or len(reply.body) != 4_096 * 1_024:
        return f"status {reply.status}, {len(reply.body)} bytes"
    return "it was whole before it was sent" if reply.header("content-length") else ""


def _sse(site: Running) -> str:
    """Events come when they happen: the first is there before the last one is due."""
    reply = _get(site, "/stream/events?n=4&interval_ms=250", EVENTS)
    if reply.status != 200 or reply.media_type != EVENTS:
        return f"status {reply.status}, {reply.header('content-type')}"
    if reply.body.count(b"event: tick") != 4:
        return "events are missing"
    return "all events came at once" if b"id: 3" in reply.body[: reply.arrived[0][1]] else ""


def _websocket(site: Running) -> str:
    """A text, a long one and bytes come back as they were sent, and the connection closes cleanly."""
    from websocket import ABNF, WebSocketBadStatusException, WebSocketException, create_connection

    tls = site.bind.tls
    try:
        connection: Any = create_connection(
            f"{'wss' if tls else 'ws'}://{site.bind.host}:{site.bind.port}/ws/echo",
            timeout=TIMEOUT_S,
            sslopt={"context": tls.context} if tls else None,
        )
    except WebSocketBadStatusException as error:
        return f"the handshake was refused with status {error.status_code}"
    except WebSocketException as error:
        return f"{type(error).__name__}: {error}"
    try:
        for message in ("Hello, 안녕", "x" * 70_000, bytes(range(256))):
            connection.send(message, ABNF.OPCODE_TEXT if isinstance(message, str) else ABNF.OPCODE_BINARY)
            if connection.recv() != message:
                return "what came back is not what was sent"
        connection.send_close()
        closed = connection.recv_frame().opcode == ABNF.OPCODE_CLOSE
    except WebSocketException as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.shutdown()
    return "" if closed else "the connection ended without a close"


@dataclass(frozen=True, slots=True)
class Capability:
    """What a target can do.

    Attributes:
        ask: tells, empty where it is present, why it is not.
        endpoints: what shows it; without any, the whole contract does.
    """

    ask: Callable[[Running], str]
    endpoints: tuple[str, ...] = ()

    def concerns(self, target: Target) -> bool:
        return {*self.endpoints} <= {*endpoints_of(target)} if self.endpoints else "*" in target.endpoints


CAPABILITIES: Mapping[str, Capability] = {
    "openapi": Capability(_openapi),
    "docs": Capability(_page("/docs", b"swagger-ui")),
    "redoc": Capability(_page("/redoc", b"redoc")),
    CLEAR_422: Capability(_answers("orders-validated", "S-wrong-types", "M-every-line"), ("orders-validated",)),
    "jwt": Capability(_jwt, ("auth-token", "users-me")),
    "cors": Capability(_answers("cors", "simple", "simple-other", "preflight-post", "preflight-other-post"), ("cors",)),
    "upload-limit": Capability(_answers("upload", "valid", "one-too-large"), ("upload",)),
    EARLY_REFUSAL: Capability(_early_refusal, ("upload",)),
    "streaming": Capability(_streaming, ("download",)),
    "sse": Capability(_sse, ("stream-events",)),
    "websocket": Capability(_websocket),
}
