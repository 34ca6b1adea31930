"""Small records of several specialties, read under dictionaries that no study file explains."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from generator.rules.reader import RulesGenerator
from rag.corpus.build import build_document
from rag.redcap.dictionary import read_dictionary
from schema.document import PatientRecord, RawDocument
from schema.value import ExtractedValue, Status, Value

_HEADINGS = (
    "Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"
    '"Choices, Calculations, OR Slider Labels",Field Note,Text Validation Type OR Show Slider Number,'
    "Text Validation Min,Text Validation Max\n"
)
Row = tuple[str, str, str, str, str, str, str]  # name, section, type, label, choices, note, validation
Note = tuple[str, str, str]  # type, date, text


def fill(tmp_path: Path, rows: list[Row], notes: list[Note]) -> dict[str, ExtractedValue]:
    lines = ["record_id,f,,text,Numéro,,,,,\n"]
    for name, section, kind, label, options, note, validation in rows:
        lines.append(f'{name},f,{section},{kind},"{label}","{options}","{note}",{validation},,\n')
    path = tmp_path / "dictionary.csv"
    path.write_text(_HEADINGS + "".join(lines), encoding="utf-8")
    documents = [
        build_document(RawDocument("P1", f"D{rank}", text, date=date, type=kind), lambda _: None)
        for rank, (kind, date, text) in enumerate(notes)
    ]
    generator = RulesGenerator(read_dictionary(path).variables)
    return {value.variable: value for value in generator.fill(PatientRecord.of("P1", documents))}


def check(found: dict[str, ExtractedValue], expected: dict[str, Value | None]) -> None:
    assert {name: found[name].value for name in expected} == expected
    assert all(value.evidence for value in found.values() if value.status.fills)


def text(name: str, label: str, validation: str, section: str = "", note: str = "") -> Row:
    return (name, section, "text", label, "", note, validation)


def yesno(name: str, label: str, section: str = "", note: str = "") -> Row:
    return (name, section, "yesno", label, "", note, "")


def radio(name: str, label: str, options: str, section: str = "", note: str = "") -> Row:
    return (name, section, "radio", label, options, note, "")


def boxes(name: str, label: str, options: str, section: str = "", note: str = "") -> Row:
    return (name, section, "checkbox", label, options, note, "")


def test_heart_failure(tmp_path: Path) -> None:
    rows = [
        text("age", "Âge à l'admission (ans)", "integer"),
        radio("sexe", "Sexe", "1, Homme | 2, Femme"),
        text("entree", "Date d'admission", "date_ymd"),
        text("sortie", "Date de sortie", "date_ymd"),
        text("duree", "Durée de séjour (jours)", "integer"),
        radio("nyha", "Classe NYHA à l'entrée", "1, I | 2, II | 3, III | 4, IV"),
        text("fevg", "FEVG (%)", "integer"),
        text("ntprobnp", "NT-proBNP à l'admission (ng/L)", "integer"),
        text("poids_s", "Poids de sortie (kg)", "number_1dp"),
        text("creat", "Créatinine à l'entrée (µmol/L)", "integer"),
        text("pas", "PAS à l'arrivée (mmHg)", "integer"),
        yesno("fa", "Fibrilation auriculaire connue"),
        yesno("bb", "Bêtabloquant à la sortie"),
        yesno("avc", "Antécédent d'AVC"),
        yesno("deces", "Décès hospitalier"),
        boxes("atcd", "Antécédents", "1, HTA | 2, Diabète | 3, BPCO | 4, Cancer | 0, Aucun"),
    ]
    notes = [
        (
            "urgences",
            "2023-02-03",
            "Mme Durand, 78 ans, adressée pour dyspnée stade III de la NYHA.\n"
            "Antécédents : HTA, FA permanente, BPCO. Pas de diabète. Mère décédée d'un AVC.\n"
            "Examen : PA 158/92 mmHg, FC 110/min.\n"
            "Biologie : NT-proBNP 6 540 ng/L, créatinine 118 µmol/L, K 4,2.",
        ),
        (
            "compte rendu d'hospitalisation",
            "2023-02-12",
            "Hospitalisation du 03/02/2023 au 12/02/2023.\n"
            "ETT : FEVG 35 %.\n"
            "Évolution favorable sous furosémide IV. Poids de sortie : 62,5 kg. Créatinine 131 µmol/L à la sortie.\n"
            "Traitement de sortie : bisoprolol 2,5 mg, ramipril 2,5 mg, apixaban 5 mg x 2, furosémide 40 mg.\n"
            "Retour à domicile.",
        ),
    ]
    check(
        fill(tmp_path, rows, notes),
        {
            "age": 78,
            "sexe": "2",
            "entree": dt.date(2023, 2, 3),
            "sortie": dt.date(2023, 2, 12),
            "duree": 9,
            "nyha": "3",
            "fevg": 35,
            "ntprobnp": 6540,
            "poids_s": 62.5,
            "creat": 118,
            "pas": 158,
            "fa": "1",
            "bb": "1",
            "avc": None,
            "deces": "0",
            "atcd": ("1", "3"),
        },
    )


def test_breast_cancer_consultations(tmp_path: Path) -> None:
    rows = [
        text("age", "Age au diagnostic (ans)", "integer"),
        text("taille", "Taille tumorale (mm)", "integer"),
        radio("grade", "Grade SBR", "1, I | 2, II | 3, III"),
        text("ki67", "Ki67 (%)", "integer"),
        radio("her2", "Statut HER2", "0, Négatif | 1, Positif | 9, Inconnu"),
        yesno("curage", "Curage axillaire"),
        yesno("rt", "Radiothérapie adjuvante"),
        text("chir", "Date de la chirurgie", "date_ymd"),
        yesno("meta", "Métastases"),
    ]
    notes = [
        (
            "anatomopathologie",
            "2022-05-12",
            "Tumorectomie du sein gauche. Carcinome infiltrant de grade SBR II, taille tumorale 18 mm.\n"
            "HER2 négatif (score 1+). Ki67 : 25 %. Pas d'embole vasculaire.",
        ),
        (
            "consultation",
            "2022-06-02",
            "Mme L., 54 ans, cancer du sein gauche opéré le 05/05/2022. Curage axillaire réalisé.\n"
            "Scanner TAP : pas de métastase. Radiothérapie adjuvante prévue.",
        ),
    ]
    found = fill(tmp_path, rows, notes)
    check(found, {"taille": 18, "grade": "2", "ki67": 25, "her2": "0", "curage": "1", "meta": "0"})
    check(found, {"chir": dt.date(2022, 5, 5)})
    assert found["rt"].value != "1"  # planned is not done


def test_pneumonia(tmp_path: Path) -> None:
    rows = [
        text("temp", "Température à l'admission (°C)", "number_1dp"),
        text("fr", "Fréquence respiratoire à l'entrée (/min)", "integer"),
        text("crp", "CRP à l'admission (mg/L)", "integer"),
        text("crp_max", "CRP maximale (mg/L)", "integer"),
        text("gb", "Leucocytes (G/L)", "number_1dp"),
        yesno("o2", "Oxygénothérapie"),
        yesno("rea", "Transfert en réanimation"),
        yesno("tabac", "Tabagisme actif"),
        text("pa", "Tabac (paquets-années)", "integer"),
        yesno("pneumocoque", "Antigénurie pneumocoque positive"),
        radio("devenir", "Destination à la sortie", "1, Domicile | 2, SSR | 3, Décès"),
        boxes("sympt", "Symptômes à l'entrée", "1, Fièvre | 2, Toux | 3, Dyspnée | 4, Diarrhée"),
        ("libre", "", "notes", "Commentaires", "", "", ""),
    ]
    notes = [
        (
            "urgences",
            "2023-11-04",
            "M. Petit, 66 ans, tabagisme actif à 40 paquets-années.\n"
            "Fièvre et toux depuis 3 jours, pas de diarrhée. T 39,1 °C, FR 26/min, SpO2 89 % en air ambiant.\n"
            "Mis sous oxygène 3 L/min aux lunettes. CRP 145 mg/L, leucocytes 14,2 G/L.",
        ),
        (
            "crh",
            "2023-11-10",
            "Séjour du 04/11/2023 au 10/11/2023 pour pneumopathie. CRP 210 mg/L le 05/11 puis 32 mg/L le 09/11.\n"
            "Pas de passage en réanimation. Retour à domicile.",
        ),
    ]
    check(
        fill(tmp_path, rows, notes),
        {
            "temp": 39.1,
            "fr": 26,
            "crp": 145,
            "crp_max": 210,
            "gb": 14.2,
            "tabac": "1",
            "pa": 40,
            "devenir": "1",
            "sympt": ("1", "2"),
            "libre": None,
        },
    )


def test_diabetes_day_hospital(tmp_path: Path) -> None:
    rows = [
        radio("type", "Type de diabète", "1, Type 1 | 2, Type 2 | 3, Autre"),
        text("hba1c", "HbA1c (%)", "number_1dp"),
        text("imc", "IMC (kg/m²)", "number_1dp"),
        text("dfg", "DFG estimé (mL/min/1,73m²)", "integer"),
        yesno("retino", "Rétinopathie diabétique"),
        yesno("insuline", "Insulinothérapie"),
        yesno("statine", "Traitement par statine"),
        text("annee", "Année de découverte du diabète", "integer"),
    ]
    notes = [
        (
            "hôpital de jour",
            "2024-01-15",
            "M. Roy, 61 ans. Diabète de type 2 découvert en 2009, traité par metformine 1 g x 3 et glargine 20 UI.\n"
            "Atorvastatine 20 mg. Poids 92 kg, taille 175 cm.\n"
            "HbA1c 8,4 %. Créatinine 98 µmol/L, DFG 71 mL/min.\n"
            "Fond d'œil : pas de rétinopathie diabétique.",
        )
    ]
    found = fill(tmp_path, rows, notes)
    check(found, {"type": "2", "hba1c": 8.4, "imc": 30.0, "dfg": 71, "retino": "0"})
    assert found["annee"].value in (None, 2009)


def test_intensive_care(tmp_path: Path) -> None:
    rows = [
        text("igs", "IGS II", "integer"),
        text("sofa", "Score SOFA à l'admission", "integer"),
        text("lactate", "Lactate initial (mmol/L)", "number_1dp"),
        yesno("vm", "Ventilation mécanique invasive"),
        yesno("eer", "Épuration extra-rénale"),
        radio("vital", "Statut vital à J28", "1, Vivant | 2, Décédé"),
        text("mort", "Date du décès", "date_ymd"),
    ]
    notes = [
        (
            "réanimation",
            "2023-06-01",
            "Admission en réanimation le 01/06/2023 pour choc septique. IGS II 58, SOFA 11. Lactate 5,2 mmol/L.\n"
            "Intubé et ventilé dès l'admission. Noradrénaline 1,2 mg/h.",
        ),
        (
            "compte rendu d'hospitalisation",
            "2023-06-09",
            "Hospitalisé du 01/06/2023 au 09/06/2023. Pas d'épuration extra-rénale. Décès le 09/06/2023.",
        ),
    ]
    check(
        fill(tmp_path, rows, notes),
        {
            "igs": 58,
            "sofa": 11,
            "lactate": 5.2,
            "vm": "1",
            "eer": "0",
            "vital": "2",
            "mort": dt.date(2023, 6, 9),
        },
    )


def test_choice_codes_are_those_of_the_dictionary(tmp_path: Path) -> None:
    rows = [
        radio("hta", "HTA", "1, Oui | 2, Non | 99, Inconnu"),
        radio("diabete", "Diabète", "O, Oui | N, Non | NSP, Ne sait pas"),
        radio("bpco", "BPCO", "1, Présente | 0, Absente"),
        radio("sexe", "Sexe", "M, Masculin | F, Féminin"),
    ]
    notes = [("urgences", "2023-02-03", "Mme A., 70 ans. Antécédents : HTA, BPCO, pas de diabète.")]
    check(fill(tmp_path, rows, notes), {"hta": "1", "diabete": "N", "bpco": "1", "sexe": "F"})


def test_labels_with_markup_numbers_and_misspellings(tmp_path: Path) -> None:
    rows = [
        yesno("hta", "<b>1.2</b> Hyperthension artérielle ?"),
        text("imc", "<p>IMC (kg/m<sup>2</sup>)</p>", "number_1dp"),
        text("hb", "Hémoglobine d'entree, en g/dL", "number_1dp_comma_decimal"),
        text("douleur", "EVA douleur (0-10)", "integer"),
    ]
    notes = [("urgences", "2023-02-03", "ATCD : hypertension artérielle. IMC 27,3. Hb 11,2 g/dL. EVA 6/10.")]
    check(fill(tmp_path, rows, notes), {"hta": "1", "imc": 27.3, "hb": 11.2, "douleur": 6})


@pytest.mark.parametrize(
    "label", ["Complications", "Évolution", "Si oui, laquelle ?", "Consentement recueilli", "Zxqv wkpt"]
)
def test_silence_on_what_is_not_understood(tmp_path: Path, label: str) -> None:
    notes = [("urgences", "2023-02-03", "Patient de 70 ans. Évolution favorable sans complication. HTA.")]
    found = fill(tmp_path, [yesno("x", label)], notes)["x"]
    assert (found.status, found.value) == (Status.NOT_MENTIONED, None)


def test_absence_needs_a_rule_or_a_word(tmp_path: Path) -> None:
    rows = [yesno("a", "Asthme", "Antécédents"), yesno("b", "Asthme", "Antécédents", "Non si non mentionné.")]
    notes = [("urgences", "2023-02-03", "Antécédents : HTA, diabète de type 2, appendicectomie.")]
    found = fill(tmp_path, rows, notes)
    assert found["a"].value is None
    assert (found["b"].status, found["b"].value) == (Status.ABSENT_BY_OMISSION, "0")


def test_to_deny_a_kind_is_not_to_deny_the_whole(tmp_path: Path) -> None:
    notes = [("urgences", "2023-02-03", "Antécédents : pas d'infarctus du myocarde.")]
    found = fill(tmp_path, [yesno("x", "Maladie coronaire"), yesno("y", "Infarctus du myocarde")], notes)
    assert (found["x"].value, found["y"].value) == (None, "0")


def test_lungs_at_home_and_on_arrival(tmp_path: Path) -> None:
    rows = [
        text("pa", "Tabagisme cumulé (paquets-années)", "integer", section="Antécédents"),
        text("fio2", "FiO2 lors des premiers gaz du sang (%)", "integer"),
        yesno("old", "Oxygénothérapie de longue durée à domicile avant l'admission"),
    ]
    note = "Tabac arrêté en 2019, 45 PA. OLD 1,5 L/min depuis 2022.\nPA 165/90, FC 80 PA 165/90.\nGDS sous FiO2 28 %."
    check(fill(tmp_path, rows, [("urgences", "2023-02-03", note)]), {"pa": 45, "fio2": 28, "old": "1"})
