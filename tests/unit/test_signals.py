"""How commands end when a signal comes."""

import shutil
import signal
import subprocess
import sys
import time

import pytest

from harness.cli import run, signals
from harness.cli.options import repeated
from harness.record import Run
from tests.unit.test_check_command import KEPT

STUBBORN = """
import sys, time
from harness.cli.signals import interruptible
with interruptible() as code:
    try:
        print("up", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("first", flush=True)
        if sys.argv[1] == "stubborn":
            time.sleep(60)
    sys.exit(code(4))
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("kind", ["stubborn", "obedient"])
def test_the_first_signal_is_an_exception_and_the_second_ends_the_process(number, code, kind):
    command = [sys.executable, "-c", STUBBORN, kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "up\n"
            process.send_signal(number)
            assert process.stdout.readline() == "first\n"
            if kind == "stubborn":
                process.send_signal(number)
            assert process.wait(20) == code
        finally:
            process.kill()


def test_a_signal_that_is_ignored_stays_ignored():
    command = [sys.executable, "-c", STUBBORN, "obedient"]
    ignored = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command]
    with subprocess.Popen(ignored, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "up\n"
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 143
        finally:
            process.kill()


@pytest.mark.parametrize(("since_s", "written"), [(-60.0, True), (60.0, False)])
def test_an_interrupted_run_is_reported_as_far_as_there_is_time(tmp_path, monkeypatch, capsys, since_s, written):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "my run"
    shutil.copytree(KEPT, folder)
    interrupt = signals.Interrupted()
    interrupt.at = time.monotonic() - since_s
    run._import_report_modules()
    assert run._interrupted(Run.open(folder), [tmp_path / "r.html"], False, interrupt) == 130
    said = capsys.readouterr().err
    assert f"interrupted; continue with: harness run --resume '{folder}'" in said
    assert (tmp_path / "r.html").exists() == written
    assert ("no report was written in time; make it with: harness report" in said) != written


def test_a_command_repeats_the_options_that_it_was_given(monkeypatch):
    from typer.main import get_command

    from harness.cli import app

    command = get_command(app).commands["versus"]
    words = ["a b", "c", "--no-control", "-H", "X: 1", "-H", "Y: 2", "--budget", "1m30s", "--fail-if-slower", "3%"]
    monkeypatch.setenv("HARNESS_VERSUS_METRIC", "throughput")
    context = command.make_context(
        "versus", [*words, "--out", "x", "-q", "--json"], auto_envvar_prefix="HARNESS_VERSUS"
    )
    assert repeated(context, seed=7) == (
        "harness versus 'a b' c --header 'X: 1' --header 'Y: 2' --metric throughput --budget 1m30s --fail-if-slower 3% "
        "--no-control --seed 7"
    )
