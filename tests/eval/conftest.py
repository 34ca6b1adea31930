"""Variables of a small fictitious study, and its tables."""

import datetime as dt

import pytest

from eval.align import Table
from schema.variable import Choice, Variable, VariableKind

_NO_YES = (Choice("0", "Non"), Choice("1", "Oui"))


@pytest.fixture
def variables() -> list[Variable]:
    return [
        Variable("diabete", "Diabète connu", VariableKind.YESNO, choices=_NO_YES),
        Variable("score_entree", "Score de gravité à l'entrée", VariableKind.INTEGER),
        Variable("score_sortie", "Score de gravité à la sortie", VariableKind.INTEGER),
        Variable("glycemie", "Glycémie (mmol/L)", VariableKind.NUMBER, unit="mmol/L", decimals=1),
        Variable("arrivee", "Date et heure d'arrivée", VariableKind.DATETIME),
        Variable("ville", "Ville de naissance", VariableKind.TEXT),
    ]


@pytest.fixture
def gold() -> Table:
    return {
        "P1": {
            "diabete": "1",
            "score_entree": 12,
            "score_sortie": 3,
            "glycemie": 6.1,
            "arrivee": dt.datetime(2020, 3, 1, 10, 0),
            "ville": "Nîmes",
        },
        "P2": {
            "diabete": "0",
            "score_entree": 5,
            "score_sortie": None,
            "glycemie": 11.1,
            "arrivee": dt.datetime(2020, 4, 2, 9, 30),
            "ville": None,
        },
        "P3": {
            "diabete": None,
            "score_entree": 20,
            "score_sortie": 18,
            "glycemie": None,
            "arrivee": dt.datetime(2020, 5, 3, 23, 5),
            "ville": "Sète",
        },
    }


@pytest.fixture
def predictions() -> Table:
    return {
        "P1": {
            "diabete": "1",
            "score_entree": 3,  # that of the exit
            "score_sortie": 3,
            "glycemie": 6.1,
            "arrivee": dt.datetime(2020, 3, 2, 10, 0),  # the day after
            "ville": "nimes",
        },
        "P2": {
            "diabete": "1",  # the opposite
            "score_entree": 5,
            "score_sortie": None,
            "glycemie": 2.0,  # in g/L
            "arrivee": dt.datetime(2020, 4, 2, 9, 30),
            "ville": "Agde",  # invented
        },
        "P3": {
            "diabete": None,
            "score_entree": None,  # missed
            "score_sortie": 17,  # wrong
            "glycemie": None,
            "arrivee": dt.datetime(2020, 5, 3, 23, 5),
            "ville": "Sète",
        },
    }
