"""JSON Schemas of the files of a run and of what commands print, made from the types themselves."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

from pydantic import TypeAdapter

from harness import model
from harness.model import Abilities, Manifest, WindowRecord, load
from harness.model.load import LoadResult
from harness.report import profile, versus
from harness.report.profile import ProfileDocument
from harness.report.versus import VersusDocument
from harness.results import check, compare, gate, profile as costs, summary
from harness.results.check import CheckDocument
from harness.results.compare import Comparison
from harness.results.summary import Summary
from harness.studies import groups, registry

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
DOCUMENTS: dict[str, tuple[type, str]] = {
    "manifest": (Manifest, "manifest.json of a run"),
    "window": (WindowRecord, "a line of windows.jsonl"),
    "features": (Abilities, "features.json of a run"),
    "summary": (Summary, "summary.json, and harness run --json"),
    "load": (LoadResult, "harness load --json"),
    "versus": (VersusDocument, "harness versus --json"),
    "profile": (ProfileDocument, "harness profile --json"),
    "compare": (Comparison, "harness compare --json"),
    "check": (CheckDocument, "harness check --json"),
}
MODULES = (
    model, summary, groups, registry, compare, check, gate, load, versus, profile, costs,
)  # fmt: skip
"""Modules whose types stand in the documents, and describe them."""
_ENTRY = re.compile(r"^    (?:    )?(?P<names>[a-z_0-9]+(?:, [a-z_0-9]+)*): (?P<text>.+)$")


def text_of(name: str) -> str:
    return json.dumps(schema_of(name), indent=1, ensure_ascii=False) + "\n"


def schema_of(name: str) -> Schema:
    """The schema of a document: every key that is always there is required, and described where its type says more."""
    kind, what = DOCUMENTS[name]
    schema = TypeAdapter(kind).json_schema(mode="serialization")
    stated = schema["properties"]["schema"]
    version = stated.get("default", stated.get("const", 1))
    described = {name: each for module in MODULES for name, each in vars(module).items() if isinstance(each, type)}
    for key, part in [(kind.__name__, schema), *schema.get("$defs", {}).items()]:
        if key in described:
            _describe(part, described[key])
    schema["properties"]["schema"] = {"const": version, "description": "Version of this form."}
    return {"$schema": DRAFT, "title": f"{name}: {what}", **{k: v for k, v in schema.items() if k != "title"}}


def _describe(part: Schema, kind: type) -> None:
    first, attributes = _documented(kind)
    part.pop("description", None)
    if first:
        part["description"] = first
    properties = part.get("properties", {})
    for name, text in attributes.items():
        if name in properties:
            properties[name]["description"] = text
    for each in properties.values():
        each.pop("title", None)
        each.pop("default", None)
    part["required"] = [name for name in properties if name not in getattr(kind, "__optional_keys__", ())]


def _documented(kind: type) -> tuple[str, dict[str, str]]:
    """The first paragraph of a docstring, and its ``Attributes``."""
    text = inspect.getdoc(kind) or ""
    if text.startswith(f"{kind.__name__}("):
        return "", {}
    head, _, tail = text.partition("Attributes:\n")
    texts: dict[str, str] = {}
    names: list[str] = []
    for line in tail.splitlines():
        entry = _ENTRY.match(line)
        if entry and not line.startswith("        "):
            names = entry["names"].split(", ")
            texts |= dict.fromkeys(names, entry["text"])
        else:
            for name in names:
                texts[name] = f"{texts[name]} {line.strip()}".strip()
    plain = {name: each.replace("``", "`") for name, each in texts.items()}
    return " ".join(head.split("\n\n")[0].split()).replace("``", "`"), plain
