"""``harness schema``."""

from __future__ import annotations

from typing import Annotated

from harness.cli.options import argument
from harness.cli.output import print_lines, print_text
from harness.errors import one_of


def schema(
    name: Annotated[str, argument("[NAME]", "One of the documents. Default: list all.")] = "",
) -> None:
    """Print the JSON Schema of a file or of what a command prints as JSON."""
    from harness.report.schemas import DOCUMENTS, text_of

    if name:
        print_text(text_of(one_of("the document", name, DOCUMENTS)))
    else:
        print_lines(f"{each:<10} {what}" for each, (_, what) in DOCUMENTS.items())
