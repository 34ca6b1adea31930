"""What the bundled dictionary reads where names look like other words (readings.yml), and what has gone."""

from pathlib import Path

import pytest
import yaml

from rag.concepts import ConceptReader
from tests.terminology.sentences import document_of, parse, place_of

SENTENCES: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("readings.yml").read_text("utf-8"))


def names_of(reader: ConceptReader, text: str) -> dict[str, set[str]]:
    """The concepts of each name of a text."""
    named: dict[str, set[str]] = {}
    for mention in reader.mentions(document_of(text)):
        named.setdefault(text[mention.start : mention.end], set()).add(mention.concept.concept_id)
    return named


@pytest.mark.parametrize("annotated", [sentence for some in SENTENCES.values() for sentence in some])
def test_what_is_read_is_what_is_marked(annotated: str, reader: ConceptReader) -> None:
    sentence = parse(annotated)
    document = document_of(sentence.text)
    places = {place_of(document, mention) for mention in reader.mentions(document)}
    outermost = {
        (start, end)
        for start, end in places
        if not any(low <= start and end <= high and (low, high) != (start, end) for low, high in places)
    }
    assert {sentence.text[slice(*place)] for place in outermost} == {
        sentence.text[slice(*place)] for place in sentence.marks
    }


@pytest.mark.parametrize(
    ("text", "name", "concept"),
    [
        ("SCA ST+ pris en charge.", "SCA ST+", "idm_st_plus"),
        ("SCA ST- pris en charge.", "SCA ST", "idm_st_moins"),
        ("Thrombectomie par stent retriever.", "stent retriever", "stent_retriever"),
        ("ATCD d'AVC ischémique.", "ATCD d'AVC", "antecedent_avc"),
        ("ATCD d'AVC ischémique.", "AVC ischémique", "avc_ischemique"),
        ("Suivi pour hta et fa.", "fa", "fa"),
    ],
)
def test_a_name_has_its_meaning(text: str, name: str, concept: str, reader: ConceptReader) -> None:
    assert concept in names_of(reader, text)[name]


@pytest.mark.parametrize("text", ["Stent retriever sur la CD.", "Thrombectomie par stent, lésion IVA."])
def test_the_stent_of_a_thrombectomy_is_no_coronary_stent(text: str, reader: ConceptReader) -> None:
    assert all("stent_coronaire" not in some for some in names_of(reader, text).values())


def test_a_name_after_anti_is_not_read(reader: ConceptReader) -> None:
    assert "hta" not in {one for some in names_of(reader, "Il prend un anti-HTA.").values() for one in some}


@pytest.mark.parametrize("text", ["Un traitement de l'HTA.", "Un passage en fibrillation atriale."])
def test_a_variant_does_not_repeat_the_name_inside_it(text: str, reader: ConceptReader) -> None:
    concepts = [one for some in names_of(reader, text).values() for one in some]
    assert len(concepts) == len(set(concepts)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Aphasie disparue à H2.",
        "L'aphasie a totalement régressé.",
        "Aphasie spontanément résolutive.",
        "Aphasie complètement récupérée.",
        "Aphasie résolue en dix minutes.",
        "L'aphasie a disparu.",
        "Disparition de l'aphasie.",
        "Disparition complète de l'aphasie.",
    ],
)
def test_what_has_gone_is_past_and_was_there(text: str, reader: ConceptReader) -> None:
    (mention,) = reader.mentions(document_of(text))
    assert (mention.concept.concept_id, mention.history, mention.negated) == ("aphasie", True, False)


@pytest.mark.parametrize(
    "text",
    ["Aphasie régressive.", "Aphasie en régression.", "L'aphasie n'a pas disparu.", "Aphasie non résolue.", "Aphasie."],
)
def test_what_is_getting_better_is_there(text: str, reader: ConceptReader) -> None:
    (mention,) = reader.mentions(document_of(text))
    assert (mention.history, mention.negated) == (False, False)
