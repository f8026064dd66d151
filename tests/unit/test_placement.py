import pytest

from harness.placement import place


@pytest.mark.parametrize(
    ("cpus", "cores", "server", "generator", "backing"),
    [
        ([0, 1], {0: "0", 1: "1"}, (0,), (1,), (1,)),
        ([0, 1, 2, 3], {0: "0,1", 1: "0,1", 2: "2,3", 3: "2,3"}, (0,), (2,), (3,)),
        ([0, 1, 2, 3], {n: str(n) for n in range(4)}, (0,), (1,), (2, 3)),
        ([2, 5], {2: "2", 5: "5"}, (2,), (5,), (5,)),
    ],
)
def test_server_and_generator_get_cores_of_their_own(cpus, cores, server, generator, backing):
    placed = place(cpus, cores)
    assert (placed.server, placed.generator, placed.backing) == (server, generator, backing)
    assert not placed.note


def test_one_cpu_says_what_that_costs():
    assert "one CPU" in place([0], {0: "0"}).note


def test_threads_of_one_core_are_told():
    assert "threads of one core" in place([0, 1], {0: "0,1", 1: "0,1"}).note
