"""What a table alone teaches of the passages of its patients: weak labels, and how a generator reads each of them.

No span is needed: documents and table -> weights over passages, with which a retriever is trained. Two sources:

- forms of the table's value in the text (`retriever.weak`);
- how much each passage raises the generator's score of the table's value: perplexity distillation (Izacard et al.,
  "Atlas: Few-shot Learning with Retrieval Augmented Language Models", JMLR 2023) and REPLUG (Shi et al., NAACL 2024),
  with a confidence where there is no likelihood.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from eval.values import equal
from generator.protocol import Generator
from generator.rules.events import event_of_label
from rag.redcap.dictionary import Dictionary
from rag.redcap.export import read_table
from rag.redcap.values import InvalidValue, decode, validate
from rag.variable_words import words_of
from retriever.lexical import LexicalIndex
from retriever.query import query_text
from retriever.weak import UNLIKELY, HardNegative, Negative, WeakLabels
from schema.document import PatientRecord, Span
from schema.passage import Passage
from schema.problem import Problem
from schema.study import Study
from schema.value import ExtractedValue, Value
from schema.variable import Question, Variable, VariableKind

Weights = NDArray[np.float32]

#: Passages that are read one by one for each variable.
PROBED = 12
#: Of these, how many are found by the words of the question alone: what the weak labels do not see.
_BY_WORDS = 4
#: What an expert that says nothing of a passage leaves to the others.
_UNSURE = 0.1
#: Weight of a quote after the first: the reader cites the place that decided first.
_NEXT_QUOTE = 0.7


class ValueScorer(Protocol):
    """Says how much each passage, read alone, speaks for a value."""

    def score(self, record: PatientRecord, variable: Variable, value: Value, passages: Sequence[Passage]) -> Weights:
        """Shape (N,), float32, not negative: a confidence, or a likelihood. The greater, the more a passage tells."""
        ...


class GeneratorScorer:
    """The score of any generator: its confidence when it reads the value in a passage alone, else 0.

    For one variable; `read_targets` reads all variables of a patient at once, which costs far less.
    """

    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    def score(self, record: PatientRecord, variable: Variable, value: Value, passages: Sequence[Passage]) -> Weights:
        """See `ValueScorer.score`."""
        scores = np.zeros(len(passages), dtype=np.float32)
        for i, passage in enumerate(passages):
            found = {read.variable: read for read in self._generator.fill(record, {variable.name: [passage]})}
            scores[i] = _confidence(variable, found[variable.name], value)[0]
        return scores


@dataclass(frozen=True, slots=True)
class Distant:
    """What is known of the passages of one cell without any span. Each of shape (N,), float32, not negative.

    Args:
        weak: how compatible with the value each passage is, by its words.
        cited: the generator's confidence where it read the value in the whole record and quotes the passage.
        probed: its confidence where it reads the value in the passage alone.
        refuted: its confidence where it reads another value in the passage alone.
    """

    weak: Weights
    cited: Weights
    probed: Weights
    refuted: Weights

    def combined(self) -> Weights:
        """One weight per passage, not normalised: the three as experts that must agree, none of which is sure.

        Of the sums and products tried, this one gives the right passages the most of the weight, with and without a
        study file. A passage that none of the three knows weighs 0.
        """
        product = (self.weak + _UNSURE) * (self.cited + _UNSURE) * (self.probed + _UNSURE)
        return np.where(self.weak + self.cited + self.probed > 0, product, 0.0).astype(np.float32)


def read_rows(path: Path, dictionary: Dictionary) -> tuple[dict[str, dict[str, str]], tuple[Problem, ...]]:
    """A manual table: patient -> variable name -> coded value as text; cells that are empty or wrong are left out.

    Codes of a checkbox are parted by commas ("1,3").

    Raises:
        InputError: the file cannot be read, or has no column for the record id.
    """
    table, problems = read_table(path, dictionary)
    rows = {
        patient: {name: _written(value) for name, value in row.items() if value is not None and value != ()}
        for patient, row in table.items()
    }
    return rows, problems


def _written(value: Value) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(" ", "seconds" if value.second else "minutes")
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def _typed(variable: Variable, row: Mapping[str, str]) -> Value | None:
    """The value that a row holds for a variable; None where it is empty or not one of the dictionary's."""
    try:
        return decode(variable, row)
    except InvalidValue:
        return None


def anchor_of(variables: Sequence[Variable], row: Mapping[str, str]) -> dt.date | None:
    """The day of the admission that a row is about: the first date that the dictionary's labels name so."""
    for variable in variables:
        if (
            variable.kind in (VariableKind.DATE, VariableKind.DATETIME)
            and event_of_label(variable.label) == "admission"
        ):
            value = _typed(variable, row)
            if isinstance(value, dt.date):
                return value.date() if isinstance(value, dt.datetime) else value
    return None


class Supervisor:
    """Labels the passages of patients for the cells of their table. Built once with a dictionary.

    Args:
        generator: reads all of ``variables``.
        study: what the study file says of the variables.
        scorer: reads passages alone in the generator's place, such as a language model by its likelihoods.
    """

    def __init__(
        self,
        variables: Sequence[Variable],
        generator: Generator,
        study: Study | None = None,
        scorer: ValueScorer | None = None,
    ) -> None:
        self._variables = tuple(variables)
        self._generator = generator
        self._scorer = scorer
        self._words = words_of(variables, study or Study())

    def label(
        self,
        record: PatientRecord,
        passages: Sequence[Passage],
        row: Mapping[str, str],
        concepts: Mapping[str, Sequence[str]] | None = None,
    ) -> dict[str, Distant]:
        """Labels of every cell that is filled, by variable name.

        Args:
            passages: all those that may be retrieved; N of them.
            row: coded values by variable name, as `read_rows` gives them.
            concepts: identifiers of the concepts that each variable names, as `Question.concepts`.
        """
        weak = WeakLabels(passages, anchor_of(self._variables, row))
        lexical = LexicalIndex(passages)
        values = {v.name: value for v in self._variables if (value := _typed(v, row)) is not None}
        asked = [variable for variable in self._variables if variable.name in values]
        positives: dict[str, Weights] = {}
        candidates: dict[str, list[int]] = {}
        for variable in asked:
            name, words = variable.name, self._words[variable.name]
            positives[name] = weak.positives(variable, row[name], words, (concepts or {}).get(name, ()))
            by_words = lexical.scores(query_text(Question(record.patient_id, variable), words))
            candidates[name] = _first_of(positives[name], by_words)
        scorer = self._scorer
        read = read_targets(self._generator, record, passages, asked, values, {} if scorer else candidates)
        if scorer is not None:
            for variable in asked:
                places = candidates[variable.name]
                chosen = [passages[i] for i in places]
                read[variable.name][1][places] = scorer.score(record, variable, values[variable.name], chosen)
        return {name: Distant(positives[name], *read[name]) for name in positives}

    def targets(
        self,
        record: PatientRecord,
        passages: Sequence[Passage],
        row: Mapping[str, str],
        concepts: Mapping[str, Sequence[str]] | None = None,
    ) -> dict[str, Weights]:
        """`Distant.combined` of every cell that is filled: what to train with; shape (N,) each."""
        labels = self.label(record, passages, row, concepts)
        return {name: distant.combined() for name, distant in labels.items()}

    def negatives(
        self, passages: Sequence[Passage], row: Mapping[str, str], labels: Mapping[str, Distant]
    ) -> dict[str, list[HardNegative]]:
        """Passages that look right and are not, by variable name; the labels are those of `label`.

        Those where the generator, reading them alone, finds another value are among them.
        """
        weak = WeakLabels(passages, anchor_of(self._variables, row))
        found: dict[str, list[HardNegative]] = {}
        for variable in self._variables:
            if (label := labels.get(variable.name)) is None:
                continue
            name, combined = variable.name, label.combined()
            kinds = {n.passage: n for n in weak.negatives(variable, row[name], combined, self._words[name])}
            for i in np.flatnonzero((label.refuted > 0) & (combined < UNLIKELY * combined.max(initial=0.0))):
                kinds.setdefault(int(i), HardNegative(int(i), Negative.WRONG_VALUE))
            found[name] = [kinds[i] for i in sorted(kinds)]
        return found


def _first_of(positives: Weights, by_words: Weights) -> list[int]:
    """The passages to read one by one: the likeliest first, then those that share the most words with the question."""
    likely = [int(i) for i in np.argsort(-positives, kind="stable") if positives[i] > 0]
    worded = [int(i) for i in np.argsort(-by_words, kind="stable") if by_words[i] > 0]
    chosen = dict.fromkeys(likely[: PROBED - _BY_WORDS])
    for i in (*worded[:_BY_WORDS], *likely, *worded):
        if len(chosen) < PROBED:
            chosen[i] = None
    return list(chosen)


def read_targets(
    generator: Generator,
    record: PatientRecord,
    passages: Sequence[Passage],
    variables: Sequence[Variable],
    values: Mapping[str, Value],
    candidates: Mapping[str, Sequence[int]],
) -> dict[str, tuple[Weights, Weights, Weights]]:
    """How a generator reads the values of a row: by variable name cited, probed and refuted, as in `Distant`.

    The generator reads the record once whole, then once for each rank of ``candidates``, another passage for every
    variable at once.

    Args:
        variables: those that ``values`` holds.
        values: typed values of the table, by variable name.
        candidates: positions of the passages to read alone, by variable name, the likeliest first.
    """
    read = {v.name: tuple(np.zeros(len(passages), dtype=np.float32) for _ in range(3)) for v in variables}
    by_name = {variable.name: variable for variable in variables}
    spans = _located(record, passages)
    for found in generator.fill(record):
        if found.variable not in by_name:
            continue
        agrees, _ = _confidence(by_name[found.variable], found, values[found.variable])
        for rank, quote in enumerate(found.evidence if agrees else ()):
            wanted = Span(quote.document_id, quote.start, quote.end)
            weight = agrees * (_NEXT_QUOTE if rank else 1.0)
            cited = read[found.variable][0]
            for i, span in enumerate(spans):
                if _holds(span, wanted):
                    cited[i] = max(cited[i], weight)
    for rank in range(max((len(held) for held in candidates.values()), default=0)):
        seen = {name: held[rank] for name, held in candidates.items() if rank < len(held)}
        for found in generator.fill(record, {name: [passages[i]] for name, i in seen.items()}):
            if found.variable not in seen:
                continue
            agrees, differs = _confidence(by_name[found.variable], found, values[found.variable])
            read[found.variable][1][seen[found.variable]] = agrees
            read[found.variable][2][seen[found.variable]] = differs
    return {name: (cited, probed, refuted) for name, (cited, probed, refuted) in read.items()}


def _confidence(variable: Variable, found: ExtractedValue, value: Value) -> tuple[float, float]:
    """The confidence that a reading gives to the table's value, and the one it gives to another."""
    if found.value is None:
        return 0.0, 0.0
    try:
        agrees = equal(variable, validate(variable, found.value), value)
    except InvalidValue:
        return 0.0, 0.0
    return (found.confidence, 0.0) if agrees else (0.0, found.confidence)


def _located(record: PatientRecord, passages: Sequence[Passage]) -> list[Span]:
    """Where passages stand in the texts as given, in which quotes are counted."""
    documents = {document.document_id: document for document in record.documents}
    return [documents[p.span.document_id].locate(p.span.start, p.span.end) for p in passages]


def _holds(passage: Span, quote: Span) -> bool:
    """Whether a passage holds at least half of a quote."""
    common = min(passage.end, quote.end) - max(passage.start, quote.start)
    return passage.document_id == quote.document_id and 2 * common >= quote.end - quote.start
