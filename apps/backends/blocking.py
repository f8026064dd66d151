"""I/O that blocks its thread."""

from __future__ import annotations

import time
from typing import Any

from apps.contract import security, transfer
from apps.contract.inbound import Refused
from apps.contract.settings import FILES


def wait(ms: int) -> None:
    """Sleeps for ``ms`` milliseconds."""
    time.sleep(ms / 1000)


def file_sum(name: str) -> dict[str, Any]:
    """Size and hash of a seeded file; refused (404) where there is none, whatever the name."""
    try:
        path = (FILES / name).resolve()
        if not path.is_relative_to(FILES.resolve()) or not path.is_file():
            raise Refused(404)
        return transfer.file_sum(name, path.read_bytes())
    except (OSError, ValueError) as error:
        raise Refused(404) from error


def authenticate(username: str, password: str) -> security.Account:
    """Checks a password, which takes tens of milliseconds of CPU."""
    return security.authenticate(username, password)
