"""What a document says of a concept. The traps have their own sentences (traps.yml); here is what they leave out."""

import pytest

from rag.concept_context import ContextReader
from schema.concept import Concept, ConceptMention, Side
from tests.terminology.sentences import document_of, parse, said_of

READER = ContextReader()


def read(annotated: str, kind: str = "disorder", **about: str) -> list[tuple[str, frozenset[str]]]:
    """Each name marked, with what is said of it."""
    sentence = parse(annotated)
    document = document_of(sentence.text, **about)
    mentions = []
    for start, end in sentence.marks:
        place = document.text.index(sentence.text[start:end])
        concept = Concept(sentence.text[start:end], sentence.text[start:end], (kind,))
        mentions.append(ConceptMention("D", ((place, place + end - start),), concept))
    return [(m.concept.label, said_of(m)) for m in READER.read(READER.annotate(document), mentions)]


@pytest.mark.parametrize(
    "annotated",
    [
        "Antécédents :\n- [HTA]{history}\n- pas de [diabète]{history,negated}\n\nHistoire :\n[Aphasie] brutale.\n",
        "Facteurs de risque : [HTA]{history}, [tabac]{history}.\n\nExamen :\n[hémiplégie] gauche{left}.\n",
        "ATCD : [HTA]{history}. Adressé pour [AVC].",
        "Antécédents familiaux :\n[AVC]{history,family} chez la mère\n",
        "[FA] permanente.",
        "[FA] de découverte récente.",
        "[HTA]{history} connue et traitée.",
        "[HTA] non connue jusqu'alors.",
        "[Infarctus] antérieur étendu.",
        "[AVC] ce jour.",
        "[AVC] du 08/05/2023.",
        "[AVC]{history} du 08/05/2021.",
        "[AVC]{history} en mai 2021.",
        "[AVC]{history} en 2021.",
        "Opéré en 2019 d'une [fracture]{history}.",
        "Vieil [infarctus]{history} cérébelleux.",
        "[HTA] depuis dix ans{history}.",
        "[Toux] depuis trois jours.",
        "[Fièvre] hier, résolue.",
    ],
)
def test_history(annotated: str) -> None:
    expected = parse(annotated)
    assert dict(read(annotated)) == {expected.text[a:b]: said for (a, b), said in expected.marks.items()}


def test_an_old_date_is_old_for_its_document() -> None:
    assert read("[AVC] du 08/05/2021.", date="2021-05-12") == [("AVC", frozenset())]
    assert read("[AVC]{history} du 08/05/2021.", date="2021-09-12") == [("AVC", frozenset({"history"}))]
    assert read("Bilan. [AVC] du 8 mai.", date=None) == [("AVC", frozenset())]


@pytest.mark.parametrize(
    ("annotated", "side"),
    [
        ("[Hémiparésie] droite.", Side.RIGHT),
        ("[Hémiparésie droite] à prédominance brachiale.", Side.RIGHT),
        ("[Hémiparésie] brachio-faciale gauche.", Side.LEFT),
        ("[Hémiplégie] G.", Side.LEFT),
        ("[HÉMIPLÉGIE] GAUCHE", Side.LEFT),
        ("[Sténose] de la carotide interne droite.", Side.RIGHT),
        ("[Œdème des membres inférieurs] gauche > droit.", Side.BOTH),
        ("[Œdème des membres inférieurs] droit et gauche.", Side.BOTH),
        ("[Embolie pulmonaire] bilatérale.", Side.BOTH),
        ("[Aphasie], hémiparésie droite.", None),
        ("[Dysarthrie] et hémiparésie droite.", None),
        ("[Chute] avec plaie du bras droit.", None),
        ("[NIHSS] 12. Hémiplégie droite.", None),
        ("[Aphasie] chez un droitier.", None),
        ("[Glycémie] 1,2 g/L.", None),
    ],
)
def test_side(annotated: str, side: Side | None) -> None:
    sentence = parse(annotated)
    ((_, said),) = read(annotated)
    assert said & {"left", "right", "both"} == ({side.value} if side else set()), sentence.text


def test_a_drug_and_a_score_have_no_side() -> None:
    assert read("[Aspirine] gauche", kind="drug") == [("Aspirine", frozenset())]
    assert read("[NIHSS] gauche", kind="score") == [("NIHSS", frozenset())]


def test_the_side_of_the_next_name_is_its_own() -> None:
    assert read("[Infarctus] et [hémiparésie] droite.") == [
        ("Infarctus", frozenset()),
        ("hémiparésie", frozenset({"right"})),
    ]


@pytest.mark.parametrize(
    ("annotated", "said"),
    [
        ("Mari [diabétique].", {"family"}),
        ("[Grippe] chez l'épouse.", {"family"}),
        ("[Grippe], épouse présente.", set()),
        ("Hypothèses : [AIT] ou [migraine].", {"hypothetical"}),
        ("Sérologies [VIH], [VHB] et [VHC] négatives.", {"negated"}),
        ("[HTA], [diabète], examens négatifs ce jour.", set()),
        ("Non connu pour une [épilepsie].", {"negated", "history"}),
        ("Geste non réalisé en raison d'un [hématome].", set()),
        ("[Diabète] : non", {"negated"}),
        ("[Diabète] : oui", set()),
        ("☒ [Diabète]   ☐ HTA", set()),
        ("☐ [Diabète]   ☒ HTA", {"negated"}),
        ("Risque d'[escarre].", {"hypothetical"}),
        ("Dépistage d'un [diabète].", {"hypothetical"}),
        ("Sa mère rapporte une [chute].", set()),
    ],
)
def test_denied_doubted_planned_and_others(annotated: str, said: set[str]) -> None:
    assert read(annotated) == [(name, frozenset(said)) for name, _ in read(annotated)]


@pytest.mark.parametrize(
    ("annotated", "said"),
    [
        ("[Scanner] prévu demain.", {"hypothetical"}),
        ("[Scanner] prévu puis annulé.", {"negated"}),
        ("[Anticoagulation] contre-indiquée.", {"negated"}),
        ("Pas de contre-indication à la [thrombolyse].", set()),
        ("Pas d'indication de [chirurgie].", {"negated"}),
        ("[Antalgiques] à la demande.", set()),
        ("[Thrombolyse] : discutée, non faite.", {"negated"}),
        ("[Thrombolyse] : faite à 12h.", set()),
        ("[Scanner] pour éliminer une hémorragie.", set()),
    ],
)
def test_an_act_is_planned_or_declined(annotated: str, said: set[str]) -> None:
    assert read(annotated, kind="procedure") == [(name, frozenset(said)) for name, _ in read(annotated)]


@pytest.mark.parametrize(
    ("text", "disease", "act", "said"),
    [
        ("AVC récusé pour la thrombectomie.", "AVC", "thrombectomie", set()),
        ("AVC hors délai de thrombolyse.", "AVC", "thrombolyse", set()),
        ("L'AVC n'a pas été thrombolysé.", "AVC", "thrombolysé", set()),
        ("Hématome contre-indiquant la thrombolyse.", "Hématome", "thrombolyse", set()),
        ("Diabétique refusant l'insuline.", "Diabétique", "insuline", set()),
        ("Diabète à réévaluer, insuline arrêtée.", "Diabète", "insuline", set()),
        ("Hématome éliminé par le scanner.", "Hématome", "scanner", {"negated"}),
        ("Hématome absent au scanner.", "Hématome", "scanner", {"negated"}),
        ("Pas d'AVC récusé pour la thrombectomie.", "AVC", "thrombectomie", {"negated"}),
    ],
)
def test_what_is_not_done_for_a_disease_does_not_deny_it(text: str, disease: str, act: str, said: set[str]) -> None:
    document = document_of(text)
    mentions = [
        ConceptMention("D", ((text.index(name), text.index(name) + len(name)),), Concept(name, name, (kind,)))
        for name, kind in ((disease, "disorder"), (act, "procedure"))
    ]
    assert said_of(READER.read(READER.annotate(document), mentions)[0]) == said


def test_a_discontinuous_mention_is_judged_as_a_whole() -> None:
    text = "Pas d'œdème des membres inférieurs ni de lésion cutanée gauche."
    document = document_of(text)
    start = text.index("lésion")
    mention = ConceptMention("D", ((6, 11), (start, start + 6)), Concept("o", "Œdème", ("disorder",)))
    (found,) = READER.read(READER.annotate(document), [mention])
    assert found.negated
