"""Whether the names in a project's own files exist: servers and their options, endpoints, cases, scenarios, targets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from apps.contract.endpoints import ENDPOINTS
from harness.config import Declarations, load_declarations
from harness.errors import OptionError, nearest
from harness.serve.servers import SERVERS
from harness.serve.servers.registry import check_offered, load_server, read_options
from harness.verify.features import CAPABILITIES

Place = tuple[str | int, ...]
Reference = tuple[str, str, Collection[str], Place]
"""What it is, the name or glob, the names that there are, and where it stands."""


def declared() -> Declarations:
    """All that is declared.

    Raises:
        DeclarationError: a file of the project's own is wrong, or has a name that does not exist.
    """
    declarations = load_declarations()
    targets, scenarios = ([each.name for each in group] for group in (declarations.targets, declarations.scenarios))
    for source in declarations.own:
        for what, name, known, place in _references(source.document, targets, scenarios):
            if not any(fnmatchcase(each, name) for each in known):
                raise source.fault(f"there is no {what} {name!r}", place, nearest(name, known))
        for program, entry, place in _served(source.document):
            try:
                server = load_server(program)
                check_offered(server, read_options(server, entry.get("options", {})), entry.get("python", ""))
            except OptionError as error:
                raise source.fault(str(error), (*place, "options", error.option), error.hint) from None
    return declarations


def _served(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], Place]]:
    """What has options of a server: the server's name, the table, and where it stands."""
    for name, server in document.get("servers", {}).items():
        yield server["program"], server, ("servers", name)
    for index, target in enumerate(document.get("target", ())):
        yield target["server"], target, ("target", index)


def _references(
    document: Mapping[str, Any], targets: Collection[str], scenarios: Collection[str]
) -> Iterator[Reference]:
    cases = {name: [case.name for case in endpoint.cases] for name, endpoint in ENDPOINTS.items()}
    paths = [f"{name}/{case}" for name in cases for case in cases[name]]
    lackable = {*ENDPOINTS, *paths, *CAPABILITIES, *scenarios}
    for name, server in document.get("servers", {}).items():
        yield "server", server["program"], SERVERS, ("servers", name, "program")
    for array in ("target", "app"):
        for index, entry in enumerate(document.get(array, ())):
            place = (array, index)
            if "server" in entry:
                yield "server", entry["server"], SERVERS, (*place, "server")
            for number, name in enumerate(entry.get("endpoints", ())):
                yield "endpoint", name, ENDPOINTS, (*place, "endpoints", number)
            for name in entry.get("lacks", ()):
                yield "capability, endpoint or endpoint/case", name, lackable, (*place, "lacks", name)
    for index, contrast in enumerate(document.get("contrast", ())):
        for number, name in enumerate(contrast.get("scenarios", ())):
            yield "scenario", name, scenarios, ("contrast", index, "scenarios", number)
    for index, request in enumerate(document.get("request", ())):
        name, case = request.get("endpoint", ""), request.get("case", "")
        if name and "{" not in name:
            yield "endpoint", name, ENDPOINTS, ("request", index, "endpoint")
            if case and "{" not in case:
                yield f"case of {name!r} called", case, cases.get(name, ()), ("request", index, "case")
    if "against" in document:
        yield "scenario", document["against"], scenarios, ("against",)
    for number, name in enumerate(document.get("targets", ())):
        yield "target", name, targets, ("targets", number)
