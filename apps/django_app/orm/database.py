"""The setting ``DATABASES`` from the address of the database, with a pool as large as that of the other apps."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from apps.backends import sessions
from apps.contract.settings import settings


def databases() -> dict[str, dict[str, Any]]:
    parts = urlsplit(settings().database_url)
    pool = {"min_size": 0, "max_size": settings().pool_size, "timeout": settings().pool_timeout_s}
    return {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": parts.port or "",
            "OPTIONS": {"pool": pool | {"reconnect_timeout": 1.0}, **sessions.django_options()},
        }
    }
