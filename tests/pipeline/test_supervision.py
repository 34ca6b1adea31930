"""What a table alone teaches: labels of passages from the rules and from any other reader, without a span."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from eval.evidence import by_cell, read_evidence
from generator.rules.reader import RulesGenerator
from rag.corpus.build import build_document
from rag.corpus.read import read_documents
from rag.redcap.dictionary import Dictionary, read_dictionary
from rag.settings import load_study
from rag.supervision import Distant, GeneratorScorer, Supervisor, Weights, anchor_of, read_rows
from rag.variable_words import words_of
from retriever.passages import passages
from retriever.weak import Negative
from schema.document import PatientRecord, RawDocument
from schema.passage import Passage
from schema.problem import InputError, Problem
from schema.study import Study
from schema.value import Evidence, ExtractedValue, Status, Value
from schema.variable import Variable

STROKE = Path(__file__).parents[2] / "configs" / "studies" / "stroke"

DICTIONARY = """\
Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",\
Field Note,Text Validation Type OR Show Slider Number,Text Validation Min,Text Validation Max
record_id,f,,text,Patient,,,,,
arrival,f,,text,Date d'admission,,,date_ymd,,
nihss,f,,text,Score NIHSS à l'admission,,,integer,0,42
hta,f,,yesno,Hypertension artérielle connue avant l'AVC,,,,,
anticoag,f,,radio,Anticoagulant au domicile,"0, Aucun | 1, AVK | 2, AOD",,,,
risks,f,,checkbox,Facteurs de risque,"1, Tabagisme | 2, Obésité",,,,
"""

LETTERS = {
    "A": ("2019-02-03", "courrier", "Antécédents : hypertension artérielle.\n\nNIHSS à 2 lors de l'AIT de 2015.\n"),
    "B": (
        "2021-06-14",
        "urgences",
        "Arrivée aux urgences le 14/06/2021 pour AVC ischémique.\n\n"
        "Traitement habituel : Eliquis 5 mg matin et soir.\n\nExamen à l'entrée : NIHSS à 17.\n",
    ),
    "C": (
        "2021-06-24",
        "crh",
        "Hospitalisé du 14/06/2021 au 24/06/2021.\n\nSon frère est suivi pour hypertension artérielle.\n",
    ),
}


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory: pytest.TempPathFactory) -> Dictionary:
    path = tmp_path_factory.mktemp("study") / "dictionary.csv"
    path.write_text(DICTIONARY, encoding="utf-8")
    return read_dictionary(path)


@pytest.fixture(scope="module")
def record() -> PatientRecord:
    raws = [RawDocument("P1", name, text, date, kind) for name, (date, kind, text) in LETTERS.items()]
    return PatientRecord.of("P1", [build_document(raw, _ignore) for raw in raws])


@pytest.fixture(scope="module")
def found(record: PatientRecord) -> list[Passage]:
    return [passage for document in record.documents for passage in passages(document)]


ROW = {"arrival": "2021-06-14", "nihss": "17", "hta": "1", "anticoag": "2"}


def holding(found: Sequence[Passage], words: str) -> list[int]:
    return [i for i, passage in enumerate(found) if words in passage.text]


def _ignore(_: Problem) -> None:
    """Problems of the inputs are not the matter here."""


class Reader:
    """Reads one value wherever some words stand, and quotes them."""

    name = "reader"

    def __init__(self, variable: str, words: str, value: Value) -> None:
        self._variable, self._words, self._value = variable, words, value
        self.calls = 0

    def fill(
        self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None = None
    ) -> list[ExtractedValue]:
        self.calls += 1
        for document in record.documents:
            start = document.source_text.find(self._words)
            seen = passages is None or any(self._words in p.text for p in passages.get(self._variable, ()))
            if start >= 0 and seen:
                quote = Evidence(document.document_id, start, start + len(self._words), self._words)
                return [ExtractedValue("P1", self._variable, Status.FOUND, self._value, 0.8, (quote,))]
        return [ExtractedValue("P1", self._variable, Status.NOT_MENTIONED)]


def test_rows_are_coded_text_and_wrong_cells_are_said(dictionary: Dictionary, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text(
        "record_id,arrival,nihss,hta,risks___1,risks___2\nP1,14/06/2021,17,Oui,1,1\nP2,,99,,0,0\n", encoding="utf-8"
    )
    rows, problems = read_rows(table, dictionary)
    assert rows["P1"] == {"arrival": "2021-06-14", "nihss": "17", "hta": "1", "risks": "1,2"}
    assert rows["P2"] == {}
    assert [problem.where.split(",")[1] for problem in problems if problem.lost] == [" row 3"]
    with pytest.raises(InputError):
        read_rows(tmp_path / "none.csv", dictionary)


def test_the_admission_is_the_date_that_a_label_names_so(dictionary: Dictionary) -> None:
    assert anchor_of(dictionary.variables, ROW) == dt.date(2021, 6, 14)
    assert anchor_of(dictionary.variables, {"nihss": "17"}) is None
    assert anchor_of(dictionary.variables, {"arrival": "soon"}) is None


def test_words_are_those_of_the_lexicons(dictionary: Dictionary) -> None:
    words = words_of(dictionary.variables, Study())
    assert "HTA" in words["hta"].synonyms
    assert any(form.lower() == "eliquis" for form in words["anticoag"].choices["2"])
    assert words["anticoag"].omission == "treatment"


def test_each_filled_cell_is_labelled_by_words_quotes_and_reading(
    dictionary: Dictionary, record: PatientRecord, found: list[Passage]
) -> None:
    labels = Supervisor(dictionary.variables, RulesGenerator(dictionary.variables)).label(record, found, ROW)
    assert labels.keys() == ROW.keys()
    for name, words in {"nihss": "NIHSS à 17", "hta": "Antécédents : hyper", "anticoag": "Eliquis"}.items():
        label, right = labels[name], holding(found, words)
        for weights in (label.weak, label.cited, label.probed, label.refuted, label.combined()):
            assert weights.shape == (len(found),)
            assert weights.dtype == np.float32
            assert np.all(weights >= 0)
        assert int(label.combined().argmax()) in right
        assert max(label.cited[right]) > 0
        assert max(label.probed[right]) > 0
    assert labels["nihss"].combined()[holding(found, "NIHSS à 2")].max() < labels["nihss"].combined().max() / 5


def test_targets_are_the_combined_labels(dictionary: Dictionary, record: PatientRecord, found: list[Passage]) -> None:
    supervisor = Supervisor(dictionary.variables, RulesGenerator(dictionary.variables))
    labels, targets = supervisor.label(record, found, ROW), supervisor.targets(record, found, ROW)
    assert targets.keys() == labels.keys()
    assert all(np.array_equal(targets[name], labels[name].combined()) for name in targets)


def test_an_empty_or_impossible_cell_teaches_nothing(
    dictionary: Dictionary, record: PatientRecord, found: list[Passage]
) -> None:
    supervisor = Supervisor(dictionary.variables, RulesGenerator(dictionary.variables))
    assert supervisor.targets(record, found, {"nihss": "99", "hta": ""}) == {}
    assert supervisor.targets(record, [], ROW)["nihss"].shape == (0,)


def test_another_value_read_in_a_passage_refutes_it(
    dictionary: Dictionary, record: PatientRecord, found: list[Passage]
) -> None:
    nihss = [v for v in dictionary.variables if v.name == "nihss"]
    reader = Reader("nihss", "NIHSS à 2", 2)
    supervisor = Supervisor(nihss, reader)
    labels = supervisor.label(record, found, {"nihss": "17"})
    wrong = holding(found, "NIHSS à 2")
    assert labels["nihss"].refuted[wrong].max() == pytest.approx(0.8)
    assert labels["nihss"].cited.max() == labels["nihss"].probed.max() == 0
    negatives = supervisor.negatives(found, {"nihss": "17"}, labels)["nihss"]
    assert {n.passage: n.kind for n in negatives}[wrong[0]] is Negative.WRONG_VALUE


def test_hard_negatives_name_a_relative(dictionary: Dictionary, record: PatientRecord, found: list[Passage]) -> None:
    supervisor = Supervisor(dictionary.variables, RulesGenerator(dictionary.variables))
    negatives = supervisor.negatives(found, ROW, supervisor.label(record, found, ROW))
    kinds = {n.passage: n.kind for n in negatives["hta"]}
    assert kinds[holding(found, "Son frère")[0]] is Negative.WRONG_PERSON


def test_reading_alone_costs_one_call_per_rank_and_not_per_variable(
    dictionary: Dictionary, record: PatientRecord, found: list[Passage]
) -> None:
    reader = Reader("nihss", "NIHSS à 17", 17)
    labels = Supervisor(dictionary.variables, reader).label(record, found, ROW)
    assert labels["nihss"].probed[holding(found, "NIHSS à 17")].max() == pytest.approx(0.8)
    assert reader.calls <= 1 + len(found)


class Likelihood:
    """A language model's score: the length of the passage, in place of a likelihood."""

    def score(self, record: PatientRecord, variable: Variable, value: Value, passages: Sequence[Passage]) -> Weights:
        return np.array([len(passage.text) for passage in passages], dtype=np.float32)


def test_a_scorer_reads_in_the_place_of_the_generator(
    dictionary: Dictionary, record: PatientRecord, found: list[Passage]
) -> None:
    reader = Reader("nihss", "NIHSS à 17", 17)
    labels = Supervisor(dictionary.variables, reader, scorer=Likelihood()).label(record, found, ROW)
    assert reader.calls == 1
    probed = labels["nihss"].probed
    assert probed.max() > 1
    assert all(probed[i] in (0, len(found[i].text)) for i in range(len(found)))


def test_any_generator_scores_passages_read_alone(
    dictionary: Dictionary, record: PatientRecord, found: list[Passage]
) -> None:
    nihss = next(v for v in dictionary.variables if v.name == "nihss")
    scores = GeneratorScorer(Reader("nihss", "NIHSS à 17", 17)).score(record, nihss, 17, found)
    assert scores.nonzero()[0].tolist() == holding(found, "NIHSS à 17")
    assert not GeneratorScorer(Reader("nihss", "NIHSS à 17", 17)).score(record, nihss, 3, found).any()


def test_no_expert_alone_is_sure_and_silence_weighs_nothing() -> None:
    both = Distant(*(np.array(row, dtype=np.float32) for row in ([0.5, 0.5, 0], [0, 0.9, 0], [0, 0.9, 0], [0, 0, 0.9])))
    combined = both.combined()
    assert combined[1] > combined[0] > combined[2] == 0


def test_labels_of_the_sample_hold_the_evidence() -> None:
    """On the bundled sample, nearly every cell has a passage of its manual evidence among a few that weigh."""
    dictionary = read_dictionary(STROKE / "dictionary.csv")
    study = load_study(STROKE / "study.yml", dictionary.variables, _ignore)
    rows, _ = read_rows(STROKE / "sample" / "table.csv", dictionary)
    quotes = by_cell(read_evidence(STROKE / "sample" / "evidence.jsonl").rows)
    supervisor = Supervisor(dictionary.variables, RulesGenerator(dictionary.variables, study), study)
    by_patient: dict[str, list[RawDocument]] = {}
    for raw in read_documents(STROKE / "sample" / "documents.jsonl", _ignore):
        by_patient.setdefault(raw.patient_id, []).append(raw)
    held, sizes = [], []
    for patient in sorted(by_patient)[:2]:
        record = PatientRecord.of(patient, [build_document(raw, _ignore) for raw in by_patient[patient]])
        found = [passage for document in record.documents for passage in passages(document)]
        for name, weights in supervisor.targets(record, found, rows[patient]).items():
            told = [q.quote for q in quotes[patient, name].evidence] if (patient, name) in quotes else []
            right = [i for i, passage in enumerate(found) if any(quote in passage.text for quote in told)]
            if right:
                held.append(weights[right].max() > 0)
                sizes.append(np.count_nonzero(weights))
    assert len(held) > 50
    assert np.mean(held) >= 0.95
    assert np.mean(sizes) <= 6
