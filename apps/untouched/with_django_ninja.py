"""django-ninja docs: "First Steps", "Request Body", "Response Schema" (https://django-ninja.dev/tutorial/)."""

import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="none")

from ninja import NinjaAPI, Schema  # noqa: E402

api = NinjaAPI()


class Order(Schema):
    item: str
    quantity: int


class Total(Schema):
    item: str
    total: int


@api.get("/items/{item_id}")
def read_item(request, item_id: int):
    return {"item_id": item_id}


@api.post("/orders", response=Total)
def create_order(request, order: Order):
    return {"item": order.item, "total": order.quantity * 2, "price": 2}


urlpatterns = [path("", api.urls)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
