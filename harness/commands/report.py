"""``harness report``."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from harness.commands.finish import finish
from harness.commands.select import RESULTS
from harness.errors import RecordError
from harness.record import Run, find_run
from harness.render.language.catalogue import language


def run(name: str, output: Path | None, open_it: bool, code: str = "en") -> int:
    chosen = language(code)
    opened = Run.open(find_run(name, RESULTS))
    if not opened.slots():
        raise RecordError(f"{opened.folder} has no measured slot yet", hint=f"harness run --resume {opened.folder}")
    path = finish(opened, output, language=chosen)
    if open_it:
        webbrowser.open(path.absolute().as_uri())
    return 0
