"""The app with its products in SQLAlchemy instead of the driver."""

from __future__ import annotations

from apps.backends.sqlalchemy_products import AsyncProducts
from apps.fastapi_app.variant import create_app

app = create_app()
app.state.products = AsyncProducts()
