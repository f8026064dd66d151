"""Settings of the app under ASGI with CORS."""

from __future__ import annotations

from apps.django_app.settings_async import MIDDLEWARE as OWN
from apps.django_app.with_cors import *  # noqa: F403
from apps.django_app.with_cors import MIDDLEWARE

ROOT_URLCONF = "apps.django_app.urls_async"
MIDDLEWARE = [MIDDLEWARE[0], *OWN]
