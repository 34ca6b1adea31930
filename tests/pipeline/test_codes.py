"""The codes of values: from the words of the dictionary to the evidence of a run."""

import csv
import json
from pathlib import Path

import pytest

from rag.patient import codes_of
from rag.pipeline import FillRequest, Mode, fill
from schema.concept import CodeSystem
from schema.study import Study, VariableHints
from schema.value import Evidence, ExtractedValue, Status, Value
from schema.variable import Choice, Variable, VariableKind
from tests.cli.commands import run
from tests.pipeline.conftest import Study as StudyFolder
from tests.pipeline.synthetic import LineGenerator

STROKE = Path(__file__).parents[2] / "configs" / "studies" / "stroke"
NO_YES = (Choice("0", "Non"), Choice("1", "Oui"))


def codes(variable: Variable, value: Value, quote: str = "écrit", study: Study | None = None) -> dict[str, str]:
    """The codes of one value, the first of each vocabulary."""
    evidence = (Evidence("D", 0, len(quote), quote),)
    found = ExtractedValue("P", variable.name, Status.FOUND, value, evidence=evidence)
    given: dict[str, str] = {}
    for code in codes_of([variable], study or Study()).of(found):
        given.setdefault(code.system.value, code.code)
    return given


def yes(label: str, note: str = "") -> Variable:
    return Variable("v", label, VariableKind.YESNO, note=note, choices=NO_YES)


@pytest.mark.parametrize(
    ("label", "icd10"),
    [
        ("Hypertension artérielle", "I10"),
        ("HTA", "I10"),
        ("Hypertension artérielle connue avant l'AVC", "I10"),
        ("Antécédent d'hypertension artérielle (HTA)", "I10"),
        ("Le patient a-t-il une HTA ?", "I10"),
        ("1.2 Présence d'une fibrillation atriale", "I48"),
        ("FA ou ACFA", "I48"),
        ("Découverte d'une FA pendant l'hospitalisation", "I48"),
        ("Notion d'un infarctus du myocarde", "I21"),
        ("Pneumopathie pendant le séjour", "J18"),
        ("Survenue d'une embolie pulmonaire dans les 30 jours", "I26"),
        ("Insuffisance cardiaque à l'admission", "I50"),
        ("Dyslipidemie", "E78"),
        ("Diabete", "E14"),
        ("Facteurs de risque : HTA", "I10"),
        ("Comorbidités - insuffisance cardiaque", "I50"),
    ],
)
def test_a_yes_is_what_its_label_names(label: str, icd10: str) -> None:
    given = codes(yes(label), "1")
    assert given["ICD10"].startswith(icd10)
    assert given["SNOMEDCT"].isdigit()
    assert codes(yes(label), "0") == {}


@pytest.mark.parametrize(
    "label",
    [
        "Traitement de l'HTA",
        "Recherche de fibrillation atriale",
        "Risque d'escarre",
        "Antécédents familiaux d'AVC",
        "Côté de l'hémiparésie",
        "Cause de l'AVC",
        "Consentement signé",
        "Autre",
    ],
)
def test_a_yes_to_something_else_has_no_code_of_the_disease(label: str) -> None:
    assert "ICD10" not in codes(yes(label), "1")


DIABETES = Variable(
    "d",
    "Diabète connu avant l'AVC",
    VariableKind.CHOICE,
    choices=(Choice("0", "Non"), Choice("1", "Type 1"), Choice("2", "Type 2"), Choice("3", "Oui sans précision")),
)
SMOKING = Variable(
    "t",
    "Tabagisme",
    VariableKind.CHOICE,
    choices=(Choice("0", "Jamais"), Choice("1", "Sevré"), Choice("2", "Actif"), Choice("9", "Non renseigné")),
)
MOMENT = Variable(
    "f",
    "Fibrillation atriale",
    VariableKind.CHOICE,
    choices=(Choice("0", "Absente"), Choice("1", "Connue avant l'AVC"), Choice("2", "Découverte pendant le séjour")),
)


@pytest.mark.parametrize(
    ("variable", "value", "icd10"),
    [
        (DIABETES, "1", "E10"),
        (DIABETES, "2", "E11"),
        (DIABETES, "3", "E14"),
        (DIABETES, "0", None),
        (SMOKING, "2", "F17"),
        (SMOKING, "0", None),
        (SMOKING, "9", None),
        (MOMENT, "1", "I48"),
        (MOMENT, "2", "I48"),
        (MOMENT, "0", None),
    ],
)
def test_the_choice_refines_its_label(variable: Variable, value: str, icd10: str | None) -> None:
    given = codes(variable, value).get("ICD10")
    assert given is None if icd10 is None else (given or "").startswith(icd10)


def test_each_choice_ticked_has_its_own_codes() -> None:
    variable = Variable(
        "c",
        "Complications",
        VariableKind.CHECKBOX,
        choices=(Choice("1", "Pneumopathie"), Choice("2", "Escarre"), Choice("3", "Aucune"), Choice("4", "Autre")),
    )
    evidence = (Evidence("D", 0, 1, "x"),)
    found = ExtractedValue("P", "c", Status.FOUND, ("1", "2", "4"), evidence=evidence)
    given = [code.code[:3] for code in codes_of([variable], Study()).of(found) if code.system is CodeSystem.ICD10]
    assert given == ["J18", "L89"]
    assert codes(variable, ("3",)) == {}


def test_of_two_alternatives_the_evidence_says_which() -> None:
    label = "Antécédent d'AVC ou d'AIT"
    assert codes(yes(label), "1", "AIT en 2019")["ICD10"].startswith("G45")
    assert codes(yes(label), "1", "AVC en 2019")["ICD10"].startswith("I6")


def test_a_number_has_the_code_of_its_measure_and_a_date_none() -> None:
    assert "SNOMEDCT" in codes(Variable("n", "Score NIHSS à l'arrivée", VariableKind.INTEGER), 12)
    assert codes(Variable("n", "Tabac (paquets-années)", VariableKind.INTEGER), 12).get("ICD10") is None
    assert codes(Variable("n", "Date de l'AVC", VariableKind.DATE), "2021-01-01") == {}


def test_the_study_names_what_the_label_does_not() -> None:
    variable = yes("Chiffres trop hauts")
    assert codes(variable, "1") == {}
    by_synonym = Study(variables={"v": VariableHints(synonyms=("tension…", "hypertension artérielle"))})
    by_concept = Study(variables={"v": VariableHints(concepts=("hta",))})
    assert codes(variable, "1", study=by_synonym)["ICD10"] == codes(variable, "1", study=by_concept)["ICD10"] == "I10"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "run"
    documents = STROKE / "sample" / "documents.jsonl"
    fill(FillRequest(documents, STROKE / "dictionary.csv", out, STROKE / "study.yml"))
    return out


CONDITIONS = [
    "hta", "diabete", "dyslipidemie", "tabac", "fa", "atcd_avc_ait", "coronaropathie", "transfo_hemorragique",
    "hemorragie_symptomatique", "pneumopathie", "deces_3mois",
]  # fmt: skip


def test_every_condition_of_the_sample_cohort_carries_its_codes(sample: Path) -> None:
    lines = [json.loads(line) for line in (sample / "evidence.jsonl").open(encoding="utf-8")]
    said = [line for line in lines if line["variable"] in CONDITIONS and line["value"] not in (None, "0")]
    assert {line["variable"] for line in said} == set(CONDITIONS)
    for line in said:
        assert {"ICD10", "SNOMEDCT"} <= line["codes"].keys(), (line["variable"], line["value"])
    absent = [line for line in lines if line["variable"] in CONDITIONS and line["value"] in (None, "0")]
    assert all(line["codes"] == {} for line in absent)


def test_codes_come_back_from_an_interrupted_run(study: StudyFolder) -> None:
    texts = [("P1", "fume : 1"), ("P2", "fume : 1\ncasse")]
    fill(study.request(texts), LineGenerator)
    fill(study.request([("P1", "fume : 1"), ("P2", "fume : 1\ncasse")], Mode.RESUME), LineGenerator)
    lines = [json.loads(line) for line in (study.out / "evidence.jsonl").open(encoding="utf-8")]
    (line,) = [line for line in lines if (line["patient_id"], line["variable"]) == ("P1", "fume")]
    assert line["codes"]["ICD10"]


def test_the_run_is_exported_to_omop(tmp_path: Path) -> None:
    documents = STROKE / "sample" / "documents.jsonl"
    request = FillRequest(
        documents, STROKE / "dictionary.csv", tmp_path / "run", STROKE / "study.yml", omop=tmp_path / "omop"
    )
    fill(request)
    names = sorted(path.name for path in request.omop.iterdir()) if request.omop else []
    assert names == ["condition_occurrence.csv", "measurement.csv", "person_id.csv"]
    with (tmp_path / "omop" / "person_id.csv").open(encoding="utf-8", newline="") as stream:
        persons = {row["person_source_value"]: row["person_id"] for row in csv.DictReader(stream)}
    with (tmp_path / "omop" / "condition_occurrence.csv").open(encoding="utf-8", newline="") as stream:
        conditions = [(row["person_id"], row["condition_source_value"]) for row in csv.DictReader(stream)]
    assert (persons["S01"], "I10") in conditions
    assert (persons["S02"], "E11") in conditions
    with (tmp_path / "omop" / "measurement.csv").open(encoding="utf-8", newline="") as stream:
        values = [
            (row["person_id"], row["value_as_number"], row["unit_source_value"]) for row in csv.DictReader(stream)
        ]
    assert (persons["S01"], "3.4", "mmol/L") in values


def test_an_answer_says_its_codes() -> None:
    inputs = ("--documents", STROKE / "sample" / "documents.jsonl", "--dictionary", STROKE / "dictionary.csv")
    asked = ("ask", *inputs, "--patient", "S02", "--variable", "hta")
    assert "ICD10 I10" in run(*asked).out
    assert json.loads(run(*asked, "--json").out)["codes"]["ICD10"] == ["I10"]
