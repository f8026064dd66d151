"""Where in a TOML text a key stands: the standard parser tells values, not their lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")


def line_of(text: str, location: Sequence[int | str]) -> int | None:
    """The line (from 1) of the key at ``location`` as pydantic gives it, or of its table, or ``None``.

    ``("target", 2, "workers")`` is the key ``workers`` of the third ``[[target]]``.
    """
    names = [step for step in location if isinstance(step, str)]
    if not names:
        return None
    index = next((step for step in location if isinstance(step, int)), None)
    table: str | None = None
    seen: dict[str, int] = {}
    header_line: int | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            table = header[2]
            seen[table] = seen.get(table, -1) + 1
            if table == names[0] and index in (None, seen[table]):
                header_line = number
            continue
        inside = table is None or (table == names[0] and index in (None, seen[table]))
        wanted = names[0] if table is None else (names[1] if len(names) > 1 else None)
        if inside and wanted and re.match(rf"\s*[\"']?{re.escape(wanted)}[\"']?\s*[=.]", line):
            return number
    return header_line
