"""Kinds of documents, whatever a hospital calls them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriever.kinds import KINDS, kind_of

NAMES = """
samu: SAMU 63 | Fiche d'intervention SMUR | Dossier de régulation | Bilan secouriste | PRE-HOSPITALIER
urgences: Urgences | CR de passage aux urgences | SAU | Observation de déchocage | Note d'admission en UNV | Alerte AVC
imagerie: IMG | IRM | I.R.M. | TDM cérébral | angio-TDM des TSA | Radiologie | Écho-doppler | CR_IRM | Scan cérébral
thrombectomie: CR de thrombectomie mécanique | Neuroradiologie interventionnelle | NRI | TRAITEMENT ENDOVASCULAIRE
biologie: bio | BIO | labo | Résultats d'examens biologiques | NFS | Bilan sanguin | Lab results
anapath: ANAPATH | Anatomie pathologique
cardiologie: ETT | Holter ECG | Échocardiographie | coronarographie | Cardio
exploration: EEG | ENMG | Explorations fonctionnelles | ponction lombaire
bloc: CRO | Compte rendu opératoire | C.R. op.
anesthesie: CPA | Consultation d'anesthésie | consult. pré-anesthésique
evolution: Note d'évolution | Obs. médicale | Mot de l'interne | Suivi hospitalier | Progress notes
soins: IDE | Transmissions ciblées | FEUILLE DE SURVEILLANCE | Nursing/other | Suivi IDE
paramedical: Bilan kiné | Orthophonie | Assistante sociale | Diététicienne
crh: CRH | CR hospit | C.R.H. | Lettre de sortie | lettre de liaison à la sortie | COMPTE_RENDU_HOSPITALISATION |
     CompteRenduHospitalisation | Cpte-rendu d’hospitalisation | CR de séjour | Discharge summary |
     18842-5 | Hospitalisation
transfert: Lettre de transfert | Transfert inter-hospitalier | fiche de mutation
reeducation: SSR | SMR | CR d'hospitalisation en SSR | Médecine physique et réadaptation
consultation: CS neuro | Consultation | HDJ | Avis neurologique | Cs externe
suivi: Téléconsultation | Appel téléphonique | tél. patient | Suivi M3 | Suivi à 3 mois
courrier: Courrier | lettre | Courrier du médecin traitant à l'angiologue | Demande d'avis au confrère du CHU
ordonnance: Ordo | Ordonnance de sortie | Prescriptions | conciliation médicamenteuse
administratif: Consentement | Certificat médical | Bulletin de situation
autre: | Document | Divers | note | CR | ??? | 12
"""


def _cases() -> list[tuple[str, str]]:
    lines = NAMES.strip().replace("|\n", "|").splitlines()
    return [(line.split(":", 1)[0], name.strip()) for line in lines for name in line.split(":", 1)[1].split("|")]


@pytest.mark.parametrize(("kind", "name"), _cases())
def test_a_name_tells_the_kind_as_a_type_and_as_a_title(kind: str, name: str) -> None:
    assert KINDS[kind_of(name)] == kind
    assert KINDS[kind_of("", name)] == kind


def test_every_kind_has_a_name_above() -> None:
    assert set(KINDS) == {kind for kind, _ in _cases()}


def test_the_type_comes_before_the_title() -> None:
    assert KINDS[kind_of("imagerie", "Scanner aux urgences, avis neurochirurgical")] == "imagerie"
    assert KINDS[kind_of("crh", "Neurologie, service des urgences neurovasculaires")] == "crh"


def test_a_title_refines_a_type_that_is_too_broad() -> None:
    assert KINDS[kind_of("courrier", "Lettre de sortie")] == "crh"
    assert KINDS[kind_of("Imagerie", "CR de thrombectomie")] == "thrombectomie"
    assert KINDS[kind_of("courrier", "Cher confrère")] == "courrier"


def test_a_type_that_says_nothing_leaves_it_to_the_title() -> None:
    assert KINDS[kind_of("document", "IRM de contrôle")] == "imagerie"


def test_unknown_is_the_last_kind() -> None:
    assert KINDS[-1] == "autre"


@given(st.text(), st.text())
def test_any_text_has_one_kind_whatever_its_case(type_: str, title: str) -> None:
    assert 0 <= kind_of(type_, title) < len(KINDS)


@pytest.mark.parametrize(("kind", "name"), [case for case in _cases() if case[1] != "CompteRenduHospitalisation"])
def test_capitals_change_nothing(kind: str, name: str) -> None:
    assert KINDS[kind_of(name.upper())] == KINDS[kind_of(name.lower())] == kind
