"""Settings of the app under WSGI."""

from __future__ import annotations

import os
import secrets

from apps.contract.inbound import MAX_BODY_BYTES
from apps.contract.settings import ALLOWED_ORIGIN, CORS_HEADERS, CORS_METHODS

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or secrets.token_urlsafe(50)
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "apps.django_app.urls_sync"
INSTALLED_APPS: list[str] = ["corsheaders"]
MIDDLEWARE: list[str] = ["corsheaders.middleware.CorsMiddleware"]
CORS_ALLOWED_ORIGINS = [ALLOWED_ORIGIN]
CORS_ALLOW_METHODS = CORS_METHODS
CORS_ALLOW_HEADERS = CORS_HEADERS
USE_I18N = False
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"django": {"handlers": ["stderr"], "level": "ERROR", "propagate": False}},
}
# What keeps the products: an import string, so that the ORM can take the driver's place.
PRODUCT_STORE = "apps.django_app.resources_sync:database"
