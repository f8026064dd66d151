"""The sync views under ASGI: Django runs each request's view in a thread."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "apps.django_app.settings")

from apps.django_app.limit import limited

application = limited(get_asgi_application())
