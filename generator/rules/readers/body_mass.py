"""Body mass index: as written, else from a weight and a height, often in different documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from generator.rules.annotate import Annotated
from generator.rules.episode import Phase
from generator.rules.numbers import Number, convert
from generator.rules.plan import Plan
from generator.rules.policies import vote
from generator.rules.quantity import to_variable
from generator.rules.readers.measure import measure_readings
from generator.rules.reading import SILENT, Answer, Cite, PatientView
from schema.value import Status

#: kg and m: adults, to tell a body weight from a dose and a height from a length.
_WEIGHTS, _HEIGHTS = (25.0, 300.0), (1.2, 2.3)
_REACH = 45


def read_body_mass(view: PatientView, plan: Plan) -> Answer:
    """kg/m² (Quetelet 1869): the index written nearest the admission, or weight / height²."""
    stated = [r for document in view.documents for r in measure_readings(view, plan, document)]
    of_stay = [r for r in stated if Phase.PREHOSPITAL <= r.moment.phase <= Phase.DISCHARGE]
    if of_stay:
        return vote(of_stay)
    computed = _computed(view, plan)
    if computed.value is not None:
        return computed
    return vote(stated[-1:]) if stated else SILENT


def _computed(view: PatientView, plan: Plan) -> Answer:
    weights = [found for document in view.documents for found in _found(document, "poids", "kg", _WEIGHTS)]
    heights = [found for document in view.documents for found in _found(document, "taille", "m", _HEIGHTS)]
    if not weights or not heights:
        return SILENT
    weight, weight_cite = min(weights, key=lambda item: _distance(view, item[1].document))
    height, height_cite = min(heights, key=lambda item: _distance(view, item[1].document))
    index = Number(weight / height**2, 0, 0, unit="kg/m2")
    value = to_variable(index, plan, "")
    if value is None:
        return SILENT
    return Answer(Status.FOUND, value, (weight_cite, height_cite), 0.85, explanation="poids / taille²")


def _distance(view: PatientView, document: Annotated) -> int:
    """Days from the admission to the document; very many when either is not dated."""
    admission, written = view.timeline.episode.admission, document.document.written_on
    day = written.to_date() if written else None
    if admission is None or day is None:
        return 10**6
    return abs((day - admission).days)


def _found(document: Annotated, concept: str, unit: str, bounds: Sequence[float]) -> Iterator[tuple[float, Cite]]:
    """Values of weight or height: named ("Poids 92 kg"), or told by the unit alone ("94 kg pour 1,71 m")."""
    named = document.find(concept)
    for number in document.numbers:
        if number.second is not None or number.unit not in (unit, "cm" if unit == "m" else unit, ""):
            continue
        name = next((hit for hit in reversed(named) if 0 <= number.start - hit.end <= _REACH), None)
        if name is None and not (number.unit and _bare(document, number.start, unit, number.unit)):
            continue
        if name and ";" in document.folded[name.end : number.start]:
            continue
        written = number.unit or ("cm" if unit == "m" and number.value > 3 else unit)
        value = convert(number.value, written, unit)
        if value is not None and bounds[0] <= value <= bounds[1]:
            yield value, Cite(document, name.start if name else number.start, number.end)


def _bare(document: Annotated, start: int, unit: str, written: str) -> bool:
    """Whether a number with a unit and no name can be the patient's: "94 kg pour 1,71 m", not "marche 2 m"."""
    if unit == "kg":
        lead = document.folded[max(0, start - 15) : start]
        return not any(
            word in lead for word in ("perte", "perdu", "pris", "/", "charge", "port de", "moins de", "plus de")
        )
    near = document.folded[max(0, start - 30) : start + 30]
    return written == "m" and ("kg" in near)
