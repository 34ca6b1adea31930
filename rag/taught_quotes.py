"""The words that a model is taught to quote for a value, and the answer that they carry.

Nobody marked them: the rules' own citations where they read the table's value, else the clauses that its weak labels
like best. Each is only a candidate until the verifier that checks a model's quotes takes it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eval.values import equal
from generator.llm.answer import Answer, AnswerStatus, NoValue, Quote, dates_in, value_of, written_value
from generator.llm.answer_form import DATE_LENGTH, QUOTE_LENGTH, REASON_LENGTH, asks_unit
from generator.llm.ground import Alignment, Located, locate
from generator.llm.prompt import PromptStyle
from generator.llm.verify import Checked, Verdict
from generator.rules.numbers import find_numbers
from generator.rules.text import fold
from retriever.weak import WeakLabels, Weights
from schema.document import DateKind, Document, PatientRecord, Span
from schema.passage import Passage
from schema.study import VariableHints
from schema.value import Evidence, ExtractedValue, Status, Value
from schema.variable import Variable, VariableKind

#: Passages in which a clause is looked for, those of most weight first, and clauses of each that are tried.
_PASSAGES, _CLAUSES = 3, 3
#: A clause is tried when its weight is at least this part of the best one's.
_NEAR = 0.5
#: A quote is taken before longer ones when its verification is at least this part of the strongest.
_AS_STRONG = 0.9
#: Quotes of one answer: a value told twice needs no third.
_QUOTES = 2

_SENTENCE = re.compile(r"(?:[^.;\n!?|]|\.(?=\d))+")
_PART = re.compile(r"(?:[^,()\n]|,(?=\d))+")
_BEFORE_UNIT = re.compile(r"^[-\d\s.,/±]+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Quotes that may carry a value, all in passages that the question shows.

    Args:
        weak: the weak labels found them, not the rules.
        is_part: they are cut out of a longer quote: enough to say a value, never to show what a list leaves out.
        reason: why, in French and without words of the patient; "" when nobody said.
    """

    quotes: tuple[Located, ...]
    weak: bool
    is_part: bool = False
    reason: str = ""

    @property
    def passage(self) -> str:
        """The text of the passage that holds all quotes; "" where there are several."""
        texts = {place.passage.span: place.passage.text for place in self.quotes}
        return next(iter(texts.values())) if len(texts) == 1 else ""


def cited_candidates(record: PatientRecord, passages: Sequence[Passage], read: ExtractedValue) -> Iterator[Candidate]:
    """The citations of a reading that gives the table's value, the shortest first."""
    documents = {document.document_id: document for document in record.documents}
    places = [
        place
        for evidence in read.evidence
        if (place := _place_of(documents[evidence.document_id], passages, evidence)) is not None
    ]
    if not places:
        return
    for place in places[:_QUOTES]:
        for part in _parts(place):
            yield Candidate((part,), False, True, read.explanation)
        yield Candidate((place,), False, reason=read.explanation)
    if len(places) > 1:
        yield Candidate(tuple(places[:_QUOTES]), False, reason=read.explanation)


def weak_candidates(
    variable: Variable,
    coded: str,
    passages: Sequence[Passage],
    weights: Weights,
    hints: VariableHints,
    anchor: dt.date | None,
) -> Iterator[Candidate]:
    """The clauses of the likeliest passages that the value's weak labels like best, the shortest first.

    Args:
        coded: the value as the table holds it.
        weights: of each passage, shape (N,).
    """
    best = [int(i) for i in np.argsort(-weights, kind="stable")[:_PASSAGES] if weights[i] > 0]
    for i in best:
        whole = passages[i]
        clauses = [_cut(whole, *match.span()) for match in _SENTENCE.finditer(whole.text)]
        clauses = [clause for clause in clauses if clause.text]
        if not clauses:
            continue
        liked = WeakLabels(clauses, anchor).positives(variable, coded, hints)
        order = [int(j) for j in np.argsort(-liked, kind="stable") if liked[j] > 0 and liked[j] >= _NEAR * liked.max()]
        for j in order[:_CLAUSES]:
            place = Located(whole, clauses[j].span.start, clauses[j].span.end, Alignment.EXACT)
            for part in _parts(place):
                yield Candidate((part,), True, True)
            yield Candidate((place,), True)


def best_first(checked: Sequence[tuple[Candidate, Checked]]) -> Iterator[tuple[Candidate, Checked]]:
    """Those that the verifier takes, the rules' first; the first of each about as strong as the strongest."""
    taken = [
        (candidate, result)
        for candidate, result in checked
        if result.verdict is Verdict.VERIFIED and not (candidate.is_part and result.status is Status.ABSENT_BY_OMISSION)
    ]
    for weak in (False, True):
        held = [one for one in taken if one[0].weak is weak]
        best = max((result.strength for _, result in held), default=0.0)
        yield from sorted(held, key=lambda one: one[1].strength < _AS_STRONG * best)


def answer_of(
    variable: Variable,
    value: Value,
    status: AnswerStatus,
    candidate: Candidate,
    record: PatientRecord,
    passages: Sequence[Passage],
    style: PromptStyle,
    reason: str,
) -> Answer:
    """What a perfect model would answer: the value as the quoted words give it, quotes as the prompt shows them.

    Args:
        passages: those that the question shows, in its order; they hold the candidate's quotes.
    """
    numbers = {passage.span: number for number, passage in enumerate(passages, start=1)}
    quotes = tuple(Quote(numbers[place.passage.span], shown_words(style, place)) for place in candidate.quotes)
    documents = {document.document_id: document for document in record.documents}
    plain = Answer(variable.name, status, written_value(variable, value), None, quotes, reason[:REASON_LENGTH])
    if asks_unit(variable, style.reason):
        return next(_as_measured(variable, value, plain), replace(plain, unit=""))
    if style.reason and variable.kind in (VariableKind.DATE, VariableKind.DATETIME):
        return next(_as_dated(variable, value, plain, candidate.quotes, documents), plain)
    return plain


def shown_words(style: PromptStyle, place: Located) -> str:
    """The words of a place as the prompt shows them, on one line."""
    text = place.passage.text
    shown = style.shown(text.strip())
    start = place.passage.span.start + len(text) - len(text.lstrip())
    return " ".join(shown[max(0, place.start - start) : place.end - start].split())


def _as_measured(variable: Variable, value: Value, plain: Answer) -> Iterator[Answer]:
    """The answer with the number and the unit that the quotes write, where they are those of the value."""
    for quote in plain.quotes:
        for number in find_numbers(fold(quote.text), ()):
            unit = _BEFORE_UNIT.sub("", quote.text[number.start : number.end]) if number.unit else ""
            read = int(number.value) if number.value == int(number.value) else number.value
            answer = replace(plain, value=read, unit=unit)
            try:
                if equal(variable, value_of(variable, answer), value):
                    yield answer
            except NoValue:
                continue


def _as_dated(
    variable: Variable, value: Value, plain: Answer, places: Sequence[Located], documents: Mapping[str, Document]
) -> Iterator[Answer]:
    """The answer in the document's own words, where they are relative ("hier"): the program reads them itself."""
    for place in places:
        document = documents[place.passage.span.document_id]
        dates = dates_in(document, place.start, place.end)
        for words, mention in dates:
            said = " ".join(words.split())
            if mention.kind is not DateKind.RELATIVE or len(said) > DATE_LENGTH:
                continue
            answer = replace(plain, value=said)
            try:
                if equal(variable, value_of(variable, answer, dates), value):
                    yield answer
            except NoValue:
                continue


def _place_of(document: Document, passages: Sequence[Passage], evidence: Evidence) -> Located | None:
    """A citation, in positions of the text as given, as a place in one of the passages; None where none holds it."""
    start, end = evidence.start, evidence.end
    for passage in passages:
        if passage.span.document_id != document.document_id:
            continue
        source = document.locate(passage.span.start, passage.span.end)
        if source.start <= start and end <= source.end:
            if document.origins is None:
                return Located(passage, start, end, Alignment.EXACT)
            return locate(evidence.quote, [passage], 0)
    return None


def _parts(place: Located) -> list[Located]:
    """What punctuation cuts a quote into, the shortest first."""
    text = place.text
    spans = [(m.start(), m.end()) for m in _PART.finditer(text)]
    if len(spans) < 2:
        return []
    trimmed = [_trimmed(text, start, end) for start, end in spans]
    parts = [replace(place, start=place.start + a, end=place.start + b) for a, b in trimmed if b - a >= _LEAST]
    return sorted(parts, key=lambda part: part.end - part.start)


#: Characters of a part of a quote, at least: less says nothing alone.
_LEAST = 3


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and (text[start].isspace() or text[start] in "-–•*:"):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in "-–•*:"):
        end -= 1
    return start, end


def _cut(passage: Passage, start: int, end: int) -> Passage:
    start, end = _trimmed(passage.text, start, end)
    end = min(end, start + QUOTE_LENGTH)
    span = Span(passage.span.document_id, passage.span.start + start, passage.span.start + end)
    inside = tuple(m for m in passage.concepts if span.start <= m.start and m.end <= span.end)
    return replace(passage, span=span, text=passage.text[start:end], concepts=inside)
