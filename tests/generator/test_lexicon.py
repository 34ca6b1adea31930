"""The clinical vocabulary: whole, without contradiction, and read as a clinician reads it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

import generator.rules.lexicon as lexicon
from generator.rules.lexicon import load_lexicon
from generator.rules.matcher import Hit, Matcher
from generator.rules.numbers import canonical_unit, convert
from generator.rules.readers import READERS
from generator.rules.text import fold, spellings

FILES = ("concepts", "drugs")
KINDS = {"condition", "measure", "score", "procedure", "event", "person"}
KEYS = {
    "concepts": {
        "kind",
        "forms",
        "beside",
        "except",
        "parents",
        "reader",
        "analyte",
        "units",
        "range",
        "out_of",
        "label",
    },
    "drugs": {"label", "forms", "except", "parents"},
}


class _Strict(yaml.SafeLoader):
    """Refuses a key written twice, of which plain YAML silently keeps the last."""


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    assert len(keys) == len(set(keys)), f"written twice: {sorted(key for key in keys if keys.count(key) > 1)}"
    return {key: loader.construct_object(value, deep=True) for key, (_, value) in zip(keys, node.value, strict=True)}


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def written(name: str) -> dict[str, dict[str, Any]]:
    """A file as written, before broad entries take over the forms of narrower ones."""
    path = Path(lexicon.__file__).parent / f"{name}.yml"
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Strict)


def spoken(form: str) -> str:
    """A form as it may stand in a text: words in the gaps, no sign of any ending."""
    return fold(form.replace("…", " du ").replace("*", ""))


def hits(matcher: Matcher, text: str) -> list[Hit]:
    folded = fold(text)
    return matcher.find(folded, [(0, len(folded))])


@pytest.fixture(scope="module")
def matchers() -> dict[str, Matcher]:
    forms: dict[str, dict[str, list[str]]] = {}
    for file in FILES:
        entries = load_lexicon(file)
        forms[file] = {name: entry["forms"] for name, entry in entries.items()}
        forms[file] |= {f"{name}!": entry["except"] for name, entry in entries.items() if entry.get("except")}
    return {file: Matcher(group) for file, group in forms.items()}


def found(matcher: Matcher, text: str) -> list[Hit]:
    """Hits of entries in a text, those inside one of their exceptions left out."""
    every = hits(matcher, text)
    barred = defaultdict(list)
    for hit in every:
        if hit.concept.endswith("!"):
            barred[hit.concept[:-1]].append(hit)
    return [
        hit
        for hit in every
        if not hit.concept.endswith("!")
        and not any(other.start <= hit.start and hit.end <= other.end for other in barred[hit.concept])
    ]


@pytest.mark.parametrize("file", FILES)
def test_entries_have_the_keys_that_readers_know(file: str) -> None:
    for name, entry in written(file).items():
        assert name.isascii() and name == name.lower(), name
        assert set(entry) <= KEYS[file], (name, set(entry) - KEYS[file])
        assert entry["forms"], name
        for form in (*entry["forms"], *entry.get("except", ())):
            assert isinstance(form, str) and form == form.strip() and any(c.isalnum() for c in form), (name, form)
        assert set(entry.get("parents", ())) <= set(load_lexicon(file)), name
        if file == "concepts":
            assert entry["kind"] in KINDS, name
        else:
            assert entry["label"].strip(), name


@pytest.mark.parametrize("file", FILES)
def test_a_spelling_stands_under_one_entry_only(file: str) -> None:
    owners = defaultdict(list)
    for name, entry in written(file).items():
        for form in entry["forms"]:
            owners[spellings(form.replace("-", " "))[0]].append(name)
    assert {form: names for form, names in owners.items() if len(names) > 1} == {}


@pytest.mark.parametrize("file", FILES)
def test_every_form_is_found_under_its_entry_and_all_broader_ones(file: str, matchers: dict[str, Matcher]) -> None:
    entries = written(file)
    for name, entry in entries.items():
        lineage, waiting = {name}, list(entry.get("parents", ()))
        while waiting:
            parent = waiting.pop()
            assert parent != name, f"{name} is its own ancestor"
            lineage.add(parent)
            waiting.extend(entries[parent].get("parents", ()))
        for form in entry["forms"]:
            named = {hit.concept for hit in hits(matchers[file], spoken(form))}
            assert lineage <= named, (name, form, lineage - named)


@pytest.mark.parametrize("file", FILES)
def test_every_exception_covers_a_form(file: str) -> None:
    idle = []
    for name, entry in written(file).items():
        matcher = Matcher({name: load_lexicon(file)[name]["forms"]})
        idle += [(name, phrase) for phrase in entry.get("except", ()) if not hits(matcher, spoken(phrase))]
    assert idle == []


def test_narrow_entries_come_before_broad_ones() -> None:
    for file in FILES:
        order = {name: rank for rank, name in enumerate(load_lexicon(file))}
        for name, entry in written(file).items():
            assert all(order[name] < order[parent] for parent in entry.get("parents", ())), name


def test_loading_keeps_files_without_narrower_entries_as_written() -> None:
    assert set(load_lexicon("units")) == {"units", "molar_mass"}
    assert load_lexicon("units") == written("units")


def test_measures_have_known_units_readers_and_ordered_bounds() -> None:
    units, molar = load_lexicon("units")["units"], load_lexicon("units")["molar_mass"]
    for name, entry in written("concepts").items():
        for unit, (low, high) in entry.get("units", {}).items():
            assert unit in units and low < high, (name, unit)
        if "range" in entry:
            assert entry["range"][0] < entry["range"][1], name
        if entry["kind"] == "score":
            assert "range" in entry and entry.get("out_of", entry["range"][1]) == entry["range"][1], name
        assert ("reader" in entry) >= (entry["kind"] in ("measure", "score")), name
        assert entry.get("reader", "measure") in READERS, name
        assert entry.get("analyte", "glucose") in molar, name


def test_bounds_agree_from_one_unit_to_the_other() -> None:
    for name, entry in written("concepts").items():
        ranges = entry.get("units", {})
        for unit, (low, high) in ranges.items():
            for other, (other_low, other_high) in ranges.items():
                ends = [convert(value, unit, other, entry.get("analyte", "")) for value in (low, high)]
                if None in ends or not low:
                    continue
                assert ends[0] < other_high and other_low < ends[1], (name, unit, other, ends)
                assert 0.2 < ends[1] / other_high < 5, (name, unit, other, ends)


def test_every_unit_is_read_back_from_its_spellings() -> None:
    for name, unit in load_lexicon("units")["units"].items():
        for form in unit["forms"]:
            assert canonical_unit(str(form)) == name, (name, form)


@pytest.mark.parametrize(
    ("label", "concept"),
    [
        ("Hypertension artérielle", "hta"),
        ("Hypertension artérielle pulmonaire", "htap"),
        ("Pression artérielle systolique", "pas"),
        ("Pression artérielle diastolique", "pad"),
        ("Fraction d'éjection du ventricule gauche", "fevg"),
        ("Score de Rankin modifié", "mrs"),
        ("Débit de filtration glomérulaire", "dfg"),
        ("Clairance de la créatinine", "dfg"),
        ("Hémoglobine glyquée", "hba1c"),
        ("LDL-cholestérol", "ldl"),
        ("Cholestérol HDL", "hdl"),
        ("Cholestérol total", "cholesterol_total"),
        ("NT-proBNP", "nt_probnp"),
        ("Saturation en oxygène", "spo2"),
        ("Insuffisance rénale chronique", "irc"),
        ("Insuffisance rénale aiguë", "ira"),
        ("Infarctus du myocarde", "idm"),
        ("Infarctus cérébral", "avc_ischemique"),
        ("Accident ischémique transitoire", "ait"),
        ("Artériopathie oblitérante des membres inférieurs", "aomi"),
        ("Syndrome d'apnées du sommeil", "saos"),
        ("Fracture du col du fémur", "fracture_col_femur"),
        ("Prothèse totale de hanche", "pth"),
        ("Pneumopathie d'inhalation", "pneumopathie_inhalation"),
        ("Maladie de Parkinson", "parkinson"),
        ("Diabète de type 2", "diabete_type2"),
        ("Thrombolyse intraveineuse", "thrombolyse"),
        ("Durée de séjour", "duree_sejour"),
    ],
)
def test_a_label_goes_to_the_concept_that_names_it_whole(
    label: str, concept: str, matchers: dict[str, Matcher]
) -> None:
    first = found(matchers["concepts"], label)[0]
    assert (first.concept, first.start, first.end) == (concept, 0, len(label))


SENTENCES = [
    ("Patiente hypertendue, diabétique de type 2.", {"hta", "diabete", "diabete_type2"}, {"diabete_type1"}),
    ("Ancienne fumeuse.", {"tabac_sevre", "tabac"}, {"tabac_actif"}),
    ("ATCD : HTA, DNID, dyslipidémie, SAOS appareillé.", {"hta", "diabete_type2", "dyslipidemie", "saos"}, set()),
    ("Hypertension portale avec varices œsophagiennes.", {"hypertension_portale"}, {"hta"}),
    ("HTAP modérée, PAPs 48 mmHg.", {"htap", "papas"}, {"hta"}),
    ("AC/FA sous Eliquis.", {"fa"}, set()),
    ("Flutter atrial ablaté.", {"flutter", "fa"}, set()),
    ("SCA non ST+ en 2015, stent actif sur l'IVA.", {"sca", "coronaropathie", "stent_coronaire"}, {"avc"}),
    ("Triple pontage aorto-coronarien.", {"pontage_coronaire", "coronaropathie"}, set()),
    ("Baisse brutale de vision : BAV de l'œil droit.", set(), {"bav"}),
    ("BAV complet appareillé par pacemaker.", {"bav", "pacemaker"}, set()),
    ("Mammographie classée ACR 2.", set(), {"arret_cardiaque"}),
    ("Alerte AVC déclenchée à 14h.", set(), {"avc"}),
    ("AVC ischémique sylvien gauche.", {"avc", "avc_ischemique"}, {"avc_hemorragique"}),
    ("Hématome intra-parenchymateux.", {"avc_hemorragique", "avc", "hemorragie_intracranienne"}, set()),
    ("HSD aigu frontal.", {"hsd", "hemorragie_intracranienne"}, {"avc"}),
    ("Sténose serrée de l'artère carotide interne droite.", {"stenose_carotidienne"}, set()),
    ("Dissection aortique de type A.", {"dissection_aortique"}, {"dissection"}),
    ("Occlusion de l'ACM gauche en M1, thrombectomie mécanique.", {"occlusion_arterielle", "thrombectomie"}, set()),
    ("Séances d'EP pour myasthénie.", {"myasthenie"}, {"ep"}),
    ("NIHSS à 12, Rankin préalable à 1.", {"nihss", "mrs"}, set()),
    ("Le patient n'est pas connu pour une pathologie.", set(), {"pas"}),
    ("PAS : 160 mmHg.", {"pas"}, set()),
    ("cholestérol LDL 1,24 g/L ; HbA1c 7,2 %", {"ldl", "hba1c"}, {"cholesterol_total", "hemoglobine"}),
    ("Cl créat 45 mL/min, créatininémie 98 µmol/L.", {"dfg", "creatinine"}, {"chlore"}),
    ("Clairance de la créatinine 55.", {"dfg"}, {"creatinine"}),
    ("Contact : secretariat@exemple.fr", set(), {"fr"}),
    ("FR 24/min, SpO₂ 92 %.", {"fr", "spo2"}, set()),
    ("Perte de poids de 6 kg.", {"perte_poids"}, {"poids"}),
    ("Bronchopneumopathie chronique obstructive.", {"bpco"}, {"pneumopathie"}),
    ("Pneumonie d'inhalation traitée par Augmentin.", {"pneumopathie_inhalation", "pneumopathie"}, set()),
    ("Fracture pertrochantérienne gauche.", {"fracture_trochanterienne", "fracture_femur_proximal"}, set()),
    ("Clou gamma long.", {"enclouage", "osteosynthese"}, set()),
    ("PTH intacte 85 pg/mL.", {"parathormone"}, {"pth"}),
    ("PTH droite en 2012.", {"pth", "prothese_hanche"}, {"parathormone"}),
    ("Chute de tension au lever.", set(), {"chute"}),
    ("Rougeur sacrée, matelas anti-escarre.", {"escarre"}, set()),
    ("Matelas anti-escarre en prévention.", set(), {"escarre"}),
    ("Donner 10 gouttes le soir.", set(), {"goutte"}),
    ("Consultation le 12 sep 2019.", set(), {"sep"}),
    ("Père décédé d'un cancer.", {"cancer"}, {"deces"}),
    ("Transfusion de deux culots globulaires.", {"transfusion"}, set()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "named", "not_named"), SENTENCES)
def test_concepts_of_a_sentence(text: str, named: set[str], not_named: set[str], matchers: dict[str, Matcher]) -> None:
    seen = {hit.concept for hit in found(matchers["concepts"], text)}
    assert named <= seen
    assert not not_named & seen


PRESCRIPTIONS = [
    ("Kardégic 75 mg, Plavix 75 mg", {"aspirine", "clopidogrel", "antithrombotique"}, {"anticoagulant"}),
    ("Eliquis 5 mg x2/j", {"apixaban", "aod", "anticoagulant"}, {"avk", "antiagregant"}),
    ("relais par Coumadine, INR cible 2-3", {"warfarine", "avk", "anticoagulant"}, {"aod"}),
    ("anti-vitamines K arrêtés", {"avk"}, {"antidote_anticoagulant"}),
    ("Lovenox 4000 UI/j", {"enoxaparine", "hbpm", "hbpm_preventive"}, set()),
    ("Lovenox 6000 UI x2/j", {"enoxaparine", "heparine"}, {"hbpm_preventive"}),
    ("anticoagulation au long cours en prévention secondaire", {"anticoagulant"}, {"hbpm_preventive"}),
    ("bolus d'Actilyse", {"alteplase", "thrombolytique"}, {"tenecteplase"}),
    ("Tahor 80, Ezetrol 10", {"atorvastatine", "statine", "ezetimibe", "autres_hypolipemiants"}, {"rosuvastatine"}),
    ("Coveram 5/5", {"iec", "inhibiteur_calcique", "antihypertenseur"}, {"ara2", "betabloquant"}),
    ("Exforge HCT", {"ara2", "inhibiteur_calcique", "diuretique_thiazidique"}, {"iec"}),
    ("Entresto 49/51", {"arni", "bloqueur_sra"}, {"iec"}),
    ("Janumet 50/1000", {"metformine", "dpp4", "antidiabetique_oral", "antidiabetique"}, {"insuline"}),
    ("Lantus 20 UI le soir", {"insuline"}, {"antidiabetique_oral"}),
    ("Sotalol 80", {"antiarythmique", "betabloquant"}, set()),
    ("corticoïdes inhalés", {"corticoide_inhale"}, {"corticoide"}),
    ("Keppra 500 x2", {"levetiracetam", "antiepileptique"}, set()),
    ("score ASA 2", set(), {"aspirine"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "named", "not_named"), PRESCRIPTIONS)
def test_drugs_of_a_prescription(text: str, named: set[str], not_named: set[str], matchers: dict[str, Matcher]) -> None:
    seen = {hit.concept for hit in found(matchers["drugs"], text)}
    assert named <= seen
    assert not not_named & seen
