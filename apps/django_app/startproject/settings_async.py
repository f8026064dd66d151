"""Settings of the app under ASGI with the applications and the middleware of ``startproject``."""

from __future__ import annotations

from apps.django_app.startproject.settings_sync import *  # noqa: F403

ROOT_URLCONF = "apps.django_app.startproject.urls_async"
