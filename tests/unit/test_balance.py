"""How evenly the worker processes of a server shared the requests: from their CPU clocks to the verdict."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from harness.engine.clocks import TreeClock
from harness.model import Side
from harness.report.language.catalogue import ENGLISH, language
from harness.results.summarise import summarise
from harness.session.turns import worker_shares
from tests.synthetic import make_run, points

POINT = "json@32"
BURN = """
from time import process_time
end = process_time() + {seconds}
while process_time() < end: pass
print(process_time(), flush=True)
input()
"""


def test_shares_are_of_the_workers_alone():
    assert worker_shares((3.0, 1.0, 0.01), 2) == (0.75, 0.25)
    for processes, workers in (((3.0,), 1), ((), 2), ((1.0,), 2), ((0.0, 0.0), 2)):
        assert worker_shares(processes, workers) == ()


@pytest.mark.skipif(sys.platform != "linux", reason="clocks of other processes are read by ticks there")
def test_each_process_of_a_tree_has_its_own_clock():
    burns = [
        subprocess.Popen(
            [sys.executable, "-c", BURN.format(seconds=seconds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for seconds in (0.4, 0.1)
    ]
    try:
        clock = TreeClock(os.getpid())
        own = {burn.pid: float(burn.stdout.readline()) for burn in burns}
        spent = clock.each()
        for burn in burns:
            assert spent[burn.pid] == pytest.approx(own[burn.pid], abs=0.05)
        assert own[burns[0].pid] - own[burns[1].pid] > 0.1
        burns[1].kill()
        burns[1].communicate()
        assert burns[1].pid not in clock.each()
    finally:
        for burn in burns:
            burn.kill()
            burn.communicate()


def run_with(shares):
    """A run in which one target has these shares in every window."""
    run = make_run(at=points(waits_ms=(20,), concurrencies=(64,)), blocks=6)
    records = [
        replace(
            record,
            sides=tuple(replace(s, worker_shares=tuple(shares)) if s.target == "tornado" else s for s in record.sides),
        )
        for record in run.records
    ]
    found = summarise(run.manifest, records, run.samples)
    about = [each for each in found.contrasts if Side("tornado", POINT) in (each.a, each.b)]
    assert about
    return about


def test_workers_that_share_unevenly_are_named_next_to_the_verdict():
    for contrast in run_with((0.71, 0.29)):
        [reason] = contrast.reasons
        assert reason.code == "uneven-workers"
        assert reason.fields["side"] == "tornado"
        said = ENGLISH.reason(reason)
        assert "from 29% to 71% each" in said
        assert language("ko").reason(reason) != said
        assert contrast.verdict != "not-measurable"


def test_workers_that_share_evenly_are_not():
    for contrast in run_with((0.56, 0.44)):
        assert contrast.reasons == ()
