"""One TOML file, read and validated; errors name file, line and key."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from harness.config.files import CONCURRENCY, IN_WORDS, ScenarioFile, TargetIn, TargetsFile
from harness.config.requests import read_har
from harness.errors import DeclarationError, nearest
from harness.model import Interface, Scenario, Target
from harness.project import TABLE, line_of, project_table, read_text, read_toml

Model = TypeVar("Model", bound=BaseModel)
FILL = "fill"
SCENARIOS = "scenarios"
EXPECTED = "Input should be "
"""How Pydantic's sentences begin."""
JSON = (".json", ".har")


def project_scenarios(folder: Path) -> dict[str, Source]:
    """Those of ``[tool.harness.scenarios]``, each with what a scenario file says.

    Raises:
        DeclarationError: with file, line and key.
    """
    file, text, table = project_table(folder)
    named = table.get(SCENARIOS, {})
    source = Source(Path(file), text, table)
    if not isinstance(named, dict) or not all(isinstance(each, dict) for each in named.values()):
        raise source.fault(
            "must hold a table for each scenario", (*TABLE, SCENARIOS), f"[tool.harness.{SCENARIOS}.NAME]"
        )
    return {name: Source(source.file, text, document, at=(*TABLE, SCENARIOS, name)) for name, document in named.items()}


def read_requests(file: Path) -> tuple[Scenario, dict[str, int]]:
    """The requests of a scenario file, in TOML or JSON, or of a browser's export (HAR), and the skipped ones by reason.

    Raises:
        DeclarationError: with file, line and key.
    """
    source = read(file)
    if "log" not in source.document:
        declared = source.validated(ScenarioFile)
        if not declared.own:
            raise source.fault("requests to an own app need a 'path'", ("request", 0))
        return declared.model(file.stem), {}
    try:
        host, requests, skipped = read_har(source.document)
    except ValueError as error:
        raise source.fault(str(error), ()) from None
    title = f"{host}, as recorded in {file.name}"
    return Scenario(file.stem, title, "pick", "", requests, (CONCURRENCY,)), skipped


def read_targets(file: Path, known: TargetsFile | None = None) -> tuple[dict[str, Target], TargetsFile, Source]:
    """The targets by name, and what the file says; its apps may run under the servers of ``known`` as well.

    Raises:
        DeclarationError: with file, line and key.
    """
    source = read(file)
    _fill(source)
    declared = source.validated(TargetsFile)
    groups = {*get_args(Interface), *(app.framework or app.name for app in declared.app)}
    for name in declared.lacks:
        if name not in groups:
            raise source.fault("neither an interface nor the framework of an app", ("lacks", name))
    if known:
        servers, lacks = {**known.servers, **declared.servers}, {**known.lacks, **declared.lacks}
        declared = declared.model_copy(update={"servers": servers, "lacks": lacks})
    targets: dict[str, Target] = {}

    def add(entry: TargetIn, *location: str | int) -> None:
        if entry.name in targets:
            raise source.fault(f"{entry.name!r} is declared twice", location)
        targets[entry.name] = entry.model()

    for index, app in enumerate(declared.app):
        for key, names in (("servers", app.servers), ("variants", app.variants)):
            for name in names:
                if name not in declared.servers:
                    hint = nearest(name, declared.servers) or "declare it in [servers]"
                    raise source.fault(f"no server is called {name!r}", ("app", index, key), hint)
                add(app.target(name, declared.servers[name], declared.lacks), "app", index, "name")
    for index, entry in enumerate(declared.target):
        add(entry, "target", index, "name")
    names = [ladder.name for ladder in declared.ladder]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise source.fault(f"{name!r} is declared twice", ("ladder", index, "name"))
    return targets, declared, source


@dataclass(frozen=True, slots=True)
class Source:
    """A document and the text that it was read from; ``fault`` says where in the text something is wrong.

    Attributes:
        origins: array → of each of its entries, the number in the text, which differs where entries were filled in.
        at: where the document is in the text, if it is a part of it.
    """

    file: Path
    text: str
    document: dict[str, Any]
    origins: dict[str, list[int]] = field(default_factory=dict)
    at: tuple[str, ...] = ()

    def validated(self, model: type[Model]) -> Model:
        try:
            return model.model_validate(self.document)
        except ValidationError as error:
            first, *others = error.errors()
            place = self._place(first["loc"])
            if first["type"] == "extra_forbidden":
                known = sorted(_keys_at(model, place[:-1]))
                hint = nearest(str(place[-1]), known)
                raise self.fault(f"unknown key; expected one of {', '.join(known)}", place, hint) from None
            # The members of a union have a fault each, at the same place.
            messages = [each["msg"] for each in (first, *others) if self._place(each["loc"]) == place]
            message = " or ".join(dict.fromkeys(messages)).replace(EXPECTED, "")
            if first["type"] == "string_pattern_mismatch":
                message = f"expected {IN_WORDS[first['ctx']['pattern']]}"
            if first["type"] == "value_error":
                message = str(first["ctx"]["error"])
                # A fault of a whole table begins with the key that it is about.
                key = re.match(r"'(\w+)'", message)
                raise self.fault(message, (*place, key[1]) if key else place) from None
            if first["type"] == "missing":
                raise self.fault("is missing", place) from None
            value = first.get("input")
            shown = "" if isinstance(value, dict | list) else f", not {value!r}"
            hint = nearest(value, re.findall(r"'([^']+)'", message)) if isinstance(value, str) else ""
            raise self.fault(f"{'expected ' * messages[0].startswith(EXPECTED)}{message}{shown}", place, hint) from None

    def _place(self, location: Sequence[int | str]) -> tuple[int | str, ...]:
        """Where a fault is, without the members of unions that Pydantic names between the keys."""
        here: Any = self.document
        place: list[int | str] = []
        for step in location:
            keys: Any = range(len(here)) if isinstance(here, list) else here if isinstance(here, dict) else ()
            if step in keys:
                here = here[step]
                place.append(step)
            elif isinstance(here, dict) and step == location[-1]:
                place.append(step)
        return tuple(place)

    def fault(self, message: str, location: Sequence[int | str], hint: str = "") -> DeclarationError:
        """What is wrong at a place of the document, with the line in the text."""
        match location:
            case [str(array), int(index), *rest] if array in self.origins:
                location = (array, self.origins[array][index], *rest)
        location = (*self.at, *location)
        key = ".".join(map(str, location))
        return DeclarationError(message, file=str(self.file), line=line_of(self.text, location), key=key, hint=hint)


def read(file: Path) -> Source:
    """Raises ``DeclarationError`` where it is not valid TOML, or JSON."""
    if file.suffix not in JSON:
        return Source(file, *read_toml(file))
    text = read_text(file)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise DeclarationError(f"not valid JSON: {error.msg}", file=str(file), line=error.lineno) from None
    return Source(file, text, document if isinstance(document, dict) else {"request": document})


def _fill(source: Source) -> None:
    """Replaces each entry that has ``fill`` by those that it stands for, one for each table of ``fill``.

    A ``{word}`` of the entry becomes the text that the table has for it; anything else there is a key of the entry.
    """
    for array, entries in source.document.items():
        if isinstance(entries, list):
            filled = [(index, one) for index, each in enumerate(entries) for one in _filled(source, array, index, each)]
            source.document[array] = [one for _, one in filled]
            source.origins[array] = [index for index, _ in filled]


def _filled(source: Source, array: str, index: int, entry: Any) -> list[Any]:
    if not isinstance(entry, dict) or FILL not in entry:
        return [entry]
    tables = entry[FILL]
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise source.fault("must be an array of tables", (array, index, FILL))
    template = {key: value for key, value in entry.items() if key != FILL}
    try:
        return [
            {**_with_words(template, table), **{key: each for key, each in table.items() if not isinstance(each, str)}}
            for table in tables
        ]
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        raise source.fault(f"a table does not define {error}", (array, index, FILL)) from None


def _with_words(value: Any, words: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return value.format_map(words)
    if isinstance(value, dict):
        return {key: _with_words(each, words) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_words(each, words) for each in value if not _is_left_out(each, words)]
    return value


def _is_left_out(value: Any, words: Mapping[str, Any]) -> bool:
    """Whether it is an item of an array that needs a word which is not defined."""
    try:
        _with_words(value, words)
    except KeyError:
        return True
    return False


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys accepted at a place of the document."""
    for step in location:
        if isinstance(step, int) or step not in model.model_fields:
            continue
        annotation: Any = model.model_fields[step].annotation
        inner = [
            part
            for part in getattr(annotation, "__args__", ())
            if isinstance(part, type) and issubclass(part, BaseModel)
        ]
        if not inner:
            return []
        model = inner[0]
    return list(model.model_fields)
