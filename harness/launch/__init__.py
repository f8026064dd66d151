"""Starts the servers of targets, waits until they answer, and always ends them."""

from harness.launch.fleet import Fleet, Servers, serving
from harness.launch.server import (
    JWT_SECRET,
    LOG_LINES,
    READY_S,
    Running,
    Started,
    free_port,
    start,
    stop,
    wait_until_ready,
    working_folder,
)

__all__ = [
    "JWT_SECRET",
    "LOG_LINES",
    "READY_S",
    "Fleet",
    "Running",
    "Servers",
    "Started",
    "free_port",
    "serving",
    "start",
    "stop",
    "wait_until_ready",
    "working_folder",
]
