"""``results/selftest.json``: what the last selftest found, so that later reports can say so."""

from __future__ import annotations

import json
from collections.abc import Mapping

from harness.commands.select import RESULTS
from harness.errors import RecordError

FILE = "selftest.json"


def keep(document: Mapping[str, object]) -> None:
    """Raises ``RecordError`` where the folder cannot be written."""
    try:
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / FILE).write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise RecordError(f"{RESULTS / FILE} cannot be written: {error.strerror}") from None


def selftest_facts() -> dict[str, str]:
    """What the machine can resolve, as a line of a run's environment; empty without a selftest in this folder."""
    try:
        document = json.loads((RESULTS / FILE).read_text("utf-8"))
        sentence = f"{document['resolution']['sentence']} (selftest of {document['made_at'][:10]})"
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {"resolves, in CPU cost": sentence}
