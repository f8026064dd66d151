"""A verdict as the comment of a pull request: Markdown that begins with a marker, by which the next one replaces it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.model import Manifest
from harness.report.markdown import escape


def comment_of(manifest: Manifest, lines: Sequence[str]) -> str:
    """The marker, the verdict and what supports it, and the command.

    Args:
        lines: what ``harness versus`` prints, the verdict first.
    """
    # Of several, the last is all requests together.
    point, target = manifest.plan.points[-1], manifest.targets[0]
    # Two hyphens end a comment of HTML.
    marker = re.sub(r"-{2,}|\s+", " ", f"harness versus {target.application}@{target.server} {point.id}")
    verdict, *rest = lines
    said = [f"<!-- {marker} -->", f"### {escape(manifest.name)}", "", f"**{escape(verdict)}**", ""]
    tables = rest.index("") if "" in rest else len(rest)
    said += [f"- {escape(line)}" for line in rest[:tables]]
    return "\n".join([*said, "", "```", manifest.command, *rest[tables:], "```", ""])
