"""Uvicorn's worker for Gunicorn, with the event loop and the parser that the environment names."""

import os

from uvicorn_worker import UvicornWorker


class Worker(UvicornWorker):
    CONFIG_KWARGS = {  # noqa: RUF012
        "loop": os.environ.get("UVICORN_WORKER_LOOP", "auto"),
        "http": os.environ.get("UVICORN_WORKER_HTTP", "auto"),
        "access_log": False,
    }
