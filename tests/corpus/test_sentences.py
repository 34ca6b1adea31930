"""Sentences written one per line between bars."""

from __future__ import annotations

import pytest

from rag.corpus.sentences import sentences


@pytest.mark.parametrize(
    "marked",
    [
        "Pas de fièvre.| Apyrétique depuis l'entrée.",
        "Vu par le Dr. Martin ce matin.| Sort demain.",
        "M. Petit et Mme. Blanc vont bien.",
        "Adressé par J. Dupont.| Revu par Mme BLANC Y.| Demain scanner.",
        "Hépatite B.| Pas d'alcool.",
        "LDL 1.12 g/L.| T° 36.5 le 14.06.21 au matin.",
        "cf. IRM, env. 3 h, p.ex. la nuit, ch. 214, oct. 2019.",
        "Examen.| TA 16/9.| Poids 54 kg.",
        "1. Motif du séjour\n|2. Antécédents\n|II. Histoire",
        "- HTA\n|- diabète ; tabac\n|• alcool",
        "Début inconnu ??| À préciser.| « Il va bien. »| Famille prévenue !",
        "Sur le scope, sinusal... | Puis FA.",
        "Sort à 14 h.| Revoir dans 3 mois.",
        "ligne\n|\n|autre",
        "",
    ],
)
def test_boundaries(marked: str) -> None:
    text = marked.replace("|", "")
    expected = [piece.strip() for piece in marked.split("|") if piece.strip()]
    assert [text[start:end] for start, end in sentences(text, ())] == expected
