"""An interpreter that says that it is free-threaded, in a run of the whole command."""

import json
import sys
from pathlib import Path

import pytest

from tests.integration.test_command import harness

pytestmark = pytest.mark.live

WSGI = """
import sys

sys.stderr.write("The global interpreter lock (GIL) has been enabled to load module 'slow.c', which has\\n")

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
RECORDED = """#!/bin/sh
# Answers as a recorded free-threaded interpreter does, and runs everything else.
case "$*" in *_is_gil_enabled*) echo off; exit 0;; esac
exec {python} "$@"
"""


def test_a_run_says_that_a_free_threaded_server_had_its_lock_and_what_turned_it_on(tmp_path):
    (tmp_path / "plain.py").write_text(WSGI)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "root.toml").write_text('concurrency = [4]\n[[request]]\npath = "/"\n')
    python = tmp_path / "python"
    python.write_text(RECORDED.format(python=sys.executable))
    python.chmod(0o755)
    words = ("-s", "root", "--profile", "smoke", "--budget", "8s", "--no-samples", "--no-instructions", "--out", "run")
    done = harness("run", "-t", f"plain:app@gunicorn,name=free,python={python}", *words, folder=tmp_path)
    assert done.returncode in (0, 4), done.stderr
    manifest = json.loads((Path(tmp_path) / "run" / "manifest.json").read_text())
    [found] = [
        each for each in manifest["warnings"] if each["code"].startswith("gil-") and each["fields"]["target"] == "free"
    ]
    assert (found["code"], found["fields"]["by"]) == ("gil-on", "slow.c")
