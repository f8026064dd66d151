"""Paths in the contract's order; a text and a page are plain Django."""

from __future__ import annotations

from django.urls import path

from apps.django_app.documentation import document
from apps.django_app.views import page, plaintext
from apps.django_rest_app import views

urlpatterns = [
    path("openapi.json", document),
    path("health", views.health),
    path("plaintext", plaintext),
    path("json", views.greeting),
    path("items/<str:item_id>", views.item),
    path("cpu", views.cpu),
    path("rows", views.rows),
    path("rows/raw", views.rows_raw),
    path("page", page),
    path("orders/raw", views.order_raw),
    path("orders/validated", views.order_validated),
    path("orders/full", views.order_full),
]
