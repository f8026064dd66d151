"""The command line within this process, which has imported already what a new one would import for seconds."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass

from harness.cli import main


@dataclass(frozen=True)
class Done:
    """What a command ended with."""

    code: int
    out: str
    err: str


def harness(*words: str) -> Done:
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    return Done(code, out.buffer.getvalue().decode(), err.getvalue())
