"""What a target can do, probed while it runs: a capability is present or refused, never taken on trust."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from apps.contract.endpoints import ENDPOINTS
from apps.contract.operations import OPERATIONS
from apps.contract.tokens import fill
from harness.model import Abilities, Feature, Reason, Target
from harness.serve import Running
from harness.serve.guard import Guard
from harness.verify import CLEAR_422, EARLY_REFUSAL, EVENTS, TIMEOUT_S, Checked, compare, endpoints_of, exchange, verify
from harness.verify.effort import effort
from harness.verify.untouched import Check, page, probe_untouched, raised, run_check, send, unexpected

LACKING_TIMEOUT_S = 2.0
AT_ONCE = 8
_ASSET = re.compile(rb'(?:src|href)="([^"]+)"')


def abilities(running: Iterable[Running], guard: Guard) -> Abilities:
    """Probes servers that are up, and small apps that are started for it; finds nothing of a user's own apps."""
    servers = [one for one in running if one.target.endpoints]
    if not servers:
        return Abilities(())
    targets = [one.target for one in servers]
    untouched, sizes = probe_untouched({target.framework for target in targets}, guard)
    # Where one waits for what it lacks the others go on, so that a whole run's targets take a few seconds.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        probed = pool.map(probe, (one for one in servers if not one.target.twin_of and one.alive))
        features = tuple(feature for each in probed for feature in each)
    return Abilities(features, (*effort(targets), *sizes), untouched=tuple(untouched))


def probe(running: Running) -> list[Feature]:
    """Every capability of ``CAPABILITIES`` that the target's endpoints are enough for, probed while it runs."""
    target, features = running.target, []
    for name, capability in CAPABILITIES.items():
        if not capability.concerns(target):
            continue
        why, detail = target.lacks.get(name, ""), run_check(capability.check, running)
        features.append(Feature(target.name, name, name not in target.lacks, detail is None, why, detail))
    return features


def _openapi(site: Running) -> Reason | None:
    reply = send(site, "GET", "/openapi.json")
    if reply.status != 200:
        return unexpected(reply)
    document = json.loads(reply.body)
    version, paths = str(document.get("openapi", "")), document.get("paths", {})
    if not version.startswith("3.1"):
        return Reason("openapi-version", {"version": version})
    missing = [f"{o.method} {o.path}" for o in OPERATIONS if o.method.lower() not in paths.get(o.path, {})]
    return Reason("openapi-lacks", {"operations": tuple(missing)}) if missing else None


def _whole_page(site: Running, path: str, mark: bytes) -> Reason | None:
    """A page with all that it needs."""
    if lack := page(site, path, mark):
        return lack
    for name in (asset.decode() for asset in _ASSET.findall(send(site, "GET", path).body)):
        if not name.startswith("/"):
            return Reason("page-needs", {"name": name})
        if send(site, "GET", name).status != 200:
            return Reason("page-lacks", {"name": name})
    return None


def _answers(endpoint: str, *names: str) -> Check:
    """Whether the replies to these cases are as the contract says."""

    def check(site: Running) -> Reason | None:
        pairs = ((endpoint, ENDPOINTS[endpoint].case(name)) for name in names)
        return next((each.reason for pair in pairs for each in verify(site, [pair]) if each.reason), None)

    return check


def _jwt(site: Running) -> Reason | None:
    wrong = ("missing", "expired", "wrong-signature", "alg-none", "tampered")
    return _answers("auth-token", "valid")(site) or _answers("users-me", "valid", *wrong)(site)


def _early_refusal(site: Running) -> Reason | None:
    """A body past the limit is refused by its announced length, before it is sent."""
    case = ENDPOINTS["upload"].case("withheld")
    # A server that waits for the body waits for good.
    timeout_s = LACKING_TIMEOUT_S if EARLY_REFUSAL in site.target.lacks else TIMEOUT_S
    difference = compare(case, exchange(site.bind, fill(case, site.secret), timeout_s), site.target.adds)
    return Checked(site.target.name, "upload", case.name, difference).reason


def _streaming(site: Running) -> Reason | None:
    """A body of 4 MiB whose length its head does not know."""
    reply = send(site, "GET", "/download?kb=4096")
    if reply.status != 200 or len(reply.body) != 4_096 * 1_024:
        return Reason("unexpected-size", {"status": reply.status, "bytes": len(reply.body)})
    return Reason("not-streamed") if reply.header("content-length") else None


def _sse(site: Running) -> Reason | None:
    """Events come when they happen: the first is there before the last one is due."""
    reply = send(site, "GET", "/stream/events?n=4&interval_ms=250", media_type=EVENTS)
    if reply.status != 200 or reply.media_type != EVENTS:
        return unexpected(reply)
    if reply.body.count(b"event: tick") != 4:
        return Reason("events-missing")
    return Reason("events-together") if b"id: 3" in reply.body[: reply.arrived[0][1]] else None


def _websocket(site: Running) -> Reason | None:
    """A text, a long one and bytes come back as they were sent, and the connection closes cleanly."""
    from websocket import ABNF, WebSocketBadStatusException, WebSocketException, create_connection

    tls = site.bind.tls
    try:
        connection: Any = create_connection(
            f"{'wss' if tls else 'ws'}://{site.bind.host}:{site.bind.port}/ws/echo",
            timeout=TIMEOUT_S,
            sslopt={"context": tls.context} if tls else None,
        )
        try:
            for message in ("Hello, 안녕", "x" * 70_000, bytes(range(256))):
                connection.send(message, ABNF.OPCODE_TEXT if isinstance(message, str) else ABNF.OPCODE_BINARY)
                if connection.recv() != message:
                    return Reason("echo-differs")
            connection.send_close()
            closed = connection.recv_frame().opcode == ABNF.OPCODE_CLOSE
        finally:
            connection.shutdown()
    except WebSocketBadStatusException as error:
        return Reason("handshake-refused", {"status": error.status_code})
    except WebSocketException as error:
        return raised(error)
    return None if closed else Reason("no-close")


@dataclass(frozen=True, slots=True)
class Capability:
    """What a target can do.

    Attributes:
        check: says why it is not present; nothing where it is.
        endpoints: what shows it; without any, the whole contract does.
    """

    check: Check
    endpoints: tuple[str, ...] = ()

    def concerns(self, target: Target) -> bool:
        return {*self.endpoints} <= {*endpoints_of(target)} if self.endpoints else "*" in target.endpoints


CAPABILITIES: Mapping[str, Capability] = {
    "openapi": Capability(_openapi),
    "docs": Capability(partial(_whole_page, path="/docs", mark=b"swagger-ui")),
    "redoc": Capability(partial(_whole_page, path="/redoc", mark=b"redoc")),
    CLEAR_422: Capability(_answers("orders-validated", "S-wrong-types", "M-every-line"), ("orders-validated",)),
    "jwt": Capability(_jwt, ("auth-token", "users-me")),
    "cors": Capability(_answers("cors", "simple", "simple-other", "preflight-post", "preflight-other-post"), ("cors",)),
    "upload-limit": Capability(_answers("upload", "valid", "one-too-large"), ("upload",)),
    EARLY_REFUSAL: Capability(_early_refusal, ("upload",)),
    "streaming": Capability(_streaming, ("download",)),
    "sse": Capability(_sse, ("stream-events",)),
    "websocket": Capability(_websocket),
}
