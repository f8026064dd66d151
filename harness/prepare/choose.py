"""Which targets, scenarios, studies and journeys a user means."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from harness.config import Declarations
from harness.config.env_file import read_env_file
from harness.errors import UsageError
from harness.journeys.files import find_journeys, journey_of
from harness.model import Failure, Journey, PlannedRequest, Reason, Scenario, Target
from harness.plan.profiles import Profile, default_targets
from harness.prepare import remote
from harness.prepare.references import declared
from harness.prepare.select import match_names, select_targets
from harness.serve.envs import packages_of, with_packages
from harness.serve.server import is_packaged
from harness.serve.servers import how_to_install, missing_for, resolved


@dataclass(frozen=True, slots=True)
class Selection:
    """What a run is about.

    Attributes:
        targets: of scenarios and journeys.
        studied: name of a study's scenario → its targets.
        named: whether the user named what is sent; what a profile adds is left out where it does not fit.
        targets_named: the same of targets.
        skipped: targets whose servers are not installed.
    """

    declarations: Declarations
    targets: tuple[Target, ...]
    scenarios: tuple[Scenario, ...]
    studies: tuple[Scenario, ...]
    journeys: tuple[Journey, ...]
    studied: Mapping[str, tuple[Target, ...]]
    named: bool
    targets_named: bool = False
    skipped: tuple[Failure, ...] = ()


def select(
    profile: Profile,
    targets: Sequence[str],
    scenarios: Sequence[str],
    locustfile: str = "",
    users: int | None = None,
    pythons: Sequence[str] = (),
) -> Selection:
    """What the names mean; without names, what the profile measures.

    Args:
        pythons: interpreters, as ``under_each`` takes them.

    Raises:
        UsageError: a name is unknown, or a target named exactly cannot be started.
        NotReadyError: an environment could not be made.
    """
    declarations = declared()
    selected, journeys = _loads(declarations, scenarios, locustfile, users)
    if not scenarios:
        selected = tuple(scenario for scenario in selected if _measures(profile, scenario))
    chosen: tuple[Target, ...] = ()
    skipped: tuple[Failure, ...] = ()
    if journeys or not all(scenario.study for scenario in selected):
        chosen, skipped = chosen_targets(targets, declarations)
        if not targets:
            chosen = default_targets(profile, chosen)
            every = select_targets(declarations, ())
            meant = {target.name for target in default_targets(profile, every)}
            skipped = tuple(failure for failure in skipped if failure.target in meant)
    chosen = under_each(pythons, chosen)
    if not scenarios:
        selected = _matching_apps(selected, chosen)
    plain = tuple(scenario for scenario in selected if not scenario.study)
    studies = tuple(scenario for scenario in selected if scenario.study)
    sent: list[Scenario | Journey] = [*plain, *journeys]
    for each in sent:
        check_contract(chosen, each.name, each.requests)
    studied = {}
    for study in studies:
        usable, without = chosen_targets(targets or _study_targets(study, declarations), declarations)
        if targets or declarations.own_targets:
            check_contract(usable, study.name, study.requests)
        studied[study.name] = under_each(pythons, usable)
        skipped += without
    skipped = tuple(dict.fromkeys(skipped))
    return Selection(declarations, chosen, plain, studies, journeys, studied, bool(scenarios), bool(targets), skipped)


def select_elsewhere(
    urls: Sequence[str],
    scenarios: Sequence[str],
    concurrency: int,
    locustfile: str = "",
    users: int | None = None,
    cacert: str = "",
    insecure: bool = False,
) -> Selection:
    """The targets at these URLs, and what is sent to them: the scenarios named, or the path that the URLs have.

    Raises:
        UsageError: a URL is wrong, or two have the same name.
        NotReadyError: one does not answer.
    """
    declarations = replace(declared(), contrasts=(), ladders=())
    targets = tuple(remote.remote_target(url, cacert, insecure) for url in urls)
    if len({target.name for target in targets}) < len(targets):
        raise UsageError("two URLs have the same name", hint="--url first=http://… --url second=http://…")
    selected, journeys = _loads(declarations, scenarios, locustfile, users)
    if journeys and (cacert or insecure):
        raise UsageError("--cacert and --insecure are not for journeys", hint="set client.verify in the locustfile")
    if scenarios or locustfile:
        remote.reject_url_paths(targets)
        selected = tuple(replace(scenario, question="pick") for scenario in selected)
    else:
        selected = (remote.raw_scenario(targets, concurrency),)
    return Selection(declarations, targets, selected, (), journeys, {}, bool(scenarios))


def chosen_targets(
    patterns: Sequence[str], declarations: Declarations | None = None
) -> tuple[tuple[Target, ...], tuple[Failure, ...]]:
    """The targets that are meant and can be started, and those left out with the reason.

    Raises:
        UsageError: an unknown name, or a target named exactly whose server is not installed.
    """
    declarations = declarations or declared()
    usable, skipped = [], []
    for target in select_targets(declarations, patterns):
        missing = "" if target.python else missing_for(target)
        if not missing:
            usable.append(target)
            continue
        if target.name in patterns or ("@" in "".join(patterns) and target.framework == "own"):
            raise UsageError(f"target {target.name!r}: {missing} is not installed", hint=how_to_install(missing))
        reason = Reason("not-installed", {"package": missing, "command": how_to_install(missing)})
        skipped.append(Failure(target.name, "", reason))
    if not usable:
        first, command = skipped[0].reason.fields.values()
        raise UsageError(f"none of the chosen targets can be started: {first} is not installed", hint=str(command))
    return tuple(_with_endpoints(_resolved(target), declarations.targets) for target in usable), tuple(skipped)


def under_each(pythons: Sequence[str], targets: Sequence[Target]) -> tuple[Target, ...]:
    """The targets with the packages of their environments under each interpreter; named after it where it is not the
    only one.

    Args:
        pythons: such as ``3.13``, ``3.14t`` or a path; empty for the targets as they are.

    Raises:
        NotReadyError: an environment could not be made.
    """
    variants = []
    for python in pythons:
        made = [replace(each, python=str(with_packages([f"python=={python}"], each.python))) for each in targets]
        variants += [_named_after(each, packages_of(each.python)["python"]) if pythons[1:] else each for each in made]
    if twice := [name for name, count in Counter(target.name for target in variants).items() if count > 1]:
        raise UsageError(f"two of the interpreters are alike: both make {twice[0]!r}")
    first = {target.under: target for target in reversed(variants)}
    # What stands for a framework is one target, under the first interpreter.
    whole = (t if t is first[t.under] or not t.under else replace(t, reference=False) for t in variants)
    return tuple(whole) if pythons else tuple(targets)


def _named_after(target: Target, interpreter: str) -> Target:
    """``fastapi-uvicorn-cpython3.14.0t``."""
    word = interpreter.replace(" ", "").lower()
    return replace(target, name=f"{target.name}-{word}", under=target.name)


def chosen_target(name: str, declarations: Declarations | None = None, *, elsewhere: bool = False) -> Target:
    """The one target of this name; raises ``UsageError`` if there are several too.

    Args:
        elsewhere: whether it will run in an environment that does not exist yet.
    """
    if elsewhere:
        targets = tuple(map(_resolved, select_targets(declarations or declared(), [name])))
    else:
        targets, _ = chosen_targets([name], declarations)
    if len(targets) > 1:
        raise UsageError(f"{name!r} names {len(targets)} targets: {', '.join(target.name for target in targets)}")
    return targets[0]


def check_contract(targets: Sequence[Target], name: str, requests: Sequence[PlannedRequest]) -> None:
    """Raises ``UsageError`` for an app without the contract where its endpoints are what is sent."""
    foreign = next((target for target in targets if not (target.endpoints or target.elsewhere)), None)
    if foreign and any(request.endpoint for request in requests):
        raise UsageError(
            f"{foreign.name} cannot run {name!r}: its requests are for apps that implement the toolkit's own API",
            hint="send requests of your own; in pyproject.toml, for example:\n"
            '    [tool.harness.scenarios.home]\n    request = [{ path = "/" }]\n'
            "  docs/your-app.md has more. endpoints=* says that an app implements that API",
        )


def _with_endpoints(target: Target, declared: Sequence[Target]) -> Target:
    """A target spelled out, with the endpoints of the targets that serve the same app, and what all of them lack."""
    same = [each for each in declared if each.application == target.application]
    if target.endpoints or not same:
        return target
    lacks = {name: why for name, why in same[0].lacks.items() if all(name in each.lacks for each in same)}
    return replace(target, endpoints=same[0].endpoints, lacks=lacks)


def _loads(
    declarations: Declarations, patterns: Sequence[str], locustfile: str, users: int | None
) -> tuple[tuple[Scenario, ...], tuple[Journey, ...]]:
    """Scenarios and journeys: those named; all scenarios without a name, and none with only a locustfile."""
    scenarios = {scenario.name: scenario for scenario in declarations.scenarios if patterns or not locustfile}
    journeys: dict[str, Journey] = {}
    if patterns:
        known = find_journeys()
        names = [name for each in patterns for name in match_names(each, {**scenarios, **known}, "scenario")]
        scenarios = {name: scenarios[name] for name in names if name in scenarios}
        journeys = {name: known[name] for name in names if name in known}
    chosen = (*journeys.values(), *([journey_of(locustfile)] if locustfile else ()))
    if users is not None and not chosen:
        raise UsageError("--users is for journeys", hint="-s journey, or --locustfile FILE")
    return tuple(scenarios.values()), chosen if users is None else tuple(replace(each, users=users) for each in chosen)


def _matching_apps(scenarios: Sequence[Scenario], targets: Sequence[Target]) -> tuple[Scenario, ...]:
    """Without names: the user's own requests, if there are any and a target is the user's own app; else the others."""
    own = {each.name for each in scenarios if any(request.raw for request in each.requests)}
    foreign = bool(own) and any(not target.endpoints for target in targets)
    return tuple(each for each in scenarios if (each.name in own) is foreign)


def _study_targets(scenario: Scenario, declarations: Declarations) -> Sequence[str]:
    """The targets that a study is about if the user names none; a project's own come first."""
    if declarations.own_targets:
        return sorted(declarations.own_targets)
    names = [target.name for target in declarations.targets]
    return [name for name in names if any(fnmatchcase(name, glob) for glob in scenario.targets)]


def _measures(profile: Profile, scenario: Scenario) -> bool:
    if any(request.raw for request in scenario.requests):
        return True
    if scenario.study and not profile.studies_s:
        return False
    return any(fnmatchcase(scenario.name, glob) for glob in (profile.studies if scenario.study else profile.scenarios))


def _resolved(target: Target) -> Target:
    """With the server's defaults; paths may be relative to where the command runs."""
    python, env_file = (_absolute(text) if text else "" for text in (target.python, target.env_file))
    if env_file:
        read_env_file(Path(env_file))
    return replace(
        resolved(target),
        python=python if os.path.exists(python) else target.python,
        env_file=env_file,
        cwd=_folder(target),
    )


def _folder(target: Target) -> str:
    """Where it runs: in ``cwd``, or in the folder of a ``manage.py`` one level down that its module lies next to."""
    if target.cwd:
        folder = _absolute(target.cwd)
        if not os.path.isdir(folder):
            raise UsageError(f"target {target.name!r}: cwd: {folder} is not a folder")
        return folder
    module = target.application.partition(":")[0].partition(".")[0]
    if not is_packaged(target) and not any(map(os.path.exists, (f"{module}/__init__.py", f"{module}.py"))):
        for manage in sorted(Path.cwd().glob("*/manage.py")):
            if (manage.parent / module).is_dir():
                return str(manage.parent)
    return ""


def _absolute(text: str) -> str:
    return str(Path(text).expanduser().absolute())
