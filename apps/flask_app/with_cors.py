"""The app with Flask-CORS, which admits one other origin.

After Flask-CORS's documentation: Configuration, https://flask-cors.readthedocs.io/.
"""

from __future__ import annotations

from flask import Response
from flask_cors import CORS

from apps.contract.settings import ALLOWED_ORIGIN, CORS_HEADERS, CORS_METHODS
from apps.flask_app.app import app

CORS(app, origins=ALLOWED_ORIGIN, methods=CORS_METHODS, allow_headers=CORS_HEADERS, always_send=False)


@app.after_request
def vary_by_origin(response: Response) -> Response:
    """What a cache must know; Flask-CORS says so only where it admits several origins."""
    response.headers["Vary"] = "Origin"
    return response
