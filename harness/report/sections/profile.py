"""Where the CPU time of a request goes: each target's layers as a stacked bar, its packages, and what differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from harness.model import Reason
from harness.model.units import significant
from harness.report.blocks import Block, Column, Fold, Items, Plots, Row, Table, Text
from harness.report.charts.rows import profile_chart
from harness.report.numbers import Figure, Sentence, microseconds, numbered, shown, signed
from harness.report.profile import beyond_noise
from harness.report.view import View
from harness.results.profile import BUSY, SURE, differences
from harness.results.summary import Layer, ProfileResult

LEAST = 0.01
"""Of a target's cost, the least share from which a package is listed."""


def where_time_goes(view: View) -> tuple[Block, ...]:
    """Empty where nothing was sampled."""
    profiles, text = view.summary.profiles, view.text
    if not profiles:
        return ()
    layers = [layer for layer in get_args(Layer) if any(layer in each.layers for each in profiles)]
    caption = text("profile.caption", point=view.where(profiles[0].point))
    chart = profile_chart(view, profiles, layers, caption)
    names = {f"layers.{layer}": text("profile.column", name=text(f"profile.{layer}")) for layer in layers}
    columns = [Column(name, path, microseconds) for path, name in (names | {"cpu_us": "words.cpu"}).items()]
    inside: list[Block] = [
        Items(tuple(_said(view, *each) for each in numbered("profiles", profiles))),
        Fold(text("page.table"), (Table.of(view, caption, columns, numbered("profiles", profiles)),)),
        Fold(text("profile.by_package"), (_packages(view, profiles),)),
    ]
    for each in profiles:
        if each.waited > BUSY:
            reason = Reason("waited-for-cpu", {"target": view.name(each.target), "waited": each.waited})
            inside.append(Text(view.language.reason(reason), note=True))
    intro = Text(text("profile.intro", least=min(each.samples for each in profiles)))
    plots = Plots((chart,), caption, chart.description, id="profile-layers", inside=tuple(inside))
    alike = len(profiles) == 2 and profiles[0].point == profiles[1].point
    return (intro, plots, *(_differences(view, *profiles) if alike else ()))


def _said(view: View, path: str, profile: ProfileResult) -> Sentence:
    largest = max(profile.layers, key=lambda layer: profile.layers[layer])
    return view.say(
        "profile.largest",
        target=view.name(profile.target),
        total=shown(profile, path, "cpu_us", microseconds),
        layer=view.text(f"profile.{largest}"),
        us=shown(profile, path, f"layers.{largest}", microseconds),
    )


def _packages(view: View, profiles: Sequence[ProfileResult]) -> Table:
    """Largest first; what takes less than ``LEAST`` everywhere is left out."""
    largest: dict[str, float] = {}
    costs: list[dict[str, Figure]] = []
    for path, each in numbered("profiles", profiles):
        packages = numbered(f"{path}.packages", each.packages)
        costs.append({cost.name: microseconds(cost.us, f"{at}.us") for at, cost in packages})
        for cost in each.packages:
            if cost.us >= LEAST * each.cpu_us:
                largest[cost.name] = max(largest.get(cost.name, 0.0), cost.us)
    rows = tuple(
        Row(view.language.known(name), tuple(figures.get(name) for figures in costs))
        for name in sorted(largest, key=lambda name: -largest[name])
    )
    columns = tuple(Column(view.text("profile.column", name=view.name(each.target))) for each in profiles)
    return Table(view.text("profile.by_package"), view.text("profile.package"), columns, rows)


def _differences(view: View, a: ProfileResult, b: ProfileResult) -> tuple[Block, ...]:
    """The packages whose difference stands out from the noise of sampling, largest first."""
    text, (one, other) = view.text, (view.name(a.target), view.name(b.target))
    columns = (
        Column("profile.difference", said=lambda view, each, _: signed(each.difference)),
        Column("±", said=lambda view, each, _: significant(SURE * each.error_us)),
        Column(text("profile.column", name=one), said=lambda view, each, _: significant(each.a) if each.a else None),
        Column(text("profile.column", name=other), said=lambda view, each, _: significant(each.b) if each.b else None),
    )
    rows = [("", each) for each in beyond_noise(differences(a.packages, b.packages))]
    caption, head = "profile.differs_caption", "profile.package"
    table = Table.of(view, caption, columns, rows, head=head, row=lambda each: view.language.known(each.name))
    said = Text(text("profile.differs", a=one, b=other, us=signed(a.cpu_us - b.cpu_us)))
    return (said, table) if rows else (said,)
