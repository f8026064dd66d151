"""The contract's models as serializers."""

from __future__ import annotations

from functools import partial

from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    IntegerField,
    ListField,
    RegexField,
    Serializer,
)

from apps.contract.models import Currency

Text = partial(CharField, trim_whitespace=False)
Cents = partial(IntegerField, min_value=0, max_value=100_000_000)
Tag = partial(Text, min_length=1, max_length=32)


class ItemPath(Serializer):
    item_id = IntegerField(min_value=1, max_value=2_147_483_647)


class ItemQuery(Serializer):
    q = Text(max_length=50, allow_blank=True, default=None)
    limit = IntegerField(min_value=1, max_value=100, default=10)
    tags = ListField(child=Tag(), default=list)


class CpuQuery(Serializer):
    units = IntegerField(min_value=1, max_value=1_000)


class RowsQuery(Serializer):
    n = IntegerField(min_value=1, max_value=1_000)


class Row(Serializer):
    id = IntegerField()
    sku = Text()
    name = Text()
    description = Text()
    price_cents = Cents()
    in_stock = BooleanField()
    tags = ListField(child=Text())
    updated_at = DateTimeField()


class Rows(Serializer):
    rows = Row(many=True)


class Customer(Serializer):
    name = Text(min_length=1, max_length=80)
    email = RegexField(r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", max_length=120, trim_whitespace=False)
    country = RegexField(r"^[A-Z]{2}$", trim_whitespace=False)


class Line(Serializer):
    sku = RegexField(r"^[A-Z]{3}-[0-9]{4}$", trim_whitespace=False)
    quantity = IntegerField(min_value=1, max_value=999)
    unit_price_cents = Cents()
    discount_percent = IntegerField(min_value=0, max_value=100, allow_null=True, default=None)
    tags = ListField(child=Tag(), max_length=8, default=list)


class Order(Serializer):
    customer = Customer()
    currency = ChoiceField([currency.value for currency in Currency])
    created_at = DateTimeField()
    note = Text(max_length=500, allow_blank=True, allow_null=True, default=None)
    lines = Line(many=True, min_length=1, max_length=500)


class PricedLine(Line):
    gross_cents = IntegerField(min_value=0)
    discount_cents = IntegerField(min_value=0)
    total_cents = IntegerField(min_value=0)


class Totals(Serializer):
    lines = IntegerField(min_value=1)
    quantity = IntegerField(min_value=1)
    gross_cents = IntegerField(min_value=0)
    discount_cents = IntegerField(min_value=0)
    total_cents = IntegerField(min_value=0)


class FullOrder(Order):
    reference = RegexField(r"^[A-Z]{3}-[0-9]+-[0-9]+$")
    lines = PricedLine(many=True, min_length=1)
    totals = Totals()
