"""Paths of the async views, in the contract's order."""

from __future__ import annotations

from django.urls import path

from apps.django_app import documentation, views_async as views

urlpatterns = [
    path("openapi.json", documentation.document),
    path("health", views.health),
    path("plaintext", views.plaintext),
    path("json", views.greeting),
    path("items/<str:item_id>", views.item),
    path("cpu", views.cpu),
    path("rows", views.rows),
    path("rows/raw", views.rows_raw),
    path("page", views.page),
    path("orders/raw", views.order_raw),
    path("orders/validated", views.order_validated),
    path("orders/full", views.order_full),
    path("orders/injected", views.order_injected),
    path("io/sleep", views.sleep),
    path("io/blocking", views.block),
    path("io/upstream", views.call_upstream),
    path("io/db", views.sleep_in_database),
    path("io/file", views.read_file),
    path("products/<str:product_id>", views.product),
    path("products", views.products),
    path("auth/token", views.token),
    path("users/me", views.me),
    path("upload", views.upload),
    path("download", views.download),
    path("stream/events", views.events),
    path("docs", documentation.docs),
    path("redoc", documentation.redoc),
    path("docs/assets/<str:name>", documentation.asset),
]

handler400 = "apps.django_app.errors.bad_request"
handler404 = "apps.django_app.errors.not_found"
handler500 = "apps.django_app.errors.server_error"
