"""What targets and settings are called in sentences, tables and charts: "FastAPI on Uvicorn"."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from harness.model import Point, Target
from harness.report.language.catalogue import ENGLISH, Language

FRAMEWORKS = {name.lower(): name for name in ("Django", "FastAPI", "Flask", "Raw", "Starlette", "Tornado")}
FRAMEWORKS |= {"django-ninja": "Django Ninja", "django-rest": "Django REST framework"}
SERVERS = {
    name.lower(): name
    for name in (
        "Cheroot", "Daphne", "Granian", "Gunicorn", "Hypercorn", "mod_wsgi", "Tornado", "Uvicorn", "uWSGI", "Waitress",
    )
}  # fmt: skip


def display_names(targets: Iterable[Target], language: Language = ENGLISH) -> dict[str, str]:
    """Target's name → what it is called; the user's own names stay as they are.

    Where targets share app and server, the reference target (or the one with the shortest name) has the plain name, and
    the others add what their names differ in: "FastAPI on Uvicorn (h11)".
    """
    known = list(targets)
    groups: dict[str, list[Target]] = defaultdict(list)
    for target in known:
        if not target.twin_of:
            groups[_plain(target, language)].append(target)
    names: dict[str, str] = {}
    for name, same in groups.items():
        first = min(same, key=lambda target: (not target.reference, len(target.name), target.name))
        words = set((first.under or first.name).split("-"))
        for target in same:
            more = " ".join(word for word in target.name.split("-") if word not in words) or target.name
            names[target.name] = name if target is first and not target.under else f"{name} ({more})"
    for target in known:
        if target.twin_of:
            names[target.name] = language.text("names.again", target=names.get(target.twin_of, target.twin_of))
    return names


def setting_of(point: Point, language: Language) -> str:
    """``20 ms of I/O wait, 64 connections``."""
    params = ""
    for key, value in point.params.items():
        known = next(filter(language.has, (f"params.{key}-{value}", f"params.{key}")), "")
        params += (language.text(known, value=str(value)) if known else f"{key} {value}") + ", "
    return language.text("where.setting", params=params, count=point.concurrency)


def _plain(target: Target, language: Language) -> str:
    framework, server = FRAMEWORKS.get(target.framework), SERVERS.get(target.server)
    if framework is None or server is None:
        return target.name
    if target.framework == "raw":
        framework = language.text("names.raw", interface=target.interface.upper())
    return framework if framework == server else language.text("names.on", app=framework, server=server)
