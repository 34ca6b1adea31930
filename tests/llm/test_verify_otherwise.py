"""A value told in other words than the question's is verified; its contrary is not."""

from __future__ import annotations

import datetime as dt

import pytest

from generator.llm.verify import Verdict, Verifier
from schema.study import Study
from schema.value import Value
from schema.variable import Variable, VariableKind
from tests.generator.closed_questions import radio, urgent
from tests.llm.test_verify import check, verdict

CLOSED = (
    radio("driving", "Conduite automobile reprise", "0, Non | 1, Oui"),
    radio("swallowing", "Dysphagie", "0, Non | 1, Oui"),
    radio("shunt", "Shunt interatrial", "1, Oui | 0, Non", VariableKind.YESNO),
    radio("lesion", "Côté de l'infarctus", "1, Gauche | 2, D | 3, Bilatéral"),
    radio("limits", "Limitation des soins", "0, Non fait ou absent | 1, Fait ou présent"),
    radio("stroke", "Antécédent neurovasculaire", "0, Aucun | 1, Au moins un"),
    radio("cancer", "Cancer actif ou ancien", "0, Non | 1, Oui"),
    radio("statin", "Prévention secondaire : statine", "0, Non prescrite | 1, Prescrite"),
    radio("image", "Première imagerie", "1, IRM | 2, TDM"),
    radio("side", "Hémisphère atteint", "1, G | 2, D | 3, Les deux"),
    radio("cause", "Cause retenue", "1, Athérome | 2, Cardioembolique | 3, Lacune | 4, Autre cause | 5, Indéterminée"),
    radio("device", "Dispositif utilisé", "1, Thromboaspiration | 2, Stent | 3, Les deux"),
    radio("harm", "Évènement indésirable", "0, Aucun | 1, Dissection | 2, Perforation | 3, Hématome"),
    Variable("d_imaging", "Horaire du premier scanner", VariableKind.DATETIME),
    Variable("d_removal", "Date d'ablation de la sonde urinaire", VariableKind.DATE),
)  # fmt: skip
VERIFIER = Verifier(CLOSED, Study())


def told(variable: str, value: Value, text: str) -> Verdict:
    return check(VERIFIER, (urgent(f"Entrée le 08/03/2022. {text}"),), variable, value, text).verdict


@pytest.mark.parametrize(
    ("variable", "value", "contrary", "text"),
    [
        ("driving", "0", "1", "La conduite automobile n'est pas reprise."),
        ("driving", "0", "1", "Conduite non reprise."),
        ("swallowing", "0", "1", "Test de déglutition normal."),
        ("swallowing", "1", "0", "Test de déglutition anormal."),
        ("lesion", "2", "1", "Infarctus sylvien droit."),
        ("limits", "1", "0", "Limitation des soins décidée."),
        ("shunt", "0", "1", "Pas de foramen ovale perméable."),
        ("stroke", "0", "1", "Pas d'antécédent d'AVC ni d'AIT."),
        ("stroke", "1", "0", "Antécédents : AVC ischémique en 2014."),
        ("image", "2", "1", "Imagerie initiale : scanner cérébral."),
        ("side", "2", "1", "Atteinte hémisphérique droite."),
        ("cause", "3", "1", "Mécanisme : infarctus lacunaire."),
        ("cause", "5", "4", "Origine indéterminée."),
        ("cause", "4", "5", "Classement : autre cause, une dissection."),
        ("cause", "2", "4", "Origine cardio embolique."),
        ("device", "1", "2", "Thrombectomie, dispositif : aspiration directe."),
        ("device", "3", "1", "Dispositif : aspiration distale puis stent."),
        ("harm", "0", "1", "Pas de dissection, pas de perforation."),
        ("d_imaging", dt.datetime(2022, 3, 8, 19, 38), dt.datetime(2022, 3, 8, 19, 30), "Scanner du 8/03/2022, 19h38."),
    ],
)  # fmt: skip
def test_an_answer_in_other_words(variable: str, value: Value, contrary: Value, text: str) -> None:
    assert told(variable, value, text) is Verdict.VERIFIED
    assert told(variable, contrary, text) is not Verdict.VERIFIED


@pytest.mark.parametrize(
    ("variable", "value", "text"),
    [
        ("cancer", "0", "Diabète non insulinodépendant, cancer du côlon opéré."),
        ("swallowing", "0", "Test de déglutition à faire."),
        ("shunt", "0", "Septum non étudié."),
        ("harm", "0", "Pas de dissection, hématome inguinal."),
        ("d_removal", dt.date(2022, 3, 9), "Pose de la sonde urinaire le 09/03/2022."),
    ],
)
def test_what_only_looks_like_an_answer(variable: str, value: Value, text: str) -> None:
    assert told(variable, value, text) is not Verdict.VERIFIED


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Le remaniement hémorragique est resté asymptomatique.", "0"),
        ("Remaniement hémorragique sans retentissement clinique.", "0"),
    ],
)
def test_the_contrary_of_an_adjective_denies_it(text: str, answer: str) -> None:
    notes = (urgent(f"Entrée le 08/03/2022. {text}"),)
    assert verdict("hemorragie_symptomatique", answer, text, notes=notes) is Verdict.VERIFIED
    assert verdict("hemorragie_symptomatique", "1", text, notes=notes) is Verdict.NEGATED


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Hémiparésie brutale à 18h40 devant son mari.", "1"),
        ("Constaté au réveil à 6h30, vue bien la veille à 23h.", "2"),
        ("Retrouvée au sol à 9h15, vue bien la veille à 22h.", "3"),
    ],
)
def test_how_an_onset_is_known(text: str, answer: str) -> None:
    notes = (urgent(f"Entrée le 08/03/2022. {text}"),)
    for code in ("1", "2", "3"):
        found = verdict("mode_debut", code, text, notes=notes)
        assert (found is Verdict.VERIFIED) is (code == answer)


def test_an_hour_beside_no_onset_tells_none() -> None:
    notes = (urgent("Entrée le 08/03/2022. Scanner à 10h12."),)
    assert verdict("mode_debut", "1", "Scanner à 10h12.", notes=notes) is not Verdict.VERIFIED
