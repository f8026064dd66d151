"""The ASGI application: async views, and WebSocket through Channels, since Django itself speaks HTTP only."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "apps.django_app.settings_async")
http = get_asgi_application()

# Channels reads the settings when it is imported.
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from apps.django_app.consumers import Echo  # noqa: E402

websocket = URLRouter([path("ws/echo", Echo.as_asgi())])
application = ProtocolTypeRouter({"http": http, "websocket": websocket})
