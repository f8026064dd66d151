"""The master's process: ``python -m harness.swarm.master FD``. It takes orders from a socket, and workers from a port.

Whatever it knows of its workers is in ``Roster``; loads and journeys are carried out in ``dispatch``.
"""

from __future__ import annotations

import locust  # isort: skip  (before all others: it patches sockets and threads)

import logging
import os
import sys
import traceback
from multiprocessing.connection import Connection
from typing import Any

import gevent
from gevent.socket import wait_read
from locust.env import Environment

from harness.errors import HarnessError
from harness.load.messages import Fault, Ready, Stop
from harness.load.spec import LoadSpec
from harness.swarm.dispatch import Dispatcher
from harness.swarm.messages import Await, Joined, JourneySpec, Listen, Listening, Note
from harness.swarm.roster import Roster


class Master:
    """Serves one parent."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self._roster: Roster | None = None
        self._dispatcher: Dispatcher | None = None

    def serve(self) -> None:
        """Until the parent is gone; the workers are told then."""
        self._connection.send(Ready())
        while True:
            wait_read(self._connection.fileno())
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                self._end()
            if isinstance(message, Stop):
                if self._dispatcher is not None:
                    self._dispatcher.stop()
            else:
                # In a greenlet of its own, since a stop may come meanwhile.
                gevent.spawn(self._answer, message)

    def _answer(self, order: Any) -> None:
        try:
            answer = self._carry_out(order)
        except HarnessError as error:
            answer = Fault(str(error), error.hint)
        except Exception as error:
            answer = Fault(f"{type(error).__name__}: {error}", traceback.format_exc())
        self._connection.send(answer)

    def _carry_out(self, order: Any) -> object:
        if isinstance(order, Listen):
            return self._listen(order)
        assert self._roster is not None
        assert self._dispatcher is not None
        if isinstance(order, Await):
            while len(self._roster.present()) < order.count:
                gevent.sleep(0.05)
            return Joined(len(self._roster.present()))
        if isinstance(order, LoadSpec):
            return self._dispatcher.load(order, self._connection.send)
        assert isinstance(order, JourneySpec)
        return self._dispatcher.journey(order, self._connection.send)

    def _listen(self, order: Listen) -> Listening | Fault:
        environment = Environment(user_classes=[], events=locust.events)
        try:
            runner = environment.create_master_runner(order.host, order.port)
        except (SystemExit, OSError) as error:
            where = f"{order.host}:{order.port}"
            hint = "choose another --port, or end what listens there"
            return Fault(f"workers cannot be taken at {where}: {error or 'the port is in use'}", hint)
        except Exception as error:
            return Fault(f"workers cannot be taken at {order.host}:{order.port}: {error}", "choose another --port")
        if order.live_port:
            environment.create_web_ui("127.0.0.1", order.live_port)
        environment.events.init.fire(environment=environment, runner=runner, web_ui=environment.web_ui)  # type: ignore[no-untyped-call]
        self._roster = Roster(runner, lambda text, warning: self._connection.send(Note(text, warning)))
        self._dispatcher = Dispatcher(self._roster, environment, order.lost)
        return Listening(runner.server.port)

    def _end(self) -> None:
        if self._roster is not None:
            self._roster.dismiss()
            gevent.sleep(0.2)
        # Not an orderly return: Locust's greenlets would keep the process.
        os._exit(0)


def main(arguments: list[str]) -> None:
    logging.getLogger("locust").setLevel(logging.CRITICAL)
    logging.getLogger().setLevel(logging.CRITICAL)
    Master(Connection(int(arguments[0]))).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
