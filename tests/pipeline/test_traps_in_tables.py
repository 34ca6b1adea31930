"""The traps of French clinical text where a table meets them: states, old values, refusals, quotes, searches."""

import pytest

from generator.rules.reader import RulesGenerator
from rag.corpus.build import build_document
from rag.patient import PatientReader, codes_of
from retriever.lexical import LexicalIndex, tokens
from retriever.passages import passages
from schema.document import PatientRecord, RawDocument
from schema.study import Study
from schema.value import ExtractedValue, Status
from schema.variable import Choice, Variable, VariableKind

NO_YES = (Choice("0", "Non"), Choice("1", "Oui"))
DIABETES = Variable("diabete", "Diabète", VariableKind.YESNO, choices=NO_YES)
HBA1C = Variable("hba1c", "HbA1c (%)", VariableKind.NUMBER, unit="%", branching="[diabete] = '1'")
NIHSS = Variable("nihss", "Score NIHSS à l'admission", VariableKind.INTEGER)
THROMBECTOMY = Variable("tm", "Thrombectomie mécanique réalisée", VariableKind.YESNO, choices=NO_YES)
VARIABLES = (DIABETES, HBA1C, NIHSS, THROMBECTOMY)
READER = PatientReader(VARIABLES, RulesGenerator(VARIABLES), codes_of(VARIABLES, Study()))


def read(text: str) -> dict[str, ExtractedValue]:
    raw = RawDocument("P", "D", text, "2023-05-10", "crh", "Compte rendu d'hospitalisation")
    record = PatientRecord.of("P", [build_document(raw, lambda _: None)])
    return {value.variable: value for value in READER.read(record)}


@pytest.mark.parametrize(
    ("text", "status", "branch"),
    [
        ("Diabète de type 2 connu.\n\nBiologie : HbA1c 7,2 %.", Status.FOUND, Status.FOUND),
        ("Antécédents : diabète. HbA1c non faite.", Status.FOUND, Status.NOT_MENTIONED),
        ("Patient diabétique.", Status.FOUND, Status.NOT_MENTIONED),
        ("Pas de diabète. HbA1c 5,4 %.", Status.STATED_ABSENT, Status.NOT_APPLICABLE),
        ("Antécédents : ni HTA ni diabète.", Status.STATED_ABSENT, Status.NOT_APPLICABLE),
        ("Diabète : non.", Status.STATED_ABSENT, Status.NOT_APPLICABLE),
        ("Non diabétique, non fumeur.", Status.STATED_ABSENT, Status.NOT_APPLICABLE),
        ("Examen sans particularité.", Status.NOT_MENTIONED, Status.NOT_APPLICABLE),
        ("Mère : diabète.", Status.NOT_MENTIONED, Status.NOT_APPLICABLE),
        ("Dépistage d'un diabète à prévoir.", Status.NOT_MENTIONED, Status.NOT_APPLICABLE),
        ("Glycémie normale.", Status.NOT_MENTIONED, Status.NOT_APPLICABLE),
    ],
)
def test_false_silent_and_not_applicable_are_told_apart(text: str, status: Status, branch: Status) -> None:
    found = read(text)
    assert (found["diabete"].status, found["hba1c"].status) == (status, branch)
    assert (found["diabete"].value is None) == (not status.fills)
    assert bool(found["diabete"].codes) == (found["diabete"].value == "1")


@pytest.mark.parametrize(
    "text",
    [
        "AVC en 2015 (NIHSS 18). Ce jour, à l'arrivée, NIHSS à 6.",
        "À l'admission NIHSS 6. Lors de l'AVC de 2015, le NIHSS était à 18.",
        "Antécédents : AVC en 2018, NIHSS 14 à l'époque.\n\nExamen d'entrée : NIHSS 6.",
        "NIHSS d'entrée : 6. Pour mémoire NIHSS 12 en mars 2019.",
        "Ancien AVC de 2016 avec NIHSS 11.\nExamen à l'arrivée : NIHSS = 6.",
        "NIHSS initial à 6, contre 15 lors de l'épisode de 2020.",
        "Histoire : en 2017, AVC sylvien, NIHSS 20.\nÀ l'arrivée aux urgences le NIHSS est à 6.",
        "Admission le 10/05/2023, NIHSS 6. Séjour de 2014 : NIHSS 9.",
        "Rappel : NIHSS 16 en 2012. NIHSS à l'admission : 6/42.",
        "Au premier AVC (juin 2011), NIHSS 13. À l'entrée ce jour : NIHSS 6.",
    ],
)
def test_the_values_of_an_old_episode_stay_with_it(text: str) -> None:
    assert read(text)["nihss"].value == 6


@pytest.mark.parametrize(
    "text",
    [
        "Thrombectomie prévue puis annulée.",
        "Thrombectomie récusée par le neuroradiologue.",
        "Thrombectomie non indiquée.",
        "Pas de thrombectomie, occlusion trop distale.",
        "Thrombectomie contre-indiquée : occlusion ancienne.",
        "Indication de thrombectomie non retenue.",
        "Thrombectomie non réalisée.",
        "Thrombectomie : non.",
        "Thrombectomie discutée puis récusée.",
        "Refus de la thrombectomie par la famille.",
    ],
)
def test_what_was_planned_and_declined_was_not_done(text: str) -> None:
    found = read(text)["tm"]
    assert (found.value, found.status) == ("0", Status.STATED_ABSENT)
    assert found.codes == ()


@pytest.mark.parametrize(
    "text",
    [
        "À l’admission, NIHSS à 14.",
        "A l'admission : NIHSS a 14.",
        "NIHSS d´entrée : 14.",
        "NIHSS\u00a0: 14 à l’arrivée.",
        "NIHSS à l'arri-\nvée : 14.",
        "Score NIHSS\u00a0initial\u00a0: 14.",
        "À l'entrée le score\u202fNIHSS est de\u202f14.",
        "NIHSS 14/42 à l’entrée.",
        "L’examen d’entrée cote le NIHSS à 14.",
        "Deﬁcit moteur, NIHSS à 14 à l'admission.",
    ],
)
def test_a_quote_stands_in_the_text_and_holds_its_value(text: str) -> None:
    found = read(text)["nihss"]
    assert found.value == 14
    for evidence in found.evidence:
        assert text[evidence.start : evidence.end] == evidence.quote
        assert "14" in evidence.quote


@pytest.mark.parametrize(
    ("denied", "affirmed", "question"),
    [
        ("Pas de diabète.", "Diabète connu.", "pas de diabète"),
        ("Sans fièvre.", "Fièvre importante.", "sans fièvre"),
        ("Ne fume pas.", "Fume beaucoup.", "ne fume pas"),
        ("N'a pas d'aphasie.", "A une aphasie.", "n'a pas d'aphasie"),
        ("Aucune hémorragie.", "Une hémorragie.", "aucune hémorragie"),
        ("Ni HTA ni dyslipidémie.", "HTA et dyslipidémie.", "ni HTA ni dyslipidémie"),
        ("N'a jamais convulsé.", "A convulsé hier.", "jamais convulsé"),
        ("Non fumeur.", "Un fumeur.", "non fumeur"),
        ("Sans séquelle motrice.", "Avec séquelle motrice.", "sans séquelle motrice"),
        ("Pas d'occlusion visible.", "Une occlusion visible.", "pas d'occlusion visible"),
    ],
)
def test_a_search_keeps_the_words_that_deny(denied: str, affirmed: str, question: str) -> None:
    assert tokens(denied) != tokens(affirmed)
    documents = [
        build_document(RawDocument("P", str(i), text, None), lambda _: None)
        for i, text in enumerate((affirmed, denied))
    ]
    scores = LexicalIndex([passage for document in documents for passage in passages(document)]).scores(question)
    assert scores[1] > scores[0]
