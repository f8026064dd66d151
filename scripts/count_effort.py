"""What each app needed for each feature, as JSON on stdout: lines of its own code, and packages beyond its framework.

Lines are those that hold code: no blank lines, comments or docstrings. What all apps share (``apps/contract`` and
``apps/backends``) is counted apart, since a real app would have to write it too, whatever its framework; what the
contract does in place of a framework without documentation is counted with that feature.
"""

from __future__ import annotations

import ast
import io
import json
import sys
import tokenize
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path

APPS = Path(__file__).parents[1] / "apps"

# App → feature → files.
FILES = {
    "fastapi": {
        "application": ["__init__.py", "resources.py"],
        "routes": ["basics.py", "waits.py", "io.py"],
        "validation": ["orders.py", "products.py", "body.py"],
        "errors": ["errors.py"],
        "security": ["users.py"],
        "files and streams": ["upload.py", "streams.py"],
        "documentation": ["documents.py"],
        "sqlalchemy": ["with_sqlalchemy.py"],
        "tortoise": ["with_tortoise.py"],
    },
    "starlette": {
        "application": ["__init__.py", "resources.py"],
        "routes": ["basics.py", "waits.py", "io.py"],
        "validation": ["orders.py", "products.py", "forms.py"],
        "errors": ["errors.py"],
        "security": ["users.py"],
        "files and streams": ["upload.py", "streams.py"],
        "documentation": ["documents.py"],
    },
    "flask": {
        "application": ["__init__.py", "resources.py"],
        "routes": ["basics.py", "waits.py", "io.py"],
        "validation": ["orders.py", "products.py", "forms.py"],
        "errors": ["errors.py"],
        "security": ["users.py"],
        "files and streams": ["upload.py", "streams.py"],
        "documentation": ["documents.py"],
        "sqlalchemy": ["with_sqlalchemy.py"],
    },
    "django-wsgi": {
        "application": ["wsgi.py", "settings.py", "resources_sync.py", "store.py", "urls_sync.py"],
        "routes": ["views_sync.py"],
        "validation": ["body.py"],
        "errors": ["errors.py"],
        "services, products and security": ["views_data_sync.py"],
        "files, streams and documentation": ["views_streams_sync.py"],
        "orm": ["orm/models.py", "orm/store.py", "orm/database.py", "orm/settings_sync.py", "orm/wsgi.py"],
    },
    "django-asgi": {
        "application": [
            "asgi.py",
            "settings.py",
            "settings_async.py",
            "resources_async.py",
            "store.py",
            "urls_async.py",
        ],
        "routes": ["views_async.py"],
        "validation": ["body.py", "limit.py"],
        "errors": ["errors.py"],
        "services, products and security": ["views_data_async.py"],
        "files, streams and documentation": ["views_streams_async.py"],
        "websocket": ["consumers.py"],
        "orm": ["orm/models.py", "orm/store.py", "orm/database.py", "orm/settings_async.py", "orm/asgi.py"],
    },
    "tornado": {
        "application": ["__init__.py", "resources.py"],
        "routes": ["basics.py", "waits.py", "io.py"],
        "validation": ["orders.py", "products.py"],
        "errors, CORS and body limits": ["base.py"],
        "security": ["users.py"],
        "files and streams": ["upload.py", "streams.py"],
        "documentation": ["documents.py"],
    },
}
# App → feature → distributions that neither the framework nor the contract brings.
PACKAGES = {
    "fastapi": {
        "forms": ["python-multipart"],
        "documentation without a CDN": ["drf-spectacular-sidecar"],
        "security": ["argon2-cffi", "pyjwt"],
        "websocket": ["wsproto"],
        "database": ["asyncpg"],
        "upstream": ["aiohttp"],
    },
    "starlette": {
        "forms": ["python-multipart"],
        "validation": ["pydantic"],
        "documentation": ["drf-spectacular-sidecar"],
        "security": ["argon2-cffi", "pyjwt"],
        "websocket": ["wsproto"],
        "database": ["asyncpg"],
        "upstream": ["aiohttp"],
    },
    "flask": {
        "cors": ["flask-cors"],
        "validation": ["pydantic"],
        "documentation": ["drf-spectacular-sidecar"],
        "security": ["argon2-cffi", "pyjwt"],
        "database": ["psycopg", "psycopg-pool"],
        "upstream": ["urllib3"],
    },
    "django-wsgi": {
        "cors": ["django-cors-headers"],
        "validation": ["pydantic"],
        "documentation": ["drf-spectacular-sidecar"],
        "security": ["argon2-cffi", "pyjwt"],
        "database": ["psycopg", "psycopg-pool"],
        "upstream": ["urllib3"],
    },
    "django-asgi": {
        "cors": ["django-cors-headers"],
        "validation": ["pydantic"],
        "documentation": ["drf-spectacular-sidecar"],
        "security": ["argon2-cffi", "pyjwt"],
        "websocket": ["channels", "wsproto"],
        "database": ["asyncpg"],
        "upstream": ["aiohttp"],
    },
    "tornado": {
        "validation": ["pydantic"],
        "documentation": ["drf-spectacular-sidecar"],
        "security": ["argon2-cffi", "pyjwt"],
        "database": ["asyncpg"],
        "upstream": ["aiohttp"],
    },
}
FOLDERS = {"django-wsgi": "django_app", "django-asgi": "django_app"}
# What the contract does for frameworks that have no OpenAPI of their own.
MADE = ["contract/operations.py", "contract/openapi.py", "contract/pages.py"]
# What reads input for frameworks that do not validate by themselves: functions of ``contract/inbound.py``.
READ = {"read_body", "read_query", "read_path", "read_form", "read_item", "faults", "_query_values", "_query_fields"}


def code_lines(path: Path, functions: Collection[str] = ()) -> int:
    """Lines that hold code; only those of some functions, where any are named."""
    source = path.read_text("utf-8")
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in silent:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            first = node.body[0]
            lines.difference_update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    if functions:
        within: set[int] = set()
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef) and node.name in functions:
                within.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        lines &= within
    return len(lines)


def effort() -> dict[str, object]:
    """The figures of every app."""
    apps = {}
    for app, features in FILES.items():
        folder = APPS / FOLDERS.get(app, f"{app}_app")
        lines = {feature: sum(code_lines(folder / name) for name in names) for feature, names in features.items()}
        if app != "fastapi":
            lines["OpenAPI, in the contract"] = sum(code_lines(APPS / name) for name in MADE)
            lines["reading input, in the contract"] = code_lines(APPS / "contract" / "inbound.py", READ)
        packages = {feature: {name: version(name) for name in names} for feature, names in PACKAGES[app].items()}
        apps[app] = {"lines": lines, "lines_total": sum(lines.values()), "packages": packages}
    shared = sum(code_lines(path) for path in (APPS / "backends").glob("*.py"))
    return {"schema": 1, "apps": apps, "backends_lines": shared}


if __name__ == "__main__":
    json.dump(effort(), sys.stdout, indent=1)
    sys.stdout.write("\n")
