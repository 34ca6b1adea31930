"""How long filling a cohort takes, against the stock pipes of edsnlp over the same documents.

    python -m benchmarks.fill COHORT_DIR [--study study.yml] [--workers] [--memory]

COHORT_DIR holds ``documents.jsonl`` and ``dictionary.csv``. Both sides run in this process, on one core, turn by turn,
start-up excluded. "fill" is all of `cohort-rag fill`: reading, values, store and every export.
``--workers`` adds the gain of two workers, ``--memory`` the peak for 100 and 2,000 patients, both on copies of the
cohort under new identifiers.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

# Before any library reads it: one core means one thread.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ[_name] = "1"

_PIPES = (
    "eds.normalizer", "eds.sentences", "eds.dates", "eds.quantities",
    "eds.negation", "eds.hypothesis", "eds.family", "eds.history",
)  # fmt: skip
_REPETITIONS = 5
_WORKERS_PATIENTS = 400


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cohort", type=Path, metavar="COHORT_DIR")
    parser.add_argument("--study", type=Path)
    parser.add_argument("--workers", action="store_true", help="also measure the gain of two workers")
    parser.add_argument("--memory", action="store_true", help="also measure the peak memory of 100 and 2,000 patients")
    parser.add_argument("--fill-once", type=int, metavar="WORKERS", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.fill_once:
        _fill_once(arguments.cohort, arguments.study, arguments.fill_once)
        return
    with tempfile.TemporaryDirectory() as folder:
        if arguments.workers:
            _compare_workers(arguments.cohort, arguments.study, Path(folder))
        if arguments.memory:
            _compare_memory(arguments.cohort, arguments.study, Path(folder))
        _time_start_up(arguments.cohort, arguments.study)
        _compare_pipes(arguments.cohort, arguments.study, Path(folder))


def _fill(cohort: Path, study: Path | None, out: Path, workers: int = 1) -> None:
    from rag.pipeline import FillRequest, Mode, fill

    fill(
        FillRequest(cohort / "documents.jsonl", cohort / "dictionary.csv", out, study, workers=workers, mode=Mode.FRESH)
    )


def _compare_pipes(cohort: Path, study: Path | None, folder: Path) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    texts = [json.loads(line)["text"] for line in (cohort / "documents.jsonl").open(encoding="utf-8")]
    run_pipes = _stock_pipes(texts)
    runs = iter(range(1_000))

    def run_fill() -> None:
        _fill(cohort, study, folder / f"run{next(runs)}")

    fills, pipes = [], []
    _seconds(run_fill)  # start-up: lexicons, compiled patterns, first use of the libraries
    _seconds(run_pipes)
    for _ in range(_REPETITIONS):
        fills.append(_seconds(run_fill))
        pipes.append(_seconds(run_pipes))
    print(f"{len(texts)} documents, one core, {_REPETITIONS} turns each; median (min)")
    print(f"  cohort-rag fill     {statistics.median(fills):6.2f} s  ({min(fills):.2f})")
    print(f"  edsnlp stock pipes  {statistics.median(pipes):6.2f} s  ({min(pipes):.2f})")
    print(f"  ratio               {statistics.median(fills) / statistics.median(pipes):6.2f}")


def _stock_pipes(texts: list[str]) -> Callable[[], None]:
    import edsnlp

    nlp = edsnlp.blank("eds")
    for name in _PIPES:
        nlp.add_pipe(name)

    def run() -> None:
        for _ in nlp.pipe(texts):
            pass

    return run


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _time_start_up(cohort: Path, study: Path | None) -> None:
    """From the command typed to the first value printed."""
    first = json.loads((cohort / "documents.jsonl").open(encoding="utf-8").readline())["patient_id"]
    from rag.redcap.dictionary import read_dictionary

    name = read_dictionary(cohort / "dictionary.csv").variables[0].name
    command = [sys.executable, "-m", "rag.cli", "ask", "--documents", str(cohort / "documents.jsonl")]
    command += ["--dictionary", str(cohort / "dictionary.csv"), "--patient", first, "--variable", name]
    command += ["--study", str(study)] if study else []
    seconds = _seconds(lambda: _run(command))
    print(f"start-up to first value   {seconds:.2f} s")


def _compare_workers(cohort: Path, study: Path | None, folder: Path) -> None:
    copies = _copies(cohort, folder, _WORKERS_PATIENTS)
    turns = [[_measured(copies, study, workers) for workers in (1, 2)] for _ in range(3)]
    print(f"{_WORKERS_PATIENTS} patients, {len(turns)} turns; median (min)")
    medians = []
    for workers, fills in enumerate(zip(*turns, strict=True), start=1):
        seconds = [fill.seconds for fill in fills]
        own, children = (
            statistics.median(cpu) for cpu in zip(*((f.cpu, f.cpu_of_workers) for f in fills), strict=True)
        )
        medians.append(statistics.median(seconds))
        print(f"  workers {workers}    {medians[-1]:6.2f} s  ({min(seconds):.2f}), CPU {own:.1f} + {children:.1f} s")
    gain = medians[0] / medians[1]
    # Karp and Flatt, Measuring parallel processor performance, CACM 1990: what does not run in parallel, whatever why.
    print(f"  gain         {gain:6.2f}  (serial share {100 * (2 / gain - 1):.0f} %)")


def _compare_memory(cohort: Path, study: Path | None, folder: Path) -> None:
    few, many = (_measured(_copies(cohort, folder, patients), study, 1).peak for patients in (100, 2_000))
    print(f"peak memory  {few:.0f} MiB for 100 patients, {many:.0f} MiB for 2,000: ratio {many / few:.2f}")


def _copies(cohort: Path, folder: Path, patients: int) -> Path:
    """A cohort of that many patients: the same documents again and again, under new identifiers."""
    copied = folder / f"cohort{patients}"
    copied.mkdir()
    (copied / "dictionary.csv").write_bytes((cohort / "dictionary.csv").read_bytes())
    rows = [json.loads(line) for line in (cohort / "documents.jsonl").open(encoding="utf-8")]
    originals = list(dict.fromkeys(row["patient_id"] for row in rows))
    with (copied / "documents.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(patients):
            original = originals[number % len(originals)]
            for row in rows:
                if row["patient_id"] == original:
                    new = {"patient_id": f"{original}-{number}", "document_id": f"{row['document_id']}-{number}"}
                    stream.write(json.dumps(row | new) + "\n")
    return copied


class _Fill(NamedTuple):
    """Start-up excluded. ``cpu``, ``cpu_of_workers``: seconds, user and system; ``peak``: memory in MiB."""

    seconds: float
    cpu: float
    cpu_of_workers: float
    peak: float


def _measured(cohort: Path, study: Path | None, workers: int) -> _Fill:
    """A fill in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.fill", str(cohort), "--fill-once", str(workers)]
    command += ["--study", str(study)] if study else []
    return _Fill(*map(float, _run(command).split()))


def _fill_once(cohort: Path, study: Path | None, workers: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _fill(_copies(cohort, Path(folder), 1), study, Path(folder) / "first")  # start-up is not measured
        before = _cpu(resource.RUSAGE_SELF)
        seconds = _seconds(lambda: _fill(cohort, study, Path(folder) / "run", workers))
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpus = _cpu(resource.RUSAGE_SELF) - before, _cpu(resource.RUSAGE_CHILDREN)
    print(*_Fill(seconds, *cpus, max(peaks) / 1024))


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
