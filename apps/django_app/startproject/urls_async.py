"""The paths of the async views."""

from __future__ import annotations

from apps.django_app import views_async
from apps.django_app.startproject import exempt
from apps.django_app.urls_async import handler400, handler404, handler500, urlpatterns as plain

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]

urlpatterns = exempt(views_async, plain)
