"""A folder that appears whole or not at all: written beside its place, then renamed into it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from schema.problem import InputError, Problem


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """A folder to write in; it becomes ``target`` when the block ends, and is removed when it fails.

    What a killed process left of an earlier try is removed first.

    Raises:
        InputError: ``target`` holds something already, or another process is writing it.
        OSError: the disk is full (ENOSPC), or cannot be written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(Problem(str(target), "exists already.", "Give another --out, or remove it."))
    target.parent.mkdir(parents=True, exist_ok=True)
    aside, lock = (target.parent / f".{target.name}.{kind}" for kind in ("unfinished", "lock"))
    try:
        with FileLock(lock, timeout=0):
            shutil.rmtree(aside, ignore_errors=True)
            try:
                aside.mkdir()
                yield aside
                _flush(aside)
                if target.exists():
                    target.rmdir()
                aside.rename(target)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
                lock.unlink(missing_ok=True)
    except Timeout as error:
        what = "another process is writing it."
        raise InputError(Problem(str(target), what, "Wait for it, or give another --out.")) from error


def need_room(folder: Path, size: int) -> None:
    """Make sure that ``size`` bytes fit on the disk of a folder.

    Raises:
        OSError: they do not (ENOSPC); the message says how many are missing.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        what = f"{size / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free"
        raise OSError(errno.ENOSPC, f"not enough room on the disk: {what}", str(folder))


def _flush(folder: Path) -> None:
    """Hand all files to the disk, so that a power cut after the rename leaves them whole."""
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
