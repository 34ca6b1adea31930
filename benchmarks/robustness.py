"""How much of a table survives when its documents are written, or scanned, less well.

    python -m benchmarks.robustness COHORT_DIR [--study study.yml]

COHORT_DIR holds ``documents.jsonl``, ``dictionary.csv`` and ``table.csv``. The same documents are filled as they are,
without accents, in capitals, wrapped at 60 columns, and with 1 and 2 % of characters misread as a scanner does.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import textwrap
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from eval.run import evaluate
from generator.rules.reader import RulesGenerator
from rag.corpus.read import read_documents
from rag.patient import PatientReader, build_record
from rag.redcap.dictionary import read_dictionary
from rag.redcap.export import read_table
from rag.settings import load_study
from schema.document import RawDocument
from schema.study import Study

#: Pairs that scanners of French text mistake for one another.
_MISREAD = {
    "l": "1", "1": "l", "O": "0", "0": "O", "e": "c", "c": "e", "n": "u", "u": "n", "i": "l", "é": "e", "è": "e",
    "m": "rn", "5": "S", "S": "5", "a": "o", "t": "f", ",": ".", "h": "b", "B": "8",
}  # fmt: skip


def without_accents(text: str) -> str:
    """The text as an old terminal would have it."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def misread(rate: float, seed: int = 0) -> Callable[[str], str]:
    """A transform that replaces a share of the characters by those a scanner takes them for."""
    dice = random.Random(seed)

    def transform(text: str) -> str:
        return "".join(_MISREAD.get(c, c) if dice.random() < rate else c for c in text)

    return transform


def wrapped(text: str) -> str:
    """The text in a column of 60 characters, as a page or a terminal prints it."""
    lines = [textwrap.wrap(line, 60, break_long_words=False) or [""] for line in text.split("\n")]
    return "\n".join(part for line in lines for part in line)


_TRANSFORMS: dict[str, Callable[[str], str]] = {
    "as written": str,
    "without accents": without_accents,
    "capitals": str.upper,
    "wrapped at 60 columns": wrapped,
    "1 % misread": misread(0.01),
    "2 % misread": misread(0.02),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cohort", type=Path, metavar="COHORT_DIR")
    parser.add_argument("--study", type=Path)
    arguments = parser.parse_args()
    dictionary = read_dictionary(arguments.cohort / "dictionary.csv")
    study = load_study(arguments.study, dictionary.variables, print) if arguments.study else Study()
    gold, _ = read_table(arguments.cohort / "table.csv", dictionary)
    reader = PatientReader(dictionary.variables, RulesGenerator(dictionary.variables, study))
    patients: dict[str, list[RawDocument]] = defaultdict(list)
    for raw in read_documents(arguments.cohort / "documents.jsonl", print):
        patients[raw.patient_id].append(raw)
    print(f"{'':24}precision  recall     F1")
    for name, transform in _TRANSFORMS.items():
        filled = {}
        for patient, raws in patients.items():
            record = build_record([replace(raw, text=transform(raw.text)) for raw in raws], lambda _: None)
            filled[patient] = {value.variable: value.value for value in reader.read(record)}
        with tempfile.TemporaryDirectory() as folder:
            overall = evaluate(dictionary.variables, filled, gold, Path(folder)).overall
        print(f"{name:24}{overall.precision.value:9.3f}{overall.recall.value:8.3f}{overall.f1.value:7.3f}")


if __name__ == "__main__":
    main()
