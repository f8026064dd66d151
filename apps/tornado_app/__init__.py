"""The contract in Tornado."""

from apps.tornado_app.app import app as app
