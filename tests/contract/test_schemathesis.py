"""Schemathesis against the document that each app serves: all phases, within a bounded budget."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.contract.operations import OPERATIONS
from apps.contract.tokens import mint
from harness.declare import PACKAGED
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
ENDS_S = 280


def explore(live: Live, folder: Path, *options: str) -> None:
    """About a thousand requests made from the document, and as many more as the options ask for."""
    live.around.restore()
    bind = live.running.bind
    command = [
        *(sys.executable, "-m", "schemathesis.cli", f"--config-file={CONFIG}", "run"),
        f"http://{bind.host}:{bind.port}/openapi.json",
        *("--workers", "1", "--no-color", "--warnings", "off", "--request-timeout", "60"),
        *("--generation-database", "none", "--header", f"Authorization: Bearer {mint('valid', live.running.secret)}"),
        *options,
    ]
    environment = {"PYTHONPATH": str(PACKAGED), "SCHEMATHESIS_HOOKS": "tests.contract.schemathesis_hooks"}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=ENDS_S,
    )
    assert done.returncode == 0, done.stdout[-6_000:]
    assert f"{len(OPERATIONS)} selected / {len(OPERATIONS)} total" in done.stdout
    assert live.running.alive


@pytest.mark.parametrize("live", REFERENCES, indirect=True)
def test_the_app_keeps_to_its_own_document(live: Live, tmp_path: Path) -> None:
    explore(live, tmp_path, "--max-examples", "5", "--seed", "1")


@pytest.mark.slow
@pytest.mark.parametrize("live", REFERENCES, indirect=True)
def test_the_app_keeps_to_its_own_document_for_longer(live: Live, tmp_path: Path) -> None:
    explore(live, tmp_path, "--max-examples", "60")
