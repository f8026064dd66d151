"""One database and one upstream service per process, for the sync views."""

from __future__ import annotations

from apps.backends.sync_database import Database
from apps.backends.sync_upstream import Upstream

database = Database()
upstream = Upstream()
