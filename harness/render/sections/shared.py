"""Loads that several workers shared: a table and its sentences for every point."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analyse.summary import SharedContrast, SharedLoad
from harness.render.numbers import Figure, Measured, Sentence, measured, times
from harness.render.view import View
from harness.units import significant


@dataclass(frozen=True, slots=True)
class SharedRow:
    target: str
    state: str
    why: str
    workers: Figure
    throughput: Measured | None
    cpu: Measured | str
    p50: Measured | None
    p90: Figure | None
    p99: Figure | None


@dataclass(frozen=True, slots=True)
class SharedPoint:
    point: str
    sentences: tuple[Sentence, ...]
    rows: tuple[SharedRow, ...]


def shared_figures(view: View) -> tuple[SharedPoint, ...]:
    """Per point, in the plan's order."""
    found = []
    for point in dict.fromkeys(load.point for load in view.summary.shared_loads):
        loads = [(i, load) for i, load in enumerate(view.summary.shared_loads) if load.point == point]
        contrasts = [(i, each) for i, each in enumerate(view.summary.shared_contrasts) if each.point == point]
        sentences = (_fastest(view, point, loads), *(_compared(view, index, each) for index, each in contrasts))
        found.append(SharedPoint(point, sentences, tuple(_row(view, index, load) for index, load in loads)))
    return tuple(found)


def _fastest(view: View, point: str, loads: list[tuple[int, SharedLoad]]) -> Sentence:
    sound = [(load.throughput_rps.value, index, load) for index, load in loads if load.throughput_rps is not None]
    if not sound:
        return view.language.say("shared.none", where=point)
    value, index, load = max(sound, key=lambda one: one[0])
    rate = Figure(significant(value, 3), value, f"shared_loads.{index}.throughput_rps.value")
    workers = Figure(str(load.workers), load.workers, f"shared_loads.{index}.workers")
    return view.language.say("shared.fastest", where=point, target=load.target, rate=rate, workers=workers)


def _compared(view: View, index: int, contrast: SharedContrast) -> Sentence:
    say, path = view.language.say, f"shared_contrasts.{index}"
    verdict = view.language.text(f"verdicts.{contrast.verdict}")
    if contrast.ratio is None:
        return (f"{contrast.a}, {contrast.b}: {verdict}.",)
    ratio = times(contrast.ratio, f"{path}.ratio")
    if contrast.ci_low is None or contrast.ci_high is None:
        said = say("shared.ratio_open", a=contrast.a, b=contrast.b, ratio=ratio, verdict=verdict)
    else:
        low, high = times(contrast.ci_low, f"{path}.ci_low"), times(contrast.ci_high, f"{path}.ci_high")
        said = say("shared.ratio", a=contrast.a, b=contrast.b, ratio=ratio, low=low, high=high, verdict=verdict)
    return say("shared.control", sentence=said) if contrast.control else said


def _row(view: View, index: int, load: SharedLoad) -> SharedRow:
    path = f"shared_loads.{index}"
    no_access = view.language.text("states.not-measurable") if load.status == "ok" else ""
    return SharedRow(
        target=load.target,
        state=view.language.text(f"states.{load.status}"),
        why="; ".join(view.language.reason(reason) for reason in load.reasons),
        workers=Figure(str(load.workers), load.workers, f"{path}.workers"),
        throughput=measured(load.throughput_rps, f"{path}.throughput_rps") if load.throughput_rps else None,
        cpu=measured(load.cpu_us, f"{path}.cpu_us") if load.cpu_us else no_access,
        p50=measured(load.p50_us, f"{path}.p50_us") if load.p50_us else None,
        p90=_figure(load.p90_us, f"{path}.p90_us"),
        p99=_figure(load.p99_us, f"{path}.p99_us"),
    )


def _figure(value: float | None, path: str) -> Figure | None:
    return None if value is None else Figure(significant(value, 3), value, path)
