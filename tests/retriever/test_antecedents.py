"""What a passage that points back points at."""

import datetime as dt

import numpy as np
import pytest
from numpy.typing import NDArray

from retriever.anaphora import Reference, reference
from retriever.antecedents import antecedent, antecedents, bearing_on
from retriever.timeline import EncodedTimeline, encode_timeline
from retriever.topics import tells, topics_of
from schema.document import Document, PartialDate, PatientRecord

#: date, kind and text of each document; several sentences of one line are one passage
Notes = list[tuple[str | None, str, str]]


def timeline(notes: Notes) -> EncodedTimeline:
    documents = [
        Document(
            "P1", f"{i:02d}", kind, "", PartialDate.parse(date) if date else None, text, text, (), ((0, len(text)),)
        )
        for i, (date, kind, text) in enumerate(notes)
    ]
    record = PatientRecord.of("P1", documents)
    return encode_timeline(record, lambda passages: np.zeros((len(passages), 2), dtype=np.float32))


def _date(text: str | None) -> PartialDate | None:
    return PartialDate.parse(text) if text else None


def pointing(sentence: str) -> Reference:
    found = reference(sentence)
    assert found is not None
    return found


STAY: Notes = [
    ("2021-03-01", "consultation", "NIHSS à 2."),
    ("2021-06-10", "urgences", "NIHSS à 14."),
    ("2021-06-10", "imagerie", "Scanner : infarctus sylvien."),
    ("2021-06-12", "suivi", "NIHSS à 9."),
    ("2021-06-13", "suivi", "Nuit calme."),
    ("2021-06-14", "crh", "NIHSS inchangé."),
    ("2021-09-20", "consultation", "NIHSS à 3."),
]


def best(sentence: str, t: int = 5) -> list[int]:
    weights = antecedents(pointing(sentence), timeline(STAY), t)
    assert not weights[t + 1 :].any()
    earlier = weights[:t]
    return np.flatnonzero(earlier == earlier.max()).tolist()


@pytest.mark.parametrize(
    ("sentence", "documents"),
    [
        ("NIHSS inchangé", [4]),
        ("NIHSS inchangé depuis la veille", [4]),
        ("cf. note du 12", [3]),
        ("cf. note du 12/06/2021", [3]),
        ("superposable au scanner du 10/06", [2]),
        ("NIHSS comme à l'entrée", [2]),
        ("cf. consultation du mois de mars", [0]),
        ("idem il y a 4 jours", [2]),
        ("cf. note du 25/12", [4]),
        ("cf. ordonnance", [4]),
    ],
)
def test_the_document_that_is_meant(sentence: str, documents: list[int]) -> None:
    assert best(sentence) == documents


def test_after_the_stay_the_admission_is_that_of_the_stay() -> None:
    assert best("NIHSS comme à l'entrée", t=6) == [2]


def test_the_first_document_has_nothing_before_it() -> None:
    assert antecedents(pointing("NIHSS inchangé comme à l'entrée"), timeline(STAY), 0).tolist() == [1, *[0] * 6]


def test_without_dates_the_nearest_is_meant() -> None:
    undated = timeline([(None, "crh", "NIHSS à 3."), (None, "crh", "NIHSS à 4."), (None, "crh", "Idem au 12/06.")])
    weights = antecedents(pointing("NIHSS inchangé, cf. CR du 12/06, comme à l'entrée"), undated, 2)
    assert weights[0] < weights[1]


def test_dates_move_with_the_timeline() -> None:
    moved: Notes = [
        (str(dt.date.fromisoformat(str(date)) + dt.timedelta(days=1000)), kind, text) for date, kind, text in STAY
    ]
    here, there = (antecedents(pointing("comme à l'entrée, la veille"), timeline(notes), 5) for notes in (STAY, moved))
    assert np.array_equal(here, there)


def flat(made: EncodedTimeline) -> NDArray[np.float64]:
    return np.ones(len(made.passages))


def found(notes: Notes, i: int, asked: str = "") -> int | None:
    made = timeline(notes)
    surest = bearing_on(made.passages[i].text, asked)
    assert surest is not None
    return antecedent(surest, made, i, flat(made), asked)


def test_the_last_passage_that_tells_the_topic_is_given() -> None:
    assert found(STAY, 5) == 3


def test_one_that_points_back_itself_is_passed_over() -> None:
    notes: Notes = [*STAY[:4], ("2021-06-13", "suivi", "NIHSS idem."), ("2021-06-14", "crh", "NIHSS inchangé.")]
    assert found(notes, 5) == 3


def test_a_treatment_is_told_by_its_drugs() -> None:
    notes: Notes = [
        ("2021-06-01", "courrier", "Traitement : bisoprolol 2,5 mg, ramipril 5 mg."),
        ("2021-06-10", "urgences", "NIHSS à 14. Traitement à revoir demain."),
        ("2021-06-14", "crh", "Sortie sous traitement habituel inchangé."),
    ]
    assert found(notes, 2) == 0


def test_the_heading_says_what_it_is_about() -> None:
    notes: Notes = [
        ("2021-06-01", "courrier", "Traitement : bisoprolol 2,5 mg, ramipril 5 mg."),
        ("2021-06-10", "urgences", "NIHSS à 14."),
        ("2021-06-14", "crh", "Traitement de sortie\nIdem."),
    ]
    assert found(notes, 2) == 0


def test_the_question_says_what_a_bare_sentence_is_about() -> None:
    notes: Notes = [
        ("2021-06-01", "courrier", "Rankin à 1."),
        ("2021-06-10", "urgences", "NIHSS à 14."),
        ("2021-06-14", "crh", "Idem."),
    ]
    assert found(notes, 2, "Score de Rankin") == 0
    assert found(notes, 2, "Score NIHSS") == 1
    assert found(notes, 2) is None


def test_of_two_the_one_that_answers_better() -> None:
    notes: Notes = [
        ("2021-06-01", "suivi", "NIHSS à 14."),
        ("2021-06-01", "suivi", "NIHSS à 9."),
        ("2021-06-02", "crh", "NIHSS inchangé."),
    ]
    made = timeline(notes)
    assert antecedent(pointing("NIHSS inchangé."), made, 2, np.array([1.0, 0.0, 1.0])) == 0


def test_nothing_before_it_names_the_topic() -> None:
    assert found([("2021-06-01", "suivi", "Nuit calme."), ("2021-06-14", "crh", "NIHSS inchangé.")], 1) is None


def test_a_passage_that_tells_it_too_needs_no_other() -> None:
    notes: Notes = [
        ("2021-06-01", "suivi", "NIHSS à 9."),
        ("2021-06-14", "crh", "NIHSS à 9 à l'entrée. NIHSS inchangé."),
    ]
    assert found(notes, 1) is None


def test_a_pointing_back_about_something_else_does_not_bear_on_the_question() -> None:
    assert bearing_on("Traitement inchangé.", "Score NIHSS") is None
    assert bearing_on("NIHSS à 14.", "Score NIHSS") is None


def test_one_that_does_not_say_what_it_is_about_bears_half() -> None:
    sure, unsure = bearing_on("NIHSS idem.", "Score NIHSS"), bearing_on("Idem.", "Score NIHSS")
    assert sure is not None
    assert unsure is not None
    assert unsure.strength == sure.strength / 2


def test_of_several_the_one_about_the_question() -> None:
    surest = bearing_on("Traitement inchangé. Poids stable.", "Poids (kg)")
    assert surest is not None
    assert surest.words == " Poids stable"


@pytest.mark.parametrize(
    ("text", "topic", "told"),
    [
        ("NIHSS à 14", "nihss", True),
        ("NIHSS : idem", "nihss", False),
        ("mRS 2 à la sortie", "disability", True),
        ("Rankin antérieur : 0", "disability", False),
        ("Traitement : Kardégic 75 mg", "treatment", True),
        ("Traitement : bisoprolol, ramipril, atorvastatine", "treatment", True),
        ("Traitement à revoir", "treatment", False),
        ("Antécédents : idem", "history", False),
        ("ATCD : HTA, diabète de type 2, fibrillation atriale paroxystique", "history", True),
        ("Nuit calme", "nihss", False),
    ],
)
def test_a_topic_named_and_a_topic_told(text: str, topic: str, told: bool) -> None:
    assert tells(text, topic) is told
    assert (topic in topics_of(text)) is (text != "Nuit calme")
