"""Files of older schemas, brought up to the present one while they are read; what is on disk stays as it was.

======  ========================================================================================================
schema  what it brought
======  ========================================================================================================
1       the first
2       ``writer`` and ``packages`` in the manifest: the toolkit's version, and what is installed where a target has
        an interpreter of its own
3       one kind of record for every window, with scenario, parameters and concurrency as fields; blocks of the plan
        hold all windows and trials; ``slots.jsonl`` is no more; what apps needed is counted by another rule
4       what is wrong is a code with fields, and no sentence; a gate that fires always excludes; the CPUs that servers
        and generator had are numbers; windows whose sides take turns have a key
5       what a live probe reports in place of a capability is a code with fields
======  ========================================================================================================

A change that an old reader cannot understand, or that a new one cannot do without, makes a new schema and one more
function here. ``tests/data`` holds a run of each older one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from harness.errors import RecordError
from harness.model import Point

SCHEMA = 5

Document = dict[str, Any]


def upgraded(value: object, path: Path, points: Sequence[Point] = ()) -> Document:
    """The document in the present schema.

    Args:
        points: the plan's, for records, which held only their ids before schema 3.

    Raises:
        RecordError: it has no schema version, or one that is newer than this version reads.
    """
    schema = value.get("schema") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise RecordError(f"{path} has no schema version: it is not a file of this toolkit")
    if schema > SCHEMA:
        raise RecordError(
            f"{path} has schema {schema}; this version reads up to {SCHEMA}",
            hint=f"install the version that wrote it, or a later one: {_install(value.get('writer'))}",
        )
    document: Document = value
    for step in range(schema, SCHEMA):
        document = {**STEPS[step](document, points), "schema": step + 1}
    return document


def _install(writer: object) -> str:
    if isinstance(writer, str) and writer and all(part.isalnum() for part in writer.replace("+", ".").split(".")):
        return f"pip install 'web-harness>={writer}'"
    return "pip install --upgrade web-harness"


def _first_to_second(document: Document, points: Sequence[Point]) -> Document:
    """Only manifests change: a record of a slot or a window has no plan."""
    if "plan" not in document:
        return document
    versions = document.get("versions")
    writer = versions.get("web-harness", "") if isinstance(versions, dict) else ""
    return {**document, "writer": writer, "packages": {}}


def _second_to_third(document: Document, points: Sequence[Point]) -> Document:
    if "plan" in document:
        return {**document, "plan": _plan(document["plan"])}
    if "features" in document:
        return {**document, "effort": []}
    if "slot" in document:
        return _turns(document, {point.id: point for point in points})
    return _single_side(document, {point.id: point for point in points}) if "study" in document else document


def _plan(plan: Document) -> Document:
    """Slots, waiting requests, windows and trials were stored separately."""
    rest = {key: value for key, value in plan.items() if key not in ("windows", "points_alone", "trials", "studies_s")}
    of_a_slot = ("id", "block", "sides", "budget_s", "min_rounds")
    blocks = []
    for block in plan["blocks"]:
        windows = [{name: slot[name] for name in of_a_slot} | {"seconds": slot["budget_s"]} for slot in block["slots"]]
        blocks.append({"index": block["index"], "targets": block["targets"], "windows": windows})
    for window in plan.get("windows", ()):
        side = {"target": window["target"], "point": window["point"]}
        names = ("id", "block", "seconds", "budget_s", "study", "warmup_s")
        one = {name: window[name] for name in names} | {"sides": [side]}
        single = {"index": window["block"], "targets": [window["target"]], "windows": [one], "study": window["study"]}
        blocks.append(single)
    for (index, _), group in groupby(plan.get("trials", ()), key=lambda trial: (trial["block"], trial["scenario"])):
        trials = list(group)
        targets = [trial["target"] for trial in trials]
        blocks.append({"index": index, "targets": targets, "trials": trials, "study": trials[0]["study"]})
    return {**rest, "points": [*plan["points"], *plan.get("points_alone", ())], "blocks": blocks}


def _turns(slot: Document, points: Mapping[str, Point]) -> Document:
    """A line of ``slots.jsonl``."""
    rest = {key: value for key, value in slot.items() if key not in ("slot", "sides", "errors")}
    answered: Counter[int] = Counter()
    for side, replies in zip(slot["slices"]["side"], slot["slices"]["replies"], strict=True):
        answered[side] += replies
    sides = []
    for index, side in enumerate(slot["sides"]):
        errors = slot.get("errors", {}).get(str(index), {})
        planned = answered[index] + sum(errors.values())
        sides.append(_side(side, points) | {"planned": planned, "answered": answered[index], "errors": errors})
    return {**rest, "id": slot["slot"], "study": "", "engine": "wire", "sides": sides}


_OF_THE_SIDE = ("planned", "answered", "errors", "latency_us")
_OF_THE_MACHINE = ("steal", "foreign", "server", "throttled")


def _single_side(window: Document, points: Mapping[str, Point]) -> Document:
    """A line of ``windows.jsonl``; its scenario stood in its id, and what the machine did among its figures."""
    setting, figures, target = window["setting"], dict(window.get("figures", {})), window["target"]
    machine = {name: figures.pop(name) for name in _OF_THE_MACHINE if name in figures}
    rss, startup = (figures.get(name) for name in ("rss_bytes", "startup_s"))
    scenario = window["id"].removeprefix(f"b{window['block']:02d}-").removesuffix(f"-{target}-{window['point']}")
    if window["study"] in ("journey", "waiting"):
        scenario = window["point"].partition("@")[0] or window["study"]
    side = _side({"target": target, "point": window["point"]}, points)
    concurrency = side["concurrency"] or setting.get("users") or setting.get("connections") or 0
    side |= {name: window[name] for name in _OF_THE_SIDE if name in window} | {"figures": figures}
    side |= {"scenario": side["scenario"] or scenario, "concurrency": concurrency, "params": setting}
    names = ("id", "block", "attempt", "study", "engine", "started_at", "duration_s", "failures", "gates", "samples")
    return {
        **{name: window[name] for name in names if name in window},
        "sides": [side],
        "machine": machine,
        "rss_bytes": {target: int(rss)} if rss else {},
        "startup_s": {target: startup} if startup else {},
    }


def _side(side: Document, points: Mapping[str, Point]) -> Document:
    point = points.get(side["point"])
    if point is None:
        return {**side, "scenario": "", "params": {}, "concurrency": 0}
    return {**side, "scenario": point.scenario, "params": point.params, "concurrency": point.concurrency}


def _third_to_fourth(document: Document, points: Sequence[Point]) -> Document:
    if "plan" in document:
        return _with_codes(document)
    if "sides" not in document:
        return document
    gates = [
        {"reason": _reason(gate["gate"], gate["reason"]), "target": gate["target"], "point": gate["point"]}
        for gate in document.get("gates", ())
        if gate.get("fatal", True)
    ]
    return {**document, "gates": gates, "failures": _failures(document.get("failures", ()))}


def _with_codes(manifest: Document) -> Document:
    plan, environment = manifest["plan"], dict(manifest["environment"])
    placement = {role: _numbers(environment.pop(f"{role} CPU", "")) for role in ("server", "generator")}
    ladders = plan.get("ladders", ())
    ladders = [{**ladder, "rungs": [_rung(rung) for rung in ladder["rungs"]]} for ladder in ladders]
    blocks = [{**block, "windows": list(map(_keyed, block.get("windows", ())))} for block in plan["blocks"]]
    journeys = [
        {**one, "left_out": {name: _reason("lacks", why) for name, why in one.get("left_out", {}).items()}}
        for one in manifest.get("journeys", ())
    ]
    left_out = _failures(plan.get("left_out", ()))
    return {
        **manifest,
        "plan": {**plan, "blocks": blocks, "left_out": left_out, "ladders": ladders},
        "skipped": _failures(manifest.get("skipped", ())),
        "journeys": journeys,
        "environment": environment,
        "placement": placement,
        "warnings": [_reason_in(text) for text in manifest.get("warnings", ())],
    }


def _keyed(window: Document) -> Document:
    """What a window is called in every block stood in its id."""
    return {**window, "key": "" if window.get("study") else window["id"].removeprefix(f"b{window['block']:02d}-")}


def _rung(rung: Document) -> Document:
    return {**rung, "reason": _reason_in(rung["reason"]) if rung.get("reason") else None}


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part.strip().isdigit()]


def _failures(failures: Iterable[Document]) -> list[Document]:
    """What a target lacks had the kind ``cannot``."""
    renamed = {"cannot": "lacks", "not-afforded": "left-out"}
    return [
        {key: value for key, value in each.items() if key not in ("kind", "message")}
        | {"reason": _reason(str(renamed.get(each["kind"], each["kind"])), each["message"])}
        for each in failures
    ]


_SHARE = r"(?P<share>[\d.]+)%"
_SENTENCES = {
    "steal": rf"other guests of the host took {_SHARE} of the CPUs \(limit (?P<limit>\d+)%\)",
    "throttled": rf"the CPU quota of the cgroup stopped everything for {_SHARE} of the time \(limit (?P<limit>\d+)%\)",
    "foreign-cpu": rf"other processes used {_SHARE} of the server's CPU \(limit (?P<limit>\d+)%\)",
    "idle-target-busy": rf"servers used {_SHARE} of a CPU while it was another's turn \(limit (?P<limit>\d+)%\)",
    "generator-starved": r"the generator waited (?P<wait>[\d.]+)% of the time for its CPU",
    "generator-bound": r"generator at (?P<cpu>\d+)% of its CPU, the server only at (?P<server>\d+)%",
    "unsteady": r"its rate changed by (?P<change>[+-]\d+)% within the window",
}
_WHOLE = {
    "no-target": r"(?P<target>\S+) is not in this run",
    "no-point": r"(?P<scenario>\S+) is not in this run at the setting of the others",
    "not-served": r"(?P<target>\S+) does not serve (?P<scenario>\S+)",
    "one-cpu": r"one CPU: server and generator share it, so .*",
    "one-core": r"server and generator are threads of one core: .*",
    "no-pinning": r"this platform cannot pin processes: .*",
    "elsewhere": r"targets elsewhere: .*",
}


def _reason(code: str, sentence: str) -> Document:
    """A code with the shares in its sentence; with the sentence itself, where it has another form."""
    match = re.fullmatch(_SENTENCES[code], sentence) if code in _SENTENCES else None
    if match is None:
        return {"code": code, "fields": {"text": sentence}}
    return {"code": code, "fields": {name: float(percent) / 100 for name, percent in match.groupdict().items()}}


def _reason_in(sentence: str) -> Document:
    """The reason in a sentence that had no code."""
    for code, pattern in _WHOLE.items():
        if match := re.fullmatch(pattern, sentence):
            return {"code": code, "fields": match.groupdict()}
    return {"code": "told", "fields": {"text": sentence}}


def _fourth_to_fifth(document: Document, points: Sequence[Point]) -> Document:
    """Only the abilities change."""
    lists = {name: list(map(_probed, document.get(name, ()))) for name in ("features", "untouched")}
    return {**document, **lists} if "features" in document else document


def _probed(feature: Document) -> Document:
    return {**feature, "detail": _reason_in(feature["detail"]) if feature.get("detail") else None}


STEPS: dict[int, Callable[[Document, Sequence[Point]], Document]] = {
    1: _first_to_second,
    2: _second_to_third,
    3: _third_to_fourth,
    4: _fourth_to_fifth,
}
"""Schema → the step to the next."""
