import pytest

from harness.config.cgroup import find_quota
from harness.config.placement import place
from harness.model import Reason
from harness.report.language.catalogue import ENGLISH
from harness.serve import environment


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


@pytest.mark.parametrize(("quota", "workers"), [(0.5, 1), (1, 1), (1.5, 2), (2, 2), (2.5, 3), (64, 29), (None, 29)])
def test_a_worker_per_cpu_is_no_more_than_the_quota_allows(quota, workers):
    placed = place(list(range(32)), {n: str(n) for n in range(32)}, quota)
    assert (placed.per_cpu, len(placed.many), placed.quota) == (workers, workers, quota)


def test_workers_that_are_counted_out_get_all_cpus_but_the_generators_or_share_its_own():
    assert place([0, 1, 2, 3], {n: str(n) for n in range(4)}).wide == (0, 2, 3)
    assert place([0, 1], {0: "0", 1: "1"}).wide == (0, 1)


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


def groups_of(tmp_path, *lines):
    (tmp_path / "groups").write_text("\n".join(lines))
    return find_quota(tmp_path / "cgroup", tmp_path / "groups")


@pytest.mark.parametrize(("text", "cpus"), [("150000 100000", 1.5), ("50000 100000", 0.5), ("200000 100000", 2.0)])
@pytest.mark.parametrize("mount", ["", "unified"])
def test_a_quota_of_version_2_is_found(tmp_path, text, cpus, mount):
    folder = tmp_path / "cgroup" / mount / "docker" / "1a2b"
    write(folder, cpu__max=text, cpu__stat="usage_usec 9\nthrottled_usec 1500000")
    found = groups_of(tmp_path, "0::/docker/1a2b")
    assert (found.cpus, found.throttled_s()) == (cpus, 1.5)


def test_a_quota_of_version_1_is_found(tmp_path):
    folder = tmp_path / "cgroup" / "cpu,cpuacct" / "build"
    write(
        folder, cpu__cfs_quota_us=50_000, cpu__cfs_period_us=25_000, cpu__stat="nr_periods 7\nthrottled_time 2000000000"
    )
    found = groups_of(tmp_path, "4:memory:/build", "3:cpu,cpuacct:/build", "0::/")
    assert (found.cpus, found.throttled_s()) == (2.0, 2.0)


def test_the_tightest_quota_of_a_group_and_of_those_above_it_counts(tmp_path):
    root = tmp_path / "cgroup"
    write(root / "system" / "job", cpu__max="400000 100000")
    write(root / "system", cpu__max="100000 100000")
    write(root, cpu__max="max 100000")
    assert groups_of(tmp_path, "0::/system/job").folder == root / "system"


def test_a_container_sees_the_quota_of_its_own_group_at_the_root(tmp_path):
    write(tmp_path / "cgroup" / "cpu", cpu__cfs_quota_us=200_000, cpu__cfs_period_us=100_000)
    assert groups_of(tmp_path, "2:cpu:/docker/not-shown-here").cpus == 2.0


def test_there_may_be_no_quota(tmp_path):
    write(tmp_path / "cgroup", cpu__max="max 100000")
    write(tmp_path / "cgroup" / "cpu", cpu__cfs_quota_us=-1, cpu__cfs_period_us=100_000)
    assert groups_of(tmp_path, "2:cpu:/", "0::/") is None
    assert find_quota(tmp_path / "nothing", tmp_path / "nowhere") is None


def test_doctor_says_how_many_workers_a_quota_allows(tmp_path):
    placed = place(list(range(8)), {n: str(n) for n in range(8)}, 2.0)
    said = {finding.subject: finding for finding in environment.examine(placed, tmp_path)}
    assert said["CPU quota"].level == "warning"
    assert said["CPU quota"].reason == Reason("quota", {"quota": "2 CPUs", "workers": 2})
    assert "workers=cpus is 2 workers" in ENGLISH.reason(said["CPU quota"].reason)
    assert environment.describe(placed)["CPU quota"] == "2 CPUs"
