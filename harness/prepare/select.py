"""The declared targets and scenarios that a command names, and targets that it spells out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from pydantic import ValidationError

from harness.config import Declarations
from harness.config.files import ENV, OWN, TargetIn
from harness.errors import UsageError
from harness.model import OptionValue, Scenario, Target
from harness.model.units import parse_duration
from harness.serve.servers import interface_of

FORM = "write package.module:attribute@server[,option=value]…"


def is_url(text: str) -> bool:
    """Whether it is ``[NAME=]URL``, and no target: arguments and options of a target may be URLs too."""
    return re.match(r"([^@(=:/]+=)?[\w.+-]+://", text) is not None


def select_targets(declarations: Declarations, patterns: Iterable[str]) -> tuple[Target, ...]:
    """The targets that the globs name; spelled-out ones (``pkg.mod:attr@server``) are built on the spot."""
    chosen: dict[str, Target] = {}
    known = {target.name: target for target in declarations.targets}
    for pattern in patterns:
        if is_url(pattern):
            hint = "harness versus and harness run --url compare what runs already, and harness load URL sends to one"
            raise UsageError(f"{pattern!r} is a URL, not a target: a target is started here", hint=hint)
        if "@" in pattern:
            target = parse_target(pattern)
            if chosen.get(target.name, target) != target:
                raise UsageError(f"two targets are called {target.name!r}", hint="give each its own name=…")
            chosen[target.name] = target
            continue
        for name in match_names(pattern, known, "target"):
            chosen[name] = known[name]
    if not chosen:
        own = declarations.own_targets
        chosen = {name: target for name, target in known.items() if name in own or (not own and target.default)}
    return tuple(chosen.values())


def select_scenarios(declarations: Declarations, patterns: Iterable[str]) -> tuple[Scenario, ...]:
    known = {scenario.name: scenario for scenario in declarations.scenarios}
    names = [name for pattern in patterns for name in match_names(pattern, known, "scenario")]
    return tuple(known[name] for name in dict.fromkeys(names)) or declarations.scenarios


def match_names(pattern: str, known: Mapping[str, object], kind: str) -> list[str]:
    """Names that match the glob.

    Raises:
        UsageError: none does; the nearest names are offered.
    """
    matches = [name for name in known if fnmatchcase(name, pattern)]
    if matches:
        return matches
    near = get_close_matches(pattern.strip("*"), known, n=3, cutoff=0.5)
    near += [name for name in known if pattern.strip("*?") in name and name not in near][: 3 - len(near)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"harness list {kind}s shows them all"
    raise UsageError(f"no {kind} is called {pattern!r}", hint=hint)


def parse_target(text: str) -> Target:
    """A target spelled out: ``package.module:attribute@server[,option=value]…``.

    The attribute may also be a call of a factory with literal arguments. ``OWN`` and ``env.NAME`` are the
    toolkit's own options, the others the server's.
    """
    match = re.fullmatch(r"([^@(]*(?:\(.*?\))?)@(.*)", text)
    if not match:
        raise UsageError(f"{text!r} is not a target", hint=FORM)
    application, (server, *pairs) = match[1], match[2].split(",")
    module = application.partition(":")[0].rpartition(".")[2]
    values: dict[str, Any] = {"description": text}
    environment: dict[str, str] = {}
    options: dict[str, OptionValue] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise UsageError(f"{text!r}: {pair!r} is not an option", hint="write option=value")
        if key in ("workers", "threads"):
            if not value.isdigit() and (key, value) != ("workers", "cpus"):
                raise UsageError(f"{text!r}: {key} must be a whole number, not {value!r}")
            values[key] = int(value) if value.isdigit() else value
        elif key == "startup_timeout":
            try:
                values[key] = parse_duration(value)
            except ValueError as error:
                raise UsageError(f"{text!r}: {key}: {error}") from None
        elif key in OWN:
            values[key] = [value] if key == "endpoints" else value
        elif key.startswith(ENV):
            environment[key.removeprefix(ENV)] = value
        else:
            options[key] = _option(value)
    name = values.pop("name", "") or "".join(c if c.isalnum() or c in "._-" else "-" for c in text)
    # Django's startproject makes mysite/wsgi.py and mysite/asgi.py.
    values.setdefault("interface", module if module in ("wsgi", "asgi") else interface_of(server))
    try:
        declared = TargetIn(
            name=name,
            framework="own",
            server=server,
            application=application,
            options=options,
            environment=environment,
            **values,
        )
    except ValidationError as error:
        fault = error.errors()[0]
        message = fault["msg"].removeprefix("Value error, ")
        raise UsageError(f"{text!r}: {'.'.join(map(str, fault['loc']))}: {message}", hint=FORM) from None
    return declared.model()


def _option(text: str) -> OptionValue:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return int(text) if text.lstrip("-").isdigit() else text
