import pytest

from harness.config.placement import place
from harness.model import Reason


@pytest.mark.parametrize(
    ("cpus", "cores", "server", "generator", "backing", "many"),
    [
        ([0, 1], {0: "0", 1: "1"}, (0,), (1,), (1,), (0,)),
        ([0, 1, 2, 3], {0: "0,1", 1: "0,1", 2: "2,3", 3: "2,3"}, (0,), (2,), (3,), (0, 1)),
        ([0, 1, 2, 3], {n: str(n) for n in range(4)}, (0,), (1,), (2, 3), (0,)),
        (list(range(8)), {n: str(n) for n in range(8)}, (0,), (1,), (2, 3), (0, 4, 5, 6, 7)),
        ([2, 5], {2: "2", 5: "5"}, (2,), (5,), (5,), (2,)),
    ],
)
def test_server_and_generator_get_cores_of_their_own(cpus, cores, server, generator, backing, many):
    placed = place(cpus, cores)
    assert (placed.server, placed.generator, placed.backing, placed.many) == (server, generator, backing, many)
    assert placed.per_cpu == len(many)
    assert not placed.note


def test_one_cpu_says_what_that_costs():
    assert place([0], {0: "0"}).note == Reason("one-cpu")


def test_threads_of_one_core_are_told():
    assert place([0, 1], {0: "0,1", 1: "0,1"}).note == Reason("one-core")
