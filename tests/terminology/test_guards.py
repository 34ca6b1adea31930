"""What looks like a name of a vocabulary and is not one, whatever the vocabulary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.terminology.guards import admitted
from schema.concept import Code, CodeSystem, Concept, ConceptMention

DISEASE = Concept("d", "Maladie", ("disorder",))


def mention(text: str, name: str, concept: Concept = DISEASE) -> ConceptMention:
    start = text.index(name)
    return ConceptMention("", ((start, start + len(name)),), concept)


def kept(text: str, name: str, concept: Concept = DISEASE) -> bool:
    return bool(admitted(text, [mention(text, name, concept)]))


def of_code(code: str) -> Concept:
    return Concept(code, f"Maladie {code}", ("disorder",), (Code(CodeSystem.ICD10, code),))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("PA 165/90 mmHg", "165/90"),
        ("PA 165/90 mmHg", "165"),
        ("PA 165/90", "90"),
        ("Bolus à 15h02", "à 15"),
        ("Bolus à 15h02", "15h02"),
        ("Bolus à 15 h 02", "h 02"),
        ("Contrôle à H24", "H24"),
        ("Revu à J3", "J3"),
        ("Rankin à M3", "à M3"),
        ("Homme de 60 ans", "60 ans"),
        ("Ménopause à 60 ans", "à 60"),
        ("Altéplase 63 mg", "63 mg"),
        ("Altéplase 63 mg", "mg"),
        ("Kardégic 75 mg/j", "75"),
        ("Glycémie 1,65 g/L", "g"),
        ("Glycémie 1,65 g/L", "L"),
        ("INR 2,4", "2"),
        ("1-0-1", "1-0"),
        ("le 12/03/2021", "03"),
        ("le 3 mars 2021", "mars"),
        ("tél. 01 42 34 56 78", "42"),
        ("service@hopital.example", "hopital"),
        ("K : 4,1", "K"),
        ("hémiplégie D", "D"),
        ("qui est stable", "est"),
        ("il n'est pas opéré", "pas"),
        ("bien qu'il ait mangé", "ait"),
        ("LES TROIS FRERES DU PATIENT", "LES"),
        ("Patient <NOM> suivi", "NOM"),
        ("Patient <NOM_2> suivi", "NOM"),
        ("né le [DATE_NAISSANCE] à", "DATE_NAISSANCE"),
        ("Vu par le Dr Parkinson", "Parkinson"),
        ("Mme J. Alzheimer", "Alzheimer"),
        ("Monsieur Jean Horton", "Horton"),
        ("Filière AVC", "AVC"),
        ("unité de l'AVC", "AVC"),
        ("Institut national du cancer", "cancer"),
        ("Échelle de dépression", "dépression"),
        ("score de risque d'AVC", "AVC"),
        ("Au total.\n\nDiabète", "total.\n\nDiabète"),
    ],
)
def test_refused(text: str, name: str) -> None:
    assert not kept(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("HTA à 165/90 mmHg", "HTA"),
        ("occlusion M1 gauche", "M1"),
        ("vitamine B12 basse", "B12"),
        ("diabète de type 2", "diabète de type 2"),
        ("paracétamol 500 mg x 3", "paracétamol 500 mg"),
        ("un LES connu", "LES"),
        ("PAS à 165", "PAS"),
        ("un ait en 2019", "ait"),
        ("maladie de Parkinson", "maladie de Parkinson"),
        ("Patient <NOM>, HTA connue", "HTA"),
        ("grippe H1N1", "H1N1"),
        ("FA ancienne", "FA"),
        ("cancer du sein", "cancer du sein"),
        ("Mme Dupont, HTA", "HTA"),
        ("insuffisance\ncardiaque", "insuffisance\ncardiaque"),
        ("score NIHSS d'entrée", "score NIHSS"),
        ("SEP connue", "SEP"),
    ],
)
def test_admitted(text: str, name: str) -> None:
    assert kept(text, name)


@pytest.mark.parametrize(
    ("text", "name", "code", "read"),
    [
        ("NIHSS à 15", "à 15", "A15", False),
        ("NIHSS à H02", "H02", "H02", False),
        ("chambre J18", "J18", "J18", False),
        ("chambre j18", "j18", "J18", False),
        ("Diagnostic : I63.4", "I63.4", "I63.4", True),
        ("CIM-10 : I10", "I10", "I10", True),
        ("codé en I10", "I10", "I10", True),
        ("lit I63", "I63", "I63.4", False),
    ],
)
def test_a_code_is_read_only_as_a_code(text: str, name: str, code: str, read: bool) -> None:
    assert kept(text, name, of_code(code)) is read


def test_a_diagnosis_inside_the_name_of_a_scale_is_nobodys() -> None:
    text = "Glasgow Coma Scale à 14, coma écarté"
    scale = mention(text, "Glasgow Coma Scale", Concept("gcs", "Glasgow", ("score",)))
    inside = mention(text, "Coma")
    outside = ConceptMention("", ((text.rindex("coma"), text.rindex("coma") + 4),), DISEASE)
    assert admitted(text, [scale, inside, outside]) == [scale, outside]


def test_a_scale_and_a_place_of_care_keep_their_own_names() -> None:
    assert kept("service de réanimation", "réanimation", Concept("r", "Réanimation", ("procedure",)))
    assert kept("score de Rankin", "Rankin", Concept("mrs", "Rankin", ("score",)))


@pytest.mark.parametrize(
    ("text", "name", "score", "read"),
    [
        ("Vu avec Amélie ce jour", "Amélie", 0.7, False),
        ("Amélie Durand, interne", "Amélie", 0.7, False),
        ("Vu avec Amélie ce jour", "Amélie", 1.0, True),
        ("Pas de Phlebbite", "Phlebbite", 0.9, True),
        ("Notion de phlebbite", "phlebbite", 0.7, True),
        ("Phlebbite du mollet", "Phlebbite", 0.7, True),
        ("PHLEBBITE DU MOLLET", "PHLEBBITE", 0.7, True),
    ],
)
def test_a_capital_tells_a_first_name_from_a_misspelt_disease(text: str, name: str, score: float, read: bool) -> None:
    start = text.index(name)
    found = ConceptMention("", ((start, start + len(name)),), DISEASE, score)
    assert bool(admitted(text, [found])) is read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Patiente : Rankin Margaret, 91 ans", False),
        ("Dossier RANKIN Margaret", False),
        ("Leblanc veuve Rankin", False),
        ("Amitiés,\nMathilde Rankin\n", False),
        ("Mme Rankin", False),
        ("Rankin à 2", True),
        ("Score de Rankin 2", True),
        ("Patiente autonome, Rankin 0", True),
        ("NIHSS 4\nRankin 2", True),
        ("Au total : Rankin 1", True),
        ("Patient Rankin à 2", True),
    ],
)
def test_a_person_may_be_named_as_a_scale(text: str, read: bool) -> None:
    name = "RANKIN" if "RANKIN" in text else "Rankin"
    assert kept(text, name, Concept("mrs", "Rankin", ("score",))) is read


def test_fragments_are_judged_together() -> None:
    text = "œdème des membres inférieurs, 3 mg, gauche"
    good = ConceptMention("", ((0, 5), (10, 28)), DISEASE)
    cut = ConceptMention("", ((0, 5), (30, 31)), DISEASE)
    assert admitted(text, [good, cut]) == [good]


@given(st.text(alphabet="àaAhHjJ0123456789 /.,:°<>NOM-gmLx\n\u00a0", max_size=40), st.data())
def test_figures_and_single_letters_alone_name_nothing(text: str, data: st.DataObject) -> None:
    if not text:
        return
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    words = "".join(c if c.isalnum() else " " for c in text[start:end]).split()
    if all(len(word) == 1 or word.isdigit() for word in words):
        assert admitted(text, [ConceptMention("", ((start, end),), DISEASE)]) == []


@given(st.text(max_size=200))
def test_no_text_breaks_a_guard(text: str) -> None:
    spans = [ConceptMention("", ((i, i + 1),), DISEASE) for i in range(len(text))]
    assert set(admitted(text, spans)) <= set(spans)


def test_a_long_row_of_one_sign_is_read_once() -> None:
    # A pattern that tries again at each sign would need hours.
    assert kept("-" * 1_000_000 + " HTA", "HTA")
