import json
from pathlib import Path

import pytest

from rag.answers import to_json, to_text
from rag.ask import Answer, AskRequest, ask
from rag.questions import match_question
from schema.problem import InputError
from schema.study import Study as StudyFile
from schema.study import VariableHints
from schema.value import Status
from schema.variable import Variable, VariableKind
from tests.pipeline.conftest import Study
from tests.pipeline.synthetic import LineGenerator

TEXTS = [
    ("P1", "Compte rendu du jour.\npoids : 71\nLe genou droit est douloureux."),
    ("P1", "sexe : 2"),
    ("P2", "poids : 90"),
]


def request(study: Study, **asked: str) -> AskRequest:
    documents = study.request(TEXTS).documents
    return AskRequest(documents, study.dictionary, asked.pop("patient_id", "P1"), **asked)  # type: ignore[arg-type]


def answer(study: Study, **asked: str) -> Answer:
    return ask(request(study, **asked), LineGenerator)


def test_a_variable_is_answered_with_its_value_and_its_quote(study: Study) -> None:
    found = answer(study, variable="poids")
    assert found.found is not None
    assert (found.found.value, found.found.status) == (71, Status.FOUND)
    (citation,) = found.citations
    assert (citation.document_id, citation.date, citation.type) == ("d0", "2024-03-05", "note")
    assert TEXTS[0][1][citation.start : citation.end] == "poids : 71"
    assert found.passages == ()


def test_the_json_answer_can_be_checked_against_the_document(study: Study) -> None:
    told = json.loads(to_json(answer(study, variable="sexe")))
    assert (told["value"], told["meaning"], told["status"]) == ("2", "Femme", "found")
    (evidence,) = told["evidence"]
    assert TEXTS[1][1][evidence["start"] : evidence["end"]] == evidence["quote"] == "sexe : 2"


def test_the_quote_is_marked_with_colours_on_a_terminal_only(study: Study) -> None:
    found = answer(study, variable="poids")
    assert "\033[" in to_text(found, colour=True)
    plain = to_text(found, colour=False)
    assert "\033[" not in plain
    assert "poids : 71" in plain
    assert "71 kg" in plain


def test_control_codes_of_a_document_never_reach_the_terminal(study: Study) -> None:
    documents = study.request([("P1", "poids : 71\x1b[2J")]).documents
    found = ask(AskRequest(documents, study.dictionary, "P1", question="Quel poids ?"), LineGenerator)
    assert found.passages or found.citations
    assert "\x1b" not in to_text(found, colour=False)


def test_a_question_is_matched_to_its_variable_and_says_so(study: Study) -> None:
    found = answer(study, question="Quel est son poids ?")
    assert found.variable is not None
    assert found.variable.name == "poids"
    assert "understood as poids" in to_text(found, colour=False)


def test_a_question_outside_the_dictionary_is_answered_by_passages_of_that_patient(study: Study) -> None:
    found = answer(study, question="Quel genou est douloureux ?")
    assert found.variable is None
    assert "genou droit" in found.passages[0].context
    assert all(TEXTS[int(p.document_id[1:])][0] == "P1" for p in found.passages)
    assert "no variable" in to_text(found, colour=False)


def test_a_question_whose_variable_is_empty_is_given_passages(study: Study) -> None:
    found = answer(study, question="Le patient a-t-il du tabac ?")
    assert found.found is not None
    assert found.found.status is Status.NOT_MENTIONED
    assert found.passages


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"variable": "poid"}, "poids"),
        ({"variable": "xyz"}, "first column"),
        ({"variable": "poids", "patient_id": "P11"}, "P1"),
        ({"variable": "poids", "patient_id": "zzz"}, "P1"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest_ones(study: Study, asked: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        answer(study, **asked)
    assert said in caught.value.problems[-1].remedy


def test_in_a_folder_only_the_files_of_the_patient_asked_about_are_opened(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = study.folder / "notes"
    for name in ("P1/note.txt", "P1/coupe.pdf", "P2/note.txt", "P2/coupe.pdf", "egare.txt"):
        (notes / name).parent.mkdir(parents=True, exist_ok=True)
        (notes / name).write_text(f"poids : {70 + len(name)}", encoding="utf-8")
    opened: list[str] = []
    read_bytes = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: opened.append(path.parent.name) or read_bytes(path))
    found = ask(AskRequest(notes, study.dictionary, "P1", variable="poids"), LineGenerator)
    assert found.found is not None
    assert found.found.value == 81
    assert [problem.where for problem in found.problems] == ["P1/coupe.pdf"]
    assert "P1" in opened
    assert "P2" not in opened
    with pytest.raises(InputError, match="first patients are P1, P2"):
        ask(AskRequest(notes, study.dictionary, "P3", variable="poids"), LineGenerator)
    assert "P2" not in opened


@pytest.mark.parametrize("patient", ["../P2", "P1/../P2", ".", "", "/"])
def test_a_patient_is_never_a_path(study: Study, patient: str) -> None:
    notes = study.folder / "notes"
    (notes / "P2").mkdir(parents=True)
    (notes / "P2" / "note.txt").write_text("poids : 70", encoding="utf-8")
    with pytest.raises(InputError, match="no usable document of patient"):
        ask(AskRequest(notes, study.dictionary, patient, variable="poids"), LineGenerator)


LABELS = {
    "nihss_admission": "Score NIHSS initial à l'arrivée à l'hôpital",
    "nihss_24h": "Score NIHSS à 24 heures",
    "nihss_sortie": "Score NIHSS de sortie",
    "diabete": "Diabète connu avant l'AVC",
    "hta": "Hypertension artérielle connue",
    "tabac": "Tabagisme",
    "date_sortie": "Date de sortie",
    "fevg": "Fraction d'éjection du ventricule gauche (%)",
}
VARIABLES = [Variable(name, label, VariableKind.TEXT) for name, label in LABELS.items()]


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Quel est le NIHSS à l'entrée ?", "nihss_admission"),
        ("NIHSS de sortie ?", "nihss_sortie"),
        ("La patiente est-elle diabétique ?", "diabete"),
        ("Est-il hypertendu ?", "hta"),
        ("Le patient fumait-il ?", "tabac"),
        ("Quelle est sa FEVG ?", "fevg"),
        ("Quand est-elle sortie ?", "date_sortie"),
    ],
)
def test_everyday_questions_find_their_variable(question: str, name: str) -> None:
    assert name in [variable.name for variable in match_question(question, VARIABLES, StudyFile())][:2]


@pytest.mark.parametrize(
    "question", ["Quelle est la couleur de ses yeux ?", "A-t-il eu une coloscopie ?", "?", "Le patient"]
)
def test_a_question_about_something_else_finds_none(question: str) -> None:
    assert match_question(question, VARIABLES, StudyFile()) == []


def test_synonyms_of_the_study_count_as_words_of_the_variable() -> None:
    study = StudyFile(variables={"hta": VariableHints(synonyms=("tensionnel",))})
    assert [v.name for v in match_question("antécédent tensionnel ?", VARIABLES, study)] == ["hta"]
