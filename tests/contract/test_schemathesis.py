"""Schemathesis against the document that each app serves: all checks, as is its default, within a bounded budget."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from apps.contract.tokens import mint
from tests.contract.conftest import Live

CONFIG = Path(__file__).with_name("schemathesis.toml")
REFERENCES = [
    "fastapi-uvicorn",
    "starlette-uvicorn",
    "django-uvicorn",
    "django-gunicorn-gthread",
    "flask-gunicorn-gthread",
    "tornado-native",
]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("live", REFERENCES, indirect=True)
def test_the_app_keeps_to_its_own_document(live: Live, tmp_path: Path) -> None:
    live.around.restore()
    bind = live.running.bind
    # A blocking wait would hold every other request of an async app, which is what it is there to show.
    command = [
        *(sys.executable, "-m", "schemathesis.cli", f"--config-file={CONFIG}", "run"),
        f"http://{bind.host}:{bind.port}/openapi.json",
        *("--max-examples", "5", "--workers", "4", "--seed", "1", "--no-color"),
        *("--exclude-path", "/io/blocking", "--request-timeout", "60", "--warnings", "off"),
        *("--generation-database", "none", "--phases", "coverage,fuzzing"),
        *("--header", f"Authorization: Bearer {mint('valid', live.running.secret)}"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=540)
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-1_000:]
    assert live.running.alive
