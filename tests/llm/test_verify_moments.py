"""A number is verified at the moment that its label asks for, however either is worded."""

from __future__ import annotations

import datetime as dt

import pytest

from generator.llm.verify import Verdict, Verifier
from schema.study import Study
from schema.value import Value
from schema.variable import Variable, VariableKind
from tests.generator.closed_questions import Note, later, summary, urgent
from tests.llm.test_verify import check, verdict

NUMBERS = (
    Variable("crea_day1", "[Au premier jour] Créatininémie", VariableKind.INTEGER),
    Variable("crea_older", "Créatinine lors de l'AVC précédent", VariableKind.INTEGER),
    Variable("crea_stay", "Créatinine la plus haute, lors de l'AVC qualifiant", VariableKind.INTEGER),
    Variable("pressure_max", "Pression artérielle systolique, pic au cours du séjour", VariableKind.INTEGER),
    Variable("nihss_last", "Dernier NIHSS du séjour", VariableKind.INTEGER),
    Variable("pressure_visit", "Pression artérielle systolique à 3 mois", VariableKind.INTEGER),
    Variable("pressure", "PAS", VariableKind.INTEGER),
    Variable("temperature", "Température à l'admission", VariableKind.NUMBER),
    Variable("stenosis", "Degré de sténose carotidienne (%)", VariableKind.INTEGER, unit="%"),
    Variable("holter", "Holter : nombre d'heures", VariableKind.INTEGER),
)
VERIFIER = Verifier(NUMBERS, Study())
OLDER: Note = ("CRH", "2018-02-10", "Hospitalisation du 05/02/2018 au 10/02/2018. Créatinine d'entrée 150 µmol/L.")
NEXT_DAY: Note = ("note de suivi", "2022-03-09", "Créatinine 101 µmol/L. PA 171/90. NIHSS 9.")
NOTES = (
    OLDER,
    urgent("Arrivée le 08/03/2022 à 10h12. Créatinine 70 µmol/L. PA 165/90, 36,6 °C. NIHSS 12. Pas de sténose."),
    NEXT_DAY,
    summary("Sténose carotidienne à 70 %. Enregistrement de 24 h. NIHSS 4 à la sortie."),
    later("Revu à 3 mois : NIHSS 1, PA 140/80. Rappeler si PAS > 180."),
)


@pytest.mark.parametrize(
    ("variable", "value", "quote", "expected"),
    [
        ("crea_day1", 101, "Créatinine 101 µmol/L", Verdict.VERIFIED),
        ("crea_day1", 70, "Créatinine 70 µmol/L", Verdict.OTHER_TIME),
        ("crea_older", 150, "Créatinine d'entrée 150 µmol/L", Verdict.VERIFIED),
        ("crea_stay", 150, "Créatinine d'entrée 150 µmol/L", Verdict.OTHER_TIME),
        ("pressure_max", 171, "PA 171/90", Verdict.VERIFIED),
        ("pressure_max", 165, "PA 165/90", Verdict.OTHER_TIME),
        ("nihss_last", 4, "NIHSS 4 à la sortie", Verdict.VERIFIED),
        ("nihss_last", 9, "NIHSS 9", Verdict.OTHER_TIME),
        ("pressure_visit", 180, "Rappeler si PAS > 180", Verdict.UNSUPPORTED),
        ("pressure", 165, "PA 165/90", Verdict.VERIFIED),
        ("temperature", 36.6, "36,6 °C", Verdict.VERIFIED),
        ("stenosis", 70, "Sténose carotidienne à 70 %", Verdict.VERIFIED),
        ("holter", 24, "Enregistrement de 24 h", Verdict.VERIFIED),
        ("holter", 48, "Enregistrement de 24 h", Verdict.UNSUPPORTED),
    ],
)
def test_the_moment_and_the_name_of_a_number(variable: str, value: Value, quote: str, expected: Verdict) -> None:
    assert check(VERIFIER, NOTES, variable, value, quote).verdict is expected


def test_what_is_denied_measures_nothing() -> None:
    notes = (urgent("Arrivée le 08/03/2022. Doppler : pas de sténose carotidienne."),)
    assert check(VERIFIER, notes, "stenosis", 0, "pas de sténose carotidienne").verdict is Verdict.VERIFIED


def test_a_score_spoken_of_again_is_the_one_named_before() -> None:
    notes = (
        urgent("Arrivée le 08/03/2022 à 10h12. NIHSS à 8 à l'arrivée."),
        summary("NIHSS à 8 à l'arrivée. À la sortie score de 2."),
    )
    quote = "À la sortie score de 2"
    assert verdict("nihss_sortie", 2, quote, notes=notes) is Verdict.VERIFIED
    assert verdict("mrs_3mois", 2, quote, notes=notes) is not Verdict.VERIFIED


def test_the_dead_have_the_grade_of_death() -> None:
    notes = (
        urgent("Arrivée le 08/03/2022 à 10h12 pour AVC."),
        summary(
            "Nous avons le regret de vous annoncer le décès de Monsieur X, survenu dans le service le 12 mars 2022."
        ),
    )
    quote = "survenu dans le service le 12 mars 2022"
    assert verdict("mrs_3mois", 6, quote, notes=notes) is Verdict.VERIFIED
    assert verdict("mrs_3mois", 5, quote, notes=notes) is not Verdict.VERIFIED


def test_an_emergency_note_opens_with_the_arrival() -> None:
    notes = (urgent("CHR, urgences.\n8h22, VSAV. TA 172/80. Examen à 9h15."),)
    day = dt.date.fromisoformat(notes[0][1])
    assert verdict("date_admission", day, "8h22, VSAV", notes=notes) is Verdict.VERIFIED
    assert verdict("date_admission", day, "Examen à 9h15", notes=notes) is not Verdict.VERIFIED
