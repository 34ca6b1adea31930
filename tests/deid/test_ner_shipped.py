"""The model that ships with the package, on sentences that its training texts do not hold."""

import json

import pytest

from rag.deid.ner import SHIPPED, NerTagger
from schema.phi import PhiLabel

IDENTIFYING = [
    ("Revue en consultation par Anatole Quillévéré, interne.", "Quillévéré"),
    ("Je remercie le Docteur Ophélie Vandenbroucke de m'avoir confié sa patiente.", "Vandenbroucke"),
    ("Bloc : Dr Szczepaniak, aide Mehdi, panseuse Loubna.", "Szczepaniak"),
    ("TRAORE Salimata, 72 ans, adressée pour malaise au marché.", "Salimata"),
    ("sa fille Clémentine l'a trouvée par terre ce matin", "Clémentine"),
    ("Elle demeure 14 rue des Grands Champs, 28130 Maintenon.", "14 rue des Grands Champs"),
    ("Secrétariat du matin : 03 28 11 47 90", "03 28 11 47 90"),
    ("écrire à rdv.neuro@ch-maintenon.example", "rdv.neuro@ch-maintenon.example"),
    ("Mme Oumarou, née le 12.08.1951, habite seule.", "12.08.1951"),
    ("Il a été transféré à l'Hôpital Sainte-Aldegonde dans la soirée.", "Sainte-Aldegonde"),
]
HARMLESS = [
    "Score de Rankin à 3, Babinski à droite, Fazekas 2, Doppler des TSA normal.",
    "PA 165/90 mmHg, FC 82, SpO2 97 %, NIHSS 12 à l'arrivée.",
    "Kardégic 75 mg le matin, Lovenox 0,4 mL, Tahor 40 le soir.",
    "Hémoglobine 12,4 g/dL, plaquettes 231 G/L, CRP 8 mg/L, INR 2,3.",
    "La marche est possible avec une canne, sans aide, sur deux cents mètres.",
]


@pytest.fixture(scope="module")
def tagger():
    return NerTagger.load()


@pytest.mark.parametrize(("text", "span"), IDENTIFYING)
def test_what_identifies_is_covered(tagger, text, span):
    start = text.index(span)
    covered = {at for entity in tagger.tag([text])[0] for at in range(entity.start, entity.end)}
    assert covered >= set(range(start, start + len(span)))


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_clinical_is_left(tagger, text):
    assert tagger.tag([text]) == [[]]


def test_the_folder_is_small_and_says_how_it_was_made():
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 6_000_000
    manifest = json.loads((SHIPPED / "manifest.json").read_text("utf-8"))
    assert manifest["best"]["f1"] > 0.85
    assert f"{manifest['best']['f1']:.3f}" in (SHIPPED / "README.md").read_text("utf-8")
    assert set(json.loads((SHIPPED / "config.json").read_text("utf-8"))["phi_thresholds"]) == set(PhiLabel)
