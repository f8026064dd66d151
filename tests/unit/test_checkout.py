"""Worktrees of a repository and its submodules, and what is said where there are none."""

import os
import subprocess
from pathlib import Path

import pytest

from harness.errors import NotReadyError, UsageError
from harness.serve.checkout import checked_out, commit_of, repository_of


def git(folder, *words):
    done = subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def make_repository(folder, **files):
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "config", "user.email", "somebody@example.org")
    git(folder, "config", "user.name", "Somebody")
    for name, text in files.items():
        (folder / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "first")
    return folder


@pytest.fixture
def repository(tmp_path):
    return make_repository(tmp_path / "project", app="one", gone="x", old="y", link_target="z")


def contents(folder):
    found = {}
    for path in sorted(folder.rglob("*")):
        if ".git" not in path.relative_to(folder).parts and not path.is_dir():
            found[str(path.relative_to(folder))] = os.readlink(path) if path.is_symlink() else path.read_text()
    return found


def test_a_commit_and_the_working_tree_as_it_is_with_its_changes(repository, tmp_path):
    before = contents(repository)
    (repository / "app").write_text("two")
    (repository / "gone").unlink()
    git(repository, "mv", "old", "staged")
    (repository / "link_target").unlink()
    (repository / "link_target").symlink_to("app")
    (repository / "new folder").mkdir()
    (repository / "new folder" / "é").write_text("new")
    (repository / ".gitignore").write_text("secret\n")
    (repository / "secret").write_text("ignored")
    (repository / "results").mkdir()
    (repository / "results" / "run").write_text("not of the project")
    (repository / ".git" / "hooks" / "post-checkout").write_text("#!/bin/sh\ntouch hook-was-run\n")
    (repository / ".git" / "hooks" / "post-checkout").chmod(0o755)
    with (
        checked_out(repository, tmp_path / "b", commit_of(repository, "main")) as of_commit,
        checked_out(repository, tmp_path / "a", left_out=[repository / "results"]) as of_tree,
    ):
        assert (contents(tmp_path / "b"), of_commit) == (before, 0)
        wanted = {"app": "two", "staged": "y", "link_target": "app", "new folder/é": "new", ".gitignore": "secret\n"}
        assert contents(tmp_path / "a") == wanted
        assert of_tree == 7
        assert git(tmp_path / "a", "describe", "--always")
    assert not (tmp_path / "a").exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1
    assert (repository / "secret").read_text() == "ignored"


def test_submodules_come_from_the_users_own_clones(repository, tmp_path):
    library = make_repository(tmp_path / "library", value="1")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "lib")
    git(repository, "commit", "--quiet", "--message", "with a submodule")
    (repository / "lib" / "value").write_text("2")
    with (
        checked_out(repository, tmp_path / "a"),
        checked_out(repository, tmp_path / "b", commit_of(repository, "HEAD")),
    ):
        assert (tmp_path / "a" / "lib" / "value").read_text() == "2"
        assert (tmp_path / "b" / "lib" / "value").read_text() == "1"
    assert len(git(repository / "lib", "worktree", "list").splitlines()) == 1
    assert (repository / "lib" / "value").read_text() == "2"


def test_names_of_commits(repository, tmp_path):
    git(repository, "tag", "v1")
    git(repository, "branch", "feature/fast")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(repository), str(clone))
    sha = git(repository, "rev-parse", "HEAD")
    for name in ("HEAD", "main", "v1", "origin/main", "origin/feature/fast", sha, sha[:8]):
        assert commit_of(clone, name).sha == sha
    # Only the remote has this branch.
    assert commit_of(clone, "feature/fast").name == "origin/feature/fast"
    assert str(commit_of(clone, sha[:8])) == sha[:10]
    assert str(commit_of(clone, "v1")) == f"v1 ({sha[:10]})"
    for name in ("v2", "--help", "main:app"):
        with pytest.raises(UsageError, match="no commit, branch or tag"):
            commit_of(clone, name)
    with pytest.raises(UsageError) as told:
        commit_of(clone, "feature/fst")
    assert "feature/fast" in told.value.hint


def test_a_shallow_clone_says_what_to_fetch(repository, tmp_path):
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "second")
    git(repository, "branch", "old", "HEAD~1")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", str(clone))
    for ref, command in (("HEAD~1", "git fetch --deepen=100"), ("old", "git fetch --depth=1 origin old")):
        with pytest.raises(UsageError) as told:
            commit_of(clone, ref)
        assert command in told.value.hint
    git(clone, "fetch", "--quiet", "--depth=1", "origin", "old")
    assert commit_of(clone, "FETCH_HEAD").sha == git(repository, "rev-parse", "old")


def test_where_there_is_nothing_to_compare_with(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="needs a git repository"):
        repository_of(tmp_path)
    git(tmp_path, "init", "--quiet")
    assert repository_of(tmp_path) == tmp_path.resolve()
    with pytest.raises(NotReadyError, match="has no commit HEAD"), checked_out(tmp_path, tmp_path / "a"):
        pass
    # As in a hook of git.
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert repository_of(tmp_path) == tmp_path.resolve()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotReadyError, match="git cannot be run"):
        repository_of(Path(tmp_path))
