"""Schemathesis against the document that each app serves: all phases, within a bounded budget."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.contract.operations import OPERATIONS
from apps.contract.tokens import mint
from harness.config import PACKAGED
from tests.contract.conftest import Live
from tests.targets import REFERENCES

CONFIG = Path(__file__).with_name("schemathesis.toml")
LEFT_OUT = {"fastapi-uvicorn": ("--exclude-checks", "allow_header_conformance")}
"""FastAPI's 405 names the methods of a path's first route only."""
ENDS_S = 280
pytestmark = pytest.mark.fuzz


@pytest.mark.parametrize("live", REFERENCES, indirect=True)
def test_the_app_keeps_to_its_own_document(live: Live, tmp_path: Path) -> None:
    """By about a thousand requests made from the document."""
    live.around.restore()
    bind = live.running.bind
    command = [
        *(sys.executable, "-m", "schemathesis.cli", f"--config-file={CONFIG}", "run"),
        f"http://{bind.host}:{bind.port}/openapi.json",
        *("--workers", "1", "--no-color", "--warnings", "off", "--request-timeout", "60"),
        *("--generation-database", "none", "--header", f"Authorization: Bearer {mint('valid', live.running.secret)}"),
        *LEFT_OUT.get(live.running.target.name, ()),
        *("--max-examples", "5", "--seed", "1"),
    ]
    environment = {"PYTHONPATH": str(PACKAGED), "SCHEMATHESIS_HOOKS": "tests.contract.schemathesis_hooks"}
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=ENDS_S,
    )
    assert done.returncode == 0, done.stdout[-6_000:]
    assert f"{len(OPERATIONS)} selected / {len(OPERATIONS)} total" in done.stdout
    assert live.running.alive
