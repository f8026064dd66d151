"""Paths of the async views."""

from __future__ import annotations

from django.urls import path

from apps.django_app import views_async as views

urlpatterns = [
    path("health", views.health),
    path("plaintext", views.plaintext),
    path("json", views.greeting),
    path("items/<str:item_id>", views.item),
    path("cpu", views.cpu),
    path("orders/raw", views.order_raw),
    path("orders/validated", views.order_validated),
    path("orders/full", views.order_full),
    path("io/sleep", views.sleep),
    path("io/blocking", views.block),
]

handler400 = "apps.django_app.errors.bad_request"
handler404 = "apps.django_app.errors.not_found"
handler500 = "apps.django_app.errors.server_error"
