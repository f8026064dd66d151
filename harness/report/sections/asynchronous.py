"""Async behaviour: neighbours, fan-out, many connections."""

from __future__ import annotations

from collections.abc import Iterator

from harness.report.blocks import Column, Entry
from harness.report.charts.lines import lines_chart
from harness.report.charts.rows import moved_chart
from harness.report.charts.svg import Chart
from harness.report.numbers import Sentence, by, count, measured, mib, milliseconds, share, shown, times
from harness.report.sections.studies import SPREAD, Rows, StudyView, why
from harness.report.sentences import Fields, extremes
from harness.report.view import View
from harness.studies.connections import ConnectionRow
from harness.studies.neighbours import NeighbourRow

BLOCKING = "io-blocking"
USUAL_SHARE = 5.0


def mix_label(view: View, row: NeighbourRow) -> str:
    """``5% io-blocking of 50 ms``."""
    if not row.neighbour:
        return view.text("async.alone")
    key = "async.mix_ms" if row.ms else "async.mix"
    return view.text(key, share=f"{row.share:g}", neighbour=row.neighbour, ms=f"{row.ms:g}")


NEIGHBOURS = (
    Column("async.next_to", said=lambda view, row, path: mix_label(view, row)),
    *SPREAD,
    Column("async.times", "times.value", times),
)


def _neighbour_sentence(view: View, rows: Rows) -> Sentence:
    """The blocking neighbour where it hurts most, and the target of that framework that it hurts least."""
    blocking = [each for each in rows if each[1].neighbour == BLOCKING and each[1].times and each[1].latency]
    usual = min((row.share for _, row in blocking), key=lambda value: abs(value - USUAL_SHARE), default=0.0)
    alone = {row.target: (path, row) for path, row in rows if not row.neighbour and row.latency}
    blocking = [each for each in blocking if each[1].share == usual and each[1].target in alone]
    if not blocking:
        return ()
    p99 = "latency.p99_us"
    path, worst = max(blocking, key=by(p99))
    at, before = alone[worst.target]
    fields: Fields = {"target": view.name(worst.target), "fast": worst.fast, "mix": mix_label(view, worst)}
    fields |= {"before": shown(before, at, p99, milliseconds), "after": shown(worst, path, p99, milliseconds)}
    framework = view.target(worst.target).framework
    path, cure = min((each for each in blocking if view.target(each[1].target).framework == framework), key=by(p99))
    if 2 * cure.latency.p99_us >= worst.latency.p99_us:
        return view.say("async.neighbours_said", **fields)
    cured = shown(cure, path, p99, milliseconds)
    return view.say("async.neighbours_cured", cure=view.name(cure.target), cured=cured, **fields)


def _neighbour_charts(view: View, rows: Rows) -> Iterator[Chart]:
    known = [row for _, row in rows if row.latency]
    alone = {row.target: row.latency.p99_us / 1e3 for row in known if not row.neighbour}
    p99s = [row.latency.p99_us / 1e3 for row in known]
    bounds = min(p99s, default=1.0) / 1.3, max(p99s, default=1.0) * 1.3
    # In the summary's order: that of the trials.
    mixes = dict.fromkeys(_mix(row) for row in view.summary.studies.neighbours if row.neighbour and row.latency)
    for number, mix in enumerate(mixes):
        chosen = [row for row in known if _mix(row) == mix and row.neighbour and row.target in alone]
        drawn = [(view.target(row.target), alone[row.target], row.latency.p99_us / 1e3) for row in chosen]
        if drawn:
            words = f"neighbours-{number}", mix_label(view, chosen[0]), view.text("async.neighbours_chart")
            yield moved_chart(view, drawn, bounds, words, view.text("studies.axis_p99"))


def _mix(row: NeighbourRow) -> tuple[str, float]:
    return row.neighbour, row.share


FAN_OUT = (
    Column("async.calls", said=lambda view, row, path: str(row.calls)),
    Column("words.connections", said=lambda view, row, path: str(row.connections)),
    *SPREAD,
    Column("words.rps", "throughput_rps", measured),
    Column("words.cpu", "cpu_us", measured),
)


def _fan_out_sentence(view: View, rows: Rows) -> Sentence:
    """The most calls at the fewest connections: fastest and slowest median."""
    known = [(path, row) for path, row in rows if row.latency]
    most = max((row.calls for _, row in known), default=0)
    fewest = min((row.connections for _, row in known), default=0)
    known = [(path, row) for path, row in known if (row.calls, row.connections) == (most, fewest)]
    ends = extremes(view, known, "latency.p50_us", milliseconds)
    return view.say("async.fan_out_said", calls=most, ms=f"{known[0][1].ms:g}", count=fewest, **ends) if ends else ()


def _fan_out_charts(view: View, rows: Rows) -> Iterator[Chart]:
    for connections in sorted({row.connections for _, row in rows}):
        mine = [row for _, row in rows if row.connections == connections and row.latency]
        lines = [
            (view.target(name), [(row.calls, row.latency.p50_us / 1e3) for row in mine if row.target == name])
            for name in dict.fromkeys(row.target for row in mine)
        ]
        ticks = [(calls, str(calls)) for calls in sorted({row.calls for row in mine})]
        title = view.text("async.fan_out_at", count=connections)
        words = f"fan-out-{connections}", title, "async.fan_out_chart", "async.calls", "studies.axis_p50"
        yield from lines_chart(view, lines, words, x_values=ticks)


def _kind(view: View, row: ConnectionRow) -> str:
    return view.text(f"async.kind_{row.kind}", number=row.number)


def _served(view: View, row: ConnectionRow, path: str) -> Entry:
    return None if row.kind == "alone" else count(row.served, f"{path}.served")


CONNECTIONS = (
    Column("async.next_to", said=lambda view, row, path: _kind(view, row)),
    Column("async.served", said=_served),
    *SPREAD,
    Column("async.per_second", "rate_rps"),
    Column("async.unanswered", "unanswered_share", share),
    Column("async.memory", "rss_bytes", mib),
)


def _cannot(view: View, row: ConnectionRow) -> str:
    said = why(view, row)
    return said and f"{_kind(view, row)}: {said}"


def _connections_sentence(view: View, rows: Rows) -> Sentence:
    """The most idle connections: who holds them all, and who does not."""
    known = [(path, row) for path, row in rows if row.kind == "idle" and row.status == "ok"]
    if not known:
        return ()
    most = max(row.number for _, row in known)
    mine = [(path, row) for path, row in known if row.number == most]
    short = [each for each in mine if each[1].served < 0.99 * most]
    holding = [view.name(each[1].target) for each in mine if each not in short]
    fields: Fields = {"number": most, "holding": ", ".join(holding)}
    if not short:
        return view.say("async.connections_all", **fields)
    path, least = min(short, key=by("served"))
    key = "async.connections_some" if holding else "async.connections_none"
    return view.say(key, target=view.name(least.target), served=shown(least, path, "served", count), **fields)


STUDY_VIEWS = (
    StudyView("neighbours", "async.neighbours", _neighbour_sentence, NEIGHBOURS, _neighbour_charts),
    StudyView("fan_out", "async.fan_out", _fan_out_sentence, FAN_OUT, _fan_out_charts),
    StudyView("connections", "async.connections", _connections_sentence, CONNECTIONS, why=_cannot),
)
