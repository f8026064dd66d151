"""Settings of the app under ASGI: the same, with the async views, and no middleware that is sync.

``CommonMiddleware`` counts as async, but ``MiddlewareMixin`` calls each of its two hooks in a thread, for which tickets
#36797 and #37177 are open (https://code.djangoproject.com). "Asynchronous support" asks for a stack without sync
middleware, and the app needs but one header of it.
"""

from __future__ import annotations

from apps.django_app.settings import *  # noqa: F403

ROOT_URLCONF = "apps.django_app.urls_async"
MIDDLEWARE = ["apps.django_app.length.ContentLength", "apps.django_app.errors.JsonErrors"]
