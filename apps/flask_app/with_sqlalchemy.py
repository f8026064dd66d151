"""The app with its products in SQLAlchemy instead of the driver."""

from __future__ import annotations

from apps.backends.sqlalchemy_products import SyncProducts
from apps.flask_app.app import app

app.extensions["products"] = SyncProducts()
