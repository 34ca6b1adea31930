"""Names of persons, by their cues, their form and their neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.deid.detect import Detector
from rag.deid.gazetteer import read_yaml
from schema.phi import PhiEntity, PhiLabel
from tests.deid.annotated import detected, documents, read

CUED = [
    # titles
    "Dr [Solweig](PRENOM) [Kermadec](NOM)",
    "le Docteur [Zborowska](NOM) a été appelé",
    "Mme [Quillévéré](NOM) [Nolwenn](PRENOM) est vue ce jour",
    "M. [Ferdinand](PRENOM) [DELAUNOY](NOM) est sortant",
    "Mr [HADJIDAKIS](NOM) [Stavros](PRENOM), retraité",
    "Mlle [Tchoupitoulas](NOM) refuse",
    "Pr [de Montbrison](NOM) et Dr [Le Garrec](NOM)",
    "avis du Dr [J.-B.](PRENOM) [Aguesseau](NOM) demandé",
    "Dr [P.](PRENOM) [LANDROZ](NOM)",
    "M.[Vauclair](NOM) va bien",
    "Dr.[Bruyninckx](NOM) prévenu",
    "Madame le Docteur [Ghislaine](PRENOM) [ARRIGHI](NOM)",
    "Mme [de La Roche du Puits](NOM) a été vue",
    "Dr [Agathe](PRENOM) [du Val de la Fosse](NOM)",
    "Mme [Le Floch de Kerdaniel](NOM) est revenue",
    "M. [Le Floch](NOM) du service de neurologie",
    "M. [Da Rocha Pinto](NOM) [Adelino](PRENOM)",
    "Mme [VAN DER MEULEN](NOM) [Griet](PRENOM)",
    "M. [Ben Achour](NOM), Mme [El Mokhtari](NOM)",
    "M. [N'Diaye](NOM) [Ousmane](PRENOM) marche seul",
    "Mme [O'Sullivan](NOM) comprend bien",
    "Drs [Vautrin](NOM) et [Zylberstein](NOM)",
    "Dr [M.](PRENOM) [NGUYEN](NOM)",
    "Dr [Th.](PRENOM) [Grandval](NOM)",
    "mme [kowalska](NOM) dort bien",
    # people called like a disease, a scale, an ordinary word
    "Dr [Rankin](NOM)",
    "Mme [RANKIN](NOM) [Paule](PRENOM) est entrée hier",
    "Mme [Petit](NOM) marche avec une canne",
    "Dr [Parkinson](NOM) a vu la patiente",
    "M. [Blanc](NOM) et Mme [Rose](NOM)",
    "appel du Dr [Babinski](NOM)",
    # functions
    "Interne : [Gwendal](PRENOM) [Abgrall](NOM) / senior : Dr [Moreau](NOM)",
    "Opérateurs : Dr [Sicard](NOM), Dr [Bilel](PRENOM) [Mahjoub](NOM)",
    "IDE [Kadiatou](PRENOM) : pansement refait",
    "[Séverine](PRENOM), IDE nuit : calme",
    "toilette faite avec [Maxime](PRENOM) (AS)",
    "Kiné : [Oriane](PRENOM) [Delbecque](NOM) MKDE",
    "ARM : [Loïc](PRENOM)",
    "Médecins : [Vautrin](NOM) / [Park](NOM) (CCA)",
    "Secrétaire : Mme [Ozenne](NOM)",
    "Rédigé par [Bastien](PRENOM) [Loubet](NOM)",
    "Validé par [Aït Menguellet](NOM) [Yasmina](PRENOM)",
    "vu par [Zbrzezny](NOM) ce matin",
    "orthophoniste [Maëlle](PRENOM) [Chassaing](NOM)",
    # relatives
    "sa fille [Bérengère](PRENOM) est prévenue",
    "son épouse [Fatoumata](PRENOM) présente",
    "Épouse ([Ludmila](PRENOM)) présente",
    "Fils [Tancrède](PRENOM) : d'accord",
    "sa fille Mme [Dufresnoy](NOM)",
    "deux fils, [Malo](PRENOM) et [Corentin](PRENOM)",
    # birth and married names
    "Mme [Vasseur](NOM) née [Quintin](NOM)",
    "[LOMBARD](NOM) veuve [OSTROWSKI](NOM) [Denise](PRENOM)",
    # labels of forms
    "Nom : [TRINQUIER](NOM)  Prénom : [Mei Lin](PRENOM)",
    "Nom de naissance : [Abou Khalil](NOM)",
    "Patient : [SZYMCZYK](NOM) [Radoslaw](PRENOM)",
    "Patiente : [BRIEUX](NOM) [YVONNE](PRENOM), 84 ans",
    "Nom : [B E N O I S T](NOM)",
    # no cue
    "[CHAPUIS](NOM) [Gérard](PRENOM) 72 ans",
    "[Thérèse](PRENOM) [Lagarde](NOM)",
    "[Amandine](PRENOM) est passée ce matin",
    "[LAFARGE](NOM) [A.](PRENOM)",
    "Bien cordialement,\n[Hyacinthe](PRENOM) [Roumegous](NOM)",
    "[ZOUNGRANA](NOM) [Wendpanga](PRENOM) | F | [02/03/1961](DATE_NAISSANCE)",
    "c'est [Mamadou](PRENOM) qui prépare le pilulier",
    "M. [H.](NOM) a laissé le gaz ouvert",
    "vu ce jour avec [Nathalie](PRENOM) [S.](NOM)",
    "Dr[Michel](NOM) et [ABDOU](NOM)[Nourdine](PRENOM)",
    "madame [GRAND1N](NOM) va bien",
    "[M U L L E R](NOM)  [R O S E](PRENOM)",
    "[SZYMCZYK](NOM), [Radoslaw](PRENOM) – lit 7",
    "Drs [ARNAULT](NOM) – [BEN MANSOUR](NOM) – [CLAIR](NOM)",
    "Bien à vous,\n[Sacha](PRENOM)",
    "[K.](PRENOM) [Wolowiec](NOM), interne",
    "interne [Fauverte](NOM) prévenu",
    "son fils Mr [d'Hauterive](NOM)",
    "Rédactrice : [Ségolène](PRENOM) [Kientz](NOM), assistante sociale",
]

UNTOUCHED = [
    "score de Rankin à 3, Babinski à gauche",
    "mRS 2, Rankin modifié 1",
    "maladie de Parkinson et maladie d'Alzheimer",
    "Glasgow 15, Barthel 95/100, Fazekas 2",
    "syndrome de Claude Bernard-Horner",
    "Pas de Claude Bernard-Horner.",
    "artère de Heubner, polygone de Willis, aire de Broca, aphasie de Wernicke",
    "Holter ECG, Doppler transcrânien, sonde de Foley",
    "stent retriever Solitaire puis Trevo, cathéter Sofia",
    "signe de Lasègue négatif, Romberg positif, Hoffmann absent",
    "maladie de Horton, maladie de Basedow, maladie de Crohn",
    "syndrome de Wallenberg, de Marfan ou de Gougerot",
    "sous Eliquis, Kardégic, Lasilix et Tahor",
    "E. coli et S. aureus, H. pylori éradiqué",
    "coloration de Gram, Ziehl négatif, Coombs direct",
    "Petit infarctus sylvien, grand territoire",
    "HISTOIRE DE LA MALADIE",
    "TRAITEMENT DE SORTIE",
    "Demandeur : USINV",
    "Opérateur : senior de garde",
    "M1 gauche occluse, A1 hypoplasique, M. supérieur",
    "Il marche. Elle parle. On prévoit un scanner.",
    "père décédé d'un AVC, mère diabétique, fille en bonne santé",
    "paralysie de Bell, canal de Guyon, ligament de Cooper",
    "trou de Botal, sinus de Valsalva, valve de Starr",
    "intervention de Hartmann, manœuvre de Dix-Hallpike",
    "Simpson biplan 45 %, score ASPECTS à 8",
    "Conclusion : Infarctus constitué. Pas de saignement.",
]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


@pytest.mark.parametrize("sentence", CUED)
def test_a_person_is_found(detector: Detector, sentence: str) -> None:
    assert detected(detector, [sentence]) == [sentence]


@pytest.mark.parametrize("sentence", UNTOUCHED)
def test_medicine_stays(detector: Detector, sentence: str) -> None:
    assert detected(detector, [sentence]) == [sentence]


_NAME = st.from_regex(r"[A-Z][a-z]{4,9}(-[A-Z][a-z]{4,7})?", fullmatch=True)
_ENDINGS_OF_NAMES = frozenset({"Service", "Consultation", "Urgences", "Monsieur", "Madame", "Cabinet", "Centre"})


@settings(max_examples=150, deadline=None)
@given(name=_NAME.filter(lambda name: name not in _ENDINGS_OF_NAMES))
def test_whatever_follows_doctor_is_a_name(name: str) -> None:
    text = f"Avis du Dr {name}, qui confirme."
    (found,) = Detector().detect(documents([text]))
    hidden = {place for entity in found for place in range(entity.start, entity.end)}
    start = text.index(name)
    assert set(range(start, start + len(name))) <= hidden


def test_no_medical_term_of_the_list_is_taken_for_a_name(detector: Detector) -> None:
    terms = [term.strip() for group in read_yaml("protected.yml").values() for term in group.split(",")]
    sentences = ("score de {} à 2", "On note un {} positif ce jour", "{} : normal", "Pas de {}, pas de fièvre")
    masked = {
        term for term in terms for sentence in sentences if detector.detect(documents([sentence.format(term)])) != [()]
    }
    assert len(terms) > 1000
    assert not masked


def test_forms_of_the_caller_are_protected() -> None:
    sentence = "[Yvette](PRENOM) va bien"
    assert detected(Detector(), [sentence]) == [sentence]
    text = read(sentence)[0]
    assert Detector(protected=["Yvette"]).detect(documents([text])) == [()]


class _FixedTagger:
    """Says that the fifth to tenth characters are a surname, whatever the text."""

    def tag(self, texts: Sequence[str]) -> list[list[PhiEntity]]:
        return [[PhiEntity(4, 10, PhiLabel.NOM)] for _ in texts]


def test_a_tagger_adds_where_the_rules_are_silent() -> None:
    detector = Detector(tagger=_FixedTagger())
    (silent, spoken) = detector.detect(documents(["abc Zzzzzz abc", "Dr Vauclair est venu"]))
    assert [(entity.start, entity.end) for entity in silent] == [(4, 10)]
    assert [(entity.start, entity.end) for entity in spoken] == [(3, 11)]
