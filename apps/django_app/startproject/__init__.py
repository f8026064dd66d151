"""Django as ``startproject`` sets it up: seven middlewares, of which the app needs one."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

POSTS = ("order_raw", "order_validated", "order_full", "order_injected", "products", "token", "upload")


def exempt(views: ModuleType, patterns: Iterable[URLPattern]) -> list[URLPattern]:
    """The patterns; those that take a POST need no CSRF token, as no cookie signs anyone in."""
    posts = {getattr(views, name) for name in POSTS}
    return [path(str(one.pattern), csrf_exempt(one.callback)) if one.callback in posts else one for one in patterns]
