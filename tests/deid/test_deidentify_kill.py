"""``kill -9`` at any moment, then ``--resume``: the same files as a run that nothing interrupted."""

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pytest

from rag.deid.keys import Secret, write_key
from rag.deidentify import DeidentifyRequest, deidentify
from tests.deid.test_deidentify import Corpus

FORK = "fork" in multiprocessing.get_all_start_methods()
COHORT = {
    f"P{n}": [(f"P{n}-0{k}", "2021-06-14", None, f"Dr [NOM Maubert{'abcd'[n]}] le [DATE 1{k}/06/2021]") for k in (1, 2)]
    for n in range(4)
}


def request(corpus: Corpus, folder: Path) -> DeidentifyRequest:
    folder.mkdir()
    write_key(folder / "spans.key.jsonl", Secret(b"d" * 32), ())
    return DeidentifyRequest(corpus.source, folder / "out.jsonl", folder / "spans.jsonl", resume=True)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _run_until(corpus: Corpus, asked: DeidentifyRequest, last_event: int) -> None:
    """Run, but die at the given operation on files, as under ``kill -9``."""
    left = last_event

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event == "open" and str(asked.out.parent) not in str(arguments[0]):
            return
        if event in ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "sqlite3.connect", "deid.patient"):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)

    class Counted(type(corpus.detector)):  # type: ignore[misc]
        def detect(self, documents, known):
            sys.audit("deid.patient")
            return super().detect(documents, known)

    deidentify(asked, Counted(corpus.detector.spans))
    os._exit(0)


@pytest.mark.skipif(not FORK, reason="a killed copy of this process is needed")
def test_killed_at_each_operation_in_turn(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path, COHORT)
    whole = request(corpus, tmp_path / "whole")
    deidentify(whole, corpus.detector)
    expected = files(whole.out.parent)
    context = multiprocessing.get_context("fork")
    kills = 0
    for last_event in range(1, 200):
        asked = request(corpus, tmp_path / f"run{last_event}")
        child = context.Process(target=_run_until, args=(corpus, asked, last_event))
        child.start()
        child.join()
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        kills += 1
        deidentify(asked, corpus.detector)
        assert files(asked.out.parent) == expected, f"killed at operation {last_event}"
    else:
        pytest.fail("the run never came to its end")
    assert kills > 15


@pytest.mark.parametrize("cut", [1, 40, 10_000])
def test_a_line_cut_short_is_written_again_and_whole_ones_are_kept(tmp_path: Path, cut: int) -> None:
    corpus = Corpus(tmp_path, COHORT)
    whole = request(corpus, tmp_path / "whole")
    deidentify(whole, corpus.detector)
    asked = request(corpus, tmp_path / "cut")
    read: list[str] = []

    class BreakingOnce(type(corpus.detector)):  # type: ignore[misc]
        def detect(self, documents, known):
            read.append(documents[0].patient_id)
            if len(read) == 3:
                raise ValueError
            return super().detect(documents, known)

    detector = BreakingOnce(corpus.detector.spans)
    deidentify(asked, detector)
    assert read == ["P0", "P1", "P2", "P3"]
    journal = asked.work / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-cut])
    deidentify(asked, detector)
    assert read[4:] == (["P2", "P3"] if cut < 10_000 else ["P0", "P1", "P2", "P3"])
    assert files(asked.out.parent) == files(whole.out.parent)
