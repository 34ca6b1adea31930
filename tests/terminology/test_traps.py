"""The traps of French clinical text, ten sentences or more each (traps.yml)."""

import csv
from pathlib import Path

import pytest
import yaml

from rag.concepts import ConceptReader
from tests.terminology.conftest import TRAPS
from tests.terminology.sentences import document_of, parse, place_of, said_of

SENTENCES: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("traps.yml").read_text("utf-8"))
CASES = [(trap, sentence) for trap, sentences in SENTENCES.items() for sentence in sentences]
with TRAPS.open(encoding="utf-8", newline="") as stream:
    FALSE_NAMES = {row["concept_id"] for row in csv.DictReader(stream)}


def test_every_trap_has_its_ten_sentences() -> None:
    assert len(SENTENCES) >= 17
    assert {trap: len(sentences) for trap, sentences in SENTENCES.items() if len(sentences) < 10} == {}


@pytest.mark.parametrize(("trap", "annotated"), CASES)
def test_a_sentence_is_read_as_it_is_marked(trap: str, annotated: str, trapped_reader: ConceptReader) -> None:
    sentence = parse(annotated)
    document = document_of(sentence.text)
    found: dict[tuple[int, int], list[frozenset[str]]] = {}
    for mention in trapped_reader.mentions(document):
        place = place_of(document, mention)
        found.setdefault(place, []).append(said_of(mention))
        if mention.concept.concept_id in FALSE_NAMES:
            assert place in sentence.marks, f"{mention.concept.concept_id} read in {sentence.text[slice(*place)]!r}"
    for place, said in sentence.marks.items():
        name = sentence.text[slice(*place)]
        assert place in found, f"{name!r} is not found"
        assert said in found[place], f"{name!r} is said to be {sorted(map(sorted, found[place]))}"
