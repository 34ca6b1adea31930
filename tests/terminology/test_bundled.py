"""The content of the bundled stroke terminology: codes, names, and what a stroke study asks for."""

import csv
import re
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.rules.lexicon import load_lexicon
from rag.concepts import ConceptReader
from rag.terminology.loaders.bundled import DATA, BundledSource
from rag.terminology.loaders.icd10 import EdsnlpIcd10Source
from rag.terminology.tokens import tokenize
from schema.concept import CodeSystem, Concept
from schema.problem import Problem
from tests.terminology.sentences import document_of

ROOT = Path(__file__).parents[2]
STROKE = DATA / "stroke"
TYPES = {"disorder", "finding", "anatomy", "procedure", "device", "drug", "score", "observable", "social"}
#: A code of the ATC classification at any of its five levels.
ATC = re.compile(r"[A-Z](\d{2}([A-Z]([A-Z](\d{2})?)?)?)?")

#: Dihedral group of ten elements, and the permutations of a digit by its place: Verhoeff 1969.
_MULTIPLY = tuple(
    tuple(
        (row + column) % 5
        if row < 5 and column < 5
        else 5 + (row + column) % 5
        if row < 5
        else 5 + (row - column) % 5
        if column < 5
        else (row - column) % 5
        for column in range(10)
    )
    for row in range(10)
)
_FIRST = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


class _Once(yaml.SafeLoader):
    """A loader that refuses a key written twice, which YAML would let replace the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"written twice: {[key for key in keys if keys.count(key) > 1]}"
        return dict(super().construct_mapping(node, deep))


@lru_cache(maxsize=1)
def entries() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(STROKE.glob("*.yml")):
        concepts = yaml.load(file.read_text("utf-8"), _Once)
        assert not set(concepts) & set(found), f"{file.name}: names of another file"
        found |= concepts
    return found


def listed(value: Any) -> list[str]:
    return [] if value is None else value if isinstance(value, list) else [value]


def codes(field: str) -> list[tuple[str, str]]:
    return [(name, code) for name, fields in entries().items() for code in listed(fields.get(field))]


def key(name: str) -> str:
    return " ".join(token.key for token in tokenize(name))


def has_check_digit(identifier: str) -> bool:
    """Whether the last digit checks the others (Verhoeff), as in every SNOMED CT identifier."""
    sum_, permutation = 0, tuple(range(10))
    for digit in reversed(identifier):
        sum_ = _MULTIPLY[sum_][permutation[int(digit)]]
        permutation = tuple(_FIRST[place] for place in permutation)
    return sum_ == 0


def test_every_entry_is_in_the_format() -> None:
    problems: list[Problem] = []
    loaded = list(BundledSource(STROKE).entries(problems.append))
    assert not problems
    assert len(loaded) == len(entries()) >= 400


@pytest.mark.parametrize("field", ["snomed", "icd10"])
def test_codes_are_many(field: str) -> None:
    assert len({name for name, _ in codes(field)}) >= 400


def test_each_concept_has_a_name_a_kind_and_a_synonym() -> None:
    for name, fields in entries().items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name), name
        assert fields["type"] in TYPES, name
        assert fields.get("terms") or fields.get("ambiguous"), f"{name}: no other name"
        assert all(isinstance(term, str) for term in fields.get("terms", [])), name


def test_no_name_is_written_twice_in_a_concept() -> None:
    for name, fields in entries().items():
        keys = [key(term) for term in (fields["label"], *fields.get("terms", []), *fields.get("ambiguous", {}))]
        assert len(keys) == len(set(keys)), f"{name}: {[k for k in keys if keys.count(k) > 1]}"


def test_a_name_of_two_concepts_is_ambiguous_in_both() -> None:
    sure, ambiguous = defaultdict(set), defaultdict(set)
    for name, fields in entries().items():
        for term in (fields["label"], *fields.get("terms", [])):
            sure[key(term)].add(name)
        for term in fields.get("ambiguous", {}):
            ambiguous[key(term)].add(name)
    shared = {form: names | ambiguous[form] for form, names in sure.items() if len(names | ambiguous[form]) > 1}
    assert not shared


def test_one_meaning_at_most_of_an_ambiguous_name_needs_no_neighbour() -> None:
    by_form = defaultdict(list)
    for fields in entries().values():
        for term, rule in fields.get("ambiguous", {}).items():
            by_form[key(term)].append(rule)
    for form, rules in by_form.items():
        usual = [rule for rule in rules if not rule.get("near")]
        assert len(usual) <= 1, form


def test_sections_of_ambiguous_names_exist() -> None:
    kinds = yaml.safe_load((ROOT / "rag/corpus/section_titles.yml").read_text("utf-8"))["kinds"]
    for name, fields in entries().items():
        for rule in fields.get("ambiguous", {}).values():
            assert set(rule.get("sections", [])) <= set(kinds), name


def test_the_check_digit_is_that_of_snomed_ct() -> None:
    assert has_check_digit("49436004") and has_check_digit("38341003")
    assert not has_check_digit("49436005") and not has_check_digit("49463004")


def test_snomed_identifiers_are_well_formed() -> None:
    for name, code in codes("snomed"):
        assert isinstance(code, str), f"{name}: an identifier is quoted"
        assert re.fullmatch(r"[1-9]\d{5,17}", code) and has_check_digit(code), f"{name}: {code}"
        assert code[-3:-1] in {"00", "10"}, f"{name}: {code} is not a concept's identifier"


def test_icd10_codes_exist() -> None:
    known = {code.code for entry in EdsnlpIcd10Source().entries(lambda _: None) for code in entry.codes}
    assert known
    unknown = [(name, code) for name, code in codes("icd10") if code not in known]
    assert not unknown


def test_atc_codes_are_well_formed() -> None:
    for name, code in codes("atc"):
        assert ATC.fullmatch(code), f"{name}: {code}"


def test_only_drugs_have_atc_codes_and_none_has_an_icd10_code() -> None:
    for name, fields in entries().items():
        assert ("atc" in fields) == (fields["type"] == "drug"), name
        assert fields["type"] in {"disorder", "finding", "procedure", "device", "social"} or "icd10" not in fields, name


def test_every_disorder_has_an_icd10_code() -> None:
    assert not [name for name, fields in entries().items() if fields["type"] == "disorder" and "icd10" not in fields]


def test_conditions_of_the_lexicon_are_here_under_the_same_name() -> None:
    conditions = [name for name, concept in load_lexicon("concepts").items() if concept["kind"] == "condition"]
    assert conditions
    assert not [name for name in conditions if name not in entries()]


def test_drugs_of_the_lexicon_are_here_under_the_same_name() -> None:
    drugs = load_lexicon("drugs")
    assert drugs
    assert not [name for name in drugs if not {name, f"medicament_{name}"} & set(entries())]


#: Variables of the bundled study that are conditions, with what their choices name.
CONDITIONS = {
    "hta": ["Hypertension artérielle"],
    "diabete": ["Diabète", "Diabète Type 1", "Diabète Type 2"],
    "dyslipidemie": ["Dyslipidémie"],
    "tabac": ["Tabagisme", "Tabagisme sevré", "Tabagisme actif"],
    "fa": ["Fibrillation atriale"],
    "atcd_avc_ait": ["AVC", "AIT", "Antécédent d'AVC"],
    "coronaropathie": ["Maladie coronaire"],
    "mode_debut": ["AVC du réveil"],
    "complication_tm": ["Embolie dans un nouveau territoire", "Dissection"],
    "transfo_hemorragique": [
        "Transformation hémorragique",
        "Transformation hémorragique HI1",
        "Transformation hémorragique PH2",
    ],
    "hemorragie_symptomatique": ["Hémorragie intracrânienne symptomatique"],
    "etiologie_toast": [
        "Athérosclérose des grosses artères",
        "Cardioembolique",
        "Petite artère",
        "Autre cause déterminée",
        "Cause indéterminée",
    ],
    "pneumopathie": ["Pneumopathie"],
    "deces_3mois": ["Décès"],
}


@lru_cache(maxsize=1)
def by_name() -> dict[str, Concept]:
    found = {}
    for entry in BundledSource(STROKE).entries(lambda _: None):
        label = next(term.text for term in entry.terms if term.preferred)
        for term in entry.terms:
            found[key(term.text)] = Concept(entry.concept_id, label, entry.semantic_types, entry.codes)
    return found


def test_conditions_of_the_bundled_study_are_those_checked_here() -> None:
    with (ROOT / "configs/studies/stroke/dictionary.csv").open(encoding="utf-8-sig", newline="") as file:
        variables = {row["Variable / Field Name"] for row in csv.DictReader(file)}
    assert set(CONDITIONS) <= variables


@pytest.mark.parametrize(("variable", "names"), CONDITIONS.items(), ids=CONDITIONS)
def test_conditions_of_the_bundled_study_have_both_codes(variable: str, names: list[str]) -> None:
    for name in names:
        concept = by_name()[key(name)]
        assert concept.code_in(CodeSystem.SNOMED), name
        assert concept.code_in(CodeSystem.ICD10), name


@pytest.mark.parametrize(
    ("name", "system", "code"),
    [
        ("FA", CodeSystem.SNOMED, "49436004"),
        ("ACFA", CodeSystem.ICD10, "I48"),
        ("HTA", CodeSystem.ICD10, "I10"),
        ("DNID", CodeSystem.ICD10, "E11"),
        ("AVCi", CodeSystem.ICD10, "I63.9"),
        ("AIT", CodeSystem.SNOMED, "266257000"),
        ("HSA", CodeSystem.ICD10, "I60.9"),
        ("SAOS", CodeSystem.ICD10, "G47.3"),
        ("AOMI", CodeSystem.ICD10, "I70.2"),
        ("BPCO", CodeSystem.SNOMED, "13645005"),
        ("TIV", CodeSystem.SNOMED, "472191000119101"),
        ("ACM", CodeSystem.SNOMED, "17232002"),
        ("NIHSS", CodeSystem.SNOMED, "450743008"),
        ("Eliquis", CodeSystem.ATC, "B01AF02"),
        ("Kardégic", CodeSystem.ATC, "B01AC06"),
        ("aphasique", CodeSystem.SNOMED, "87486003"),
        ("PTH", CodeSystem.SNOMED, "52734007"),
        ("SDRA", CodeSystem.ICD10, "J80"),
    ],
)
def test_abbreviations_brands_and_adjectives_have_codes(name: str, system: CodeSystem, code: str) -> None:
    assert by_name()[key(name)].code_in(system) == code


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("ATCD : HTA, FA sous Eliquis, AIT en 2019, BPCO post-tabagique.", {"hta", "fa", "apixaban", "ait", "bpco"}),
        (
            "Occlusion M1 gauche sur FA non anticoagulée, TIV puis TM, TICI 2b.",
            {"occlusion_acm", "fa", "thrombolyse", "thrombectomie", "tici"},
        ),
        (
            "Hémiplégie gauche, PF centrale, HLH gauche et négligence.",
            {"hemiplegie", "paralysie_faciale", "hemianopsie", "negligence"},
        ),
        (
            "Dépistage d'une fièvre sur PAC, mise sous Augmentin pour pneumopathie.",
            {"fievre", "pneumopathie", "amoxicilline_clavulanique"},
        ),
        (
            "Insuffisance cardiaque décompensée avec OMI, Lasilix 40 mg.",
            {"insuffisance_cardiaque_aigue", "oedeme_membres_inferieurs", "furosemide"},
        ),
        (
            "Chute de sa hauteur, FESF droite, PIH le lendemain.",
            {"chute", "fracture_femur_proximal", "prothese_intermediaire"},
        ),
    ],
)
def test_notes_are_read(reader: ConceptReader, sentence: str, expected: set[str]) -> None:
    assert expected <= {mention.concept.concept_id for mention in reader.mentions(document_of(sentence))}
