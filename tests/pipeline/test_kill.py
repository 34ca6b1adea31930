"""``kill -9`` at any moment, then ``--resume``: the same files as a run that nothing interrupted."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rag.pipeline import FillRequest, Mode, fill
from tests.pipeline.conftest import Study
from tests.pipeline.synthetic import LineGenerator, plain_cohort

FILES = ("table.csv", "evidence.jsonl", "problems.csv")
FORK = "fork" in multiprocessing.get_all_start_methods()


def exported(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in FILES]


def _fill_until(request: FillRequest, last_event: int) -> None:
    """Fill, but die at the given operation on the run's files (or patient), as under ``kill -9``."""
    left = last_event

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        path = str(arguments[0]) if arguments else ""
        if (event == "open" and str(request.out) not in path) or "/drafts/tmp" in path:  # XlsxWriter's own parts
            return
        if event in ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "sqlite3.connect", "synthetic.patient"):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    fill(request, LineGenerator)
    os._exit(0)


@pytest.mark.skipif(not FORK, reason="a killed copy of this process is needed")
def test_killed_at_each_operation_in_turn(study: Study) -> None:
    cohort = plain_cohort(4)
    whole = study.request(cohort)
    fill(whole, LineGenerator)
    expected = exported(study.out)
    context = multiprocessing.get_context("fork")
    kills = 0
    for last_event in range(1, 200):
        out = study.folder / f"run{last_event}"
        request = FillRequest(whole.documents, whole.dictionary, out, mode=Mode.RESUME)
        child = context.Process(target=_fill_until, args=(request, last_event))
        child.start()
        child.join()
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        kills += 1
        fill(request, LineGenerator)
        assert exported(out) == expected, f"killed at operation {last_event}"
        assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in study.out.iterdir())
    else:
        pytest.fail("the fill never came to its end")
    assert kills > 20


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_again_and_again_from_outside(study: Study, workers: int) -> None:
    whole = study.request(plain_cohort(200))
    fill(whole, LineGenerator)
    expected = exported(study.out)
    read, out = study.folder / "read", study.folder / "killed"
    command = [sys.executable, "-m", "tests.pipeline.synthetic", str(whole.documents), str(whole.dictionary), str(out)]
    command += [str(workers), str(read)]
    random_ = random.Random(workers)
    goals = sorted(random_.sample(range(5, 180), 4))
    kills = 0
    for goal in goals:
        process = subprocess.Popen(command, start_new_session=True)
        while process.poll() is None and _size(read) < goal:
            time.sleep(0.001)
        process.kill()
        kills += process.wait() == -signal.SIGKILL
    assert kills == len(goals)
    assert subprocess.run(command, check=False).returncode == 0
    assert exported(out) == expected
    in_flight = 1 if workers == 1 else workers * 3 * 8  # read when the parent died, and not stored yet
    assert 200 <= _size(read) <= 200 + kills * in_flight


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
