"""The paths of an app's routes, read out of each framework's own list."""

from __future__ import annotations

import re
from importlib import import_module
from itertools import groupby
from typing import Any


def paths_of(application: str) -> list[str]:
    """The paths of an app's routes, one for those that stand next to each other under one path."""
    module, _, name = application.partition(":")
    app = getattr(import_module(module), name)
    found = [re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path) for path in _paths(app)]
    return [path for path, _ in groupby(found)]


def _paths(app: Any) -> list[str]:
    if hasattr(app, "url_map"):
        assert not app.blueprints
        return [rule.rule for rule in app.url_map.iter_rules()]
    if hasattr(app, "default_router"):
        (rules,) = (rule.target.rules for rule in app.default_router.rules if rule.target.rules)
        return [_template(rule.matcher.regex.pattern) for rule in rules]
    if hasattr(app, "routes"):
        return [path for route in app.routes for path in _of_route(route)]
    from django.urls import get_resolver

    return [path for pattern in get_resolver().url_patterns for path in _of_pattern(pattern)]


def _of_pattern(pattern: Any) -> list[str]:
    """django-ninja is one pattern, with patterns of its own."""
    if hasattr(pattern, "url_patterns"):
        return [f">/{inner.pattern}" for inner in pattern.url_patterns if str(inner.pattern)]
    return [f"/{pattern.pattern}"]


def _of_route(route: Any) -> list[str]:
    """The route's path; those in a router with a mark."""
    if hasattr(route, "original_router"):
        return [f">{path}" for inner in route.original_router.routes for path in _of_route(inner)]
    return [route.path]


def _template(pattern: str) -> str:
    """A path's template from one of Tornado's patterns."""
    pattern = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", pattern.removesuffix("$"))
    return re.sub(r"\([^)]*\)", "{name}", pattern).replace("\\", "")
