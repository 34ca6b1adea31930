"""Patients read by several processes. Workers only read; the results come back to the caller, who stores them."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import BaseContext
from typing import Any, TypeVar

T = TypeVar("T")  # what reading one patient gives; picklable


@dataclass(frozen=True, slots=True)
class Failure:
    """The program broke on the patient at ``place``; ``reason`` holds nothing of the patient's documents."""

    place: int
    reason: str


#: Reads the patient at one place of the spool. Never raises for what a patient holds.
ReadPlace = Callable[[int], T | Failure]
#: Builds a `ReadPlace` inside the process that will use it; must be picklable.
MakeReader = Callable[[], ReadPlace[T]]

#: Patients sent to a worker at once, at most: enough to hide the cost of sending.
CHUNK = 8
_AHEAD = 3  # chunks under way per worker: the others go on while one is slow

_read_place: ReadPlace[Any] | None = None  # this worker process's reader


def read_all(
    places: Sequence[int], make_reader: MakeReader[T], workers: int, fork: bool = True, chunk: int = CHUNK
) -> Iterator[T | Failure]:
    """Read the patients at ``places``, in their order.

    Args:
        fork: let the processes begin as copies of this one, where the system can: quicker, but only safe as long as
            no library has threads of its own at work here.
        chunk: patients sent to a worker at once, at most: their results come back together.
    """
    if workers == 1:
        yield from map(make_reader(), places)
        return
    left = deque(places)
    while left:
        yield from _read_in_pool(left, make_reader, workers, fork, chunk)
        # A worker that died took its pool with it. The patients under way then are read again, each in a pool of its
        # own, so that the one who kills its worker is found and the others are not lost.
        for _ in range(min(len(left), workers * _AHEAD * chunk)):
            suspect = deque([left.popleft()])
            yield from _read_in_pool(suspect, make_reader, 1, fork, 1)
            yield from (Failure(place, "the process that read this patient died") for place in suspect)


def _read_in_pool(
    left: deque[int], make_reader: MakeReader[T], workers: int, fork: bool, chunk: int
) -> Iterator[T | Failure]:
    """Read the patients at the places in ``left``, taking them away; stop where a worker died."""
    waiting = deque(left)
    under_way: deque[Future[list[T | Failure]]] = deque()
    pool = ProcessPoolExecutor(workers, _context(fork), _start_worker, (make_reader,))
    try:
        while waiting or under_way:
            while waiting and len(under_way) < workers * _AHEAD:
                # Smaller and smaller towards the end, so that no worker is left alone with a long chunk.
                size = max(1, min(chunk, len(waiting) // (workers * _AHEAD)))
                under_way.append(pool.submit(_read_chunk, [waiting.popleft() for _ in range(size)]))
            for result in under_way.popleft().result():
                left.popleft()
                yield result
    except BrokenProcessPool:
        return
    finally:
        pool.shutdown(cancel_futures=True)


def _context(fork: bool) -> BaseContext:
    """Fork where it is to be had: a worker then starts with every module already loaded."""
    methods = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("fork" if fork and "fork" in methods else "spawn")


def _start_worker(make_reader: MakeReader[Any]) -> None:
    global _read_place
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _read_place = make_reader()
    gc.freeze()  # what is loaded by now stays: not looking at it again and again is worth 5 % of the time


def _die_with_parent() -> None:
    """End this process when its parent is killed: it would wait for work for ever, with patients in its memory."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _read_chunk(places: Sequence[int]) -> list[Any]:
    assert _read_place is not None
    return [_read_place(place) for place in places]
