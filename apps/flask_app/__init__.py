"""The contract in Flask."""

from apps.flask_app.app import app as app
