"""What the base of a rehearsal learns from: conversations about a few passages of fictitious patients.

Their author knows where each value is told, so the answers are right without being looked for; the experts have no such
help. Questions about the same passages follow each other in one conversation, so that the passages are read once.
"""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generator.llm.answer import Answer, AnswerStatus, answer_text, no_codes
from generator.llm.engine import Message
from generator.llm.ground import Alignment, Located
from generator.llm.layout import Readable
from generator.llm.prompt import PromptStyle, messages_for
from generator.llm.settings import LlmSettings
from rag.corpus.read import read_documents
from rag.patient import build_record
from rag.redcap.dictionary import read_dictionary
from rag.redcap.values import decode
from rag.retrieval import PassageFinder, Retrieval
from rag.supervision import read_rows
from rag.taught_quotes import Candidate, answer_of
from rag.workers import Failure, ReadPlace, read_all
from schema.document import PatientRecord, RawDocument
from schema.passage import Passage
from schema.problem import Problem
from schema.study import Study
from schema.variable import Variable

#: Questions of one conversation, at most.
_QUESTIONS = 14
#: Characters of a quote, at most: a small model copies no long list.
_LONGEST = 80
#: Quotes that the author names for a value, at most: one that has as many may be told elsewhere too.
_NAMED = 2

Conversation = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked about a patient.

    Args:
        contexts: conversations, each about the passages found for a variable drawn at random.
        seldom: variables asked for only now and then: ``share`` of their questions are kept.
    """

    contexts: int
    seldom: frozenset[str]
    share: float
    seed: int


def conversations_of(
    cohort: Path, retrieval: Retrieval, settings: LlmSettings, asking: Asking, workers: int
) -> Iterator[list[Conversation]]:
    """The conversations of each patient of a fictitious cohort's folder."""
    by_patient: defaultdict[str, list[RawDocument]] = defaultdict(list)
    for raw in read_documents(cohort / "documents.jsonl", _unsaid):
        by_patient[raw.patient_id].append(raw)
    patients = list(by_patient.values())
    make = functools.partial(_make_reader, patients, cohort, retrieval, settings, asking)
    for held in read_all(range(len(patients)), make, workers):
        if isinstance(held, Failure):
            raise RuntimeError(held.reason)  # noqa: TRY004 (it tells what broke in a process, not a wrong type)
        yield held


def _make_reader(
    patients: Sequence[Sequence[RawDocument]],
    cohort: Path,
    retrieval: Retrieval,
    settings: LlmSettings,
    asking: Asking,
) -> ReadPlace[list[Conversation]]:
    """Runs in the process that will read the patients."""
    dictionary = read_dictionary(cohort / "dictionary.csv")
    rows, _ = read_rows(cohort / "table.csv", dictionary)
    quotes = _read_quotes(cohort / "evidence.jsonl")
    finder = PassageFinder(retrieval, dictionary.variables, Study())
    teller = _Teller(dictionary.variables, PromptStyle(settings.style))

    def read_place(place: int) -> list[Conversation]:
        record = build_record(patients[place], _unsaid)
        row, named = rows.get(record.patient_id, {}), quotes[record.patient_id]
        found = finder.passages_for(record) or {}
        drawn = np.random.default_rng([asking.seed, *record.patient_id.encode()])
        held = []
        for i in drawn.choice(len(teller.variables), asking.contexts, replace=False).tolist():
            passages = found[teller.variables[i].name]
            asked = [v for v in teller.variables if v.name not in asking.seldom or drawn.random() < asking.share]
            order = [asked[j] for j in drawn.permutation(len(asked)).tolist()]
            if turns := teller.conversation(record, row, named, passages, order):
                held.append(turns)
        return held

    return read_place


def _read_quotes(evidence: Path) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """By patient and variable, the words that tell the value."""
    quotes: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
    for line in evidence.read_text(encoding="utf-8").splitlines():
        cell = json.loads(line)
        quotes[cell["patient_id"]][cell["variable"]] = [one["quote"] for one in cell["evidence"]]
    return quotes


class _Teller:
    """Answers questions about passages as their author would."""

    def __init__(self, variables: Sequence[Variable], style: PromptStyle) -> None:
        self.variables = variables
        self._style = style

    def conversation(
        self,
        record: PatientRecord,
        row: Mapping[str, str],
        quotes: Mapping[str, Sequence[str]],
        found: Sequence[Passage],
        order: Sequence[Variable],
    ) -> Conversation:
        """The first questions in an order, no more of them unanswered than answered; () when none is answered."""
        layout = Readable({"": found}, (), concepts=False).shared(len(found))
        told: list[tuple[Variable, Answer]] = []
        silent: list[tuple[Variable, Answer]] = []
        for variable in order:
            answer = self._answer(variable, record, row, quotes.get(variable.name, ()), layout.passages)
            if answer is not None:
                (silent if answer.status is AnswerStatus.SILENT else told).append((variable, answer))
        kept = {v.name: answer for v, answer in [*told, *silent[: len(told)]][:_QUESTIONS]}
        turns: list[Message] = []
        for variable in (v for v in order if v.name in kept):
            asked = messages_for(self._style, layout.passages, [variable])
            later = Message("user", self._style.question([variable]).strip())
            turns += asked if not turns else (later,)
            turns.append(Message("assistant", answer_text({variable.name: kept[variable.name]}, self._style.reason)))
        return tuple(turns)

    def _answer(
        self,
        variable: Variable,
        record: PatientRecord,
        row: Mapping[str, str],
        quotes: Sequence[str],
        passages: Sequence[Passage],
    ) -> Answer | None:
        """What the passages tell; None where it is not known, or too long."""
        value = decode(variable, row)
        place = next((place for quote in quotes if (place := _place(quote, passages)) is not None), None)
        if value is None or (place is None and len(quotes) < _NAMED):
            return Answer(variable.name, AnswerStatus.SILENT, None, None, (), "")
        if place is None or place.end - place.start > _LONGEST:
            return None
        codes = value if isinstance(value, tuple) else (value,)
        status = AnswerStatus.DENIED if set(codes) & set(no_codes(variable)) else AnswerStatus.DOCUMENTED
        return answer_of(variable, value, status, Candidate((place,), False), record, passages, self._style, "")


def _place(quote: str, passages: Sequence[Passage]) -> Located | None:
    for passage in passages:
        if (start := passage.text.find(quote)) >= 0:
            start += passage.span.start
            return Located(passage, start, start + len(quote), Alignment.EXACT)
    return None


def _unsaid(_: Problem) -> None:
    """Fictitious documents have no flaw worth telling."""
