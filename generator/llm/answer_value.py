"""From an answer to a typed value of the table: codes for labels, units converted as the rules do, dates that exist."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence

from generator.llm.answer_form import NUMBERS, Answer, AnswerStatus, choice_labels
from generator.rules.asked import is_no
from generator.rules.label import wanted_of
from generator.rules.lexicon import load_lexicon
from generator.rules.numbers import canonical_unit, convert
from generator.rules.text import fold
from schema.document import DateMention, Document, PartialDate
from schema.value import Value
from schema.variable import Variable, VariableKind

#: Figures of a converted number that are kept: beyond, they are those of the conversion.
_FIGURES = 6
_YEAR_FIRST = re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2}|\?\?)(?:-(?P<d>\d{1,2}|\?\?))?(?:[ T](?P<clock>.+))?")
_DAY_FIRST = re.compile(r"(?P<d>\d{1,2})[/.-](?P<m>\d{1,2})[/.-](?P<y>\d{4})(?:(?:,? à)? (?P<clock>.+))?")
_CLOCK = re.compile(r"(\d{1,2})\s?[h:]\s?(\d{2})?(?::(\d{2}))?")

#: A date as a document writes it, and what it is.
Dated = tuple[str, DateMention]


class NoValue(ValueError):  # noqa: N818 (an answer, as `NoAnswer` is)
    """An answer that no value of the variable can stand for. The message is in French and holds no patient text."""


def dates_in(document: Document, start: int, end: int) -> list[Dated]:
    """The dates that a document writes in [start, end), positions in ``Document.text``, for `value_of`."""
    return [
        (document.text[mention.start : mention.end], mention)
        for mention in document.dates
        if mention.start < end and start < mention.end
    ]


def value_of(variable: Variable, answer: Answer, dates: Sequence[Dated] = ()) -> Value:
    """The typed value of an answer: codes for choices, a tuple of them for a checkbox, `datetime` objects, numbers.

    Args:
        dates: those that the quoted places write (`dates_in`): an answer in their own words ("hier", "14 juin") takes
            the date that the document's reading gave them.

    Raises:
        NoValue: silence, a partial date, a day that is not in the calendar, a unit that does not convert…
    """
    if answer.status in (AnswerStatus.SILENT, AnswerStatus.CONFLICTING):
        raise NoValue("la réponse ne donne pas de valeur")
    if answer.status in (AnswerStatus.DENIED, AnswerStatus.OMITTED) and answer.value is None:
        return _no(variable)
    value = answer.value
    if variable.kind is VariableKind.CHECKBOX and isinstance(value, tuple):
        codes = {_code(variable, label) for label in value}
        return tuple(choice.code for choice in variable.choices if choice.code in codes)
    if isinstance(value, str) and choice_labels(variable):
        return _code(variable, value)
    if variable.kind in NUMBERS and isinstance(value, int | float):
        return _number(variable, value, answer.unit or "")
    if not isinstance(value, str):
        raise NoValue("la valeur n'est pas du type de la variable")
    match variable.kind:
        case VariableKind.DATE:
            return _day(value, dates)
        case VariableKind.DATETIME:
            return _moment(value, dates, variable.seconds)
        case VariableKind.TIME:
            return _time(value, variable.seconds)
        case _:
            if not value.strip():
                raise NoValue("la valeur est vide")
            return value.strip()


def no_codes(variable: Variable) -> tuple[str, ...]:
    """The codes that say no: "0" of a yes or no, "Aucun", "Absence de…"; none where no answer says so."""
    if variable.kind in (VariableKind.YESNO, VariableKind.TRUEFALSE):
        return ("0",)
    return tuple(choice.code for choice in variable.choices if is_no(choice))


def _no(variable: Variable) -> Value:
    codes = no_codes(variable)
    if variable.kind is VariableKind.CHECKBOX:
        return codes[:1]
    if not codes:
        raise NoValue("aucune valeur de cette variable ne dit non")
    return codes[0]


def _code(variable: Variable, label: str) -> str:
    code = choice_labels(variable).get(label)
    if code is None:
        raise NoValue("la valeur n'est pas un des choix")
    return code


def _number(variable: Variable, value: float, unit: str) -> int | float:
    if not math.isfinite(value):
        raise NoValue("la valeur n'est pas un nombre")
    converted = _in_unit(variable, value, unit)
    if variable.kind is VariableKind.NUMBER:
        return float(converted)
    if converted != int(converted) and converted == value and not variable.unit:
        raise NoValue("un nombre entier est attendu")
    return math.floor(converted + 0.5)


def _in_unit(variable: Variable, value: float, unit: str) -> float:
    """The number in the variable's own unit, by the conversions of the rules."""
    if not unit or not variable.unit or fold(unit).split() == fold(variable.unit).split():
        return value
    source, target = canonical_unit(unit), canonical_unit(variable.unit)
    converted = convert(value, source, target, _analyte(variable)) if source and target else None
    if converted is None:
        raise NoValue("l'unité lue ne se convertit pas dans celle de la variable")
    return value if source == target else round(converted, _FIGURES)


def _analyte(variable: Variable) -> str:
    concepts = load_lexicon("concepts")
    named = wanted_of(variable.label, named=True).concepts
    return next((str(a) for name in named if (a := concepts.get(name, {}).get("analyte"))), "")


def _day(text: str, dates: Sequence[Dated]) -> dt.date:
    read = _numeric(text)
    if read is None:
        mention = _said(text, dates)
        read = (mention.date, "") if mention.date else None
    day = read[0].to_date() if read else None
    if day is None:
        raise NoValue("la date n'est pas complète" if read else "la date ne se lit pas")
    return day


def _moment(text: str, dates: Sequence[Dated], seconds: bool) -> dt.datetime:
    read = _numeric(text)
    if read is not None:
        day = read[0].to_date()
        if day is None:
            raise NoValue("la date n'est pas complète")
        return dt.datetime.combine(day, _time(read[1], seconds))
    mention = _said(text, dates)
    day = mention.date.to_date() if mention.date else None
    if day is None or mention.clock is None:
        raise NoValue("il manque le jour ou l'heure")
    return dt.datetime.combine(day, mention.clock)


def _numeric(text: str) -> tuple[PartialDate, str] | None:
    """A date in figures and what follows it; None for words."""
    match = _YEAR_FIRST.fullmatch(text.strip()) or _DAY_FIRST.fullmatch(text.strip())
    if match is None:
        return None
    month, day = (int(part) if part and "?" not in part else None for part in (match["m"], match["d"]))
    try:
        return PartialDate(int(match["y"]), month, day), match["clock"] or ""
    except ValueError:
        raise NoValue("la date n'est pas dans le calendrier") from None


def _said(text: str, dates: Sequence[Dated]) -> DateMention:
    """The date that the document writes in these words, or in words around or within them, where only one does."""
    wanted = " ".join(fold(text).split())
    written = [(" ".join(fold(words).split()), mention) for words, mention in dates]
    same = [mention for words, mention in written if words == wanted]
    near = same or [mention for words, mention in written if words in wanted or wanted in words]
    if not near or any((mention.date, mention.clock) != (near[0].date, near[0].clock) for mention in near):
        raise NoValue("la date ne se lit pas")
    return near[0]


def _time(text: str, seconds: bool) -> dt.time:
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise NoValue("l'heure ne se lit pas")
    try:
        return dt.time(int(match[1]), int(match[2] or 0), int(match[3] or 0) if seconds else 0)
    except ValueError:
        raise NoValue("l'heure n'existe pas") from None
