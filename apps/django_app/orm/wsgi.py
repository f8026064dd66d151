"""The WSGI application with its products in Django's ORM instead of the driver."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "apps.django_app.orm.settings_sync")
application = get_wsgi_application()
