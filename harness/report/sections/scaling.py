"""Workers and threads: what more of them bring, and the models through five or more numbers of them."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.blocks import Column, Entry, words
from harness.report.charts.lines import model_chart
from harness.report.charts.svg import Chart
from harness.report.language.catalogue import Field
from harness.report.numbers import (
    Sentence,
    measured,
    mebibytes,
    milliseconds,
    number,
    plain,
    share,
    shown,
    times,
)
from harness.report.sections.studies import Rows, Study, target_of, why
from harness.report.view import View
from harness.stats.scaling import MIN_POINTS
from harness.studies.scaling import ScalingFit, ScalingRow


def request(view: View, row: ScalingRow | ScalingFit) -> str:
    return view.language.text(f"scaling.{'waits' if row.endpoint.startswith('io-') else 'computes'}")


def _fields(rows: Rows) -> dict[str, Field]:
    cpus = max((row.cpus for _, row in rows), default=0)
    used = max((row.generator_cpu or 0.0 for _, row in rows), default=0.0)
    return {"cpus": cpus, "generator": plain((share(used, ""),))}


def _why(view: View, row: ScalingRow) -> str:
    """A row whose workers shared unevenly has numbers all the same."""
    return why(view, row) if row.status != "ok" else ""


def _columns(view: View, rows: Rows) -> tuple[Column, ...]:
    text = view.language.text

    def shares(row: ScalingRow, path: str) -> Entry:
        found = [share(each, f"{path}.shares.{index}") for index, each in enumerate(row.shares)]
        return tuple(part for each in found for part in (", ", each))[1:] if found else None

    def note(row: ScalingRow, path: str) -> str:
        if row.reason:
            return view.language.reason(row.reason)
        return text(f"scaling.limit_{row.limit}") if row.limit else ""

    def listener(row: ScalingRow, path: str) -> str:
        found = target_of(view, row.target).listener
        return text(f"scaling.{found}") if found and row.workers > 1 else ""

    return (
        words(text("scaling.request"), said=lambda row, path: request(view, row)),
        words(text("words.capacity"), said=lambda row, path: f"{row.workers}×{row.threads}"),
        Column(text("words.rps"), "throughput_rps", measured),
        Column(text("scaling.speedup"), "speedup", measured),
        Column(text("scaling.efficiency"), "efficiency.value", share),
        Column(text("words.cpu"), "cpu_us", measured),
        Column(text("studies.p99"), "latency.p99_us", milliseconds),
        Column(text("words.memory"), "memory_bytes", mebibytes),
        Column(text("scaling.generator"), "generator_cpu", share),
        Column(text("scaling.shares"), said=shares),
        words(text("scaling.listener"), said=listener),
        words(text("scaling.note"), said=note),
    )


def _sentence(view: View, rows: Rows) -> Sentence:
    """The most and the least that more workers bring where requests compute; then who could not be judged."""
    say = view.language.say
    uneven = dict.fromkeys(view.name(row.base) for _, row in rows if row.status == "ok" and row.reason)
    more = (" ", *say("scaling.uneven", targets=", ".join(uneven))) if uneven else ()
    known = [(path, row) for path, row in rows if row.speedup and row.speedup.ci_low is not None and not row.limit]
    known = [(path, row) for path, row in known if row.by == "workers" and not row.ms]
    if not known:
        return (*say("scaling.open"), *more)
    most = max(row.times for _, row in known)
    ranked = sorted([each for each in known if each[1].times == most], key=lambda each: float(each[1].speedup.value))
    (path, best), (low_path, least) = ranked[-1], ranked[0]
    fields: dict[str, Field] = {"target": view.name(best.base), "times": f"{most:g}"}
    names = (("speedup", "value"), ("low", "ci_low"), ("high", "ci_high"))
    fields |= {key: shown(best, path, f"speedup.{name}", number) for key, name in names}
    if least is best:
        return (*say("scaling.said", **fields), *more)
    fields |= {f"least_{key}": shown(least, low_path, f"speedup.{name}", number) for key, name in names}
    return (*say("scaling.said_both", least=view.name(least.base), **fields), *more)


def _unit(view: View, fit: ScalingFit) -> str:
    return view.language.text(f"scaling.by_{fit.by}")


def _fit_columns(view: View, rows: Rows) -> tuple[Column, ...]:
    text = view.language.text

    def ends(path: str) -> tuple[Column, ...]:
        names = (("value", text(f"scaling.{path.replace('.', '_')}")), ("ci_low", text("scaling.from")))
        more = (("ci_high", text("scaling.to")),)
        return tuple(Column(head, f"{path}.{name}", times) for name, head in (*names, *more))

    return (
        words(text("scaling.request"), said=lambda row, path: request(view, row)),
        words(text("scaling.numbers"), said=lambda row, path: f"{_unit(view, row)}: {', '.join(map(str, row.sizes))}"),
        *ends("amdahl.contention"),
        *ends("universal.contention"),
        *ends("universal.coherency"),
    )


def _fit_charts(view: View, rows: Rows) -> Sequence[Chart]:
    charts: list[Chart] = []
    for number_, (_, row) in enumerate(rows):
        if row.amdahl and row.universal:
            title = f"{view.name(row.target)}: {request(view, row)}"
            note = view.language.text("scaling.fit_chart")
            models = {"Amdahl": row.amdahl.curve, "USL": row.universal.curve}
            axes = _unit(view, row), view.language.text("words.rps")
            target = target_of(view, row.target)
            charts.append(model_chart(view, target, row.measured, models, (f"fit-{number_}", title, note, *axes)))
    return charts


def _fit_sentence(view: View, rows: Rows) -> Sentence:
    """The largest serial share that is clearly above none."""
    say = view.language.say
    found = [(path, row) for path, row in rows if row.amdahl and (row.amdahl.contention.ci_low or 0) > 0]
    if not found:
        return say("scaling.fit_open")
    path, row = max(found, key=lambda each: float(each[1].amdahl.contention.value))
    names = (("share", "value"), ("low", "ci_low"), ("high", "ci_high"))
    fields: dict[str, Field] = {key: shown(row, path, f"amdahl.contention.{name}", share) for key, name in names}
    ends: dict[str, Field] = {"fewest": row.sizes[0], "most": row.sizes[-1]}
    unit, target = _unit(view, row), view.name(row.target)
    return say("scaling.fit_said", target=target, request=request(view, row), unit=unit, **ends, **fields)


STUDIES = (
    Study("scaling", "scaling.growth", _sentence, _columns, fields=_fields, why=_why),
    Study(
        "scaling_fits",
        "scaling.models",
        _fit_sentence,
        _fit_columns,
        _fit_charts,
        fields=lambda rows: {"points": MIN_POINTS},
    ),
)
