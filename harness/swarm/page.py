"""What Locust's web page shows of a load that no Locust user sends: the workers' replies, as they tell of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from locust.env import Environment
from locust.stats import bucket_response_time

from harness.load.spec import LoadSpec
from harness.swarm.roster import Peer
from harness.units import MS, US


def feed(environment: Environment, spec: LoadSpec, peers: Sequence[Peer], before: dict[str, int]) -> None:
    """Adds to Locust's statistics what came since the last time; ``before`` holds replies by worker, and is brought up
    to date. Response times on the page are those of each worker's latest reply; the exact ones come at the end.
    """
    if environment.web_ui is None:
        return
    request = spec.requests[0]
    stats: Any = environment.stats
    for peer in peers:
        count = peer.beat.replies - before[peer.id]
        if count <= 0:
            continue
        before[peer.id] = peer.beat.replies
        ms = peer.beat.latest_us * MS / US
        for entry in (stats.total, stats.get(request.name, request.method)):
            _add(entry, count, ms)


def _add(entry: Any, count: int, ms: float) -> None:
    now = time.time()
    entry.num_requests += count
    entry.num_reqs_per_sec[int(now)] = entry.num_reqs_per_sec.get(int(now), 0) + count
    entry.last_request_timestamp = now
    entry.total_response_time += count * ms
    entry.min_response_time = ms if entry.min_response_time is None else min(entry.min_response_time, ms)
    entry.max_response_time = max(entry.max_response_time, ms)
    bucket = bucket_response_time(ms)
    entry.response_times[bucket] = entry.response_times.get(bucket, 0) + count
