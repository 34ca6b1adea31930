"""Dates, numbers, addresses and places: what they look like in hospital documents, and what only looks like them."""

from __future__ import annotations

import pytest

from rag.deid.detect import Detector
from rag.deid.identifiers import nir_key_holds
from tests.deid.annotated import detected

DATES = [
    "vu le [14/06/2021](DATE) à 10h",
    "le [9 février 2021](DATE)",
    "en [mai 2016](DATE)",
    "opéré en [2003](DATE)",
    "IDM [1998](DATE) stenté",
    "revu [fin 2034](DATE)",
    "rendez-vous le [05nov](DATE)",
    "le [12/03](DATE) au matin",
    "scanner du [02/02](DATE)",
    "le [23022018](DATE)",
    "[1 0 0 2 2 0 1 7](DATE)",
    "le [1er septembre 2020](DATE)",
    "hospitalisée du [3](DATE) au [12 juin 2019](DATE)",
    "le [vingt-quatre août deux mille dix-sept](DATE)",
    "[01sep2018](DATE)",
    "C10 [10 / 03 | 2020](DATE)",
    "contrôle le [2021-12-10](DATE)",
    "le [17.02.2019](DATE)",
    "[3 avril 19](DATE)",
    "le [O3/O7/2O19](DATE) à 9h",
    "depuis [07/2012](DATE)",
    "[14-JUL-1989](DATE)",
    "sorti le [16 09 16](DATE)",
    "mercredi [22/5](DATE)",
    "né le [03/11/1939](DATE_NAISSANCE)",
    "DDN : [03.11.1939](DATE_NAISSANCE)",
    "née en [1940](DATE_NAISSANCE)",
    "Date de naissance : [12 / 04 / 1951](DATE_NAISSANCE)",
    "né(e) le [|0|7|1|2|1|9|5|9|](DATE_NAISSANCE)",
    "née le [deux janvier mille neuf cent soixante-dix-huit](DATE_NAISSANCE)",
    "Mme [Ozanne](NOM) (née [Tournebize](NOM) le [03/11/1939](DATE_NAISSANCE))",
    "F [22|8|1923](DATE_NAISSANCE)",
    "le [l5 janv1er 2Ol9](DATE)",
    "AVC [déc 09](DATE), récidive [été 2014](DATE)",
    "vue le [12/5](DATE) et [21/5](DATE)",
    "du [24 septembre](DATE) au [5 octobre 2018](DATE)",
    "opéré en [III/2015](DATE)",
    "C1 [25/6](DATE) C2 [9/7](DATE)",
    "[2 9 0 2 1 9 9 5](DATE)",
    "M. [Vauclair](NOM) [Jean](PRENOM) [11/1/1939](DATE_NAISSANCE) revu le [8 nov 2021](DATE)",
]

NO_DATES = [
    "PA 165/90 mmHg, TA 12/7, FC 74",
    "douleur cotée 8/10, EVA 4/10",
    "Glasgow 15/15, force 4/5, souffle 2/6",
    "VS 22 mm, NaCl 2000 mL, 1,5 mg",
    "apixaban 5 mg x 2, matin et soir",
    "J3 puis H24, à 15h02",
    "ASPECTS 10/10",
    "il y a trois jours",
    "2,5 mg/j, 140-110 mmHg",
]

NUMBERS = [
    "Tél. [04 73 00 18 42](TEL)",
    "tel [0473001842](TEL)",
    "[04.73.00.18.42](TEL) / [04-73-00-18-43](TEL)",
    "[+33 6 12 00 34 56](TEL)",
    "[0033 4 73 00 18 42](TEL)",
    "poste [35 18](TEL)",
    "DECT [64512](TEL)",
    "joignable au [73389](TEL)",
    "Fax : [O4 73 OO 18 42](TEL)",
    "[01 2048 3632](TEL)",
    "mail : [secretariat.neuro@ch-vauclair.example](MAIL)",
    "[j.dupre @ clinique . example](MAIL)",
    "site [www.clinique-vauclair.example](MAIL)",
    "n° SS [1 64 08 42 019 077 31](SECU)",
    "NIR [2 69 05 49 588 157 80](SECU)",
    "sécurité sociale : [269054958815780](SECU)",
    "[2 6 9 0 5 4 9 5 8 8 1 5 7 8 0](SECU)",
    "RPPS [10100987654](SECU)",
    "IPP [8004417290](IPP)",
    "IPP : [N11232344](IPP)",
    "NIP [8017734920](IPP)",
    "NDA [210614338](NDA)",
    "dossier n° [U23-0305-118](NDA)",
    "N° de séjour : [7700123456](NDA)",
    "véhicule immatriculé [AB-123-CD](NDA)",
    "[4.73.00.18.42](TEL) chez la voisine",
    "p. [7 48 66](TEL)",
    "contact (at) : [j.dupre(at)clinique.example](MAIL)",
    "acc. [IM-90-448812](NDA)",
    "IPP :\n[8004417290](IPP)",
    "séjour [23001234](NDA)",
    "dossier patient [00 447 182](IPP)",
    "N° [|1|5|9|1|2|3|8|1|3|8|0|4|5|](SECU)",
    "[1 4 4 0 9 9 9 3 5 0 1 1 7](SECU) [1 2 0 9 1 9 4 4](DATE)",
]

NO_NUMBERS = [
    "plaquettes 261000/mm3, leucocytes 12450/mm3",
    "CHA2DS2-VASc 6, HbA1c 8,1 %, Hb 12,9 g/dL",
    "PDS 8 410 cGy.cm², NT-proBNP 7450 ng/L",
    "stent 4x40, désilet 8F, VVP 18G",
    "lot n° 12345678 du vaccin",
    "loi n° 2002-303",
]

PLACES = [
    "[12 place des Halles](ADRESSE) – [63200](ZIP) [Riom](VILLE)",
    "[27 bis route de la Gravière](ADRESSE) [42130](ZIP) [BOËN](VILLE)",
    "[3, rue du Four-Banal](ADRESSE), [21140](ZIP) [Semur](VILLE)",
    "[14 av. Jean Jaurès](ADRESSE) [69007](ZIP) [LYON](VILLE) CEDEX 07",
    "[5 allée des Frênes, esc. 2](ADRESSE), [63800](ZIP) [Cournon](VILLE)",
    "[Résidence Les Glycines, bât. C, 3e étage](ADRESSE) – [38150](ZIP) [ROUSSILLON](VILLE)",
    "[deux bd Gambetta](ADRESSE) [06000](ZIP) [NICE](VILLE)",
    "[8 IMPASSE DU LAVOIR](ADRESSE) [59000](ZIP) [LILLE](VILLE)",
    "[Riom](VILLE), le [9 février 2021](DATE)",
    "Fait à [Vichy](VILLE) le [11/04/2022](DATE)",
    "né à [Hué](VILLE)",
    "elle habite [Marseille](VILLE)",
    "domicilié à [Zarbeville](VILLE)",
    "originaire de [Labé](VILLE)",
    "arrivés d'[Édimbourg](VILLE) hier",
    "Médecin traitant : Dr [Lautrec](NOM) à [Roussillon](VILLE)",
    "SMUR de [Saint-Loup](VILLE), départ 21h",
    "[CHU de Montclar](HOPITAL) – [Hôpital des Trois-Fontaines](HOPITAL)",
    "transfert au [CH de Saint-Loup](HOPITAL)",
    "sorti de la [Clinique des Ormes](HOPITAL)",
    "adressé par l'[hôpital Lariboisière](HOPITAL)",
    "[CENTRE HOSPITALIER UNIVERSITAIRE BELLEVUE](HOPITAL)",
    "vers le SSR, [Centre de rééducation des Tilleuls](HOPITAL)",
    "[EHPAD Les Mimosas](HOPITAL)",
    "opéré à [Lariboisière](HOPITAL) en [2012](DATE)",
    "près de\n[Toulouse](VILLE)",
    "Médecin traitant, [Bellême](VILLE)",
    "retraité à [Souffelweyersheim](VILLE)",
    "vit à [St Germain en Laye](VILLE)",
    "[12 rue des Lilas](ADRESSE) [59000](ZIP) [ISSY LES\nMOULINEAUX](VILLE)",
    "[Résidence Les Pins, appt 44, 3 rue du 11-Novembre](ADRESSE), [62300](ZIP) [LENS](VILLE)",
    "[hameau de Cabrières](ADRESSE)",
    "Provenance : [Les Glycines](HOPITAL)",
    "[CH F. MITTERRAND](HOPITAL)",
    "admis à l'[hôpital Grands Rameaux](HOPITAL)",
    "CP : [38460](ZIP)",
]

NO_PLACES = [
    "mise en place d'une sonde, en cours de traitement",
    "1er passage, 2e passage, voie veineuse",
    "hospitalisation en SSR, avis du CHU, clinique stable",
    "hôpital de jour, centre de référence",
    "rue, avenue : la patiente ne se souvient pas",
    "du côté droit, à gauche, à domicile",
    "scanner à H24, NIHSS à 4, Rankin à 1",
    "12000 UI d'héparine, 25000 plaquettes",
    "boiterie à la marche, reprise de la force",
    "Glasgow 15, score de Berlin, critères de Los Angeles",
]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


@pytest.mark.parametrize("sentence", [*DATES, *NUMBERS, *PLACES])
def test_it_is_found(detector: Detector, sentence: str) -> None:
    assert detected(detector, [sentence]) == [sentence]


@pytest.mark.parametrize("sentence", [*NO_DATES, *NO_NUMBERS, *NO_PLACES])
def test_it_is_left(detector: Detector, sentence: str) -> None:
    assert detected(detector, [sentence]) == [sentence]


@pytest.mark.parametrize(
    ("number", "holds"),
    [("2 69 05 49 588 157 80", True), ("269054958815781", False), ("1 85 05 2A 006 084 35", True), ("12", False)],
)
def test_the_key_of_a_social_security_number(number: str, holds: bool) -> None:
    assert nir_key_holds(number) is holds
