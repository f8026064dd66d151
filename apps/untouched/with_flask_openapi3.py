"""flask-openapi3 docs: "Quickstart", "Request", "Response" (https://luolingchun.github.io/flask-openapi3/)."""

from flask_openapi3 import OpenAPI
from pydantic import BaseModel

app = OpenAPI(__name__)


class ItemPath(BaseModel):
    item_id: int


class Order(BaseModel):
    item: str
    quantity: int


class Total(BaseModel):
    item: str
    total: int


@app.get("/items/<int:item_id>")
def read_item(path: ItemPath):
    return {"item_id": path.item_id}


@app.post("/orders", responses={200: Total})
def create_order(body: Order):
    return {"item": body.item, "total": body.quantity * 2, "price": 2}
