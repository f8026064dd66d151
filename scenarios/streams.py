"""A dashboard follows server-sent events, then chats over a WebSocket.

locust -f scenarios/streams.py --headless -u 16 -r 8 -t 30s -H http://127.0.0.1:8000
"""

import time

import websocket
from locust import between, task

from apps.contract.endpoints import ENDPOINTS
from harness.journeys.user import ContractUser

USERS = 16
REQUESTS = {"event stream": ("stream-events", "valid")}
CAPABILITIES = ("sse", "websocket")
STREAM = ENDPOINTS["stream-events"].case("", n=10, interval_ms=10)
MESSAGES = ("Hello, 안녕", "x" * 1_000, "bye")
TIMEOUT_S = 15


class Dashboard(ContractUser):
    wait_time = between(0.05, 0.25)

    @task
    def follow(self):
        self.ask("event stream", STREAM)

    @task
    def chat(self):
        began = time.perf_counter()
        try:
            socket = websocket.create_connection(f"{self.host.replace('http', 'ws', 1)}/ws/echo", timeout=TIMEOUT_S)
        except (OSError, websocket.WebSocketException) as error:
            self.tell("open WebSocket", began, error)
            return
        self.tell("open WebSocket", began)
        try:
            for message in MESSAGES:
                self.wait()
                began = time.perf_counter()
                socket.send(message)
                back = socket.recv()
                self.tell("echo", began, None if back == message else f"{back[:50]!r} came back")
            socket.send_close()
            socket.recv_frame()
        except (OSError, websocket.WebSocketException) as error:
            self.tell("echo", began, error)
        finally:
            # Not close(): it catches everything, gevent's GreenletExit too, and Locust would wait forever for a user
            # that goes on after it was killed.
            socket.shutdown()

    def tell(self, name, began, exception=None):
        self.environment.events.request.fire(
            request_type="WS",
            name=name,
            response_time=(time.perf_counter() - began) * 1e3,
            response_length=0,
            exception=exception,
            context={},
        )
