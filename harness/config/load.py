"""All that is declared: inside the package, and in the working directory, which comes first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.config.files import ContrastIn
from harness.config.read import project_scenarios, read_scenario, read_targets
from harness.errors import UsageError
from harness.model import Ladder, Scenario, Target

PACKAGED = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Declarations:
    """All that is declared; ``own_targets`` are the names that the project's own ``targets.toml`` gave."""

    targets: tuple[Target, ...]
    contrasts: tuple[ContrastIn, ...]
    scenarios: tuple[Scenario, ...]
    own_targets: frozenset[str] = frozenset()
    ladders: tuple[Ladder, ...] = ()


def load_declarations(folder: Path | None = None) -> Declarations:
    """Reads the packaged files and then the project's own in ``folder`` (default: the working directory)."""
    folder = folder or Path.cwd()
    files = [PACKAGED / "apps" / "targets.toml", folder / "targets.toml"]
    targets: dict[str, Target] = {}
    contrasts: list[ContrastIn] = []
    ladders: dict[str, Ladder] = {}
    own: frozenset[str] = frozenset()
    declared = None
    for file in files:
        if not file.is_file():
            continue
        names, declared = read_targets(file, declared)
        targets.update(names)
        contrasts += declared.contrast
        ladders |= {ladder.name: ladder.model() for ladder in declared.ladder}
        if file is files[1]:
            own = frozenset(names)
    for contrast in contrasts:
        for name in (contrast.a, contrast.b):
            if name not in targets:
                raise UsageError(f"contrast {contrast.label!r} names the target {name!r}, which is not declared")
    directories = dict.fromkeys([PACKAGED / "scenarios", folder / "scenarios"])
    read = {file.stem: read_scenario(file) for each in directories for file in sorted(each.glob("*.toml"))}
    read |= project_scenarios(folder)
    scenarios = {name: each.model(name) for name, each in read.items()}
    for ladder in ladders.values():
        for rung in ladder.rungs:
            for kind, name, known in (("target", rung.target, targets), ("scenario", rung.scenario, scenarios)):
                if name not in known:
                    raise UsageError(f"ladder {ladder.name!r} names the {kind} {name!r}, which is not declared")
    listed = sorted(scenarios.values(), key=lambda scenario: (read[scenario.name].order, scenario.name))
    return Declarations(tuple(targets.values()), tuple(contrasts), tuple(listed), own, tuple(ladders.values()))
