"""Files of variables, as ``docker run --env-file`` and dotenv read them."""

from __future__ import annotations

import re
from pathlib import Path

from harness.errors import UsageError

_LINE = re.compile(r"""(?:export\s+)?([A-Za-z_]\w*)\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*'|.*?)\s*(?:\s#.*)?""")


def read_env_file(file: Path) -> dict[str, str]:
    """Variables of a file of lines ``NAME=value``; values may be quoted, and nothing in them is replaced.

    Raises:
        UsageError: the file cannot be read, or a line is something else.
    """
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from None
    variables = {}
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if not match:
            raise UsageError(f"{file}:{number}: {line.partition('=')[0]!r} is not NAME=value", hint="write NAME=value")
        name, value = match.groups()
        if value[:1] == '"' and value[-1:] == '"' and len(value) > 1:
            value = re.sub(r"\\(.)", lambda escape: {"n": "\n", "t": "\t"}.get(escape[1], escape[1]), value[1:-1])
        elif value[:1] == "'" and value[-1:] == "'" and len(value) > 1:
            value = value[1:-1]
        variables[name] = value
    return variables
