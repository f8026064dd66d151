"""I/O that blocks its thread."""

from __future__ import annotations

import time


def wait(ms: int) -> None:
    """Sleeps for ``ms`` milliseconds."""
    time.sleep(ms / 1000)
