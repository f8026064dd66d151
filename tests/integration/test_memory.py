"""Memory that grows with the requests is found, and memory that does not is not called a leak: on live servers."""

from pathlib import Path

import pytest

from harness.record import Run
from harness.studies.memory import rows
from tests.cli import harness

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("no_process_left")]
KEPT = 1024
LEAKY = f"""from apps.baseline.asgi import app as sound

kept = []


async def app(scope, receive, send):
    if scope["type"] == "http":
        kept.append(bytearray({KEPT}))
    await sound(scope, receive, send)
"""
SCENARIO = """title = "Short"
question = "pick"
study = "memory"
why = ""
[[request]]
endpoint = "json"
case = "valid"
[settings]
warmup_requests = 4000
warmup_s = 1.0
windows = 5
window_s = 0.4
rest_s = 0.2
"""


def test_a_leaking_app_is_found_at_its_rate_and_a_sound_one_is_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("leaky.py").write_text(LEAKY)
    Path("scenarios").mkdir()
    Path("scenarios/short.toml").write_text(SCENARIO)
    words = ("-t", "leaky:app@uvicorn,endpoints=*", "-t", "raw-asgi-uvicorn", "-s", "short", "--seed", "1", "-q")
    done = harness("run", *words, "--out", "r", "--report", "r.html")
    assert done.code == 0, "what else the machine did does not matter to memory"
    run = Run.open(Path("r"))
    leaky, sound = sorted(rows(run.windows(), run.samples), key=lambda row: row.target)
    assert (leaky.target, leaky.leak, leaky.blocks) == ("leaky-app-uvicorn-endpoints--", "found", 3)
    # An object of 1 kB takes a little more: its header, its place in the list, and the allocator's.
    assert leaky.growth_bytes.value == pytest.approx(1000 * KEPT, rel=0.3)
    assert leaky.growth_bytes.ci_low > 0
    assert leaky.rested_bytes > leaky.warm_bytes + 0.7 * KEPT * leaky.requests
    assert sound.leak != "found"
    assert abs(sound.growth_bytes.value) < 0.1 * leaky.growth_bytes.value
    rests = [record for record in run.windows() if record.only.params["step"] == "rest"]
    assert len(rests) == 6
    assert all(record.only.planned == 0 and record.only.figures["memory_bytes"] > 0 for record in rests)
    assert "The memory of leaky-app-uvicorn-endpoints-- grows by" in Path("r/summary.md").read_text()
