"""Swagger UI and ReDoc from files on disk: the distributions that the package ``drf-spectacular-sidecar`` carries.

Nothing of that package is imported; it is read as a folder of files.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from mimetypes import guess_type
from pathlib import Path

from apps.contract.inbound import Refused
from apps.contract.openapi import TITLE

OPENAPI_URL = "/openapi.json"
ASSETS_URL = "/docs/assets"
SCRIPT, STYLE, ICON, REDOC = "swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png", "redoc.standalone.js"

# ReDoc fetches its own logo from a CDN, whatever its options say.
_REDOC_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
_PLACES: Mapping[str, str] = {
    SCRIPT: f"swagger-ui-dist/{SCRIPT}",
    STYLE: f"swagger-ui-dist/{STYLE}",
    ICON: f"swagger-ui-dist/{ICON}",
    REDOC: f"redoc/bundles/{REDOC}",
}

SWAGGER_PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{TITLE} - Swagger UI</title>
<link rel="stylesheet" href="{ASSETS_URL}/{STYLE}">
<link rel="icon" href="{ASSETS_URL}/{ICON}">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{ASSETS_URL}/{SCRIPT}"></script>
<script>SwaggerUIBundle({{url: "{OPENAPI_URL}", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null}})</script>
</body>
</html>
"""

REDOC_PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{TITLE} - ReDoc</title>
<link rel="icon" href="{ASSETS_URL}/{ICON}">
<style>body {{ margin: 0; padding: 0 }}</style>
</head>
<body>
<redoc spec-url="{OPENAPI_URL}"></redoc>
<script src="{ASSETS_URL}/{REDOC}"></script>
</body>
</html>
"""


@cache
def asset(name: str) -> tuple[bytes, str]:
    """Content and media type of the file that a page asks for by this name; refused (404) when none does."""
    if name not in _PLACES:
        raise Refused(404)
    content = (_folder() / _PLACES[name]).read_bytes().replace(_REDOC_LOGO, f"{ASSETS_URL}/{ICON}".encode())
    return content, guess_type(name)[0] or "application/octet-stream"


@cache
def _folder() -> Path:
    spec = find_spec("drf_spectacular_sidecar")
    if spec is None or spec.origin is None:
        raise Refused(404)
    return Path(spec.origin).parent / "static" / "drf_spectacular_sidecar"
