"""The two sides of a comparison: two targets, or one in the working tree and at a commit, each with what it needs."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from harness.config.env_file import read_env_file
from harness.errors import LaunchError, NotReadyError, UsageError
from harness.model import Reason, Target
from harness.model.units import number_of
from harness.prepare.choose import chosen_target
from harness.prepare.references import declared
from harness.prepare.remote import remote_target
from harness.prepare.select import is_url
from harness.serve.checkout import checked_out, commit_of, repository_of
from harness.serve.envs import with_packages
from harness.serve.guard import Guard
from harness.serve.projects import interpreter_for, project_environment
from harness.serve.server import LOG_LINES, READY_S, is_packaged, variables, working_folder
from harness.serve.servers import Command, needed_by

WORKING_TREE = "working-tree"
Pair = tuple[Target, Target]
Say = Callable[[str], None]


@contextmanager
def sides(
    a: str,
    b: str,
    ref: str,
    packages: tuple[Sequence[str], Sequence[str]],
    install: Sequence[str],
    left_out: Sequence[Path],
    say: Say,
    cacert: str = "",
    insecure: bool = False,
) -> Iterator[tuple[Pair, list[Reason]]]:
    """A and B, or A in the working tree and at ``ref``, and what a reader should know of them.

    Args:
        packages: of an own environment of A and of B.
        install: lines of a requirements file, in place of what the project at ``ref`` declares.
        left_out: files and folders of the working tree that are not part of it: results.
        say: takes a line on what is done.
        cacert, insecure: as ``parse_url`` takes them.

    Raises:
        UsageError: the arguments do not go together, or name what does not exist.
        NotReadyError: a side cannot be made.
    """
    if bool(b) == bool(ref):
        raise UsageError("one target to compare A with is needed", hint="harness versus A B, or A --against REF")
    if ref and any(packages):
        raise UsageError("--against and --with-a or --with-b exclude each other", hint="--install 'PACKAGE==VERSION'")
    if install and not ref:
        raise UsageError("--install is for --against", hint="--with-a and --with-b make environments for two targets")
    with ExitStack() as stack:
        notes = list[Reason]()
        if ref:
            pair, notes = _against(stack, a, ref, install, left_out, say)
        else:
            pair = _choose_pair((a, b), packages, cacert, insecure)
        info = [Reason("side-is", {"target": each.name, "text": each.description}) for each in pair if each.description]
        yield pair, [*info, *dict.fromkeys(notes)]


def _choose_pair(
    texts: tuple[str, str], packages: tuple[Sequence[str], Sequence[str]], cacert: str, insecure: bool
) -> Pair:
    """The two targets under different names, each in an environment of its own if it has packages of its own.

    One that is spelled out is called A or B, if it has no name of its own.
    """
    declarations = declared()
    pair = []
    for letter, text, own in zip("AB", texts, packages, strict=True):
        if is_url(text):
            if own:
                raise UsageError(f"--with-{letter.lower()} is for an app that is started here, not for {text}")
            pair.append(remote_target(text, cacert, insecure))
            continue
        target = chosen_target(text, declarations)
        if "@" in text and ",name=" not in text:
            target = replace(target, name=letter)
        if own:
            other = f" with {', '.join(own)}"
            target = replace(
                target,
                python=str(with_packages(own, target.python)),
                name=target.name if target.description else target.name + other,
                description=target.description and target.description + other,
            )
        pair.append(target)
    first, second = pair
    return (first, second) if first.name != second.name else (first, replace(second, name=f"{second.name} (B)"))


def _against(
    stack: ExitStack, text: str, ref: str, install: Sequence[str], left_out: Sequence[Path], say: Say
) -> tuple[Pair, list[Reason]]:
    """The target in the working tree, the same at the commit, and packages added to theirs; ``stack`` ends both."""
    target = chosen_target(text, elsewhere=True)
    if is_packaged(target):
        raise UsageError(f"--against is for an app of your own; {target.name} is one of the toolkit's")
    folder = working_folder(target).resolve()
    root = repository_of(folder)
    inside, commit = folder.relative_to(root), commit_of(root, ref)
    head = commit_of(root, "HEAD")
    python = target.python or interpreter_for(folder)
    named = replace(target, name=WORKING_TREE), replace(target, name=ref.replace("/", "-"))
    guard = stack.enter_context(Guard())
    # As long for both, since paths are read and compared when modules are imported.
    parent = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="harness-", ignore_cleanup_errors=True)))
    guard.add(parent)
    made_sides, notes = [], list[Reason]()
    for letter, side, state in zip("ab", named, (None, commit), strict=True):
        tree = parent / letter / "tree"
        say(f"checking out {side.name}")
        changed = stack.enter_context(checked_out(root, tree, state, [Path.cwd() / each for each in left_out]))
        what = f"{commit if state else head}" + (f" with {number_of(changed, 'changed file')}" if changed else "")
        if not (tree / inside).is_dir():
            raise UsageError(f"{commit} has no folder {inside}", hint="cwd=FOLDER names the one to run in")
        say(f"making the environment of {side.name}")
        try:
            into, servers = parent / letter / "env", needed_by(target)
            made = project_environment(tree / inside, tree, into, python=python, install=install, servers=servers)
        except (NotReadyError, UsageError) as error:
            hint = error.hint or "--install '…' says what to install instead of what the project declares"
            raise type(error)(f"{side.name}: {error}", hint=hint) from None
        if made.added:
            notes.append(Reason("installed-too", {"packages": tuple(made.added), "source": made.source}))
        made_sides.append(
            replace(
                side,
                cwd=str(tree / inside),
                python=str(made.python),
                environment={**side.environment, **_moved_path(root, tree)},
                description=f"{text} at {what}, packages from {made.source}",
            )
        )
    return (made_sides[0], made_sides[1]), notes


def with_common_options(pair: Pair, env_file: str, startup_timeout: float | None, setup: str, say: Say) -> Pair:
    """The pair with the options of both sides, after the setup of each.

    Raises:
        UsageError: the file cannot be read, or the command cannot be run.
        LaunchError: the command failed.
    """
    if env_file:
        read_env_file(Path(env_file))
    if startup_timeout is not None and startup_timeout < READY_S:
        raise UsageError(f"--startup-timeout must be at least {READY_S:g}s, which every server has")
    a, b = (
        replace(
            target,
            env_file=target.env_file or (env_file and str(Path(env_file).absolute())),
            startup_timeout=target.startup_timeout or startup_timeout or 0.0,
        )
        for target in pair
    )
    if setup:
        _set_up((a, b), setup, say)
    return a, b


def _set_up(targets: Pair, command: str, say: Say) -> None:
    """Runs a command once for each target, in its folder, with its variables and the programs of its environment.

    Raises:
        UsageError: the command cannot be read.
        LaunchError: it failed; its last lines are in the log.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--setup {command!r}: {error}") from None
    for target in targets:
        say(f"setting up {target.name}: {command}")
        environment = variables(target, Command(()))
        if target.python:
            environment["PATH"] = f"{Path(target.python).parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
        try:
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=working_folder(target),
            )
        except OSError as error:
            raise UsageError(f"--setup {command!r}: {words[0] if words else ''}: {error.strerror}") from None
        if done.returncode:
            log = tuple(done.stdout.decode(errors="replace").splitlines()[-LOG_LINES:])
            raise LaunchError(f"{target.name}: --setup {command!r} ended with code {done.returncode}", log=log)


def _moved_path(root: Path, tree: Path) -> dict[str, str]:
    """``PYTHONPATH`` with the tree's folders in place of the repository's, so that each side imports its own."""
    before = os.environ.get("PYTHONPATH", "")
    parts = [Path(part).resolve() for part in before.split(os.pathsep) if part]
    moved = [tree / part.relative_to(root) if part.is_relative_to(root) else part for part in parts]
    return {"PYTHONPATH": os.pathsep.join(map(str, moved))} if moved else {}
