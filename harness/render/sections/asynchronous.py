"""Async behaviour: neighbours, fan-out, many connections."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analyse.summary.studies import ConnectionRow, FanOutRow, NeighbourRow
from harness.render.charts.studies import lines_chart, moved_chart
from harness.render.charts.svg import Chart
from harness.render.language.catalogue import Field, Language
from harness.render.numbers import Sentence, measured, mebibytes, share, times
from harness.render.sections.studies import (
    Part,
    TableRow,
    count,
    milliseconds,
    ordered,
    plain_number,
    spread_columns,
    spread_entries,
    target_of,
    why,
)
from harness.render.view import View

BLOCKING = "io-blocking"
USUAL_SHARE = 5.0


def async_behaviour(view: View) -> tuple[Part, ...]:
    """A part for each study that the run has windows of."""
    results = view.summary.studies
    parts = (
        _neighbours(view, results.neighbours) if results.neighbours else None,
        _fan_out(view, results.fan_out) if results.fan_out else None,
        _connections(view, results.connections) if results.connections else None,
    )
    return tuple(part for part in parts if part is not None)


def async_sentences(view: View) -> tuple[Sentence, ...]:
    """The sentence of each part, without its charts and table."""
    results = view.summary.studies
    parts = (
        neighbour_sentence(view, results.neighbours) if results.neighbours else (),
        _fan_out_sentence(view, results.fan_out) if results.fan_out else (),
        _connections_sentence(view, results.connections) if results.connections else (),
    )
    return tuple(part for part in parts if part)


def _neighbours(view: View, rows: Sequence[NeighbourRow]) -> Part:
    text = view.language.text
    table = []
    for index in ordered(view, rows):
        row, path = rows[index], f"studies.neighbours.{index}"
        grown = None if row.times is None else times(row.times.value, f"{path}.times.value")
        entries = (beside(row, view.language), *spread_entries(row.latency, f"{path}.latency"), grown)
        table.append(TableRow(row.target, entries, why(row, view.language)))
    return Part(
        "neighbours",
        text("async.neighbours"),
        text("async.neighbours_intro"),
        neighbour_sentence(view, rows),
        _neighbour_charts(view, rows),
        (text("async.beside"), *spread_columns(view.language), text("async.times")),
        tuple(table),
    )


def beside(row: NeighbourRow, language: Language) -> str:
    """``5% io-blocking of 50 ms``."""
    if not row.neighbour:
        return language.text("async.alone")
    key = "async.mix_ms" if row.ms else "async.mix"
    return language.text(key, share=f"{row.share:g}", neighbour=row.neighbour, ms=f"{row.ms:g}")


def neighbour_sentence(view: View, rows: Sequence[NeighbourRow]) -> Sentence:
    """The blocking neighbour where it hurts most, and the target of that framework that it hurts least."""
    say = view.language.say
    found = [(i, row) for i, row in enumerate(rows) if row.neighbour == BLOCKING and row.times and row.latency]
    usual = min((row.share for _, row in found), key=lambda value: abs(value - USUAL_SHARE), default=0.0)
    found = [(i, row) for i, row in found if row.share == usual]
    alone = {row.target: (i, row) for i, row in enumerate(rows) if not row.neighbour and row.latency}
    found = [(i, row) for i, row in found if row.target in alone]
    if not found:
        return say("async.neighbours_open")
    index, worst = max(found, key=lambda pair: pair[1].latency.p99_us if pair[1].latency else 0.0)
    before, base = alone[worst.target]
    assert worst.latency is not None
    assert base.latency is not None
    fields: dict[str, Field] = {
        "target": worst.target,
        "fast": worst.fast,
        "mix": beside(worst, view.language),
        "before": milliseconds(base.latency.p99_us, f"studies.neighbours.{before}.latency.p99_us"),
        "after": milliseconds(worst.latency.p99_us, f"studies.neighbours.{index}.latency.p99_us"),
    }
    framework = target_of(view, worst.target).framework
    cures = [
        (i, row)
        for i, row in found
        if row.target != worst.target and target_of(view, row.target).framework == framework and row.latency
    ]
    cures = [(i, row) for i, row in cures if row.latency and 2 * row.latency.p99_us < worst.latency.p99_us]
    if not cures:
        return say("async.neighbours_said", **fields)
    number, cure = min(cures, key=lambda pair: pair[1].latency.p99_us if pair[1].latency else 0.0)
    assert cure.latency is not None
    cured = milliseconds(cure.latency.p99_us, f"studies.neighbours.{number}.latency.p99_us")
    return say("async.neighbours_cured", cure=cure.target, cured=cured, **fields)


def _neighbour_charts(view: View, rows: Sequence[NeighbourRow]) -> tuple[Chart, ...]:
    alone = {row.target: row.latency.p99_us / 1e3 for row in rows if not row.neighbour and row.latency}
    mixes = list(dict.fromkeys((row.neighbour, row.share) for row in rows if row.neighbour and row.latency))
    shown = [row.latency.p99_us / 1e3 for row in rows if row.latency]
    if not alone or not mixes:
        return ()
    bounds = min(shown) / 1.3, max(shown) * 1.3
    charts = []
    for number, mix in enumerate(mixes):
        chosen = [rows[index] for index in ordered(view, rows) if (rows[index].neighbour, rows[index].share) == mix]
        drawn = [
            (target_of(view, row.target), alone[row.target], row.latency.p99_us / 1e3)
            for row in chosen
            if row.latency and row.target in alone
        ]
        if drawn:
            title = beside(chosen[0], view.language)
            text = (
                f"neighbours-{number}",
                title,
                view.language.text("async.neighbours_chart"),
                view.language.text("studies.axis_p99"),
            )
            charts.append(moved_chart(view, drawn, bounds, text))
    return tuple(charts)


def _fan_out(view: View, rows: Sequence[FanOutRow]) -> Part:
    text = view.language.text
    table = []
    for index in ordered(view, rows):
        row, path = rows[index], f"studies.fan_out.{index}"
        rate = None if row.throughput_rps is None else measured(row.throughput_rps, f"{path}.throughput_rps")
        cost = None if row.cpu_us is None else measured(row.cpu_us, f"{path}.cpu_us")
        entries = (str(row.calls), str(row.connections), *spread_entries(row.latency, f"{path}.latency"), rate, cost)
        table.append(TableRow(row.target, entries, why(row, view.language)))
    columns = (text("async.calls"), text("words.connections"), *spread_columns(view.language))
    return Part(
        "fan-out",
        text("async.fan_out"),
        text("async.fan_out_intro"),
        _fan_out_sentence(view, rows),
        _fan_out_charts(view, rows),
        (*columns, text("words.rps"), text("words.cpu")),
        tuple(table),
    )


def _fan_out_sentence(view: View, rows: Sequence[FanOutRow]) -> Sentence:
    """The most calls at the fewest connections: fastest and slowest median."""
    found = [(i, row) for i, row in enumerate(rows) if row.latency]
    if not found:
        return view.language.say("async.fan_out_open")
    calls, connections = max(row.calls for _, row in found), min(row.connections for _, row in found)
    found = [(i, row) for i, row in found if (row.calls, row.connections) == (calls, connections)]
    if len(found) < 2:
        return view.language.say("async.fan_out_open")
    ranked = sorted(found, key=lambda pair: pair[1].latency.p50_us if pair[1].latency else 0.0)
    ends = [
        (row.target, milliseconds(row.latency.p50_us, f"studies.fan_out.{i}.latency.p50_us"))
        for i, row in (ranked[0], ranked[-1])
        if row.latency
    ]
    return view.language.say(
        "async.fan_out_said",
        calls=calls,
        ms=f"{ranked[0][1].ms:g}",
        count=connections,
        first=ends[0][0],
        fastest=ends[0][1],
        last=ends[1][0],
        slowest=ends[1][1],
    )


def _fan_out_charts(view: View, rows: Sequence[FanOutRow]) -> tuple[Chart, ...]:
    charts = []
    for connections in sorted({row.connections for row in rows}):
        mine = [rows[i] for i in ordered(view, rows) if rows[i].connections == connections and rows[i].latency]
        calls = sorted({row.calls for row in mine})
        lines = [
            (
                target_of(view, name),
                [(row.calls, row.latency.p50_us / 1e3) for row in mine if row.target == name and row.latency],
            )
            for name in dict.fromkeys(row.target for row in mine)
        ]
        text = view.language.text
        words = (
            f"fan-out-{connections}",
            text("async.fan_out_at", count=connections),
            text("async.fan_out_chart"),
            text("async.calls"),
            text("studies.axis_p50"),
        )
        chart = lines_chart(view, lines, words, x_values=[(call, str(call)) for call in calls])
        charts += [chart] if chart else []
    return tuple(charts)


def _connections(view: View, rows: Sequence[ConnectionRow]) -> Part:
    text = view.language.text
    table = []
    for index in ordered(view, rows):
        row, path = rows[index], f"studies.connections.{index}"
        lost = None if row.unanswered_share is None else share(row.unanswered_share, f"{path}.unanswered_share")
        memory = None if row.rss_bytes is None else mebibytes(row.rss_bytes, f"{path}.rss_bytes")
        rate = None if row.rate_rps is None else plain_number(row.rate_rps, f"{path}.rate_rps")
        entries = (
            text(f"async.kind_{row.kind}", number=f"{row.number:,}"),
            count(row.served, f"{path}.served") if row.kind != "alone" else None,
            *spread_entries(row.latency, f"{path}.latency"),
            rate,
            lost,
            memory,
        )
        table.append(TableRow(row.target, entries, _cannot(row, view.language)))
    columns = (text("async.beside"), text("async.served"), *spread_columns(view.language))
    return Part(
        "connections",
        text("async.connections"),
        text("async.connections_intro"),
        _connections_sentence(view, rows),
        (),
        (*columns, text("async.per_second"), text("async.unanswered"), text("async.memory")),
        tuple(table),
    )


def _cannot(row: ConnectionRow, language: Language) -> str:
    said = why(row, language)
    return said and f"{language.text(f'async.kind_{row.kind}', number=f'{row.number:,}')}: {said}"


def _connections_sentence(view: View, rows: Sequence[ConnectionRow]) -> Sentence:
    """The most idle connections: who holds them all, and who does not."""
    found = [(i, row) for i, row in enumerate(rows) if row.kind == "idle" and row.status == "ok"]
    if not found:
        return view.language.say("async.connections_open")
    most = max(row.number for _, row in found)
    mine = [(i, row) for i, row in found if row.number == most]
    holding = [row.target for _, row in mine if row.served >= 0.99 * most]
    short = [(i, row) for i, row in mine if row.served < 0.99 * most]
    fields: dict[str, Field] = {"number": f"{most:,}", "holding": ", ".join(holding)}
    if not short:
        return view.language.say("async.connections_all", **fields)
    index, least = min(short, key=lambda pair: pair[1].served)
    served = count(least.served, f"studies.connections.{index}.served")
    key = "async.connections_some" if holding else "async.connections_none"
    return view.language.say(key, target=least.target, served=served, **fields)
