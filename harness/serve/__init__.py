"""Starts the servers of targets, waits until they answer, and always ends them."""

from harness.serve.fleet import (
    LOOPBACK as LOOPBACK,
    Fleet as Fleet,
    Servers as Servers,
    serving as serving,
    serving_all as serving_all,
)
from harness.serve.server import (
    JWT_SECRET as JWT_SECRET,
    LOG_LINES as LOG_LINES,
    READY_S as READY_S,
    Running as Running,
    free_port as free_port,
    start as start,
    stop as stop,
    wait_until_ready as wait_until_ready,
)
