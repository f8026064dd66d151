"""Settings of the app under ASGI with its products in Django's ORM instead of the driver."""

from __future__ import annotations

from apps.django_app.orm.database import databases
from apps.django_app.settings_async import *  # noqa: F403
from apps.django_app.settings_async import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "apps.django_app.orm"]
DATABASES = databases()
ROOT_URLCONF = "apps.django_app.orm.urls_async"
