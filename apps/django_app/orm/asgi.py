"""The ASGI application with its products in Django's ORM instead of the driver."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

from apps.django_app.limit import limited

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "apps.django_app.orm.settings_async")
application = limited(get_asgi_application())
