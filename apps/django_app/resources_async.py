"""One database and one upstream service per process, for the async views."""

from __future__ import annotations

from apps.backends.async_database import Database
from apps.backends.async_upstream import Upstream

database = Database()
upstream = Upstream()
