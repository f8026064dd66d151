"""A WSGI application as an ASGI one: ``BRIDGE`` names the bridge, ``BRIDGE_APPLICATION`` the app as an import string.

Imported by the server that serves it; it imports the bridge and the app, nothing of this package.
"""

import os
import sys
from importlib import import_module


def _application() -> object:
    sys.path.insert(0, os.getcwd())
    module, _, attribute = os.environ["BRIDGE_APPLICATION"].partition(":")
    app = import_module(module)
    for name in attribute.split("."):
        app = getattr(app, name)
    return app


def _bridged(app: object) -> object:
    if os.environ["BRIDGE"] == "asgiref":
        from asgiref.wsgi import WsgiToAsgi

        return WsgiToAsgi(app)
    from a2wsgi import WSGIMiddleware

    return WSGIMiddleware(app, workers=int(os.environ["BRIDGE_THREADS"]))


app = _bridged(_application())
