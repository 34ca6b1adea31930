"""One short record per specialty: moments, first doses, readmissions and lists under dictionaries never seen."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from schema.value import Value
from tests.generator.test_unknown_dictionary import Note, Row, boxes, check, fill, radio, text, yesno


def test_obstetrics(tmp_path: Path) -> None:
    rows = [
        text("poids_n", "Poids de naissance (g)", "integer"),
        radio("voie", "Voie d'accouchement", "1, Voie basse spontanée | 2, Extraction instrumentale | 3, Césarienne"),
        text("naissance", "Date et heure de l'accouchement", "datetime_ymd"),
        text("hb", "Hémoglobine la plus basse en post-partum (g/dL)", "number_1dp"),
        yesno("hpp", "Hémorragie du post-partum"),
        yesno("uterus", "Antécédent de césarienne"),
        text("pertes", "Pertes sanguines (mL)", "integer"),
        yesno("cortico", "Corticothérapie anténatale"),
        text("ocytocine", "Date et heure de la première injection d'ocytocine", "datetime_ymd"),
        text("apgar", "Apgar à 5 minutes", "integer"),
    ]
    notes = [
        ("admission", "2023-04-02", "Mme Durand, 31 ans, 39 SA. Antécédents : césarienne en 2019.\nEntrée à 06h10."),
        (
            "compte rendu d'accouchement",
            "2023-04-02",
            "Accouchement le 02/04/2023 à 14h32 par voie basse spontanée. Garçon de 3 420 g, Apgar 9/10/10.\n"
            "Ocytocine 5 UI IV à 14h34. Pertes sanguines estimées à 800 mL : hémorragie du post-partum modérée.",
        ),
        (
            "lettre de sortie",
            "2023-04-06",
            "Séjour du 02/04/2023 au 06/04/2023. Hb 9,4 g/dL le 03/04, 9,8 g/dL le 05/04. "
            "Pas de corticothérapie anténatale.",
        ),
    ]
    check(
        fill(tmp_path, rows, notes),
        {
            "poids_n": 3420,
            "voie": "1",
            "naissance": dt.datetime(2023, 4, 2, 14, 32),
            "hb": 9.4,
            "hpp": "1",
            "uterus": "1",
            "pertes": 800,
            "cortico": "0",
            "ocytocine": dt.datetime(2023, 4, 2, 14, 34),
            "apgar": None,  # three scores, none of them named
        },
    )


def test_septic_shock(tmp_path: Path) -> None:
    rows = [
        text("lactate", "Lactate maximal du séjour (mmol/L)", "number_1dp"),
        text("nad", "Date et heure de début de la noradrénaline", "datetime_ymd"),
        text("atb", "Date et heure de la première dose d'antibiotique IV", "datetime_ymd"),
        text("pf", "Rapport PaO2/FiO2 à l'admission", "integer"),
        text("extubation", "Date d'extubation", "date_ymd"),
        text("creat", "Créatinine à la sortie (µmol/L)", "integer"),
        yesno("eer", "Épuration extrarénale pendant le séjour"),
        yesno("bpco", "BPCO déjà connue avant l'admission"),
        yesno("j28", "Décès à J28"),
    ]
    notes = [
        (
            "urgences",
            "2022-11-03",
            "M. X, 67 ans. ATCD : HTA, BPCO stade III.\nAdmis le 03/11/2022 à 18h20. Ceftriaxone 2 g IV à 19h05 puis "
            "spiramycine 3 M UI à 19h30. Lactate 3,1 mmol/L. Créatinine 145 µmol/L.",
        ),
        (
            "réanimation",
            "2022-11-04",
            "Intubé le 03/11 à 23h. PaO2/FiO2 112. Noradrénaline débutée le 04/11 à 02h15. Lactate 5,6 mmol/L à H6.",
        ),
        (
            "compte rendu d'hospitalisation",
            "2022-11-20",
            "Hospitalisé du 03/11/2022 au 20/11/2022. Extubé le 12/11/2022. "
            "Pas de recours à l'épuration extra-rénale.\n"
            "Créatinine 88 µmol/L le 18/11. Transfert en pneumologie.",
        ),
        ("consultation", "2023-02-10", "Je revois M. X, 3 mois après sa réanimation. Va bien."),
    ]
    check(
        fill(tmp_path, rows, notes),
        {
            "lactate": 5.6,
            "nad": dt.datetime(2022, 11, 4, 2, 15),
            "atb": dt.datetime(2022, 11, 3, 19, 5),
            "extubation": dt.date(2022, 11, 12),
            "creat": 88,
            "eer": "0",
            "bpco": "1",
            "j28": "0",
        },
    )


def test_kidney_and_its_biopsy(tmp_path: Path) -> None:
    rows = [
        text("dfg", "DFG à la sortie (mL/min/1,73 m²)", "integer"),
        text("hd", "Date de la première séance d'hémodialyse", "date_ymd"),
        text("alb", "Albuminémie la plus basse (g/L)", "integer"),
        text("creat6", "Créatinine à 6 mois (µmol/L)", "integer"),
        yesno("irc", "Insuffisance rénale chronique connue"),
        yesno("cortico", "Corticoïdes à la sortie"),
    ]
    notes = [
        (
            "observation",
            "2023-05-02",
            "M. W, 45 ans, entré le 02/05/2023. Pas d'insuffisance rénale chronique connue.\n"
            "Albumine 18 g/L, créatinine 310 µmol/L.",
        ),
        (
            "lettre de sortie",
            "2023-05-20",
            "Hospitalisé du 02/05/2023 au 20/05/2023. Hémodialyse du 04/05/2023 au 10/05/2023 (4 séances).\n"
            "Albumine 16 g/L le 05/05, 24 g/L le 18/05. DFG 42 mL/min le 19/05.\n"
            "Traitement : prednisone 60 mg, irbésartan 75.",
        ),
        ("consultation", "2023-11-08", "6 mois. Créatinine 118 µmol/L."),
    ]
    check(
        fill(tmp_path, rows, notes),
        {"dfg": 42, "hd": dt.date(2023, 5, 4), "alb": 16, "creat6": 118, "irc": "0", "cortico": "1"},
    )


def test_infection_and_its_follow_up(tmp_path: Path) -> None:
    rows = [
        text("veg", "Taille de la végétation (mm)", "integer"),
        text("crp7", "CRP à J7 (mg/L)", "integer"),
        text("crp_s", "CRP à la sortie (mg/L)", "integer"),
        text("duree", "Durée d'antibiothérapie (jours)", "integer"),
        yesno("eto", "ETO réalisée"),
        yesno("prothese", "Prothèse valvulaire antérieure"),
        yesno("rechute", "Rechute à 6 mois"),
        yesno("vrs", "VRS positif"),
        boxes("risque", "Facteurs de risque", "1, Diabète | 2, Toxicomanie | 3, Valvulopathie | 4, Immunodépression"),
    ]
    notes = [
        (
            "urgences",
            "2023-06-01",
            "M. T, 64 ans. Antécédents : bioprothèse aortique en 2017, diabète de type 2. Son frère est toxicomane.\n"
            "CRP 188 mg/L. PCR VRS positive.",
        ),
        ("échographie", "2023-06-03", "ETO du 03/06/2023 : végétation de 12 mm sur la bioprothèse."),
        (
            "lettre de sortie",
            "2023-07-15",
            "Hospitalisé du 01/06/2023 au 15/07/2023. CRP 96 mg/L le 08/06, 12 mg/L le 13/07. "
            "Antibiothérapie 42 jours.",
        ),
        ("consultation", "2024-01-10", "6 mois : apyrétique, pas de rechute. CRP 3 mg/L."),
    ]
    check(
        fill(tmp_path, rows, notes),
        {
            "veg": 12,
            "crp7": 96,
            "crp_s": 12,
            "duree": 42,
            "eto": "1",
            "prothese": "1",
            "rechute": "0",
            "vrs": "1",
            "risque": ("1", "3"),
        },
    )


def test_oncology_without_a_stay(tmp_path: Path) -> None:
    rows = [
        text("ace", "ACE au diagnostic (ng/mL)", "number_1dp"),
        radio("ecog", "ECOG à l'inclusion", "0, 0 | 1, 1 | 2, 2 | 3, 3"),
        radio("child", "Score de Child-Pugh", "1, A | 2, B | 3, C"),
        text("cures", "Nombre de cures reçues", "integer"),
        text("age", "Âge au premier cancer (ans)", "integer"),
    ]
    notes = [
        ("consultation", "2022-03-15", "Mme Z, 58 ans. ACE 48,2 ng/mL. ECOG 1. Child-Pugh B7."),
        ("consultation", "2022-07-12", "Après 6 cures de FOLFOX : ACE 12 ng/mL. ECOG 0."),
    ]
    check(fill(tmp_path, rows, notes), {"ace": 48.2, "ecog": "1", "child": "2", "cures": 6, "age": None})


_STAY = ("lettre de sortie", "2023-02-12", "Hospitalisation du 03/02/2023 au 12/02/2023 pour exacerbation de BPCO.")


@pytest.mark.parametrize(
    ("visit", "answer", "day"),
    [
        ("Réhospitalisé le 02/03/2023 pour une nouvelle exacerbation.", "1", dt.date(2023, 3, 2)),
        ("Hospitalisé du 2 au 7 mars 2023 par les urgences pour nouvelle exacerbation.", "1", dt.date(2023, 3, 2)),
        ("Aucune hospitalisation depuis la sortie.", "0", None),
        ("Pas de nouvelle hospitalisation.", "0", None),
        ("N'a pas été réhospitalisé.", "0", None),
        ("Pas de passage aux urgences, pas de nouvelle exacerbation.", "0", None),
        ("Hospitalisé du 2 au 7 mars 2023 pour prothèse de genou programmée.", None, None),
        ("Réhospitalisé le 02/03/2023 pour une fracture du poignet.", None, None),
        ("Sa sœur a été réhospitalisée le 02/03/2023 pour exacerbation.", None, None),
        ("Depuis son hospitalisation de février pour exacerbation, va mieux.", None, None),
        ("Si nouvelle exacerbation, prévoir une réhospitalisation.", None, None),
    ],
)
def test_readmission(tmp_path: Path, visit: str, answer: Value | None, day: Value | None) -> None:
    rows = [
        yesno("oui", "Réhospitalisation pour exacerbation dans les 90 jours"),
        text("quand", "Date de la première réhospitalisation pour exacerbation", "date_ymd"),
    ]
    notes: list[Note] = [_STAY, ("consultation", "2023-05-10", f"Revu à 3 mois. {visit}")]
    check(fill(tmp_path, rows, notes), {"oui": answer, "quand": day})


@pytest.mark.parametrize(
    ("row", "said", "value"),
    [
        (text("x", "FEVG à l'échographie (%)", "integer", note="Intervalle : borne basse."), "FEVG 30-35 %.", 30),
        (text("x", "FEVG la plus basse (%)", "integer"), "FEVG entre 30 et 35 %.", 30),
        (text("x", "Poids à l'entrée (kg)", "number_1dp"), "Poids déclaré 75 kg. Pesé : poids 78,8 kg.", 78.8),
        (text("x", "Poids à l'entrée (kg)", "number_1dp"), "Poids habituel 75 kg.", None),
        (text("x", "Créatinine à l'arrivée (µmol/L)", "integer"), "Objectif de créatinine < 120 µmol/L.", None),
        (yesno("x", "Insuffisance cardiaque déjà connue"), "Aucune maladie cardiaque connue.", "0"),
        (yesno("x", "Insuffisance cardiaque déjà connue"), "Première décompensation cardiaque.", None),
        (text("x", "Âge (mois)", "integer"), "Nourrisson de 3 mois.", 3),
        (text("x", "Date de naissance", "date_ymd"), "Née le 08/09/1952.", dt.date(1952, 9, 8)),
        (boxes("x", "Facteurs de risque", "1, Diabète | 2, HTA"), "HTA.\nMari fumeur, diabétique.", ("2",)),
        (boxes("x", "Facteurs de risque", "1, Diabète | 2, HTA"), "HTA.\nFils : diabète de type 1.", ("2",)),
        (yesno("x", "Ventilation non invasive"), "Aucune ventilation.", "0"),
        (yesno("x", "Ventilation non invasive"), "CPAP 10 cmH2O pendant 40 minutes.", "1"),
    ],
)
def test_on_arrival(tmp_path: Path, row: Row, said: str, value: Value | None) -> None:
    notes: list[Note] = [("urgences", "2023-02-03", f"Mme A., 70 ans, admise le 03/02/2023. {said}")]
    check(fill(tmp_path, [row], notes), {"x": value})
