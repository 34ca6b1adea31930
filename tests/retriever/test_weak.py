"""Weak labels: invented sentences, the passages that tell a value, and those that only look so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retriever.weak import Negative, WeakLabels
from schema.concept import Concept, ConceptMention
from schema.document import PartialDate, Span
from schema.passage import Passage
from schema.study import Policy, VariableHints
from schema.variable import Choice, Variable, VariableKind

ADMISSION = dt.date(2022, 5, 10)
YES_NO = (Choice("0", "Non"), Choice("1", "Oui"))


def passage(text: str, name: str = "D1", date: str | None = "2022-05-10", kind: str = "crh") -> Passage:
    return Passage("P1", Span(name, 0, len(text)), text, kind, PartialDate.parse(date) if date else None)


def weights(
    variable: Variable, value: str, texts: Sequence[str | Passage], hints: VariableHints | None = None
) -> list[float]:
    passages = [passage(one) if isinstance(one, str) else one for one in texts]
    return [float(weight) for weight in WeakLabels(passages, ADMISSION).positives(variable, value, hints)]


def number(label: str, kind: VariableKind = VariableKind.INTEGER, **more: object) -> Variable:
    return Variable("x", label, kind, **more)  # type: ignore[arg-type]


def choice(label: str, *labels: str, kind: VariableKind = VariableKind.CHOICE) -> Variable:
    """Codes are "1", "2"…, in the order of the labels."""
    return Variable("c", label, kind, choices=tuple(Choice(str(n), one) for n, one in enumerate(labels, start=1)))


NIHSS = number("Score NIHSS")
EJECTION = number("Fraction d'éjection (%)", unit="%")
SURGERY = Variable("d", "Date de l'intervention", VariableKind.DATE)
RISKS = choice("Facteurs de risque", "Tabagisme", "Obésité", kind=VariableKind.CHECKBOX)
GLUCOSE = number("Glycémie (mmol/L)", VariableKind.NUMBER, unit="mmol/L", decimals=1, note="1 g/L = 5,55 mmol/L.")
PRESSURE = number("Pression artérielle systolique (mmHg)", unit="mmHg")
HTA = Variable("hta", "Hypertension artérielle", VariableKind.CHOICE, choices=YES_NO)
KNOWN = VariableHints(synonyms=("HTA", "hypertension artérielle"))


@pytest.mark.parametrize(
    ("variable", "value", "right", "wrong"),
    [
        (NIHSS, "14", "NIHSS coté à 14 à l'arrivée.", "NIHSS coté à 9 à l'arrivée."),
        (NIHSS, "8", "NIHSS 8 : aphasie.", "Arrivée à 8 h 30, NIHSS non coté."),
        (NIHSS, "8", "NIHSS 8/42.", "NIHSS 11, vu le 08/10/2022."),
        (NIHSS, "2", "Le score NIHSS est de deux.", "Deux passages ont été faits."),
        (GLUCOSE, "7.8", "Glycémie 7,8 mmol/L.", "Glycémie 5,1 mmol/L."),
        (GLUCOSE, "7.8", "Glycémie capillaire 1,40 g/L.", "Glycémie capillaire 0,95 g/L."),
        (PRESSURE, "160", "Pression artérielle à 160/85.", "Pression artérielle à 120/85."),
        (PRESSURE, "160", "Pression artérielle 16/9.", "Pression artérielle 12/8."),
        (EJECTION, "52", "Fraction d'éjection 50-55 %.", "Fraction d'éjection 60-65 %."),
        (number("Âge à l'admission"), "71", "Femme de 71 ans.", "Femme de 64 ans."),
        (number("Âge à l'admission"), "71", "M. X, né le 02/06/1950.", "M. X, né le 02/06/1961."),
        (
            number("Indice de masse corporelle", VariableKind.NUMBER, decimals=1), "27.8",
            "Poids 85 kg pour 1,75 m.", "Poids 60 kg pour 1,52 m.",
        ),
        (number("Rankin", note="6 si décès."), "6", "Le décès survient dans la nuit.", "Elle rentre chez elle."),
        (SURGERY, "2022-05-12", "Intervention le 12 mai.", "Intervention le 13 mai."),
        (
            SURGERY, "2022-05-12",
            "Intervention du 12/05/2022.", "Intervention du 12/05/2019.",
        ),
        (
            Variable("d", "Heure de la ponction", VariableKind.DATETIME), "2022-05-10 14:05",
            "Ponction à 14h05.", "Ponction à 15h05.",
        ),
        (
            Variable("d", "Heure de la ponction", VariableKind.TIME), "09:10",
            "Ponction fémorale à 9 h 10.", "Ponction fémorale à 19 h 10.",
        ),
        (HTA, "1", "Antécédents : hypertension artérielle traitée.", "Pas d'hypertension artérielle."),
        (HTA, "0", "Pas d'hypertension artérielle connue.", "Hypertension artérielle sous traitement."),
        (
            choice("Sexe", "Homme", "Femme"), "2",
            "Mme X, adressée ce jour.", "Transport allongé strict.",
        ),
        (
            choice("Score de Fazekas", "Grade 1", "Grade 2", "Grade 3"), "2",
            "Leucopathie Fazekas 2.", "Leucopathie Fazekas 3.",
        ),
        (
            choice("Type de fracture", "Ouverte", "Fermée"), "1",
            "Fracture ouverte du tibia.", "Fracture fermée du tibia.",
        ),
        (
            RISKS, "1,2",
            "Tabagisme ancien.", "Marche normale.",
        ),
        (Variable("t", "Profession", VariableKind.TEXT), "maçon retraité", "Il est maçon retraité.", "Il est veuf."),
    ],
)  # fmt: skip
def test_a_form_of_the_value_outweighs_another_value(variable: Variable, value: str, right: str, wrong: str) -> None:
    found = weights(variable, value, [right, wrong])
    assert found[0] >= 0.2
    assert found[0] > 2 * found[1]


def test_weights_are_one_for_each_passage_between_0_and_1() -> None:
    labels = WeakLabels([passage("NIHSS 14."), passage("Rien.")])
    found = labels.positives(NIHSS, "14")
    assert found.shape == (2,)
    assert found.dtype == np.float32
    assert 0 < found[0] <= 1
    assert found[1] == 0


def test_no_passage_no_weight() -> None:
    assert WeakLabels([]).positives(NIHSS, "14").shape == (0,)
    assert WeakLabels([]).negatives(NIHSS, "14", np.zeros(0, dtype=np.float32)) == []


def test_what_is_said_of_a_relative_or_doubted_weighs_less() -> None:
    own, father, doubted = weights(
        HTA,
        "1",
        ["Hypertension artérielle connue.", "Père : hypertension artérielle.", "Suspicion d'hypertension artérielle."],
    )
    assert own > doubted > father


def test_a_denial_stops_at_what_is_affirmed_after_it() -> None:
    found = weights(
        HTA, "1", ["Pas de diabète mais hypertension artérielle.", "Ni diabète ni hypertension artérielle."]
    )
    assert found[0] > 2 * found[1]


def test_a_list_that_does_not_name_the_thing_is_a_no_where_the_rule_says_so() -> None:
    rule = "0 si un document énumère les antécédents sans jamais la citer."
    silent = Variable("hta", "Hypertension artérielle", VariableKind.CHOICE, choices=YES_NO, note=rule)
    texts = [
        "Antécédents : appendicectomie, arthrose.",
        "Antécédents : hypertension artérielle.",
        "Sortie prévue demain.",
    ]
    listed, named, elsewhere = weights(silent, "0", texts)
    assert listed > named
    assert listed > elsewhere == 0
    assert weights(HTA, "0", texts)[0] == 0


def test_synonyms_and_forms_of_choices_are_found_with_any_ending_and_words_between() -> None:
    drug = Variable("a", "Anticoagulant", VariableKind.CHOICE, choices=(Choice("0", "Aucun"), Choice("2", "AOD")))
    hints = VariableHints(choices={"2": ("apixaban", "relais … rivarox*", "@oral direct")})
    found = weights(
        drug, "2", ["Apixaban 5 mg.", "Relais prévu par rivaroxaban.", "Suivi oral direct.", "Rien."], hints
    )
    assert found[0] > 0.3
    assert found[1] > 0.3
    assert found[2] < found[0]
    assert found[3] == 0


def test_exceptions_do_not_name_the_variable() -> None:
    hints = VariableHints(synonyms=("hypertension",), exceptions=("hypertension intracrânienne",))
    short = Variable("hta", "HTA", VariableKind.CHOICE, choices=YES_NO)
    found = weights(short, "1", ["Hypertension intracrânienne.", "Hypertension traitée."], hints)
    assert found[0] == 0 < found[1]


def test_documents_of_another_moment_weigh_less() -> None:
    hints = VariableHints(policy=Policy.AT_FOLLOW_UP, offset=91)
    rankin = number("Score de Rankin à 3 mois")
    texts = [
        passage("Rankin 2.", "A", "2022-05-10"),
        passage("Rankin 2.", "B", "2022-08-12"),
        passage("Rankin 2.", "C", None),
    ]
    early, visit, undated = weights(rankin, "2", texts, hints)
    assert early < visit == undated


def test_words_of_time_beside_a_value_count() -> None:
    hints = VariableHints(policy=Policy.AT_DISCHARGE)
    first, last = weights(NIHSS, "6", ["NIHSS 6 à l'arrivée.", "NIHSS 6 à la sortie."], hints)
    assert first < last


def test_a_value_told_by_reference_is_told_there_and_where_it_was_written() -> None:
    hints = VariableHints(policy=Policy.AT_DAY, offset=1)
    texts = [
        passage("NIHSS 12.", "A", "2022-05-10"),
        passage("NIHSS inchangé ce matin.", "B", "2022-05-11"),
        passage("Transit repris.", "C", "2022-05-11"),
    ]
    found = weights(NIHSS, "12", texts, hints)
    assert found[1] > 0.2
    assert found[0] > 0.2
    assert found[2] == 0
    changed = [passage("NIHSS 12.", "A", "2022-05-08"), passage("NIHSS 4.", "AA", "2022-05-09"), *texts[1:]]
    assert weights(NIHSS, "12", changed, hints)[2] == 0


def test_the_same_treatment_tells_the_drugs_of_the_one_before() -> None:
    drug = choice("Antiagrégant à la sortie", "Non", "Oui")
    hints = VariableHints(synonyms=("aspirine",), policy=Policy.AT_DISCHARGE, omission="treatment")
    texts = [
        passage("Traitement habituel : aspirine 75 mg.", "A", "2022-05-10"),
        passage("Sortie ce jour, même traitement qu'à l'entrée.", "B", "2022-05-20"),
        passage("Sortie ce jour, marche sans aide.", "C", "2022-05-20"),
    ]
    found = weights(drug, "2", texts, hints)
    assert found[1] > 0.2
    assert found[2] == 0


def test_the_ends_of_a_stay_are_its_dates_without_being_named() -> None:
    stay = "Hospitalisée du 10/05/2022 au 21/05/2022."
    for label, right, wrong in (
        ("Date d'entrée", "2022-05-10", "2022-05-21"),
        ("Date de sortie", "2022-05-21", "2022-05-10"),
    ):
        asked = Variable("d", label, VariableKind.DATE)
        assert weights(asked, right, [stay])[0] > 2 * weights(asked, wrong, [stay])[0]


def test_the_flags_of_a_concept_are_believed() -> None:
    text = "Hypertension artérielle."
    concept = Concept("hta", "Hypertension artérielle")
    plain = ConceptMention("D1", ((0, 23),), concept)
    denied = ConceptMention("D1", ((0, 23),), concept, negated=True)
    passages = [
        Passage("P1", Span("D1", 0, len(text)), text, "crh", None, concepts=(mention,)) for mention in (plain, denied)
    ]
    found = WeakLabels(passages).positives(HTA, "1")
    assert found[0] > found[1]


def test_a_concept_of_the_variable_names_it_whatever_its_words() -> None:
    text = "Tension trop haute depuis dix ans."
    mention = ConceptMention("D1", ((0, 19),), Concept("hta", "Hypertension artérielle"))
    told = Passage("P1", Span("D1", 0, len(text)), text, "crh", None, concepts=(mention,))
    labels = WeakLabels([told])
    assert labels.positives(HTA, "1")[0] == 0
    assert labels.positives(HTA, "1", concepts=("hta",))[0] > 0.2


def kinds(
    variable: Variable, value: str, texts: Sequence[str | Passage], hints: VariableHints | None = None
) -> dict[int, Negative]:
    labels = WeakLabels([passage(one) if isinstance(one, str) else one for one in texts], ADMISSION)
    positives = labels.positives(variable, value, hints)
    return {negative.passage: negative.kind for negative in labels.negatives(variable, value, positives, hints)}


def test_hard_negatives_say_why_they_are_wrong() -> None:
    assert kinds(NIHSS, "14", ["NIHSS 14.", "NIHSS 3.", "Transit repris."]) == {1: Negative.WRONG_VALUE}
    texts = ["Hypertension artérielle.", "Mère : hypertension artérielle.", "Pas d'hypertension artérielle."]
    assert kinds(HTA, "1", texts, KNOWN) == {1: Negative.WRONG_PERSON, 2: Negative.NEGATED}
    old = [passage("NIHSS 5 à l'arrivée.", "A", "2022-05-10"), passage("NIHSS 5 noté.", "B", "2015-01-03", "samu")]
    hints = VariableHints(policy=Policy.AT_ADMISSION, excluded_types=("samu",))
    assert kinds(NIHSS, "5", old, hints) == {1: Negative.WRONG_TIME}


def test_a_likely_passage_is_no_negative() -> None:
    labels = WeakLabels([passage("NIHSS 14 à l'arrivée, 3 à la sortie."), passage("NIHSS 3.")])
    likely = np.array([0.9, 0.9], dtype=np.float32)
    assert labels.negatives(NIHSS, "14", likely) == []


VARIABLES = [
    NIHSS, GLUCOSE, HTA, number("Âge"), number("IMC", VariableKind.NUMBER),
    Variable("d", "Date d'admission", VariableKind.DATETIME), Variable("t", "Commentaire", VariableKind.NOTES),
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(max_size=120), max_size=5),
    st.sampled_from(VARIABLES),
    st.text(max_size=12) | st.sampled_from(["1", "0", "2022-05-10", "2022-13-45 99:99", "1e400"]),
)
def test_any_text_and_any_value_give_weights(texts: list[str], variable: Variable, value: str) -> None:
    labels = WeakLabels([passage(text) for text in texts], ADMISSION)
    found = labels.positives(variable, value, KNOWN)
    assert found.shape == (len(texts),)
    assert np.all((found >= 0) & (found <= 1))
    assert all(0 <= negative.passage < len(texts) for negative in labels.negatives(variable, value, found, KNOWN))
