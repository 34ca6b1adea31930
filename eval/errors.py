"""One row per disagreement, with its kind: what a reader of errors looks at before any average.

A kind is a likely cause read from the values, the quotes and the dictionary. It is a help to sort, not a proof.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from eval.align import Cell
from eval.evidence import EvidenceByCell, Quote
from eval.values import NUMBERS, SINGLE_CHOICES, as_text, decimals_of, distance, equal, error_unit, normalised
from eval.vocabulary import CONVERSIONS, EMPTY_WORDS, KIN_WORDS, NO_WORDS, TIME_WORDS
from schema.value import Value
from schema.variable import Variable, VariableKind


class ErrorKind(StrEnum):
    """Likely cause of a disagreement, in the order in which reports list them."""

    MISSED = "missed"
    INVENTED = "invented"
    NEGATION = "negation"
    WRONG_PERSON = "wrong_person"
    WRONG_TIME = "wrong_time"
    WRONG_UNIT = "wrong_unit"
    FORMAT = "format"
    WRONG_VALUE = "wrong_value"


#: What each kind means, for the reader of a report.
MEANING: Mapping[ErrorKind, str] = {
    ErrorKind.MISSED: "The manual table has a value, the predicted cell is empty.",
    ErrorKind.INVENTED: "The manual table is empty, the predicted cell has a value.",
    ErrorKind.NEGATION: "One side says yes, the other says no.",
    ErrorKind.WRONG_PERSON: "A condition that the manual table does not give, read in words about a relative.",
    ErrorKind.WRONG_TIME: "The right clock on a wrong date, or the value of another moment of the stay.",
    ErrorKind.WRONG_UNIT: "The two numbers differ by a known conversion factor.",
    ErrorKind.FORMAT: "The same content written differently (punctuation, day and month exchanged, type of value).",
    ErrorKind.WRONG_VALUE: "Another value, for no reason that can be told from the values alone.",
}

_TIMES = frozenset({VariableKind.DATE, VariableKind.DATETIME, VariableKind.TIME})

#: Precision of the conversion factors, and the largest doubt with which a ratio still tells one from another.
_FACTOR_DOUBT = 0.005
_LARGEST_DOUBT = 0.05
_POWERS_OF_TEN = frozenset({10, 100, 1000, 1_000_000})


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One differing cell. ``detail`` says what the kind was read from, without any text of a document."""

    cell: Cell
    kind: ErrorKind
    detail: str
    quotes: tuple[Quote, ...] = ()
    gold_quotes: tuple[Quote, ...] = ()


def find_errors(cells: Sequence[Cell], gold_evidence: EvidenceByCell | None = None) -> list[Disagreement]:
    """Every cell on which the two tables differ, in the order of the cells, with its likely cause."""
    gold_evidence = gold_evidence or {}
    siblings = same_concept({cell.variable.name: cell.variable for cell in cells}.values())
    by_place = {(cell.record, cell.variable.name): cell for cell in cells}
    errors = []
    for cell in cells:
        if cell.agrees:
            continue
        place = (cell.record, cell.variable.name)
        others = [by_place[cell.record, name] for name in siblings[cell.variable.name]]
        kind, detail = classify(cell, others)
        errors.append(
            Disagreement(
                cell=cell,
                kind=kind,
                detail=detail,
                quotes=cell.reading.evidence if cell.reading else (),
                gold_quotes=gold_evidence[place].evidence if place in gold_evidence else (),
            )
        )
    return errors


def classify(cell: Cell, siblings: Iterable[Cell]) -> tuple[ErrorKind, str]:
    """Kind of a disagreement and what it was read from.

    Args:
        siblings: cells of the same record for the same concept at other times (`same_concept`).
    """
    if cell.predicted is None:
        return ErrorKind.MISSED, _missed_detail(cell)
    other_time = _other_time(cell, siblings)
    if _about_kin(cell):
        return ErrorKind.WRONG_PERSON, "the quote names a relative"
    if cell.gold is None:
        return ErrorKind.INVENTED, other_time
    if flipped := _opposite(cell):
        return ErrorKind.NEGATION, flipped
    if swapped := _written_differently(cell):
        return ErrorKind.FORMAT, swapped
    if unit := _conversion(cell):
        return ErrorKind.WRONG_UNIT, unit
    if other_time:
        return ErrorKind.WRONG_TIME, other_time
    if wrong_date := _right_clock_wrong_date(cell):
        return ErrorKind.WRONG_TIME, wrong_date
    apart = distance(cell.predicted, cell.gold)
    return ErrorKind.WRONG_VALUE, "" if apart is None else f"off by {apart:g} {error_unit(cell.variable)}".rstrip()


def _missed_detail(cell: Cell) -> str:
    """The predicted status, and whether what is missed is a "no": a silence read as such is a lesser fault."""
    status = [f"status {cell.reading.status}"] if cell.reading and cell.reading.status else []
    says_no = cell.variable.kind in SINGLE_CHOICES and _says_no(cell, cell.gold)
    return ", ".join(status + (["manual value says no"] if says_no else []))


def same_concept(variables: Iterable[Variable]) -> dict[str, tuple[str, ...]]:
    """Names of the variables that measure the same thing at another time, by variable name.

    Two variables do when they are of one kind and their names, or their labels, are equal once the words of time are
    left out (nihss_admission, nihss_24h). Dates and times of one record are all siblings: a value that is exactly
    that of another event was read at the wrong one.
    """
    listed = list(variables)
    stems = {v.name: (v.kind, _stem(v.name), _stem(v.label)) for v in listed}

    def related(one: Variable, other: Variable) -> bool:
        (kind, name, label), (other_kind, other_name, other_label) = stems[one.name], stems[other.name]
        if one.name == other.name or kind is not other_kind:
            return False
        return kind in _TIMES or bool(name and name == other_name) or bool(label and label == other_label)

    return {one.name: tuple(other.name for other in listed if related(one, other)) for one in listed}


def _words(text: str) -> list[str]:
    """Runs of letters; "24h" and "3mois" give up their numbers, which only say when."""
    return re.findall(r"[^\W\d_]+", normalised(text))


def _stem(text: str) -> frozenset[str]:
    return frozenset(_words(re.sub(r"\([^)]*\)", " ", text))) - TIME_WORDS - EMPTY_WORDS


def _other_time(cell: Cell, siblings: Iterable[Cell]) -> str:
    names = (o.variable.name for o in siblings if o.gold is not None and equal(cell.variable, cell.predicted, o.gold))
    name = next(names, None)
    return f"equals the manual value of {name}" if name else ""


def _says_no(cell: Cell, value: Value | None) -> bool:
    """Whether a choice says no, by the first word of its label; a yes/no field without labels, by its code."""
    label = next((choice.label for choice in cell.variable.choices if choice.code == value), "")
    words = _words(label)
    if words:
        return words[0] in NO_WORDS
    return cell.variable.kind is not VariableKind.CHOICE and value == "0"


def _opposite(cell: Cell) -> str:
    if cell.variable.kind not in SINGLE_CHOICES or _says_no(cell, cell.predicted) == _says_no(cell, cell.gold):
        return ""
    return "predicted no, manual yes" if _says_no(cell, cell.predicted) else "predicted yes, manual no"


def _about_kin(cell: Cell) -> bool:
    """A condition given to a patient who has it not, or of whom nothing is said, from words about a relative."""
    if cell.variable.kind not in SINGLE_CHOICES or cell.reading is None or _says_no(cell, cell.predicted):
        return False
    refused = cell.gold is None or _says_no(cell, cell.gold)
    quotes = cell.reading.evidence
    return refused and any(KIN_WORDS.intersection(_words(quote.quote)) for quote in quotes)


def _written_differently(cell: Cell) -> str:
    predicted, gold = cell.predicted, cell.gold
    if isinstance(predicted, dt.date) and isinstance(gold, dt.date):
        same_but_order = (predicted.year, predicted.day, predicted.month) == (gold.year, gold.month, gold.day)
        return "day and month exchanged" if same_but_order else ""
    if isinstance(predicted, str) and isinstance(gold, str):
        same = cell.variable.kind not in SINGLE_CHOICES and _letters(predicted) == _letters(gold) != ""
        return "equal but for punctuation" if same else ""
    both_numbers = isinstance(predicted, int | float) and isinstance(gold, int | float)
    if type(predicted) is not type(gold) and not both_numbers:
        return "the two sides are not of the same type"
    return ""


def _letters(text: str) -> str:
    return "".join(c for c in normalised(text) if c.isalnum())


def _conversion(cell: Cell) -> str:
    """The conversion that leads from one number to the other; "" when none does.

    The manual number is taken as a conversion of the predicted one, rounded to the variable's decimals. Scores (whole
    numbers without a unit) have no unit to mistake.
    """
    predicted, gold = cell.predicted, cell.gold
    if not (isinstance(predicted, int | float) and isinstance(gold, int | float) and predicted * gold > 0):
        return ""
    if cell.variable.kind not in NUMBERS or (cell.variable.kind is VariableKind.INTEGER and not cell.variable.unit):
        return ""
    ratio = max(abs(predicted), abs(gold)) / min(abs(predicted), abs(gold))
    factor, meaning = min(CONVERSIONS, key=lambda conversion: abs(ratio / conversion[0] - 1))
    decimals = decimals_of(cell.variable)
    half_digit = 0.5 * 10.0**-decimals if decimals is not None else 0.0
    doubt = _FACTOR_DOUBT + half_digit / abs(gold)
    if factor in _POWERS_OF_TEN:  # a blood pressure of "16/9" has lost its last digit
        doubt += half_digit / abs(predicted)
    return meaning if abs(ratio / factor - 1) <= min(doubt, _LARGEST_DOUBT) else ""


def _right_clock_wrong_date(cell: Cell) -> str:
    if not (isinstance(cell.predicted, dt.datetime) and isinstance(cell.gold, dt.datetime)):
        return ""
    if cell.predicted.time() != cell.gold.time():
        return ""
    days = abs((cell.predicted.date() - cell.gold.date()).days)
    return f"right time of day, {days} {'day' if days == 1 else 'days'} off"


#: Columns of ``errors.csv``, in order.
COLUMNS = (
    "record",
    "variable",
    "label",
    "kind",
    "detail",
    "predicted",
    "gold",
    "status",
    "confidence",
    "quotes",
    "gold_quotes",
)


def described(disagreement: Disagreement) -> dict[str, str]:
    """The disagreement as text, by column (`COLUMNS`)."""
    cell, reading = disagreement.cell, disagreement.cell.reading
    return {
        "record": cell.record,
        "variable": cell.variable.name,
        "label": cell.variable.label,
        "kind": disagreement.kind.value,
        "detail": disagreement.detail,
        "predicted": as_text(cell.variable, cell.predicted),
        "gold": as_text(cell.variable, cell.gold),
        "status": reading.status.value if reading and reading.status else "",
        "confidence": f"{reading.confidence:.2f}" if reading and reading.confidence is not None else "",
        "quotes": _joined(disagreement.quotes),
        "gold_quotes": _joined(disagreement.gold_quotes),
    }


def _joined(quotes: Sequence[Quote]) -> str:
    return "\n".join(f"[{quote.document_id}] {quote.quote}" for quote in quotes)
