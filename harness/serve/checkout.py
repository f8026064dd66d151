"""States of a git repository, each in a folder of its own, whatever the user's working tree holds."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import NotReadyError, UsageError, nearest

SUBMODULE = "160000"
SHOWN = 10
_NOT_FOUND = "not a git repository"
_VERIFY = ("rev-parse", "--verify", "--quiet")
_PASSED_ON = (
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_ASKPASS",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CEILING_DIRECTORIES",
)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, and the name that led to it."""

    name: str
    sha: str

    def __str__(self) -> str:
        return self.sha[:SHOWN] if self.sha.startswith(self.name) else f"{self.name} ({self.sha[:SHOWN]})"


def repository_of(folder: Path) -> Path:
    """The root of the working tree that the folder lies in.

    Raises:
        UsageError: it lies in none.
        NotReadyError: git is missing or refuses to read it.
    """
    try:
        return Path(_git(folder, "rev-parse", "--show-toplevel").strip())
    except NotReadyError as error:
        if _NOT_FOUND not in str(error):
            raise
        raise UsageError(f"--against needs a git repository; {folder} is in none") from None


def commit_of(repository: Path, ref: str) -> Commit:
    """The commit that a name stands for; a branch that only ``origin`` has is sha too.

    Raises:
        UsageError: there is none; the hint says what to fetch.
    """
    for name in (ref, f"origin/{ref}"):
        if not ref.startswith("-") and (sha := _git(repository, *_VERIFY, f"{name}^{{commit}}", check=False)):
            return Commit(name, sha.strip())
    shallow = _git(repository, "rev-parse", "--is-shallow-repository").strip() == "true"
    names = _git(repository, "for-each-ref", "--format=%(refname:short)").split()
    if shallow and set(ref) & set("~^@"):
        hint = "this clone is shallow: git fetch --deepen=100"
    elif shallow:
        hint = f"this clone is shallow: git fetch --depth=1 origin {ref}, then --against FETCH_HEAD"
    else:
        hint = nearest(ref, names) or "git fetch origin, if it is new there; git branch --all and git tag list names"
    raise UsageError(f"--against {ref}: no commit, branch or tag of {repository} has this name", hint=hint)


@contextmanager
def checked_out(
    repository: Path, folder: Path, commit: Commit | None = None, left_out: Sequence[Path] = ()
) -> Iterator[int]:
    """A worktree in ``folder`` of the commit, or else of the user's working tree: its HEAD, then what was changed.

    Files that git ignores are in neither. Submodules come from the user's own clones of them, where there are any.

    Args:
        left_out: files and folders of the user's working tree that are not copied.

    Yields:
        How many files differ from the commit.

    Raises:
        NotReadyError: git cannot check it out, or a submodule lacks its commit.
    """
    added: list[tuple[Path, Path]] = []
    try:
        _add(repository, commit.sha if commit else "", folder, added)
        yield sum(_copy_changes(*each, left_out) for each in added) if commit is None else 0
    finally:
        for origin, tree in reversed(added):
            _git(origin, "worktree", "remove", "--force", "--force", str(tree), check=False)


def _add(repository: Path, sha: str, folder: Path, added: list[tuple[Path, Path]]) -> None:
    """Adds a worktree and those of its submodules; without ``sha`` each at its own HEAD."""
    wanted = sha or "HEAD"
    if not _git(repository, *_VERIFY, f"{wanted}^{{commit}}", check=False):
        hint = "commit something first" if wanted == "HEAD" else f"git -C {repository} fetch origin {sha}"
        raise NotReadyError(f"{repository} has no commit {wanted}", hint=hint)
    added.append((repository, folder))
    _git(repository, "worktree", "add", "--detach", "--quiet", str(folder), wanted)
    for entry in _git(repository, "ls-tree", "-r", "-z", wanted).split("\0"):
        details, _, path = entry.partition("\t")
        if details.startswith(SUBMODULE) and (repository / path / ".git").exists():
            _add(repository / path, details.split()[2] if sha else "", folder / path, added)


def _copy_changes(repository: Path, folder: Path, left_out: Sequence[Path]) -> int:
    changed = _git(repository, "diff", "--name-only", "-z", "--no-renames", "--ignore-submodules=all", "HEAD")
    new = _git(repository, "ls-files", "-z", "--others", "--exclude-standard")
    names = [name for name in f"{changed}{new}".split("\0") if name]
    names = [name for name in names if not any((repository / name).is_relative_to(each) for each in left_out)]
    for name in names:
        source, target = repository / name, folder / name
        if target.is_symlink() or target.is_file():
            target.unlink()
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))
        elif source.is_symlink() or source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return len(names)


def _git(folder: Path, *words: str, check: bool = True) -> str:
    """What git prints. Hooks of the user's are not run; nor does a git that runs this program choose the repository."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key in _PASSED_ON}
    command = ["git", "-c", f"core.hooksPath={os.devnull}", "-C", str(folder), *words]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**variables, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
        )
    except OSError as error:
        raise NotReadyError(f"git cannot be run: {error.strerror}", hint="install git") from None
    if done.returncode and check:
        raise NotReadyError(f"git {' '.join(words[:2])}: {done.stderr.decode(errors='replace').strip()}")
    return os.fsdecode(done.stdout) if not done.returncode else ""
