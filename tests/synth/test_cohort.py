"""Whole cohorts, over the settings: exact quotes, readable files, true labels, equal bytes."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rag.redcap.dictionary import read_dictionary
from rag.redcap.export import read_table
from rag.synth.config import SynthConfig
from rag.synth.export import write_cohort
from rag.synth.generate import SyntheticPatient, generate

share = st.floats(0, 1)
documents = st.integers(5, 40).flatmap(lambda low: st.tuples(st.just(low), st.integers(low, low + 10)))
configs = st.builds(
    SynthConfig,
    patients=st.just(1),
    documents=documents,
    style=st.sampled_from(["mixed", "letters", "telegraphic", "forms", "dictated"]),
    noise=share,
    anaphora=share,
    contradictions=share,
    missingness=share,
    vocabulary=st.text("ABCdef 12", min_size=1, max_size=4),
    seed=st.integers(0, 10_000),
)
wild = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@wild
@given(configs)
def test_quotes_are_verbatim_and_documents_in_order(config: SynthConfig) -> None:
    low, high = config.documents
    for patient in generate(config):
        texts = {document.document_id: document.text for document in patient.documents}
        assert len(texts) == len(patient.documents) <= high
        assert len(texts) >= low - 2  # a document of which nothing remains to be said is left out
        assert [d.date for d in patient.documents] == sorted(d.date for d in patient.documents)
        for told in patient.told:
            assert told.quote
            assert told.quote in texts[told.document_id]
        assert not any(0xE000 <= ord(sign) <= 0xF8FF for text in texts.values() for sign in text)


@wild
@given(configs)
def test_labels_say_what_they_mean(config: SynthConfig) -> None:
    for patient in generate(config):
        concepts = {variable.name: variable.concept for variable in patient.variables}
        for told in patient.told:
            if told.source is not None and told.key.concept != "atcd":
                assert told.source.value == told.value
                assert told.source.document_id < told.document_id
        for answer in patient.answers:
            assert 1 <= len(answer.evidence) <= 3
            if answer.kind == "anaphoric":
                pointing, source = answer.evidence
                assert pointing.source is not None
                assert source.source is None
                assert source.document_id < pointing.document_id
            else:
                assert all(told.source is None for told in answer.evidence)
            if answer.kind == "order":
                chosen = {told.document_id for told in answer.evidence}
                others = [t for t in patient.told if t.key.concept == concepts[answer.variable]]
                assert any(t.document_id not in chosen and t.value != answer.evidence[0].value for t in others)


@settings(max_examples=6, deadline=None)
@given(st.sampled_from(["A", "B", "C", "Zorglub"]), st.integers(0, 99))
def test_the_files_are_read_without_a_problem(vocabulary: str, seed: int) -> None:
    import tempfile

    config = SynthConfig(patients=3, documents=(6, 20), vocabulary=vocabulary, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        write_cohort(config, out)
        dictionary = read_dictionary(out / "dictionary.csv")
        assert dictionary.problems == ()
        table, problems = read_table(out / "table.csv", dictionary)
        assert list(problems) == []
        assert len(table) == 3
        lines = [json.loads(line) for line in (out / "evidence.jsonl").read_text("utf-8").splitlines()]
        assert {line["kind"] for line in lines} <= {"plain", "anaphoric", "order"}
        assert {line["variable"] for line in lines} <= {variable.name for variable in dictionary.variables}


def test_equal_settings_give_equal_bytes(tmp_path: Path) -> None:
    config = SynthConfig(patients=3, documents=(8, 40), noise=0.5, anaphora=0.5, seed=5)
    for name in ("one", "two"):
        write_cohort(config, tmp_path / name)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["dictionary.csv", "documents.jsonl", "evidence.jsonl", "manifest.json", "table.csv"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_patient_does_not_depend_on_how_many_follow() -> None:
    few, many = (list(generate(SynthConfig(patients=n, seed=3))) for n in (2, 5))
    assert many[:2] == few


def test_another_seed_gives_other_patients() -> None:
    texts = [next(iter(generate(SynthConfig(patients=1, seed=seed)))).documents[0].text for seed in range(5)]
    assert len(set(texts)) == 5


def test_nothing_is_told_by_reference_without_anaphora() -> None:
    patients = generate(SynthConfig(patients=10, documents=(20, 30), anaphora=0))
    assert all(answer.kind != "anaphoric" for patient in patients for answer in patient.answers)


def test_missingness_empties_cells() -> None:
    def cells(missingness: float) -> int:
        config = SynthConfig(patients=10, missingness=missingness)
        return sum(len(patient.answers) for patient in generate(config))

    assert cells(0) > cells(0.4) > cells(0.9)


@pytest.mark.parametrize("documents", [(4, 8), (8, 7), (8, 201)])
def test_impossible_numbers_of_documents_are_refused(documents: tuple[int, int]) -> None:
    with pytest.raises(ValidationError, match="from 5 to 200"):
        SynthConfig(documents=documents)


def _moment(patient: SyntheticPatient, meaning: str) -> dt.datetime | None:
    names = {variable.meaning: variable.name for variable in patient.variables}
    value = patient.row().get(names[meaning])
    return dt.datetime.fromisoformat(value) if value else None


def test_times_are_in_the_order_that_care_has() -> None:
    for patient in generate(SynthConfig(patients=30, missingness=0, seed=11)):
        meanings = ("debut_symptomes", "delai_imagerie", "heure_thrombolyse")
        later = ("debut_symptomes", "delai_imagerie", "heure_ponction", "heure_recanalisation")
        for path in (meanings, later):
            moments = [moment for name in path if (moment := _moment(patient, name))]
            assert moments == sorted(moments)
        left, came = _moment(patient, "date_sortie"), _moment(patient, "date_admission")
        assert left is None or came is None or came < left


def test_words_agree_with_the_patients_sex() -> None:
    for patient in generate(SynthConfig(patients=40, documents=(15, 20), noise=0, seed=2)):
        names = {variable.meaning: variable.name for variable in patient.variables}
        text = "\n".join(document.text for document in patient.documents)
        wrong = {
            "1": ("née le", "Mme ", "Patiente", "hospitalisée", " Elle "),
            "2": ("né le", "hospitalisé ", "adénome"),
        }
        sex = patient.row().get(names["sexe"])
        for word in wrong.get(sex or "", ()):
            assert word not in text.replace("Patiente vue", ""), (patient.patient_id, word)


def test_the_deficit_is_on_the_other_side_of_the_lesion() -> None:
    for patient in generate(SynthConfig(patients=30, documents=(8, 8), noise=0, missingness=0, seed=4)):
        names = {variable.meaning: variable.name for variable in patient.variables}
        side, site = (patient.row().get(names[name]) for name in ("cote", "site_occlusion"))
        if site not in ("2", "3"):
            continue
        text = "\n".join(d.text.casefold() for d in patient.documents if d.kind in ("samu", "urgences", "imagerie"))
        same = {"1": ("hémiparésie gauche", "hémiplégie gauche"), "2": ("hémiparésie droite", "hémiplégie droite")}
        assert not any(word in text for word in same[side or "1"]), patient.patient_id


def test_no_document_is_of_the_future() -> None:
    for patient in generate(SynthConfig(patients=25, documents=(5, 200), seed=8)):
        assert max(document.date for document in patient.documents) < "2026-07"
