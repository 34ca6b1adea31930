"""What the base of a rehearsal learns from: conversations about a few passages of fictitious patients.

The pairs are those that `finetune` makes; the questions about the same passages follow each other in one conversation,
so that the passages are read once.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from generator.llm.engine import Message
from generator.llm.settings import LlmSettings
from generator.train.pairs import Pair
from rag.corpus.read import read_documents
from rag.instruction_pairs import PairMaker
from rag.lessons import Kind
from rag.patient import build_record
from rag.redcap.dictionary import read_dictionary
from rag.retrieval import PassageFinder, Retrieval
from rag.supervision import read_rows
from rag.workers import Failure, ReadPlace, read_all
from schema.document import RawDocument
from schema.problem import Problem
from schema.study import Study

#: Questions of one conversation, at most.
_QUESTIONS = 8

#: What opens a question in the brief style of prompt.
_ASKED = "\n? "

Conversation = tuple[Message, ...]


def conversations_of(
    cohort: Path,
    retrieval: Retrieval,
    settings: LlmSettings,
    contexts: int,
    seldom: frozenset[str],
    share: float,
    seed: int,
    workers: int,
) -> Iterator[list[Conversation]]:
    """The conversations of each patient of a cohort's folder.

    Args:
        contexts: conversations about a patient, each about the passages found for a variable drawn at random.
        seldom: variables asked for only now and then: ``share`` of their questions are kept.
    """
    by_patient: defaultdict[str, list[RawDocument]] = defaultdict(list)
    for raw in read_documents(cohort / "documents.jsonl", _unsaid):
        by_patient[raw.patient_id].append(raw)
    patients = list(by_patient.values())
    make = functools.partial(_make_reader, patients, cohort, retrieval, settings, contexts, seldom, share, seed)
    for held in read_all(range(len(patients)), make, workers):
        if isinstance(held, Failure):
            raise RuntimeError(held.reason)  # noqa: TRY004 (it tells what broke in a process, not a wrong type)
        yield held


def _make_reader(
    patients: Sequence[Sequence[RawDocument]],
    cohort: Path,
    retrieval: Retrieval,
    settings: LlmSettings,
    contexts: int,
    seldom: frozenset[str],
    share: float,
    seed: int,
) -> ReadPlace[list[Conversation]]:
    """Runs in the process that will read the patients."""
    dictionary = read_dictionary(cohort / "dictionary.csv")
    rows, _ = read_rows(cohort / "table.csv", dictionary)
    names = [variable.name for variable in dictionary.variables]
    maker = PairMaker(dictionary.variables, None, settings, seed=seed)
    finder = PassageFinder(retrieval, dictionary.variables, Study())

    def read_place(place: int) -> list[Conversation]:
        record = build_record(patients[place], _unsaid)
        row = rows.get(record.patient_id, {})
        found = finder.passages_for(record) or {}
        drawn = np.random.default_rng([seed, *record.patient_id.encode()])
        held = []
        for i in drawn.choice(len(names), contexts, replace=False).tolist():
            taught = maker.lessons_of(record, row, dict.fromkeys(names, found[names[i]])).taught
            told = [lesson.pair for lesson in taught if lesson.kind in (Kind.TOLD, Kind.SILENT)
                    and (lesson.variable.name not in seldom or drawn.random() < share)]  # fmt: skip
            if told:
                held.append(_one_after_the_other([told[i] for i in drawn.permutation(len(told))[:_QUESTIONS]]))
        return held

    return read_place


def _one_after_the_other(pairs: Sequence[Pair]) -> Conversation:
    """One conversation of pairs that show the same passages: only the first question shows them."""
    system, first = pairs[0].messages
    start = first.content.rindex(_ASKED) + 1
    turns = [system, first, Message("assistant", pairs[0].answer)]
    for pair in pairs[1:]:
        turns += [Message("user", pair.messages[-1].content[start:]), Message("assistant", pair.answer)]
    return tuple(turns)


def _unsaid(_: Problem) -> None:
    """Fictitious documents have no flaw worth telling."""
