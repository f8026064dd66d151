"""The app with ``async def`` views where they wait: Flask runs each in an event loop of its own, within its thread.

After Flask's documentation: Using async and await, https://flask.palletsprojects.com/.
"""

from __future__ import annotations

from typing import Any

from flask import request

from apps.backends import awaiting
from apps.contract import domain
from apps.contract.models import WaitQuery
from apps.flask_app.app import app


async def greeting() -> dict[str, Any]:
    return domain.greeting()


async def sleep() -> dict[str, Any]:
    query = WaitQuery.model_validate(request.args.to_dict())
    await awaiting.wait(query.ms)
    return domain.waited(query.ms)


app.view_functions.update(greeting=greeting, sleep=sleep)
