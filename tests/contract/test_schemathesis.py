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


# Waits go up to ten seconds and are tried often: they are tested beside the rest, with few examples, and in processes
# of their own, since Schemathesis with several threads meets a fault of CPython 3.11 in its parser.
WAITS = ["/io/sleep", "/io/db", "/io/upstream"]
# A blocking wait would hold every other request of an async app, which is what it is there to show; events may take up
# to a thousand seconds, and are left to the contract's own cases.
LEFT_OUT = ["/io/blocking", "/stream/events"]
BOUNDED = ("--phases", "fuzzing", "--max-examples", "4")
WHOLE = ("--phases", "coverage,fuzzing", "--max-examples", "5")
PARTS = [
    *((*BOUNDED, "--include-path", path) for path in WAITS),
    (*WHOLE, *(part for path in (*WAITS, *LEFT_OUT) for part in ("--exclude-path", path))),
]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("live", REFERENCES, indirect=True)
def test_the_app_keeps_to_its_own_document(live: Live, tmp_path: Path) -> None:
    live.around.restore()
    bind = live.running.bind
    command = [
        *(sys.executable, "-m", "schemathesis.cli", f"--config-file={CONFIG}", "run"),
        f"http://{bind.host}:{bind.port}/openapi.json",
        *("--workers", "1", "--seed", "1", "--no-color", "--warnings", "off"),
        *("--request-timeout", "60", "--generation-database", "none"),
        *("--header", f"Authorization: Bearer {mint('valid', live.running.secret)}"),
    ]
    runs = [
        subprocess.Popen([*command, *part], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for part in PARTS
    ]
    try:
        outputs = [run.communicate(timeout=540)[0] for run in runs]
    finally:
        for run in runs:
            run.kill()
            run.communicate()
    for run, output in zip(runs, outputs, strict=True):
        assert run.returncode == 0, output[-6_000:]
    assert live.running.alive
