"""A customer signs in, looks around, orders, sometimes wrongly, and reads back.

By itself, against whatever serves the contract:

    harness serve fastapi-uvicorn &
    locust -f scenarios/journey.py --headless -u 16 -r 8 -t 30s -H http://127.0.0.1:8000

The products need PostgreSQL: HARNESS_DATABASE_URL, as `harness serve` takes it.
"""

import random
from dataclasses import replace

from locust import between, task

from apps.contract.endpoints import ENDPOINTS
from harness.journeys.user import ContractUser

USERS = 16
REQUESTS = {
    "sign in": ("auth-token", "valid"),
    "who am I": ("users-me", "valid"),
    "list products": ("products", "valid"),
    "read product": ("product", "valid"),
    "order": ("orders-full", "M"),
    "faulty order": ("orders-full", "M-bad-quantity"),
    "offer product": ("product-insert", "valid"),
    "faulty offer": ("product-insert", "price-negative"),
    "read it back": ("product", "valid"),
}
CASES = {name: ENDPOINTS[endpoint].case(case) for name, (endpoint, case) in REQUESTS.items()}
PAGES = [ENDPOINTS["products"].case("", limit=20, offset=20 * page) for page in range(5)]
PRODUCTS = [ENDPOINTS["product"].case("", product_id=number) for number in range(1, 101)]


class Customer(ContractUser):
    wait_time = between(0.05, 0.25)
    token = None

    @task
    def visit(self):
        if self.token is None or random.random() < 0.25:
            self.token = self.ask("sign in", CASES["sign in"])
            if self.token is None:
                return
        bearer = (("authorization", f"Bearer {self.token['access_token']}"),)
        self.ask("who am I", replace(CASES["who am I"], headers=bearer))
        for _ in range(2):
            self.ask("list products", random.choice(PAGES))
            self.wait()
            for case in random.sample(PRODUCTS, 3):
                self.ask("read product", case)
                self.wait()
        if random.random() < 0.25:
            self.ask("faulty order", CASES["faulty order"])
            self.wait()
        self.ask("order", CASES["order"])
        self.wait()
        if random.random() < 0.25:
            self.ask("faulty offer", CASES["faulty offer"])
        row = self.ask("offer product", CASES["offer product"])
        if row is not None:
            path = f"/products/{row['id']}"
            self.ask("read it back", replace(CASES["read it back"], path=path, json=row))
