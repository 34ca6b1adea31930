"""Speed of normalization against edsnlp's terminology matcher, with the same dictionary on the same documents.

    python benchmarks/normalization.py --documents FOLDER [--terminology T] [--repeat 3]

FOLDER holds .txt files, in sub-folders or not (BRAT folders do). edsnlp's `eds.terminology` is given every name of the
dictionary, once on lower case and once on its normalized text (after `eds.normalizer`: accents, quotes, case), as it
does by default for its own terminologies; it finds flat names alone. Ours is timed for names alone
(`TermIndex.matches`, from the disk and from memory, where dictionaries of up to 200,000 names are held) and for the
whole way (`Normalizer.mentions`: variants, pieces, choice of meanings). One process, the best of the repetitions,
loading left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from rag.terminology.bundled import open_terminology
from rag.terminology.index import StoredIndex
from rag.terminology.linker import Normalizer
from rag.terminology.memory import in_memory
from rag.terminology.tokens import keys


def main() -> None:
    """Print documents per second of each way, and how many times faster ours are than each of edsnlp's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=Path, required=True, help="folder of .txt files")
    parser.add_argument("--terminology", type=Path, help="dictionary file (the bundled one)")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    texts = [file.read_text(encoding="utf-8") for file in sorted(arguments.documents.rglob("*.txt"))]
    index = open_terminology(arguments.terminology)
    held = in_memory(index)
    normalizer = Normalizer(index)
    names = list(index.terms())
    print(f"{len(texts)} documents, {sum(map(len, texts)):,} characters, {len(names):,} names")
    ways: list[tuple[str, Callable[[str], int]]] = [
        ("edsnlp, lower case", edsnlp_matcher(index, "LOWER")),
        ("edsnlp, normalized", edsnlp_matcher(index, "NORM")),
        ("ours, on the disk", lambda text: sum(1 for _ in index.matches(keys(text)))),
        ("ours, in memory", lambda text: sum(1 for _ in held.matches(keys(text)))),
        ("ours, mentions", lambda text: len(normalizer.mentions(text))),
    ]
    theirs: list[float] = []
    for name, find in ways:
        seconds, found = best(find, texts, arguments.repeat)
        rate = len(texts) / seconds
        ratio = ""
        if name.startswith("edsnlp"):
            theirs.append(rate)
        else:
            ratio = "   ratio " + " and ".join(f"{rate / other:.1f}" for other in theirs)
        print(f"{name:20} {rate:9.1f} documents/s   {found:7} found{ratio}")


def edsnlp_matcher(index: StoredIndex, attribute: str) -> Callable[[str], int]:
    """edsnlp's matcher over the names of a dictionary; gives the number of entities."""
    import edsnlp

    terms: dict[str, list[str]] = {}
    for term in index.terms():
        terms.setdefault(term.concept_id, []).append(term.text)
    nlp = edsnlp.blank("eds")
    if attribute == "NORM":
        nlp.add_pipe("eds.normalizer")
    nlp.add_pipe("eds.terminology", config={"label": "concept", "terms": terms, "attr": attribute})
    return lambda text: len(nlp(text).ents)


def best(find: Callable[[str], int], texts: Iterable[str], repeat: int) -> tuple[float, int]:
    """The shortest time to read all texts, and how many things were found."""
    shortest, found = float("inf"), 0
    for _ in range(repeat):
        started = time.perf_counter()
        found = sum(map(find, texts))
        shortest = min(shortest, time.perf_counter() - started)
    return shortest, found


if __name__ == "__main__":
    main()
