"""Settings of the app under ASGI with ``CommonMiddleware``, as under WSGI: Django calls its hooks in a thread."""

from __future__ import annotations

from apps.django_app.settings import *  # noqa: F403

ROOT_URLCONF = "apps.django_app.urls_async"
