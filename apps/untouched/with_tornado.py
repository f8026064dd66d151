"""Tornado docs: "Structure of a Tornado web application" (https://www.tornadoweb.org/en/stable/guide/structure.html)."""

import asyncio
import json
import sys

from tornado.web import Application, RequestHandler


class Item(RequestHandler):
    def get(self, item_id):
        self.write({"item_id": int(item_id)})


class Order(RequestHandler):
    def post(self):
        order = json.loads(self.request.body)
        self.write({"item": order["item"], "total": order["quantity"] * 2})


async def main():
    Application([(r"/items/(\d+)", Item), (r"/orders", Order)]).listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
