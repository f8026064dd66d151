"""Rules for claims about speed, concurrency and servers: from contrasts and from what was answered under load."""

from __future__ import annotations

from harness.analyse.claims.facts import Comparison, Facts, Finding, judged, of_all, telling
from harness.analyse.summary import ClaimVerdict, Evidence
from harness.model import Target

FAR = 2.0
"""How many times faster "far faster" is, by the cautious end of the interval."""
SLACK = 1.1
"""How far a measured throughput may lie above what capacity allows before it speaks against the limit."""
FLOORS = ("raw", "starlette")
"""Not other frameworks than FastAPI: it is built on the one, and the other is none."""
NAMED_SERVERS = ("uwsgi", "gunicorn", "mod_wsgi*", "daphne", "uvicorn", "hypercorn")
SERVED_SCENARIOS = ("io-db", "io-file", "io-upstream")


def far_faster(facts: Facts) -> Finding | None:
    """C2: at least twice as good as every other framework's reference target, by throughput and by CPU."""
    ours = facts.targets("fastapi", reference=True)
    others = [target for target in facts.targets(reference=True) if target.framework not in (*FLOORS, "fastapi")]
    found = _both_metrics(facts, ours, others)
    known = [one for one in found if one.outcome is not None]
    if not known:
        return Finding("undecided", telling(found)) if found else None
    return Finding(of_all([one.outcome == 1 and one.least >= FAR for one in known]), telling(found))


def async_io(facts: Facts) -> Finding | None:
    """C5: FastAPI answers every request that waits for a database, a file or another service."""
    ours = facts.targets("fastapi", "asgi", reference=True, answering=False)
    found = [one for scenario in SERVED_SCENARIOS for one in facts.cells(ours, scenario) if one[1].status != "not-run"]
    if not found:
        return None
    holds = [cell.status == "ok" and not cell.errors for _, cell, _ in found]
    ordered = sorted(zip(found, holds, strict=True), key=lambda pair: pair[1])
    per_scenario = {cell.scenario: index for (index, cell, _), _ in reversed(ordered)}
    evidence = tuple(Evidence("served", f"cells.{index}") for index in per_scenario.values())
    return Finding(of_all(holds), evidence, len(per_scenario) == len(SERVED_SCENARIOS))


def flask_is_synchronous(facts: Facts) -> Finding | None:
    """C9: Flask under WSGI never answers more than its threads allow while requests wait."""
    return _bound_by_threads(facts, facts.targets("flask", "wsgi"))


def django_is_heavy(facts: Facts) -> Finding | None:
    """C10: Django under WSGI is bound by its threads, and costs more CPU, memory and start-up time than Flask."""
    django, flask = facts.targets("django", "wsgi"), facts.targets("flask", "wsgi")
    others = [target for target in facts.targets() if target.framework not in ("django", *FLOORS)]
    bound = _bound_by_threads(facts, django)
    costs = facts.comparisons(django, flask or others, "cpu_cost")
    known = [one for one in costs if one.outcome is not None]
    kept = _upkeep(facts, django, flask or others)
    holds = [one.outcome == -1 for one in known] + [heavier for heavier, _ in kept]
    if not holds:
        return None
    if bound is not None:
        holds.append(bound.verdict == "supported")
    evidence = (*telling(costs), *(path for _, paths in kept for path in paths), *(bound.evidence if bound else ()))
    return Finding(of_all(holds), evidence)


def tornado_falls_behind(facts: Facts) -> Finding | None:
    """C11: Tornado has WebSocket, and is worse than FastAPI and Starlette wherever they are compared."""
    rivals = [target for target in facts.targets(interface="asgi") if target.framework in ("fastapi", "starlette")]
    found = _both_metrics(facts, rivals, facts.targets("tornado"))
    probed = facts.probes("websocket", "tornado")
    verdict = judged(found)
    if verdict is None:
        return None
    if probed and not probed[0][1].present:
        verdict = "refuted"
    return Finding(verdict, (*telling(found), *(Evidence("feature", f"features.{index}") for index, _ in probed[:1])))


def one_at_a_time(facts: Facts) -> Finding | None:
    """C15: a WSGI worker without threads answers one request per wait, and threads add to that in proportion."""
    single = [target for target in facts.targets(interface="wsgi") if target.workers * target.threads == 1]
    return _bound_by_threads(facts, single) if single else _bound_by_threads(facts, facts.targets(interface="wsgi"))


def many_at_once(facts: Facts) -> Finding | None:
    """C16: ASGI is ahead of WSGI at every measured wait, none included, and has WebSocket where WSGI has not.

    Of one framework under both, where there are such contrasts: others differ in more than the interface.
    """
    asgi, wsgi = facts.targets(interface="asgi"), facts.targets(interface="wsgi")
    found = facts.comparisons(asgi, wsgi, "throughput")
    framework = {target.name: target.framework for target in (*asgi, *wsgi)}
    alike = [one for one in found if framework[one.contrast.a.target] == framework[one.contrast.b.target]]
    verdict = judged(alike or found)
    if verdict is None:
        return None
    probed = [*facts.probes("websocket", interface="asgi")[:1], *facts.probes("websocket", interface="wsgi")[:1]]
    shown = tuple(Evidence("feature", f"features.{index}") for index, _ in probed)
    wsgi_names = {target.name for target in wsgi}
    if verdict == "supported" and any(one.present == (one.target in wsgi_names) for _, one in probed):
        verdict = "depends"
    return Finding(verdict, (*telling(alike or found), *shown))


def servers_run(facts: Facts) -> Finding | None:
    """C17: each of the named servers answers the contract; not decided as long as not all of them were tried."""
    evidence, holds = [], []
    for server in NAMED_SERVERS:
        targets = facts.targets(server=server, answering=False)
        found = [one for one in facts.cells(targets, "*") if one[1].status != "not-run"]
        if not found:
            continue
        good = next((one for one in found if one[1].status == "ok"), None)
        holds.append(good is not None)
        evidence.append(Evidence("served", f"cells.{(good or found[0])[0]}"))
    if not holds:
        return None
    whole = len(holds) == len(NAMED_SERVERS)
    verdict = of_all(holds)
    return Finding(verdict if whole or verdict != "supported" else "undecided", tuple(evidence), whole)


def fast_parts(facts: Facts) -> Finding | None:
    """C19: Uvicorn with uvloop and httptools is better than the same app on asyncio, and than on h11."""
    uvicorn = facts.targets(server="uvicorn")
    full = [target for target in uvicorn if _parts(target) == ("uvloop", "httptools")]
    lesser = [target for target in uvicorn if _parts(target) != ("uvloop", "httptools")]
    found = _both_metrics(facts, full, lesser)
    verdict = judged(found)
    return None if verdict is None else Finding(verdict, tuple(one.evidence for one in _by_factor(found)[:4]))


def under_gunicorn(facts: Facts) -> Finding | None:
    """C20: the app runs under Gunicorn with Uvicorn's worker; "it depends" where that costs something."""
    managed = facts.targets(interface="asgi", server="gunicorn")
    found = _both_metrics(facts, managed, facts.targets(interface="asgi", server="uvicorn"))
    if not managed:
        return None
    cells = facts.cells(managed, "*")
    served = Evidence("served", f"cells.{next(index for index, cell, _ in cells if cell.status == 'ok')}")
    worse = any(one.outcome == -1 for one in found)
    return Finding("depends" if worse else "supported", (served, *(telling(found) if found else ())))


def _both_metrics(facts: Facts, ours: list[Target], theirs: list[Target]) -> list[Comparison]:
    return [
        *facts.comparisons(ours, theirs, "throughput"),
        *facts.comparisons(ours, theirs, "cpu_cost"),
    ]


def _by_factor(found: list[Comparison]) -> list[Comparison]:
    return sorted(found, key=lambda one: (one.outcome is None, -one.factor))


def _bound_by_threads(facts: Facts, targets: list[Target]) -> Finding | None:
    """Whether no cell with more connections than threads, and a wait, exceeds what the threads allow."""
    found = []
    for index, cell, target in facts.cells(targets, "*"):
        allowed = facts.allowed_rps(cell, target) if facts.wait_s(cell) > 0 else None
        if allowed and cell.throughput_rps and cell.concurrency > target.workers * target.threads:
            found.append((cell.throughput_rps.value / allowed, index))
    if not found:
        return None
    closest = sorted(found, reverse=True)
    verdict: ClaimVerdict = of_all([share <= SLACK for share, _ in found])
    return Finding(verdict, (Evidence("capacity", f"cells.{closest[0][1]}"),))


def _upkeep(facts: Facts, heavy: list[Target], others: list[Target]) -> list[tuple[bool, tuple[Evidence, ...]]]:
    """For memory and start-up: whether every one of ``heavy`` has more of it than each of the others, and where."""
    kept = {upkeep.target: (index, upkeep) for index, upkeep in enumerate(facts.summary.upkeep)}
    found: list[tuple[bool, tuple[Evidence, ...]]] = []
    for kind, name in (("memory", "rss_bytes"), ("startup", "startup_s")):
        ours, theirs = (
            [(value, kept[t.name][0]) for t in side if t.name in kept and (value := getattr(kept[t.name][1], name))]
            for side in (heavy, others)
        )
        if ours and theirs:
            least, most = min(ours), max(theirs)
            paths = tuple(Evidence(kind, f"upkeep.{index}") for _, index in (least, most))  # type: ignore[arg-type]
            found.append((least[0] > most[0], paths))
    return found


def _parts(target: Target) -> tuple[str, str]:
    """Loop and parser of a Uvicorn target; what it does not say is what Uvicorn takes where both are installed."""
    loop, http = (str(target.options.get(key, "auto")) for key in ("loop", "http"))
    return ("uvloop" if loop == "auto" else loop), ("httptools" if http == "auto" else http)
