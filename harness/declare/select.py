"""Which of what is declared a command names, and targets that it spells out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from pydantic import ValidationError

from harness.declare.files import TargetIn
from harness.declare.load import Declarations
from harness.errors import UsageError
from harness.model import Interface, OptionValue, Scenario, Target


def select_targets(
    declarations: Declarations, patterns: Iterable[str], interface_of: Callable[[str], Interface]
) -> tuple[Target, ...]:
    """The targets that the globs name; spelled-out ones (``pkg.mod:attr@server``) are built on the spot.

    ``interface_of`` tells the interface that a server speaks unless the target says otherwise.
    """
    chosen: dict[str, Target] = {}
    known = {target.name: target for target in declarations.targets}
    for pattern in patterns:
        if "@" in pattern:
            target = parse_target(pattern, interface_of)
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
    found = [name for name in known if fnmatchcase(name, pattern)]
    if found:
        return found
    near = get_close_matches(pattern.strip("*"), known, n=3, cutoff=0.5)
    near += [name for name in known if pattern.strip("*?") in name and name not in near][: 3 - len(near)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"harness list {kind}s shows them all"
    raise UsageError(f"no {kind} is called {pattern!r}", hint=hint)


def parse_target(text: str, interface_of: Callable[[str], Interface]) -> Target:
    """A target spelled out: ``package.module:attribute@server[,option=value]…``.

    ``python``, ``workers``, ``threads``, ``interface`` and ``name`` are the toolkit's own; other options are the
    server's.
    """
    application, _, rest = text.partition("@")
    server, *pairs = rest.split(",")
    values: dict[str, Any] = {}
    options: dict[str, OptionValue] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise UsageError(f"{text!r}: {pair!r} is not an option", hint="write option=value")
        if key in ("workers", "threads"):
            if not value.isdigit() and (key, value) != ("workers", "cpus"):
                raise UsageError(f"{text!r}: {key} must be a whole number, not {value!r}")
            values[key] = int(value) if value.isdigit() else value
        elif key in ("python", "interface", "name"):
            values[key] = value
        else:
            options[key] = _option(value)
    name = values.pop("name", "") or "".join(c if c.isalnum() or c in "._-" else "-" for c in text)
    values.setdefault("interface", interface_of(server))
    try:
        declared = TargetIn(
            name=name, framework="own", server=server, application=application, options=options, **values
        )
    except ValidationError as error:
        fault = error.errors()[0]
        raise UsageError(
            f"{text!r}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}",
            hint="write package.module:attribute@server[,option=value]…",
        ) from None
    return declared.model()


def _option(text: str) -> OptionValue:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return int(text) if text.lstrip("-").isdigit() else text
