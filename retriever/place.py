"""Where an index is kept: memory, a folder (an embedded Chroma), or a Chroma server.

A Chroma folder is made for one process. Here several may share one: each holds a lock for as long as one operation
takes, and opens the folder again when another has written since (`FolderPlace`).
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Protocol, cast
from urllib.parse import urlsplit

import chromadb
import httpx
from chromadb.api import ServerAPI
from chromadb.api.client import Client
from chromadb.config import Settings, System
from chromadb.errors import ChromaError, NotFoundError
from filelock import FileLock, Timeout

from schema.problem import InputError, Problem

#: Files of ours beside Chroma's: the lock, and a word that changes with every writing.
LOCK, WRITTEN = "index.lock", "index.written"

#: Begins the URL of a server that may be another machine.
REMOTE = "remote:"

_DATABASE = "chroma.sqlite3"
_SEGMENT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # a folder of Chroma's vectors
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")  # no full stop, which ends a prefix
_SAID_AFTER = 5.0  # seconds of waiting for another process before the user is told
_POLL = 0.005  # seconds: an operation takes a few thousandths
#: The disk is full, the file is busy or may not be written, too many files are open: nothing is damaged.
_PASSING_SYSTEM = re.compile(r"os error (13|23|24|28|30)\b|No space left")
_SQLITE_CODE = re.compile(r"\(code: (\d+)\)")
_PASSING_SQLITE = {5, 6, 8, 10, 13, 14, 23}

OnProblem = Callable[[Problem], None]


class Place(Protocol):
    """Where collections are kept.

    ``prefix`` begins the names of this index's collections; ``name`` is what messages call the place.
    """

    name: str
    prefix: str

    @contextmanager
    def held(self, *, writes: bool = False) -> Iterator[Client]:
        """Chroma, for one operation; another process neither reads nor writes meanwhile where that would do harm."""
        ...

    def mend(self, error: Exception, collection: str) -> None:
        """Called while held when an operation failed: drops a damaged collection, and says so.

        Raises:
            InputError: the place is not damaged, or cannot be mended from here.
        """
        ...

    def empty(self) -> None:
        """Called while held for writing: drop all that is kept of this index."""
        ...

    def close(self) -> None:
        """Give back memory and files."""
        ...


class _Embedded:
    """A Chroma inside this process, its own even where several are open in the same place.

    Chroma's own clients share one, which keeps the memory of collections that were dropped.

    Raises:
        RuntimeError: this process is a fork of one that has used Chroma, where Chroma would wait for ever.
    """

    _used_by: ClassVar[int | None] = None  # the process; a fork keeps it

    def __init__(self, folder: Path | None = None) -> None:
        if self._used_by not in (None, os.getpid()):
            raise RuntimeError("an index was used before this process was forked; start it anew (spawn)")
        _Embedded._used_by = os.getpid()
        settings = _settings()
        if folder is not None:
            settings.is_persistent, settings.persist_directory = True, str(folder)
        self._system = System(settings)
        self._system.instance(ServerAPI)  # type: ignore[type-abstract]  # the settings name the class
        self._system.start()
        self.client = Client.from_system(self._system)

    def stop(self) -> None:
        """Give back memory and files."""
        self._system.stop()


class MemoryPlace:
    """Lasts until `close`."""

    name = "memory"
    prefix = "cohort-rag"

    def __init__(self) -> None:
        self._chroma = _Embedded()

    @contextmanager
    def held(self, *, writes: bool = False) -> Iterator[Client]:
        """Nothing to wait for."""
        yield self._chroma.client

    def mend(self, error: Exception, collection: str) -> None:
        """Memory is not damaged: the program is."""
        raise error

    def empty(self) -> None:
        """Drop the collections."""
        _drop(self._chroma.client, self.prefix)

    def close(self) -> None:
        """Give back the memory."""
        self._chroma.stop()


class FolderPlace:
    """A folder, shared between processes by a lock that ends with the process that holds it.

    An embedded Chroma keeps vectors in its own memory and does not see what another process writes: after another's
    writing it is opened again. Reading is locked too, since a Chroma that reads may also write what is pending.

    Raises:
        InputError: the folder cannot be used, or holds files that are not an index.
    """

    prefix = "cohort-rag"

    def __init__(self, folder: Path, on_problem: OnProblem) -> None:
        self.name = str(folder)
        self._folder = folder
        self._on_problem = on_problem
        self._chroma: _Embedded | None = None
        self._seen = ""
        self._mended: set[str] = set()
        self._damage_said = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            names = {path.name for path in folder.iterdir()}
        except OSError as error:
            remedy = "Give a folder that may be written to --index."
            raise InputError(Problem(self.name, f"cannot be used ({error.strerror}).", remedy)) from error
        if names and LOCK not in names:
            remedy = "Give a new or an empty folder to --index."
            raise InputError(Problem(self.name, "holds other files than an index.", remedy))
        self._lock = FileLock(folder / LOCK)

    @contextmanager
    def held(self, *, writes: bool = False) -> Iterator[Client]:
        """Alone among processes; waits for the others."""
        self._acquire()
        try:
            written = self._folder / WRITTEN
            now = written.read_text("ascii", "replace") if written.exists() else ""
            if self._chroma is None or now != self._seen:
                self._seen = now
                self._open()
            if writes:
                # Before the writing: were it killed in the middle, the others still see that something changed.
                self._mark_written()
            assert self._chroma is not None
            yield self._chroma.client
        finally:
            self._lock.release()

    def mend(self, error: Exception, collection: str) -> None:
        """Drop what is damaged; all of the folder when that does not help."""
        self._require_damage(error)
        self._mark_written()
        if collection in self._mended or not self._drop(collection):
            self.empty()
        self._mended.add(collection)
        self._say_rebuilt()

    def empty(self) -> None:
        """Delete what Chroma wrote, and nothing else."""
        self.close()
        try:
            for path in self._folder.iterdir():
                if _SEGMENT.fullmatch(path.name):
                    shutil.rmtree(path)
                elif path.name.startswith(_DATABASE):
                    path.unlink()
        except OSError as error:
            what, remedy = f"cannot be emptied ({error.strerror}).", "End what uses it, or delete the folder."
            raise InputError(Problem(self.name, what, remedy)) from error
        self._chroma = _Embedded(self._folder)

    def close(self) -> None:
        """Close the folder."""
        if self._chroma is not None:
            self._chroma.stop()
        self._chroma = None

    def _acquire(self) -> None:
        try:
            try:
                self._lock.acquire(timeout=_SAID_AFTER, poll_interval=_POLL)
            except Timeout:
                what, remedy = "is in use by another process; waiting for it.", "Nothing to do."
                self._on_problem(Problem(self.name, what, remedy, lost=False))
                self._lock.acquire(timeout=-1, poll_interval=_POLL)
        except OSError as error:
            remedy = "Give a folder that may be written to --index."
            raise InputError(Problem(self.name, f"cannot be locked ({error.strerror}).", remedy)) from error

    def _open(self) -> None:
        self.close()
        database = self._folder / _DATABASE
        begun = database.exists() and database.stat().st_size
        lost = not begun and any(_SEGMENT.fullmatch(path.name) for path in self._folder.iterdir())
        try:
            if not lost:
                self._chroma = _Embedded(self._folder)
                return
        except (ChromaError, ValueError) as error:
            self._require_damage(error)
        self._mark_written()
        self.empty()
        self._say_rebuilt()

    def _mark_written(self) -> None:
        self._seen = secrets.token_hex(8)
        try:
            (self._folder / WRITTEN).write_text(self._seen, "ascii")
        except OSError as error:
            remedy = "Give a folder that may be written to --index."
            raise InputError(Problem(self.name, f"cannot be written ({error.strerror}).", remedy)) from error

    def _drop(self, collection: str) -> bool:
        assert self._chroma is not None
        try:
            self._chroma.client.delete_collection(collection)
        except NotFoundError:
            pass
        except (ChromaError, ValueError):
            return False
        return True

    def _require_damage(self, error: Exception) -> None:
        if _is_passing(str(error)):
            what = f"cannot be used ({str(error).splitlines()[0][-120:]})."
            remedy = "Make room, or give the right to write, and run again; nothing is lost."
            raise InputError(Problem(self.name, what, remedy)) from error

    def _say_rebuilt(self) -> None:
        if self._damage_said:
            return
        self._damage_said = True
        self._on_problem(Problem(self.name, "was damaged.", "It is being rebuilt; nothing to do.", lost=False))


class ServerPlace:
    """A Chroma server, which does its own locking. The URL's path names the index: ``http://127.0.0.1:8000/stroke``.

    Another machine is refused unless the URL is written ``remote:http://…``: vectors and identifiers of patients then
    leave this one.

    Raises:
        InputError: not a URL that can be used, another machine that is not allowed, or no answer.
    """

    def __init__(self, url: str) -> None:
        self.name = url
        remote, url = url.startswith(REMOTE), url.removeprefix(REMOTE)
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 8000)
        except ValueError:
            raise _no_url(url) from None
        index = parts.path.strip("/") or "cohort"
        if not host or parts.query or parts.username or not _NAME.fullmatch(index):
            raise _no_url(url)
        if _is_loopback(host):
            _bypass_proxy(host)
        elif not remote:
            what = "is another machine: patients' identifiers and the vectors of their documents would leave this one."
            remedy = f"Use a folder or a server on 127.0.0.1, or allow it: {REMOTE}{url}"
            raise InputError(Problem(url, what, remedy))
        self.prefix = f"cohort-rag-{index}"
        try:
            made = chromadb.HttpClient(host, port, ssl=parts.scheme == "https", settings=_settings())
        except (ValueError, ChromaError, httpx.HTTPError) as error:
            raise self._silent() from error
        self._client = cast(Client, made)  # declared as the interface, which has no close()

    @contextmanager
    def held(self, *, writes: bool = False) -> Iterator[Client]:
        """Nothing to wait for."""
        try:
            yield self._client
        except httpx.HTTPError as error:
            raise self._silent() from error

    def mend(self, error: Exception, collection: str) -> None:
        """A server's files are its own; a collection that is not there (any more) was dropped by another client."""
        if isinstance(error, NotFoundError):
            return
        what = f"answers with an error ({str(error).splitlines()[0][:120]})."
        remedy = "See the server's log; an index that it can no longer read is made again with --rebuild."
        raise InputError(Problem(self.name, what, remedy)) from error

    def empty(self) -> None:
        """Drop the collections of this index."""
        _drop(self._client, self.prefix)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _silent(self) -> InputError:
        remedy = "Start it: chroma run --host 127.0.0.1 --port 8000 --path FOLDER"
        return InputError(Problem(self.name, "does not answer as a Chroma server.", remedy))


def _is_passing(message: str) -> bool:
    code = _SQLITE_CODE.search(message)
    # The low byte is the kind of error, what is above it the detail: https://www.sqlite.org/rescode.html
    return bool(_PASSING_SYSTEM.search(message) or (code and int(code[1]) & 0xFF in _PASSING_SQLITE))


def _no_url(url: str) -> InputError:
    remedy = "Write it as http://127.0.0.1:8000 or http://127.0.0.1:8000/name."
    return InputError(Problem(url, "is not the URL of a Chroma server.", remedy))


def _settings() -> Settings:
    return Settings(anonymized_telemetry=False)


def _drop(client: Client, prefix: str) -> None:
    for collection in client.list_collections():
        if collection.name.startswith(f"{prefix}."):
            client.delete_collection(collection.name)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bypass_proxy(host: str) -> None:
    """What is for this machine goes through no proxy, whatever the environment says."""
    held = os.environ.get("NO_PROXY", "")
    if host not in held.split(","):
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(filter(None, [held, host]))
