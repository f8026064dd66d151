"""Settings of the app under WSGI with CORS, by django-cors-headers."""

from __future__ import annotations

from apps.contract.settings import ALLOWED_ORIGIN, CORS_HEADERS, CORS_METHODS
from apps.django_app.settings import *  # noqa: F403
from apps.django_app.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [*INSTALLED_APPS, "corsheaders"]
MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware", *MIDDLEWARE]
CORS_ALLOWED_ORIGINS = [ALLOWED_ORIGIN]
CORS_ALLOW_METHODS = CORS_METHODS
CORS_ALLOW_HEADERS = CORS_HEADERS
