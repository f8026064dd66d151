"""The page that GitHub Actions shows for a job: Markdown appended to the file that it names."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "GITHUB_STEP_SUMMARY"
MOST_BYTES = 900_000
"""GitHub shows no summary above 1 MiB."""


def append(markdown: str) -> None:
    """Appends where the variable is set; a file that cannot be written does not fail the measurement."""
    name = os.environ.get(VARIABLE, "")
    if not name:
        return
    data = markdown.encode()
    if len(data) > MOST_BYTES:
        data = data[:MOST_BYTES].rpartition(b"\n")[0] + b"\n\nCut here: the rest is in the run's summary.md.\n"
    try:
        with Path(name).open("ab") as file:
            file.write(data + b"\n")
    except OSError:
        return
