"""The paths of the sync views, with products from the ORM."""

from __future__ import annotations

from django.urls import path

from apps.django_app.orm.store import sync_products
from apps.django_app.urls import handler400, handler404, handler500, urlpatterns as plain
from apps.django_app.views import product, products

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path(str(one.pattern), one.callback, {"store": sync_products}) if one.callback in (product, products) else one
    for one in plain
]
