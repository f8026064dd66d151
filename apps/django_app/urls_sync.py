"""Paths of the sync views."""

from __future__ import annotations

from django.urls import path

from apps.django_app import views_data_sync as data
from apps.django_app import views_streams_sync as streams
from apps.django_app import views_sync as views

urlpatterns = [
    path("health", views.health),
    path("plaintext", views.plaintext),
    path("json", views.greeting),
    path("items/<str:item_id>", views.item),
    path("cpu", views.cpu),
    path("orders/raw", views.order_raw),
    path("orders/validated", views.order_validated),
    path("orders/full", views.order_full),
    path("orders/injected", views.order_injected),
    path("io/sleep", views.sleep),
    path("io/blocking", views.sleep),
    path("io/upstream", data.call_upstream),
    path("io/db", data.sleep_in_database),
    path("io/file", data.read_file),
    path("products/<str:product_id>", data.product),
    path("products", data.products),
    path("auth/token", data.token),
    path("users/me", data.me),
    path("upload", data.upload),
    path("download", streams.download),
    path("stream/events", streams.events),
    path("openapi.json", streams.document),
    path("docs", streams.docs),
    path("redoc", streams.redoc),
    path("docs/assets/<str:name>", streams.asset),
]

handler400 = "apps.django_app.errors.bad_request"
handler404 = "apps.django_app.errors.not_found"
handler500 = "apps.django_app.errors.server_error"
