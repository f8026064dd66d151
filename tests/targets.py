"""The declared targets, by name."""

from __future__ import annotations

from harness.config import load_declarations

ALL = {target.name: target for target in load_declarations().targets}
REFERENCES = [name for name, target in ALL.items() if target.reference]
"""One of each framework, Django's under WSGI and under ASGI."""
