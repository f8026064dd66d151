"""A Locust user that knows the contract; imported by locustfiles, inside Locust's own process."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from locust import FastHttpUser

from harness.verify import Reply, compare

if TYPE_CHECKING:
    from apps.contract.case import Case


class ContractUser(FastHttpUser):
    """Sends cases of the contract; a reply that differs from the case's counts as a failure, with the difference."""

    abstract = True
    network_timeout = 15.0
    connection_timeout = 15.0

    def ask(self, name: str, case: Case) -> Any:
        """Sends a case under ``name``, the class of request that figures are shown for.

        Returns:
            The reply's JSON value, or its bytes where it is not JSON; ``None`` where there was no right reply.
        """
        started = time.perf_counter()
        with self.client.request(
            case.method,
            case.path,
            name=name,
            data=case.body or None,  # type: ignore[arg-type]  # bytes are sent as they are
            headers=dict(case.headers),
            catch_response=True,
            allow_redirects=False,
        ) as response:
            if not response.status_code:
                return None
            headers = tuple((key.lower(), value) for key, value in (response.headers or {}).items())
            body = response.content or b""
            arrived = ((time.perf_counter() - started, len(body)),)
            if difference := compare(case, Reply(response.status_code, headers, body, arrived)):
                response.failure(difference)
                return None
            response.success()
            return json.loads(body) if case.media_type == "application/json" else body
