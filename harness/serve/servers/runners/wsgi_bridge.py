"""A WSGI application as an ASGI one: ``BRIDGE`` names the bridge, ``BRIDGE_APPLICATION`` the app as an import string.

Imported by the server that serves it; it imports the bridge and the app, nothing of this package.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextvars import Context
from pkgutil import resolve_name


def _bridged(app: object) -> object:
    if os.environ["BRIDGE"] == "asgiref":
        from asgiref.wsgi import WsgiToAsgi

        return _in_own_contexts(WsgiToAsgi(app))
    from a2wsgi import WSGIMiddleware

    return WSGIMiddleware(app, workers=int(os.environ["BRIDGE_THREADS"]))


def _in_own_contexts(bridge: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Every request in a context of its own.

    Uvicorn starts a request that came before the end of the last reply in that reply's context, where asgiref finds the
    executor of a call that is over and answers 500.
    """

    async def application(scope: object, receive: object, send: object) -> None:
        async def call() -> None:
            await bridge(scope, receive, send)

        await asyncio.get_running_loop().create_task(call(), context=Context())

    return application


sys.path.insert(0, os.getcwd())
app = _bridged(resolve_name(os.environ["BRIDGE_APPLICATION"]))
