"""What Locust's web page shows of a load that no user of this process sends: the workers' replies, as they report."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_STOPPED
from locust.stats import bucket_response_time

from harness.cluster.members import Member
from harness.model.units import MS, US


class Page:
    """Locust's statistics of one load; does nothing where there is no page.

    Response times on the page are those of each worker's latest reply; the exact ones come at the end.
    """

    def __init__(self, environment: Environment, users: int) -> None:
        self._environment = environment
        self._shown: dict[tuple[str, str], tuple[int, int]] = {}
        if environment.web_ui is not None:
            runner: Any = environment.runner
            runner.stats.clear_all()
            runner.target_user_count = users
            runner.update_state(STATE_RUNNING)

    def feed(self, members: Iterable[Member], order: int) -> None:
        """Add the replies since the last call."""
        if self._environment.web_ui is None:
            return
        stats: Any = self._environment.stats
        for member in members:
            beat = member.beat if member.beat.order == order else None
            for name, (replies, failures, latest_us) in ({} if beat is None else beat.classes).items():
                before = self._shown.get((member.id, name), (0, 0))
                self._shown[member.id, name] = replies, failures
                for entry in (stats.total, stats.get(name, "")):
                    _add(entry, replies - before[0], failures - before[1], latest_us * MS / US)

    def close(self) -> None:
        if self._environment.web_ui is not None:
            runner: Any = self._environment.runner
            runner.update_state(STATE_STOPPED)


def _add(entry: Any, replies: int, failures: int, ms: float) -> None:
    now, count = time.time(), replies + failures
    if count <= 0:
        return
    entry.num_requests += count
    entry.num_failures += failures
    entry.num_reqs_per_sec[int(now)] += count
    entry.num_fail_per_sec[int(now)] += failures
    entry.last_request_timestamp = now
    entry.total_response_time += count * ms
    entry.min_response_time = ms if entry.min_response_time is None else min(entry.min_response_time, ms)
    entry.max_response_time = max(entry.max_response_time, ms)
    entry.response_times[bucket_response_time(ms)] += count
