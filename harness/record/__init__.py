"""``results/<run>/``: versioned, append-only, safe against crashes. The seam between measuring and reading.

========================  ==============================================================================
``manifest.json``         ``Manifest``: plan, seed, environment, versions; replaced as a whole
``windows.jsonl``         a ``WindowRecord`` a line, flushed to disk as each window ends
``features.json``         ``Abilities``: what the targets can do, probed once, after the first block
``samples/<window>.npz``  index of the side, or of the class of request of a window with one → latencies of
                          verified replies, float32 microseconds
``lock``                  held by the process that measures the run
``summary.json|csv|md``   the results of the analysis; can be made again from the rest
========================  ==============================================================================
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from harness.errors import HarnessError, RecordError, nearest, writing
from harness.model import Abilities, Manifest, RunStatus, WindowRecord
from harness.model.units import format_duration
from harness.record.upgrade import upgraded

Samples = Mapping[int, npt.NDArray[np.float64]]
Value = TypeVar("Value")

_MANIFEST: TypeAdapter[Manifest] = TypeAdapter(Manifest)
_ABILITIES: TypeAdapter[Abilities] = TypeAdapter(Abilities)
_WINDOW: TypeAdapter[WindowRecord] = TypeAdapter(WindowRecord)


class Run:
    """A run's folder; ``create`` a new one or ``open`` an old one."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest

    @classmethod
    def create(cls, folder: Path, manifest: Manifest) -> Run:
        """Raises ``RecordError`` where the folder exists with a run in it, or cannot be written."""
        if (folder / "manifest.json").exists():
            raise RecordError(f"{folder} already holds a run", hint="choose another --out, or --resume it")
        run = cls(folder, manifest)
        with writing(folder, "choose another --out"):
            (folder / "samples").mkdir(parents=True, exist_ok=True)
        run.update(manifest)
        return run

    @classmethod
    def open(cls, folder: Path) -> Run:
        """Raises ``RecordError`` where there is no readable run, or one of a newer schema."""
        return cls(folder, read_json(folder / "manifest.json", _MANIFEST))

    def update(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.write("manifest.json", _MANIFEST.dump_json(manifest, indent=1))

    def finish(self, status: RunStatus, duration_s: float) -> None:
        self.update(replace(self.manifest, status=status, duration_s=duration_s))

    def append(self, record: WindowRecord, samples: Samples) -> WindowRecord:
        """Saves the samples, then the record's line, and forces both to the disk.

        Raises:
            RecordError: the disk is full or the folder has gone; nothing half-written will be read later.
        """
        with self._saving(record.id):
            if any(len(values) for values in samples.values()):
                record = replace(record, samples=f"samples/{file_name(record.id)}.{record.attempt}.npz")
                with (self.folder / record.samples).open("wb") as file:
                    np.savez_compressed(file, **{str(k): v.astype(np.float32) for k, v in samples.items()})  # type: ignore[arg-type]
            with (self.folder / "windows.jsonl").open("a+b") as file:
                if file.tell():
                    file.seek(-1, os.SEEK_END)
                    if file.read(1) != b"\n":
                        file.write(b"\n")
                file.write(_WINDOW.dump_json(record) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        return record

    def windows(self) -> tuple[WindowRecord, ...]:
        """Every whole line; a line that a crash cut off is skipped."""
        records = []
        # In runs of schemas 1 and 2 the windows whose sides take turns have a file of their own.
        for path in (self.folder / "slots.jsonl", self.folder / "windows.jsonl"):
            for line in path.read_bytes().split(b"\n") if path.exists() else ():
                if line.strip():
                    try:
                        value = json.loads(line)
                    except ValueError:
                        continue
                    records.append(_parsed(_WINDOW, upgraded(value, path, self.manifest.plan.points), path))
        return tuple(records)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the run for this process, as long as the block lasts; the system lets go where the process dies.

        Raises:
            RecordError: another process is measuring it.
        """
        with self._saving("lock"):
            file = (self.folder / "lock").open("ab")
        with file:
            try:
                _lock(file)
            except OSError:
                raise RecordError(f"{self.folder} is being measured by another process") from None
            yield

    def save_abilities(self, abilities: Abilities) -> None:
        self.write("features.json", _ABILITIES.dump_json(abilities, indent=1))

    def has_abilities(self) -> bool:
        return (self.folder / "features.json").exists()

    def abilities(self) -> Abilities:
        """Empty where the run ended before they were probed, or is of a version that did not probe them."""
        return read_json(self.folder / "features.json", _ABILITIES) if self.has_abilities() else Abilities(())

    @contextmanager
    def _saving(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RecordError(
                f"{self.folder}: {what} could not be saved: {error.strerror}",
                hint=f"what was saved before is safe; free some disk space and run again with --resume {self.folder}",
            ) from None

    def samples(self, record: WindowRecord) -> dict[int, npt.NDArray[np.float64]]:
        """Index → latencies in microseconds, see the module; empty where the file is missing or broken."""
        if not record.samples:
            return {}
        try:
            with (self.folder / record.samples).open("rb") as file, np.load(file) as arrays:
                return {int(key): arrays[key].astype(np.float64) for key in arrays.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return {}

    def write(self, name: str, content: bytes | str) -> Path:
        """A file of the run, as a whole."""
        path = self.folder / name
        with writing(path, "choose another --out"):
            write_whole(path, content)
        return path


def write_whole(path: Path, content: bytes | str) -> None:
    """A reader sees the old file or the new one, never half of it."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


def read_json(path: Path, adapter: TypeAdapter[Value]) -> Value:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise RecordError(f"{path.parent} holds no run: {path.name} is missing", hint="harness list runs") from None
    except (OSError, ValueError) as error:
        raise RecordError(f"{path} cannot be read: {error}") from None
    return _parsed(adapter, upgraded(value, path), path)


def find_run(name: str, results: Path) -> Path:
    """The folder of a run: a path, a run's id under ``results``, or ``latest``."""
    direct = Path(name)
    if (direct / "manifest.json").exists():
        return direct
    runs = list_runs(results)
    if name == "latest" and runs:
        return runs[-1]
    by_name = {run.name: run for run in runs}
    if name in by_name:
        return by_name[name]
    if not runs:
        raise RecordError(f"no run is called {name!r}", hint=f"{results} has none")
    near = nearest(name, by_name)
    latest = ", ".join(list(by_name)[-3:])
    raise RecordError(f"no run is called {name!r}", hint=near or f"the latest are {latest}")


def list_runs(results: Path) -> list[Path]:
    """The runs under a folder, oldest first."""
    if not results.is_dir():
        return []
    folders = [path.parent for path in results.glob("*/manifest.json")]
    return sorted(folders, key=lambda folder: (folder / "manifest.json").stat().st_mtime)


def described_runs(results: Path) -> Iterator[tuple[dict[str, str], Run | None]]:
    """Each of ``list_runs``, oldest first: its row in a list of runs, and the run, where it can be read."""
    for folder in list_runs(results):
        row = dict.fromkeys(("run", "created", "status", "profile", "took", "name"), "") | {"run": folder.name}
        try:
            run = Run.open(folder)
        except HarnessError as error:
            yield row | {"status": f"unreadable: {error}"}, None
            continue
        of = run.manifest
        row |= {"created": of.created_at, "status": of.status, "profile": of.plan.profile, "name": of.name}
        yield row | {"took": format_duration(of.duration_s) if of.duration_s else ""}, run


def file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9@=.,\-]+", "_", text)


def _parsed(adapter: TypeAdapter[Value], value: Any, path: Path) -> Value:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        fault = error.errors()[0]
        raise RecordError(f"{path}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None


def _lock(file: BinaryIO) -> None:
    """Raises ``OSError`` where another process holds the file; does nothing on Windows, which has no such lock."""
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
