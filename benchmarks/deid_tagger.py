"""How many documents per second the rules, the shipped tagger, and both together de-identify, on one core.

    python -m benchmarks.deid_tagger DOCS [--model FOLDER]

DOCS is anything that cohort-rag reads documents from. Loading is timed apart; each pass is the best of three.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before any library reads it

_REPETITIONS = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=Path, metavar="DOCS")
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="default: the shipped model")
    arguments = parser.parse_args()

    from rag.corpus.read import read_documents
    from rag.deid.detect import Detector
    from schema.document import RawDocument

    patients: dict[str, list[RawDocument]] = defaultdict(list)
    for raw in read_documents(arguments.documents, lambda problem: None):
        patients[raw.patient_id].append(raw)
    texts = [raw.text for documents in patients.values() for raw in documents]

    begun = time.perf_counter()
    from rag.deid.ner import NerTagger

    tagger = NerTagger.load(arguments.model)
    print(f"{len(texts)} documents of {sum(map(len, texts)) // max(1, len(texts))} characters on average")
    print(f"loading the tagger, torch and transformers included: {time.perf_counter() - begun:.1f} s")
    rules, both = Detector(), Detector(tagger=tagger)

    def detect(detector: Detector) -> None:
        for documents in patients.values():
            detector.detect(documents)

    _report("rules", lambda: detect(rules), len(texts))
    by_patient = [[raw.text for raw in documents] for documents in patients.values()]
    _report("tagger", lambda: [tagger.tag(part) for part in by_patient], len(texts))
    _report("both", lambda: detect(both), len(texts))


def _report(name: str, run: Callable[[], object], count: int) -> None:
    times = []
    for _ in range(_REPETITIONS):
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    print(f"{name:8} {count / min(times):8.1f} documents/s")


if __name__ == "__main__":
    main()
