"""Samples of Python stacks → CPU cost by package and by function, on a recorded file of py-spy."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.instruments.profile import APP, joined, read_speedscope, without_paths
from harness.model import BRIEF, CpuProfile
from harness.report.profile import document, explained, explanation, lines
from harness.results.profile import (
    GENERATED,
    OUTSIDE,
    STANDARD,
    by_function,
    by_package,
    differences,
    package_of,
    short,
)
from tests.cli import harness
from tests.unit.summaries import summary

SAMPLE = Path(__file__).parents[1] / "data" / "profile.speedscope.json"
"""Of py-spy 0.4.3: an app of a user's own on gunicorn with two workers, from /home/user/shop."""
HOME = "/home/user/shop"
SITE = f"{HOME}/.venv/lib/python3.11/site-packages"
HANDLER = ("app", f"{HOME}/shop/web.py")
RENDER = ("render", f"{SITE}/jinja2/environment.py")
LOADS = ("loads", "/usr/lib/python3.11/json/__init__.py")


def profile(stacks, **changes):
    values = {"cpu_us": 100.0, "in_python": 0.8, "waited": 0.0, "replies": 1000, "duration_s": 2.0}
    files = {"folder": HOME, "flame_graph": "a.svg", "speedscope": "a.json"}
    return CpuProfile(**{"target": "a", "point": "p", "stacks": tuple(stacks.items()), **values, **files, **changes})


def shares(costs):
    return {cost.name: cost.us for cost in costs}


def test_a_recorded_file_is_read_without_its_processes():
    stacks = read_speedscope(json.loads(SAMPLE.read_text("utf-8")))
    assert stacks.total() == 17
    frames = {frame for stack in stacks for frame in stack}
    assert all(file for _, file in frames)
    assert not any(name.startswith(("process", "thread")) for name, _ in frames)
    packages = shares(by_package(profile(stacks)))
    assert {"gunicorn", STANDARD, OUTSIDE} <= set(packages)
    assert sum(packages.values()) == pytest.approx(100.0)


def test_files_of_several_processes_are_read_as_one():
    one = json.loads(SAMPLE.read_text("utf-8"))
    # Another process has met its functions in another order.
    last = len(one["shared"]["frames"]) - 1
    turned = [
        {**each, "samples": [[last - index for index in stack] for stack in each["samples"]]}
        for each in one["profiles"]
    ]
    other = {**one, "profiles": turned, "shared": {"frames": one["shared"]["frames"][::-1]}}
    stacks = read_speedscope(one)
    assert read_speedscope(joined([one, other])) == stacks + stacks


def test_what_is_recorded_tells_nothing_of_the_machine():
    one = json.loads(SAMPLE.read_text("utf-8"))
    assert HOME in json.dumps(one)
    found = without_paths(one, Path(HOME))
    assert HOME not in json.dumps(found)
    assert "/usr" not in json.dumps(found)
    packages = shares(by_package(profile(read_speedscope(one))))
    assert shares(by_package(profile(read_speedscope(found), folder=APP))) == packages
    assert any(frame["name"].startswith("process ") for frame in found["shared"]["frames"])


def test_the_parts_add_up_to_the_cpu_cost():
    found = profile({(HANDLER, RENDER): 5, (HANDLER, LOADS): 2, (HANDLER,): 1, (): 1})
    packages = shares(by_package(found))
    each = 100 * 0.8 / 9
    expected = {"jinja2": 5 * each, STANDARD: 2 * each, "shop/web.py": each, OUTSIDE: each + 20}
    assert packages == pytest.approx(expected)
    assert next(iter(packages)) == "jinja2"
    functions = {cost.name: cost for cost in by_function(found)}
    assert functions["app (shop/web.py)"].us == pytest.approx(each)
    assert functions["app (shop/web.py)"].total_us == pytest.approx(8 * each)
    assert functions["render (jinja2/environment.py)"].error_us == pytest.approx(5**0.5 * each)


def test_stacks_that_changed_while_they_were_read_are_a_row_of_their_own():
    found = profile({(HANDLER, LOADS): 6, (BRIEF,): 3})
    rows = {OUTSIDE: 20, STANDARD: 80 * 6 / 9, BRIEF[0]: 80 * 3 / 9, "shop/web.py": 0}
    assert shares(by_package(found)) == pytest.approx(rows)
    assert shares(by_function(found))[BRIEF[0]] == pytest.approx(80 * 3 / 9)


def test_a_function_that_calls_itself_counts_once():
    found = profile({(HANDLER, RENDER, RENDER): 4}, in_python=1.0)
    assert {cost.name: cost.total_us for cost in by_function(found)}["render (jinja2/environment.py)"] == 100


@pytest.mark.parametrize(
    ("file", "package", "name"),
    [
        (f"{SITE}/starlette/routing.py", "starlette", "starlette/routing.py"),
        (f"{SITE}/typing_extensions.py", "typing_extensions", "typing_extensions.py"),
        ("/usr/lib/python3/dist-packages/django/urls.py", "django", "django/urls.py"),
        ("/usr/lib/python3.12/asyncio/runners.py", STANDARD, "asyncio/runners.py"),
        ("/opt/python3.13t/lib/python3.13t/json/decoder.py", STANDARD, "json/decoder.py"),
        ("<frozen importlib._bootstrap>", STANDARD, "<frozen importlib._bootstrap>"),
        ("<string>", GENERATED, "<string>"),
        (f"{HOME}/shop/views.py", "shop/views.py", "shop/views.py"),
        ("/srv/other/tool.py", "/srv/other/tool.py", "/srv/other/tool.py"),
    ],
)
def test_every_file_has_its_package(file, package, name):
    assert (package_of(file, HOME), short(file, HOME)) == (package, name)


def test_differences_come_largest_first_and_add_up():
    a = profile({(HANDLER, RENDER): 6, (HANDLER,): 4}, cpu_us=150.0)
    b = profile({(HANDLER, LOADS): 2, (HANDLER,): 8}, cpu_us=100.0)
    found = differences(by_package(a), by_package(b))
    assert sum(each.difference for each in found) == pytest.approx(50)
    assert (found[0].name, found[0].b, found[0].difference) == ("jinja2", 0, pytest.approx(72))
    sizes = [abs(each.difference) for each in found]
    assert sizes == sorted(sizes, reverse=True)


def test_what_is_shown_says_what_it_leaves_out():
    found = profile({(HANDLER, RENDER): 300, (HANDLER,): 100}, waited=0.5)
    text = "\n".join(lines(document(found)))
    assert "a: 100 µs of CPU per request; p, 1,000 requests in 2.0 s, 400 samples." in text
    assert "     60.0   60.0%  jinja2\n" in text
    assert "note: outside Python: the kernel" in text
    assert "other programs had its CPUs for 0.5 s in each second of its CPU time" in text


def test_differences_within_the_noise_of_sampling_are_not_shown():
    a = profile({(HANDLER, RENDER): 310, (HANDLER,): 100})
    b = profile({(HANDLER, RENDER): 300, (HANDLER,): 100, (HANDLER, LOADS): 200}, target="b")
    text = "\n".join(explained(explanation((a, b), summary())))
    assert "standard library" in text
    assert "loads (json/__init__.py)" in text
    assert "jinja2" in text.partition("function")[0]


def test_a_sentence_names_the_packages_that_most_of_the_difference_comes_from():
    a = profile({(HANDLER, RENDER): 310, (HANDLER,): 100, (HANDLER, LOADS): 4}, cpu_us=200.0)
    b = profile({(HANDLER, RENDER): 100, (HANDLER,): 100, (HANDLER, LOADS): 4}, target="b", cpu_us=100.0)
    said = "\n".join(explained(explanation((a, b), summary()))).splitlines()[1]
    assert said.startswith("The difference of +100 µs of CPU per request comes from jinja2 (+")
    assert "standard library" not in said
    alike = "\n".join(
        explained(
            explanation((replace(a, in_python=1.0), replace(a, target="b", in_python=1.0, cpu_us=201.0)), summary())
        )
    )
    assert "difference of −1.00 µs of CPU per request comes from no package that stands out" in alike


def test_without_the_sampler_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    done = harness("profile", "fastapi-uvicorn")
    assert done.code == 3
    assert done.err == "harness: profiles cannot be made here: py-spy is not installed\n  pip install py-spy\n"
