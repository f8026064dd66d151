"""What the apps take from their environment; everything has a default that works on one machine."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

FILES = Path(__file__).parent / "files"
"""The seeded files that ``GET /io/file`` reads."""

ALLOWED_ORIGIN = "https://app.example.com"
"""The one origin that CORS admits."""

CORS_METHODS = ("GET", "POST")
CORS_HEADERS = ("Authorization", "Content-Type")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of an app.

    Attributes:
        pool_size: connections to the database per worker process, the same in every app.
        pool_timeout_s: how long a request waits for a connection before it is answered with 503.
        upstream_timeout_s: how long one call to the upstream service may take, in seconds.
        sessions: ``alike``, or ``default``: what a driver or an ORM does with a session by default.
        jwt_secret: key of the tokens; random where the environment has none.
    """

    database_url: str = "postgresql://postgres@127.0.0.1:5432/postgres"
    upstream_url: str = "http://127.0.0.1:8100"
    pool_size: int = 16
    pool_timeout_s: float = 5.0
    upstream_timeout_s: float = 12.0
    sessions: Literal["alike", "default"] = "alike"
    jwt_secret: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)


@cache
def settings() -> Settings:
    """The settings of this process, read once, when they are first needed."""
    names = {
        "database_url": ("HARNESS_DATABASE_URL", str),
        "upstream_url": ("HARNESS_UPSTREAM_URL", str),
        "pool_size": ("HARNESS_POOL_SIZE", int),
        "pool_timeout_s": ("HARNESS_POOL_TIMEOUT_S", float),
        "upstream_timeout_s": ("HARNESS_UPSTREAM_TIMEOUT_S", float),
        "sessions": ("HARNESS_SESSIONS", str),
        "jwt_secret": ("HARNESS_JWT_SECRET", str),
    }
    values = {name: read(os.environ[key]) for name, (key, read) in names.items() if os.environ.get(key)}
    return Settings(**values)
