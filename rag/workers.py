"""Patients read by several processes. Workers only read; the results come back to the caller, who stores them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import BaseContext

from rag.store import PatientResult


@dataclass(frozen=True, slots=True)
class Failure:
    """The program broke on the patient at ``place``; ``reason`` holds nothing of the patient's documents."""

    place: int
    reason: str


#: Reads the patient at one place of the spool. Never raises for what a patient holds.
ReadPlace = Callable[[int], PatientResult | Failure]
#: Builds a `ReadPlace` inside the process that will use it; must be picklable.
MakeReader = Callable[[], ReadPlace]

_CHUNK = 8  # patients sent to a worker at once: enough to hide the cost of sending, small enough to share the end
_AHEAD = 3  # chunks waiting per worker

_read_place: ReadPlace | None = None  # this worker process's reader


def read_all(places: Sequence[int], make_reader: MakeReader, workers: int) -> Iterator[PatientResult | Failure]:
    """Read the patients at ``places``; they come back in any order, each one once."""
    if workers == 1:
        yield from map(make_reader(), places)
        return
    left: list[int] = []
    yield from _read_in_pool(places, make_reader, workers, left)
    # A worker that dies takes the whole pool with it. The patients that were under way are read again, each in a
    # pool of its own, so that the one who kills its worker is found and the others are not lost.
    while left:
        suspects, rest = left[: workers * _AHEAD * _CHUNK], left[workers * _AHEAD * _CHUNK :]
        for place in suspects:
            lost: list[int] = []
            yield from _read_in_pool([place], make_reader, 1, lost)
            yield from (Failure(place, "the process that read this patient died") for place in lost)
        left = []
        yield from _read_in_pool(rest, make_reader, workers, left)


def _read_in_pool(
    places: Sequence[int], make_reader: MakeReader, workers: int, left: list[int]
) -> Iterator[PatientResult | Failure]:
    """Read ``places``; when a worker dies, put those without a result in ``left``, the ones under way first."""
    size = max(1, min(_CHUNK, len(places) // (workers * _AHEAD)))
    waiting = deque(places[start : start + size] for start in range(0, len(places), size))
    under_way: dict[Future[list[PatientResult | Failure]], Sequence[int]] = {}
    pool = ProcessPoolExecutor(workers, _context(), _start_worker, (make_reader,))
    try:
        while waiting or under_way:
            while waiting and len(under_way) < workers * _AHEAD:
                future = pool.submit(_read_chunk, waiting[0])  # raises when the pool is broken: the chunk is kept
                under_way[future] = waiting.popleft()
            finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in finished:
                results = future.result()
                del under_way[future]
                yield from results
    except BrokenProcessPool:
        left += [place for chunk in (*under_way.values(), *waiting) for place in chunk]
    finally:
        pool.shutdown(cancel_futures=True)


def _context() -> BaseContext:
    """Fork where it is to be had: a worker then starts with every module already loaded."""
    methods = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("fork" if "fork" in methods else "spawn")


def _start_worker(make_reader: MakeReader) -> None:
    global _read_place
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _read_place = make_reader()


def _die_with_parent() -> None:
    """End this process when its parent is killed: it would wait for work for ever, with patients in its memory."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _read_chunk(places: Sequence[int]) -> list[PatientResult | Failure]:
    assert _read_place is not None
    return [_read_place(place) for place in places]
