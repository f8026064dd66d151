"""The table of products, which the harness makes."""

from __future__ import annotations

from django.db import models
from django.db.models.expressions import RawSQL


class Product(models.Model):
    id = models.AutoField(primary_key=True)
    # Set by the database where a request has none; Django reads it back when it inserts.
    sku = models.TextField(unique=True, db_default=RawSQL("DEFAULT", ()))
    name = models.TextField()
    price_cents = models.IntegerField()
    stock = models.IntegerField()

    class Meta:
        app_label = "orm"
        db_table = "harness_products"
        managed = False
