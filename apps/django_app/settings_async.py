"""Settings of the app under ASGI: the same, with the async views."""

from __future__ import annotations

from apps.django_app.settings import *  # noqa: F403

ROOT_URLCONF = "apps.django_app.urls_async"
PRODUCT_STORE = "apps.django_app.resources_async:database"
