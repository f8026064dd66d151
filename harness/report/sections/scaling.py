"""Workers and threads: what more of them bring, and the models through five or more numbers of them."""

from __future__ import annotations

from collections.abc import Iterator

from harness.report.blocks import Column, Entry, words
from harness.report.charts.lines import model_chart
from harness.report.charts.svg import Chart
from harness.report.numbers import Sentence, by, joined, measured, mib, number, share, spanned, times
from harness.report.sections.studies import SPREAD, Rows, StudyView, why
from harness.report.sentences import Fields
from harness.report.view import View
from harness.stats.scaling import MIN_POINTS
from harness.studies.scaling import ScalingFit, ScalingRow


def request(view: View, row: ScalingRow | ScalingFit) -> str:
    return view.text(f"scaling.{'waits' if row.endpoint.startswith('io-') else 'computes'}")


def _fields(rows: Rows) -> Fields:
    cpus = max((row.cpus for _, row in rows), default=0)
    used = max((row.generator_cpu or 0.0 for _, row in rows), default=0.0)
    return {"cpus": cpus, "generator": share.text(used)}


def _why(view: View, row: ScalingRow) -> str:
    """A row whose workers shared unevenly has numbers all the same."""
    return why(view, row) if row.status != "ok" else ""


def _shares(view: View, row: ScalingRow, path: str) -> Entry:
    return joined(", ", [(share(each, f"{path}.shares.{index}"),) for index, each in enumerate(row.shares)]) or None


def _note(view: View, row: ScalingRow, path: str) -> str:
    limit = view.text(f"scaling.limit_{row.limit}") if row.limit else ""
    return view.language.reason(row.reason) if row.reason else limit


def _listener(view: View, row: ScalingRow, path: str) -> str:
    listener = view.target(row.target).listener
    return view.text(f"scaling.{listener}") if listener and row.workers > 1 else ""


REQUEST = words("scaling.request", lambda view, row, path: request(view, row))
SCALING = (
    REQUEST,
    words("words.capacity", lambda view, row, path: f"{row.workers}×{row.threads}"),
    Column("words.rps", "throughput_rps", measured),
    Column("scaling.speedup", "speedup", measured),
    Column("scaling.efficiency", "efficiency.value", share),
    Column("words.cpu", "cpu_us", measured),
    SPREAD[1],
    Column("words.memory", "memory_bytes", mib),
    Column("scaling.generator", "generator_cpu", share),
    Column("scaling.shares", said=_shares),
    words("scaling.listener", _listener),
    words("scaling.note", _note),
)


def _sentence(view: View, rows: Rows) -> Sentence:
    """The most and the least that more workers bring where requests compute; then who could not be judged."""
    say = view.say
    uneven = dict.fromkeys(view.name(row.base) for _, row in rows if row.status == "ok" and row.reason and not row.ms)
    more = (" ", *say("scaling.uneven", targets=", ".join(uneven))) if uneven else ()
    known = [(path, row) for path, row in rows if row.speedup and row.speedup.ci_low is not None and not row.limit]
    known = [(path, row) for path, row in known if row.by == "workers" and not row.ms]
    if not known:
        return (*say("scaling.open"), *more)
    most = max(row.times for _, row in known)
    ranked = sorted([each for each in known if each[1].times == most], key=by("speedup.value"))
    (path, best), (low_path, least) = ranked[-1], ranked[0]
    fields: Fields = {"target": view.name(best.base), "times": f"{most:g}"}
    fields |= spanned(best, path, "speedup", number, "speedup")
    if least is best:
        return (*say("scaling.said", **fields), *more)
    lower = spanned(least, low_path, "speedup", number, "speedup")
    fields |= {f"least_{key}": figure for key, figure in lower.items()}
    return (*say("scaling.said_both", least=view.name(least.base), **fields), *more)


def _ends(path: str) -> tuple[Column, ...]:
    names = {"value": f"scaling.{path.replace('.', '_')}", "ci_low": "scaling.from", "ci_high": "scaling.to"}
    return tuple(Column(head, f"{path}.{name}", times) for name, head in names.items())


def _unit(view: View, fit: ScalingFit) -> str:
    return view.text(f"scaling.by_{fit.by}")


FITS = (
    REQUEST,
    words("scaling.numbers", lambda view, row, path: f"{_unit(view, row)}: {', '.join(map(str, row.sizes))}"),
    *_ends("amdahl.contention"),
    *_ends("universal.contention"),
    *_ends("universal.coherency"),
)


def _fit_charts(view: View, rows: Rows) -> Iterator[Chart]:
    for place, (_, row) in enumerate(rows):
        if row.amdahl and row.universal:
            title = f"{view.name(row.target)}: {request(view, row)}"
            models = {"Amdahl": row.amdahl.curve, "USL": row.universal.curve}
            words = f"fit-{place}", title, "scaling.fit_chart", _unit(view, row), "words.rps"
            yield model_chart(view, view.target(row.target), row.measured, models, words)


def _fit_sentence(view: View, rows: Rows) -> Sentence:
    """The largest serial share that is clearly above none."""
    known = [(path, row) for path, row in rows if row.amdahl and (row.amdahl.contention.ci_low or 0) > 0]
    if not known:
        return ()
    path, row = max(known, key=by("amdahl.contention.value"))
    fields: Fields = {"target": view.name(row.target), "request": request(view, row), "unit": _unit(view, row)}
    fields |= {"fewest": row.sizes[0], "most": row.sizes[-1]}
    return view.say("scaling.fit_said", **fields, **spanned(row, path, "amdahl.contention", share, "share"))


STUDY_VIEWS = (
    StudyView("scaling", "scaling.growth", _sentence, SCALING, fields=_fields, why=_why),
    StudyView("scaling_fits", "scaling.models", _fit_sentence, FITS, _fit_charts, lambda rows: {"points": MIN_POINTS}),
)
