"""Sentences that point back, and those that only look as if they did."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriever.anaphora import Reference, reference, references
from retriever.said_dates import SaidDate, said_dates

#: Sentences that answer nothing without an earlier document.
POINTING = [
    "NIHSS inchangé.",
    "Score de Rankin : idem",
    "Traitement : id.",
    "Antécédents identiques.",
    "Même traitement qu'à l'entrée.",
    "Mêmes posologies.",
    "cf. CR du 12",
    "Voir courrier précédent.",
    "Cf compte rendu de thrombectomie",
    "Lésions superposables au scanner initial",
    "Sans changement par rapport à l'IRM du 12/06",
    "Poursuite du traitement habituel.",
    "Reprise de son traitement antérieur",
    "Comme à l'entrée.",
    "Traitement de fond non modifié",
    "Ordonnance reconduite à l'identique",
    "Déficit stable par rapport à la veille",
    "Pas de modification depuis la dernière consultation",
    "Antécédents déjà décrits.",
    "Rien n'a changé depuis hier",
    "Le handicap est coté comme la fois précédente.",
    "Je ne change rien à son traitement",
    "NIHSS = celui de la note précédente",
    "Aspect inchangé depuis le 12.06.2021",
    "Fonction rénale stable",
    "Ttt perso repris",
    "HDM : cf. SAMU",
    "Retour à son état antérieur",
    "RAS depuis la dernière visite",
    "Pas de chgt",
    "Se référer au CRH",
    "Je renouvelle son traitement",
]

#: Sentences with one of the same words that say all that they have to say.
PLAIN = [
    "Hémodynamiquement stable, apyrétique.",
    "Patient stable sur le plan respiratoire.",
    "Constantes stables.",
    "Angor stable.",
    "De même, pas de fièvre.",
    "Scanner réalisé le même jour.",
    "Elle-même a appelé le SAMU, même si le déficit régressait.",
    "Quand même fatigué, en même temps céphalées.",
    "Pouls identiques des deux côtés",
    "Poursuite de la rééducation en SSR.",
    "Poursuite du traitement par aspirine",
    "Retour à domicile si état stable.",
    "Ne voit pas double.",
    "Voir ci-dessous.",
    "ID : 12345",
    "IPP id. 12345",
    "Numéro id. patient",
    "Images non superposables.",
    "Les voies interchangeables sont retirées.",
    "NIHSS à 14 à l'entrée.",
    "Déviation par rapport à la ligne médiane",
    "Aspirine 75 mg, comme prévu.",
    "Patient à voir par le kiné",
    "Pas de changement de côté",
    "Je vous remercie de voir en consultation ce patient",
    "",
]


@pytest.mark.parametrize("sentence", POINTING)
def test_a_sentence_that_points_back(sentence: str) -> None:
    found = reference(sentence)
    assert found is not None
    assert 0.5 <= found.strength <= 1


@pytest.mark.parametrize("sentence", PLAIN)
def test_a_sentence_that_stands_on_its_own(sentence: str) -> None:
    assert reference(sentence) is None


@pytest.mark.parametrize("sentence", POINTING)
def test_case_accents_and_apostrophes_do_not_matter(sentence: str) -> None:
    bare = sentence.upper().translate(str.maketrans("ÉÈÊÀÂÎÔÙÇ", "EEEAAIOUC"))
    assert reference(bare) is not None
    assert reference(sentence.replace("'", "’")) is not None


@pytest.mark.parametrize(
    "sentence",
    [
        "NIHSS lnchangé",
        "NIHSS inchang6",
        "NIHSS inchngé",
        "Examen superposab1e",
        "Etat identiqne au précedent",
        "Ttt idern",
    ],
)
def test_what_a_scan_misread_is_read(sentence: str) -> None:
    assert reference(sentence) is not None


def test_a_value_beside_it_leaves_little_to_look_for() -> None:
    alone = reference("NIHSS inchangé")
    assert alone is not None
    for told in ("NIHSS inchangé à 14", "NIHSS 14, inchangé", "Traitement idem : aspirine, ramipril"):
        found = reference(told)
        assert found is not None
        assert found.strength < 0.5 < alone.strength


def test_a_date_beside_it_is_no_value() -> None:
    found = reference("Aspect inchangé depuis le 12/06")
    assert found is not None
    assert found.strength == 1


@pytest.mark.parametrize(
    ("sentence", "target"),
    [
        ("cf. CR du 12", {"date": SaidDate(day=12)}),
        ("cf. scanner du 12/06", {"date": SaidDate(12, 6), "kind": "imagerie"}),
        ("Inchangé depuis le 12.06.21", {"date": SaidDate(12, 6, 2021)}),
        ("Idem CRH du 3 mars 2019", {"date": SaidDate(3, 3, 2019), "kind": "crh"}),
        ("Identique à l'IRM de juin 2021", {"date": SaidDate(None, 6, 2021), "kind": "imagerie"}),
        ("Voir courrier du 2021-06-12", {"date": SaidDate(12, 6, 2021), "kind": "courrier"}),
        ("Inchangé par rapport à la veille", {"days_before": 1}),
        ("Superposable à avant-hier", {"days_before": 2}),
        ("Sans changement depuis le bilan d'il y a 3 jours", {"days_before": 3}),
        ("Même déficit qu'à l'admission", {"admission": True}),
        ("cf. ordonnance", {"kind": "ordonnance"}),
        ("Voir CR de thrombectomie", {"kind": "thrombectomie"}),
        ("NIHSS inchangé", {}),
    ],
)
def test_where_it_points(sentence: str, target: dict[str, object]) -> None:
    found = reference(sentence)
    assert found is not None
    nowhere: dict[str, object] = {"date": None, "days_before": None, "admission": False, "kind": ""}
    assert {name: getattr(found, name) for name in nowhere} == nowhere | target


def test_a_passage_gives_each_of_its_sentences() -> None:
    found = references("Traitement de sortie\nIdem. NIHSS inchangé ; TA 120/80.\nVoir CR du 12.")
    assert [(made.heading, made.about) for made in found] == [
        ("Traitement de sortie", "idem"),
        ("", " nihss inchange"),
        ("", "voir cr"),
    ]


def test_the_surest_one_of_a_passage() -> None:
    found = reference("Poids stable. NIHSS inchangé.")
    assert isinstance(found, Reference)
    assert found.about.split() == ["nihss", "inchange"]


def test_a_line_broken_inside_a_sentence() -> None:
    found = reference("Lésions superposables\nau scanner du 12/06")
    assert found is not None
    assert found.date == SaidDate(12, 6)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert all(0 < made.strength <= 1 for made in references(text))


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("rankin inchange a 3/6", []),
        ("nihss 14/42", []),
        ("le 31/12 puis le 1er janvier", [SaidDate(31, 12), SaidDate(1, 1)]),
        ("aspirine 1.5 mg, du 75 mg", []),
        ("du 12 au 15", [SaidDate(12), SaidDate(15)]),
        ("le 30/02/2021", []),
        ("du 3 fois par jour", []),
        ("12/06/98", [SaidDate(12, 6, 1998)]),
    ],
)
def test_said_dates(text: str, dates: list[SaidDate]) -> None:
    assert [date for _, _, date in said_dates(text)] == dates


@given(st.text(alphabet="0123456789/.- dulejanviermars"))
def test_said_dates_are_of_the_calendar(text: str) -> None:
    for start, end, date in said_dates(text):
        assert 0 <= start < end <= len(text)
        assert 1 <= (date.day or 1) <= 31
        assert 1 <= (date.month or 1) <= 12
