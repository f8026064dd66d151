"""Files of callgrind are read as ``callgrind_annotate`` reads them."""

from pathlib import Path

import pytest

from harness.instruments.callgrind import by_object, object_name, parse

SAMPLE = Path(__file__).parents[1] / "data" / "callgrind.out"
"""Of a C program that sorts ten times and prints a line, counted within ``main``."""


def test_a_recorded_file_gives_what_callgrind_annotate_says():
    found = parse(SAMPLE.read_text("utf-8").splitlines())
    counts = found.costs
    assert counts.total() == 12_864
    # callgrind_annotate: cmp 375, main 120; the rest is in the C library and the loader.
    assert (counts["sample", "cmp"], counts["sample", "main"]) == (375, 120)
    objects = by_object(counts)
    assert (objects["sample"], sum(objects.values())) == (495, 12_864)
    assert set(objects) == {"sample", "libc", "ld-linux-x86-64", "unknown"}
    # It sorts ten times, and is compiled so that only the C library calls cmp.
    assert found.calls["libc", next(name for _, name in found.calls if name.startswith("qsort"))] == 10
    assert found.calls["sample", "cmp"] > 10


HEAD = "# callgrind format\npositions: line\nevents: Ir\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("ob=(1) /lib/libx.so.1\nfn=(1) f\n10 5\n+1 7\n* 1\n-3\n", {"libx": 13}, id="relative positions"),
        pytest.param("ob=(1) /lib/a.so\nfn=(1) f\n1 5\ncfn=(2) g\ncalls=3 0\n* 900\n2 1\n", {"a": 6}, id="a call"),
        pytest.param("ob=(1) /lib/a.so\nfn=(1) f\n1 5\ncob=(2) /lib/b.so\ncfn=(2) g\ncalls=1 0\n* 9\n2 1\n"
                     "ob=(2)\nfn=(2)\n1 8\nob=(1)\nfn=(3) h\n1 2\n", {"a": 8, "b": 8}, id="names by number"),
        pytest.param("ob=(1) /lib/a.so\nfn=(1) f\n1 5\n\ntotals: 5\n", {"a": 5}, id="with its total"),
        pytest.param("summary: 0\n\ntotals: 0\n", {}, id="nothing"),
    ],
)  # fmt: skip
def test_functions_count_without_their_callees(text, expected):
    assert by_object(parse((HEAD + text).splitlines()).costs) == expected


def test_collections_of_garbage_are_told_with_all_that_they_do():
    text = (
        "ob=(1) /lib/libpython3.13.so.1.0\nfn=(1) evaluate\n1 5\ncfn=(2) gc_collect_main.constprop.0\ncalls=1 0\n1 90\n"
        "fn=(2)\n1 30\ncfn=(3) traverse\ncalls=9 0\n1 60\ncfn=(4) gc_collect_main.constprop.0'2\ncalls=1 0\n1 7\n"
        "fn=(3)\n1 60\n"
    )
    found = parse((HEAD + text).splitlines())
    assert found.collections == {"Python": 90}
    assert (found.costs.total(), found.objects) == (95, {"Python": 5})


def test_a_file_that_does_not_add_up_is_refused():
    with pytest.raises(ValueError, match="states 6 instructions and lists 5"):
        parse((HEAD + "ob=(1) /lib/a.so\nfn=(1) f\n1 5\n\ntotals: 6\n").splitlines())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/bin/python3.11", "Python"),
        ("/opt/python/lib/libpython3.13.so.1.0", "Python"),
        ("/v/lib/python3.11/site-packages/pydantic_core/_pydantic_core.cpython-311.so", "pydantic-core"),
        ("/v/lib/python3.11/site-packages/uvloop/loop.cpython-311-x86_64-linux-gnu.so", "uvloop"),
        ("/v/lib/python3.11/site-packages/_cffi_backend.cpython-311-x86_64-linux-gnu.so", "cffi-backend"),
        ("/usr/lib/python3.11/lib-dynload/_json.cpython-311-x86_64-linux-gnu.so", "standard library"),
        ("/usr/lib/x86_64-linux-gnu/libc.so.6", "libc"),
        ("/lib/x86_64-linux-gnu/libc-2.31.so", "libc"),
        ("/lib64/ld-linux-x86-64.so.2", "ld-linux-x86-64"),
        ("???", "unknown"),
        ("", "unknown"),
    ],
)  # fmt: skip
def test_shared_objects_have_the_names_that_readers_know(path, name):
    assert object_name(path) == name
