"""All that is declared: inside the package, and in the working directory, which comes first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from harness.config.files import ContrastIn, ScenarioFile, TargetsFile
from harness.config.read import Source, project_scenarios, read, read_targets
from harness.errors import nearest
from harness.model import Ladder, Scenario, Target

PACKAGED = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Declarations:
    """All that is declared.

    Attributes:
        own_targets: names that the project's own ``targets.toml`` gave.
        own: the project's own files and tables.
    """

    targets: tuple[Target, ...]
    contrasts: tuple[ContrastIn, ...]
    scenarios: tuple[Scenario, ...]
    own_targets: frozenset[str] = frozenset()
    ladders: tuple[Ladder, ...] = ()
    own: tuple[Source, ...] = ()


def load_declarations(folder: Path | None = None) -> Declarations:
    """Reads the packaged files and then the project's own in ``folder`` (default: the working directory)."""
    folder = folder or Path.cwd()
    files = [PACKAGED / "apps" / "targets.toml", folder / "targets.toml"]
    targets: dict[str, Target] = {}
    contrasts: list[ContrastIn] = []
    ladders: dict[str, Ladder] = {}
    own: frozenset[str] = frozenset()
    sources: list[tuple[Source, TargetsFile]] = []
    for file in filter(Path.is_file, files):
        names, declared, source = read_targets(file, sources[-1][1] if sources else None)
        sources.append((source, declared))
        targets.update(names)
        contrasts += declared.contrast
        ladders |= {ladder.name: ladder.model() for ladder in declared.ladder}
        if file is files[1]:
            own = frozenset(names)
    directories = dict.fromkeys([PACKAGED / "scenarios", folder / "scenarios"])
    read_files = {file.stem: read(file) for each in directories for file in sorted(each.glob("*.toml"))}
    scenario_sources = {**read_files, **project_scenarios(folder)}
    scenarios = {name: source.validated(ScenarioFile) for name, source in scenario_sources.items()}
    for source, declared in sources:
        _check_names(source, declared, targets, scenarios)
    listed = sorted(scenarios, key=lambda name: (scenarios[name].order, name))
    files_read = [*(source for source, _ in sources), *scenario_sources.values()]
    own_files = [each for each in files_read if each.file.parent not in (PACKAGED / "apps", PACKAGED / "scenarios")]
    return Declarations(
        tuple(targets.values()),
        tuple(contrasts),
        tuple(scenarios[name].model(name) for name in listed),
        own,
        tuple(ladders.values()),
        tuple(own_files),
    )


def _check_names(source: Source, declared: TargetsFile, targets: Collection[str], scenarios: Collection[str]) -> None:
    """Raises ``DeclarationError`` where a contrast or a rung names what is not declared."""
    named: list[tuple[str, str, Collection[str], tuple[str | int, ...]]] = []
    for index, contrast in enumerate(declared.contrast):
        named += [("target", getattr(contrast, key), targets, ("contrast", index, key)) for key in ("a", "b")]
    for index, ladder in enumerate(declared.ladder):
        for number, rung in enumerate(ladder.rungs):
            at = ("ladder", index, "rungs", number)
            named.append(("target", rung.target, targets, (*at, "target")))
            named.append(("scenario", rung.scenario, scenarios, (*at, "scenario")))
    for kind, name, known, place in named:
        if name not in known:
            raise source.fault(f"names the {kind} {name!r}, which is not declared", place, nearest(name, known))
