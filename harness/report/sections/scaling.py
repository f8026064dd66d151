"""Workers and threads: what more of them bring, and the models through five or more numbers of them."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.blocks import Column, Entry, words
from harness.report.charts.lines import model_chart
from harness.report.charts.svg import Chart
from harness.report.language.catalogue import Field
from harness.report.numbers import Sentence, joined, measured, mebibytes, number, plain, share, spanned, times
from harness.report.sections.studies import SPREAD, Rows, Study, target_of, why
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


def _shares(view: View, row: ScalingRow, path: str) -> Entry:
    found = [share(each, f"{path}.shares.{index}") for index, each in enumerate(row.shares)]
    return joined(", ", [(each,) for each in found]) or None


def _note(view: View, row: ScalingRow, path: str) -> str:
    limit = view.language.text(f"scaling.limit_{row.limit}") if row.limit else ""
    return view.language.reason(row.reason) if row.reason else limit


def _listener(view: View, row: ScalingRow, path: str) -> str:
    found = target_of(view, row.target).listener
    return view.language.text(f"scaling.{found}") if found and row.workers > 1 else ""


REQUEST = words("scaling.request", lambda view, row, path: request(view, row))
SCALING = (
    REQUEST,
    words("words.capacity", lambda view, row, path: f"{row.workers}×{row.threads}"),
    Column("words.rps", "throughput_rps", measured),
    Column("scaling.speedup", "speedup", measured),
    Column("scaling.efficiency", "efficiency.value", share),
    Column("words.cpu", "cpu_us", measured),
    SPREAD[1],
    Column("words.memory", "memory_bytes", mebibytes),
    Column("scaling.generator", "generator_cpu", share),
    Column("scaling.shares", said=_shares),
    words("scaling.listener", _listener),
    words("scaling.note", _note),
)


def _sentence(view: View, rows: Rows) -> Sentence:
    """The most and the least that more workers bring where requests compute; then who could not be judged."""
    say = view.language.say
    uneven = dict.fromkeys(view.name(row.base) for _, row in rows if row.status == "ok" and row.reason and not row.ms)
    more = (" ", *say("scaling.uneven", targets=", ".join(uneven))) if uneven else ()
    known = [(path, row) for path, row in rows if row.speedup and row.speedup.ci_low is not None and not row.limit]
    known = [(path, row) for path, row in known if row.by == "workers" and not row.ms]
    if not known:
        return (*say("scaling.open"), *more)
    most = max(row.times for _, row in known)
    ranked = sorted([each for each in known if each[1].times == most], key=lambda each: float(each[1].speedup.value))
    (path, best), (low_path, least) = ranked[-1], ranked[0]
    fields: dict[str, Field] = {"target": view.name(best.base), "times": f"{most:g}"}
    fields |= spanned(best, path, "speedup", number, "speedup")
    if least is best:
        return (*say("scaling.said", **fields), *more)
    lower = spanned(least, low_path, "speedup", number, "speedup")
    fields |= {f"least_{key}": figure for key, figure in lower.items()}
    return (*say("scaling.said_both", least=view.name(least.base), **fields), *more)


def _unit(view: View, fit: ScalingFit) -> str:
    return view.language.text(f"scaling.by_{fit.by}")


def _ends(path: str) -> tuple[Column, ...]:
    names = {"value": f"scaling.{path.replace('.', '_')}", "ci_low": "scaling.from", "ci_high": "scaling.to"}
    return tuple(Column(head, f"{path}.{name}", times) for name, head in names.items())


FITS = (
    REQUEST,
    words("scaling.numbers", lambda view, row, path: f"{_unit(view, row)}: {', '.join(map(str, row.sizes))}"),
    *_ends("amdahl.contention"),
    *_ends("universal.contention"),
    *_ends("universal.coherency"),
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
    fields: dict[str, Field] = {"fewest": row.sizes[0], "most": row.sizes[-1]}
    fields |= spanned(row, path, "amdahl.contention", share, "share")
    unit, target = _unit(view, row), view.name(row.target)
    return say("scaling.fit_said", target=target, request=request(view, row), unit=unit, **fields)


STUDIES = (
    Study("scaling", "scaling.growth", _sentence, SCALING, fields=_fields, why=_why),
    Study("scaling_fits", "scaling.models", _fit_sentence, FITS, _fit_charts, lambda rows: {"points": MIN_POINTS}),
)
