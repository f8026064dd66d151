"""Containers as targets, as far as no engine is needed."""

import os

import pytest

from harness.compose import usage_file
from harness.placement import parse_cpus
from harness.sampling import ContainerClock, ProcessGone, clock_of


@pytest.mark.parametrize(("text", "cpus"), [("", ()), ("0", (0,)), ("0-2,5", (0, 1, 2, 5)), ("1,3\n", (1, 3))])
def test_cpu_lists_are_read_as_the_kernel_writes_them(text, cpus):
    assert parse_cpus(text) == cpus


@pytest.mark.parametrize(
    ("content", "seconds"), [("1500000000\n", 1.5), ("usage_usec 1500000\nuser_usec 1\nsystem_usec 2\n", 1.5)]
)
def test_a_control_groups_clock_is_read_in_both_versions(tmp_path, content, seconds):
    file = tmp_path / "usage"
    file.write_text(content)
    clock = clock_of(os.getpid(), str(file))
    assert clock.cpu() == seconds
    assert os.getpid() in clock.pids
    file.unlink()
    with pytest.raises(ProcessGone):
        clock.cpu()


def test_a_process_without_a_file_has_its_trees_clock():
    assert not isinstance(clock_of(os.getpid()), ContainerClock)


def test_the_usage_file_of_a_process_can_be_read_where_there_is_one():
    found = usage_file(os.getpid())
    assert not found or os.access(found, os.R_OK)
