"""Settings of the app under ASGI with the sync views, which Django calls in a thread."""

from __future__ import annotations

from apps.django_app.settings_async import *  # noqa: F403

ROOT_URLCONF = "apps.django_app.urls"
