"""Settings of the app under WSGI."""

from __future__ import annotations

from apps.django_app.settings import *  # noqa: F403

ROOT_URLCONF = "apps.django_ninja_app.api"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
