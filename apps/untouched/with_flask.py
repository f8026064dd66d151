"""Flask docs: "Quickstart" (https://flask.palletsprojects.com/en/stable/quickstart/)."""

from flask import Flask, request

app = Flask(__name__)


@app.get("/items/<int:item_id>")
def item(item_id):
    return {"item_id": item_id}


@app.post("/orders")
def order():
    order = request.get_json()
    return {"item": order["item"], "total": order["quantity"] * 2}
