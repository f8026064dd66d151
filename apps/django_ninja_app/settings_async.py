"""Settings of the app under ASGI: the same, with the async operations."""

from __future__ import annotations

from apps.django_ninja_app.settings import *  # noqa: F403

ROOT_URLCONF = "apps.django_ninja_app.api_async"
MIDDLEWARE = ["apps.django_app.length.ContentLength"]
