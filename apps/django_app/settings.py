"""Settings of the app under WSGI."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from apps.contract.inbound import MAX_BODY_BYTES

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or secrets.token_urlsafe(50)
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "apps.django_app.urls"
INSTALLED_APPS: list[str] = []
# CommonMiddleware gives replies their Content-Length.
MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "apps.django_app.errors.JsonErrors"]
APPEND_SLASH = False
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [Path(__file__).with_name("templates")]}
]
USE_I18N = False
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"django": {"handlers": ["stderr"], "level": "ERROR", "propagate": False}},
}
