"""Settings of the app: JSON in and out, nobody to sign in."""

from __future__ import annotations

from apps.django_app.settings import *  # noqa: F403

ROOT_URLCONF = "apps.django_rest_app.urls"
INSTALLED_APPS = ["rest_framework"]
TIME_ZONE = "UTC"
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "EXCEPTION_HANDLER": "apps.django_rest_app.errors.handle",
}
