"""Async behaviour: neighbours, fan-out, many connections."""

from __future__ import annotations

from harness.report.blocks import Column, Entry
from harness.report.charts.lines import lines_chart
from harness.report.charts.rows import moved_chart
from harness.report.charts.svg import Chart
from harness.report.language.catalogue import Field
from harness.report.numbers import Sentence, count, measured, mebibytes, milliseconds, share, shown, times
from harness.report.sections.studies import SPREAD, Rows, Study, p99_of, target_of, why
from harness.report.sentences import extremes
from harness.report.view import View
from harness.studies.connections import ConnectionRow
from harness.studies.neighbours import NeighbourRow

BLOCKING = "io-blocking"
USUAL_SHARE = 5.0


def beside(view: View, row: NeighbourRow) -> str:
    """``5% io-blocking of 50 ms``."""
    if not row.neighbour:
        return view.language.text("async.alone")
    key = "async.mix_ms" if row.ms else "async.mix"
    return view.language.text(key, share=f"{row.share:g}", neighbour=row.neighbour, ms=f"{row.ms:g}")


NEIGHBOURS = (
    Column("async.beside", said=lambda view, row, path: beside(view, row)),
    *SPREAD,
    Column("async.times", "times.value", times),
)


def _neighbour_sentence(view: View, rows: Rows) -> Sentence:
    """The blocking neighbour where it hurts most, and the target of that framework that it hurts least."""
    say = view.language.say
    found = [each for each in rows if each[1].neighbour == BLOCKING and each[1].times and each[1].latency]
    usual = min((row.share for _, row in found), key=lambda value: abs(value - USUAL_SHARE), default=0.0)
    alone = {row.target: (path, row) for path, row in rows if not row.neighbour and row.latency}
    found = [each for each in found if each[1].share == usual and each[1].target in alone]
    if not found:
        return say("async.neighbours_open")
    (path, worst), p99 = max(found, key=p99_of), "latency.p99_us"
    at, before = alone[worst.target]
    fields: dict[str, Field] = {"target": view.name(worst.target), "fast": worst.fast, "mix": beside(view, worst)}
    fields |= {"before": shown(before, at, p99, milliseconds), "after": shown(worst, path, p99, milliseconds)}
    framework = target_of(view, worst.target).framework
    alike = [each for each in found if target_of(view, each[1].target).framework == framework]
    path, cure = min(alike, key=p99_of)
    if 2 * cure.latency.p99_us >= worst.latency.p99_us:
        return say("async.neighbours_said", **fields)
    cured = shown(cure, path, p99, milliseconds)
    return say("async.neighbours_cured", cure=view.name(cure.target), cured=cured, **fields)


def _neighbour_charts(view: View, rows: Rows) -> list[Chart]:
    measured = [row for _, row in rows if row.latency]
    alone = {row.target: row.latency.p99_us / 1e3 for row in measured if not row.neighbour}
    shown = [row.latency.p99_us / 1e3 for row in measured]
    bounds = min(shown, default=1.0) / 1.3, max(shown, default=1.0) * 1.3
    note, axis = view.language.text("async.neighbours_chart"), view.language.text("studies.axis_p99")
    charts = []
    # In the summary's order: that of the trials.
    mixes = dict.fromkeys(_mix(row) for row in view.summary.studies.neighbours if row.neighbour and row.latency)
    for number, mix in enumerate(mixes):
        chosen = [row for row in measured if _mix(row) == mix and row.neighbour and row.target in alone]
        drawn = [(target_of(view, row.target), alone[row.target], row.latency.p99_us / 1e3) for row in chosen]
        if drawn:
            words = f"neighbours-{number}", beside(view, chosen[0]), note
            charts.append(moved_chart(view, drawn, bounds, words, axis))
    return charts


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
    found = [(path, row) for path, row in rows if row.latency]
    most = max((row.calls for _, row in found), default=0)
    fewest = min((row.connections for _, row in found), default=0)
    found = [(path, row) for path, row in found if (row.calls, row.connections) == (most, fewest)]
    ends = extremes(view, found, "latency.p50_us", milliseconds)
    if not ends:
        return view.language.say("async.fan_out_open")
    return view.language.say("async.fan_out_said", calls=most, ms=f"{found[0][1].ms:g}", count=fewest, **ends)


def _fan_out_charts(view: View, rows: Rows) -> list[Chart]:
    charts, text = list[Chart](), view.language.text
    for connections in sorted({row.connections for _, row in rows}):
        mine = [row for _, row in rows if row.connections == connections and row.latency]
        lines = [
            (target_of(view, name), [(row.calls, row.latency.p50_us / 1e3) for row in mine if row.target == name])
            for name in dict.fromkeys(row.target for row in mine)
        ]
        ticks = [(calls, str(calls)) for calls in sorted({row.calls for row in mine})]
        title, note = text("async.fan_out_at", count=connections), text("async.fan_out_chart")
        words = f"fan-out-{connections}", title, note, text("async.calls"), text("studies.axis_p50")
        charts += lines_chart(view, lines, words, x_values=ticks)
    return charts


def _kind(view: View, row: ConnectionRow) -> str:
    return view.language.text(f"async.kind_{row.kind}", number=row.number)


def _served(view: View, row: ConnectionRow, path: str) -> Entry:
    return None if row.kind == "alone" else count(row.served, f"{path}.served")


CONNECTIONS = (
    Column("async.beside", said=lambda view, row, path: _kind(view, row)),
    Column("async.served", said=_served),
    *SPREAD,
    Column("async.per_second", "rate_rps"),
    Column("async.unanswered", "unanswered_share", share),
    Column("async.memory", "rss_bytes", mebibytes),
)


def _cannot(view: View, row: ConnectionRow) -> str:
    said = why(view, row)
    return said and f"{_kind(view, row)}: {said}"


def _connections_sentence(view: View, rows: Rows) -> Sentence:
    """The most idle connections: who holds them all, and who does not."""
    found = [(path, row) for path, row in rows if row.kind == "idle" and row.status == "ok"]
    if not found:
        return view.language.say("async.connections_open")
    most = max(row.number for _, row in found)
    mine = [(path, row) for path, row in found if row.number == most]
    holding = [view.name(row.target) for _, row in mine if row.served >= 0.99 * most]
    short = [(path, row) for path, row in mine if row.served < 0.99 * most]
    fields: dict[str, Field] = {"number": most, "holding": ", ".join(holding)}
    if not short:
        return view.language.say("async.connections_all", **fields)
    path, least = min(short, key=lambda each: int(each[1].served))
    key = "async.connections_some" if holding else "async.connections_none"
    return view.language.say(key, target=view.name(least.target), served=shown(least, path, "served", count), **fields)


STUDIES = (
    Study("neighbours", "async.neighbours", _neighbour_sentence, NEIGHBOURS, _neighbour_charts),
    Study("fan_out", "async.fan_out", _fan_out_sentence, FAN_OUT, _fan_out_charts),
    Study("connections", "async.connections", _connections_sentence, CONNECTIONS, why=_cannot),
)
