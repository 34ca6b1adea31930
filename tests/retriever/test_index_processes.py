"""Several processes share a folder: nothing is lost, nothing is torn, and a killed one is gone on from."""

import multiprocessing
import os
import signal
import time
from contextlib import closing

import numpy as np
import pytest

from retriever import place
from retriever.index import DenseIndex
from retriever.passages import passages
from schema.document import Document, Section

SPAWN = multiprocessing.get_context("spawn")


class SlowEncoder:
    """Takes its time, so that processes meet."""

    name = "slow"
    dimension = 8

    def encode(self, texts):
        time.sleep(0.002 * len(texts))
        return np.stack([np.random.default_rng(len(text)).standard_normal(8).astype(np.float32) for text in texts])


def record(patient):
    return [document(patient, f"D{i}", [f"Patient {patient}, {'x' * (i + j)}." for j in range(4)]) for i in range(5)]


def document(patient, name, lines):
    text = " ".join(lines)
    sections = tuple(
        Section("", "", text.index(line), text.index(line), text.index(line) + len(line)) for line in lines
    )
    return Document(patient, name, "crh", "", None, text, text, sections)


def unexpected(problem):
    raise AssertionError(str(problem))


def check(index, patient):
    for doc in record(patient):
        expected = SlowEncoder().encode([p.text for p in passages(doc)])
        np.testing.assert_array_equal(index.vectors(patient, passages(doc)), expected)


def fill(folder, patients, started, gate):
    with closing(DenseIndex.in_folder(SlowEncoder(), folder, unexpected)) as index:
        started.release()
        gate.wait()
        for patient in patients:
            index.upsert(record(patient))
            check(index, patient)


def fill_side_by_side(folder, *shares):
    started, gate = SPAWN.Semaphore(0), SPAWN.Event()
    processes = [SPAWN.Process(target=fill, args=(folder, share, started, gate)) for share in shares]
    for process in processes:
        process.start()
    for _ in processes:
        assert started.acquire(timeout=20)
    gate.set()
    for process in processes:
        process.join(20)
    assert [process.exitcode for process in processes] == [0] * len(shares)


def test_two_processes_fill_one_folder(tmp_path):
    common = [f"P{i}" for i in range(4)]
    mine, theirs = [f"A{i}" for i in range(4)], [f"B{i}" for i in range(4)]
    fill_side_by_side(tmp_path, common + mine, common + theirs)
    with closing(DenseIndex.in_folder(SlowEncoder(), tmp_path, unexpected)) as index:
        for patient in common + mine + theirs:
            check(index, patient)
            assert index.upsert(record(patient)) == 0
        assert index.count() == 12 * 20


def test_what_another_process_writes_is_seen(tmp_path):
    with closing(DenseIndex.in_folder(SlowEncoder(), tmp_path, unexpected)) as index:
        process = SPAWN.Process(target=fill_alone, args=(tmp_path, "P1"))
        process.start()
        process.join(20)
        assert process.exitcode == 0
        check(index, "P1")


def fill_alone(folder, patient):
    with closing(DenseIndex.in_folder(SlowEncoder(), folder, unexpected)) as index:
        index.upsert(record(patient))


def fill_for_ever(folder, going):
    index = DenseIndex.in_folder(SlowEncoder(), folder, unexpected)
    for i in range(10_000):
        index.upsert(record(f"P{i}"))
        going.release()


@pytest.mark.parametrize("patience", [0.0, 0.02])
def test_a_killed_process_is_gone_on_from(tmp_path, patience):
    going = SPAWN.Semaphore(0)
    process = SPAWN.Process(target=fill_for_ever, args=(tmp_path, going))
    process.start()
    for _ in range(3):
        assert going.acquire(timeout=20)
    time.sleep(patience)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with closing(DenseIndex.in_folder(SlowEncoder(), tmp_path, unexpected)) as index:
        check(index, "P0")
        held = index.count()
        patients = [f"P{i}" for i in range(12)]
        encoded = sum(index.upsert(record(patient)) for patient in patients)
        assert encoded <= 12 * 20 - 3 * 20
        assert held >= 3 * 20
        for patient in patients:
            check(index, patient)


def test_a_folder_in_use_is_waited_for_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr(place, "_SAID_AFTER", 0.05)
    said = []
    with closing(DenseIndex.in_folder(SlowEncoder(), tmp_path, unexpected)):
        pass
    lock = place.FileLock(tmp_path / place.LOCK)
    lock.acquire()

    def tell(problem):
        said.append(problem)
        lock.release()

    with closing(DenseIndex.in_folder(SlowEncoder(), tmp_path, tell)) as index:
        assert index.upsert(record("P1")) == 20
    assert [problem.lost for problem in said] == [False]
    assert str(tmp_path) in str(said[0]) and "waiting" in str(said[0])


def opens(folder):
    try:
        DenseIndex.in_folder(SlowEncoder(), folder, unexpected).close()
    except RuntimeError as error:
        os._exit(7 if "forked" in str(error) else 8)


def test_a_fork_of_a_process_that_has_used_an_index_is_refused_one(tmp_path):
    DenseIndex.in_memory(SlowEncoder()).close()
    process = multiprocessing.get_context("fork").Process(target=opens, args=(tmp_path,))
    process.start()
    process.join(20)
    assert process.exitcode == 7
