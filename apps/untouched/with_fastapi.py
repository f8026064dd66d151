"""FastAPI docs: "Path Parameters", "Request Body", "Response Model" (https://fastapi.tiangolo.com/tutorial/)."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Order(BaseModel):
    item: str
    quantity: int


class Total(BaseModel):
    item: str
    total: int


@app.get("/items/{item_id}")
def read_item(item_id: int):
    return {"item_id": item_id}


@app.post("/orders")
def create_order(order: Order) -> Total:
    return {"item": order.item, "total": order.quantity * 2, "price": 2}
