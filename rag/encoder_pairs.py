"""What an encoder is trained on: texts, and pairs of texts, from the terminology and from cohorts with evidence.

| source | anchor | positive |
|---|---|---|
| ``names`` | a name of a concept | another name of it |
| ``questions`` | what a dictionary says of a variable | the passage, or the sentences, that hold its evidence |
| ``mentions`` | a name of a concept | a passage, or the sentences, that mention it by another name |
| ``copies`` | a sentence | its passage |
"""

from __future__ import annotations

import csv
import hashlib
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eval.evidence import EvidenceRow, read_evidence
from rag.concepts import ConceptReader
from rag.corpus.build import build_document
from rag.corpus.read import read_documents
from rag.redcap.dictionary import read_dictionary
from rag.terminology.loaders.bundled import DATA
from rag.terminology.model import Term
from retriever.passages import passages
from retriever.pretrain.pairs import Pair
from retriever.query import facets, query_text
from schema.document import Document
from schema.passage import Passage
from schema.problem import Problem
from schema.variable import Question, Variable

Report = Callable[[Problem], None]

_HELD_OUT = 12  # one patient and one concept in so many choose the best weights
_MOST_HELD_OUT = 800  # pairs of each kind
_MENTIONS = 3  # pairs by passage
_NEGATIVES = 4  # by question and passage
_SHORT = 0.4  # share of the positives that are the sentences alone, without the rest of their passage
_WORDS_OF_A_COPY = 4  # a shorter sentence may stand anywhere


@dataclass(frozen=True, slots=True)
class Cohort:
    """A folder with ``documents.jsonl``, ``dictionary.csv`` and ``evidence.jsonl``, as `synth` writes it."""

    documents: Path
    dictionary: Path
    evidence: Path

    @classmethod
    def of(cls, folder: Path) -> Cohort:
        """The files of a folder."""
        return cls(folder / "documents.jsonl", folder / "dictionary.csv", folder / "evidence.jsonl")

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.documents.parent.name


@dataclass(slots=True)
class Lessons:
    """What is learnt from, and the pairs that choose the best weights."""

    texts: list[str] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    held_out: list[Pair] = field(default_factory=list)

    def add(self, pairs: Iterable[Pair], held_out: bool) -> None:
        """Put pairs where they go."""
        (self.held_out if held_out else self.pairs).extend(pairs)


def lessons(
    cohorts: Sequence[Cohort],
    documents: Sequence[Path],
    terms: Iterable[Term],
    reader: ConceptReader,
    seed: int,
    on_problem: Report,
) -> Lessons:
    """Everything that the cohorts, further documents and names of concepts teach. The same for the same seed.

    Args:
        documents: sources of further documents, without evidence.
        terms: names of concepts; those of the bundled general vocabulary are added.
    """
    made = Lessons()
    names = _names(terms)
    for concept, known in sorted(names.items()):
        made.texts.append(" : ".join(known))
        made.add(_name_pairs(concept, known, seed), _is_held_out(concept))
    teacher = _Teacher(names, reader, seed)
    for cohort in cohorts:
        _teach_cohort(made, cohort, teacher, on_problem)
    for source in documents:
        for document in _documents(source, on_problem):
            made.texts.append(document.text)
            made.add(teacher.of_document(document), _is_held_out(document.patient_id))
    made.held_out = _some(made.held_out)
    # The masked words hold out the end of the texts, which must be like the rest.
    random.Random(seed).shuffle(made.texts)  # noqa: S311 (reproducible, no secret)
    return made


def _names(terms: Iterable[Term]) -> dict[str, list[str]]:
    """Names by concept, those of one concept in order and once."""
    names: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for term in terms:
        names[term.concept_id][term.text] = None
    for file in sorted((DATA / "general").glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                for name in (row["term"], *row["synonyms"].split("|")):
                    if name:
                        names[row["cui"]][name] = None
    return {concept: list(some) for concept, some in names.items()}


def _name_pairs(concept: str, names: Sequence[str], seed: int) -> Iterator[Pair]:
    """Each name with another one."""
    dice = _dice("names", concept, seed)
    for name in names:
        others = [other for other in names if other != name]
        if others:
            yield Pair(name, dice.choice(others), "names", concept, frozenset([concept]))


class _Teacher:
    """Makes the pairs of documents."""

    def __init__(self, names: Mapping[str, Sequence[str]], reader: ConceptReader, seed: int) -> None:
        self._names, self._reader, self._seed = names, reader, seed

    def passages(self, document: Document) -> list[Passage]:
        """The passages of a document with the concepts that they mention."""
        return passages(document, self._reader.mentions(document))

    def named_in(self, words: str) -> frozenset[str]:
        """The concepts that words name."""
        return frozenset(self._reader.named_in(words))

    def of_document(self, document: Document) -> list[Pair]:
        """The pairs that need nothing but the document."""
        return [pair for passage in self.passages(document) for pair in self.of_passage(document, passage)]

    def of_passage(self, document: Document, passage: Passage) -> Iterator[Pair]:
        """Names of what it mentions, and one of its sentences."""
        dice = _dice("passage", f"{passage.patient_id} {passage.span}", self._seed)
        said = {mention.concept.concept_id: mention for mention in passage.concepts}
        for concept in dice.sample(sorted(said), min(_MENTIONS, len(said))):
            mention = said[concept]
            written = document.text[mention.start : mention.end].lower()
            others = [name for name in self._names.get(concept, ()) if name.lower() != written]
            if others:
                around = " ".join(_sentences(document, mention.start, mention.end))
                positive = around if dice.random() < _SHORT else passage.text
                yield Pair(dice.choice(others), positive, "mentions", concept, frozenset(said))
        inside = _sentences(document, passage.span.start, passage.span.end)
        if len(inside) > 1:
            sentence = dice.choice(inside)
            if len(sentence.split()) >= _WORDS_OF_A_COPY:
                yield Pair(sentence, passage.text, "copies", sentence, frozenset([*inside]))


def _teach_cohort(made: Lessons, cohort: Cohort, teacher: _Teacher, on_problem: Report) -> None:
    dictionary = read_dictionary(cohort.dictionary)
    evidence = read_evidence(cohort.evidence)
    for problem in (*dictionary.problems, *evidence.problems):
        on_problem(problem)
    variables = {variable.name: variable for variable in dictionary.variables}
    asked = {name: teacher.named_in(query_text(Question("", variable))) for name, variable in variables.items()}
    rows: defaultdict[str, list[EvidenceRow]] = defaultdict(list)
    for row in evidence.rows:
        if row.variable in variables:
            rows[row.patient_id].append(row)
    by_patient: defaultdict[str, list[Document]] = defaultdict(list)
    for document in _documents(cohort.documents, on_problem):
        by_patient[document.patient_id].append(document)
    for patient, documents in by_patient.items():
        cut = [(document, passage) for document in documents for passage in teacher.passages(document)]
        made.texts += [document.text for document in documents]
        pairs = [pair for document, passage in cut for pair in teacher.of_passage(document, passage)]
        answers = _answers(rows[patient], documents, cut)
        for row in rows[patient]:
            variable = variables[row.variable]
            pairs += _question_pairs(
                variable, asked[row.variable], cut, answers, f"questions:{cohort.name}:{patient}", patient
            )
        made.add(pairs, _is_held_out(patient))


#: For each passage by its place, where each variable is written in it: (start, end) of ``Document.text``.
_Answers = Sequence[Mapping[str, tuple[int, int]]]


def _answers(
    rows: Sequence[EvidenceRow], documents: Sequence[Document], cut: Sequence[tuple[Document, Passage]]
) -> _Answers:
    """Which passages hold at least half of a quote, by the rule of the evaluation."""
    texts = {document.document_id: document.text for document in documents}
    answers: list[dict[str, tuple[int, int]]] = [{} for _ in cut]
    for row in rows:
        for quote in row.evidence:
            # Passages are in the readable text; a quote that its mending has touched teaches nothing.
            start = texts.get(quote.document_id, "").find(quote.quote)
            end = start + len(quote.quote)
            if start < 0:
                continue
            for place, (_, passage) in enumerate(cut):
                common = min(passage.span.end, end) - max(passage.span.start, start)
                if passage.span.document_id == quote.document_id and 2 * common >= len(quote.quote):
                    answers[place][row.variable] = (start, end)
    return answers


def _question_pairs(
    variable: Variable,
    asked: frozenset[str],
    cut: Sequence[tuple[Document, Passage]],
    answers: _Answers,
    source: str,
    patient: str,
) -> Iterator[Pair]:
    """For each passage that holds evidence: the whole question, its label, and one of its other parts."""
    dice = _dice("question", f"{source} {patient} {variable.name}", 0)
    question = Question(patient, variable)
    label, *others = facets(question)
    parts = [query_text(question), label, dice.choice([part for part in others if part] or [variable.label])]
    # A passage that names what is asked for may answer it, whatever the evidence quotes: it is no negative.
    free = [
        passage.text
        for place, (_, passage) in enumerate(cut)
        if variable.name not in answers[place] and not asked & {m.concept.concept_id for m in passage.concepts}
    ]
    for place, (document, passage) in enumerate(cut):
        if variable.name not in answers[place]:
            continue
        negatives = tuple(dice.sample(free, min(_NEGATIVES, len(free))))
        for part in parts:
            positive, answered = passage.text, frozenset(answers[place])
            if dice.random() < _SHORT:
                start, end = answers[place][variable.name]
                positive = " ".join(_sentences(document, start, end)) or positive
            yield Pair(part, positive, source, variable.name, answered, negatives)


def _sentences(document: Document, start: int, end: int) -> list[str]:
    """The sentences that touch an interval, whole."""
    around = [document.text[low:high].strip() for low, high in document.sentences if low < end and high > start]
    return [sentence for sentence in around if sentence]


def _documents(source: Path, on_problem: Report) -> Iterator[Document]:
    for raw in read_documents(source, on_problem):
        yield build_document(raw, on_problem)


def _some(pairs: Sequence[Pair]) -> list[Pair]:
    """About `_MOST_HELD_OUT` of each kind, by whole sources: a question is asked among its patient's passages."""
    by_kind: defaultdict[str, defaultdict[str, list[Pair]]] = defaultdict(lambda: defaultdict(list))
    for pair in pairs:
        by_kind[pair.source.partition(":")[0]][pair.source].append(pair)
    kept: list[Pair] = []
    for kind, sources in sorted(by_kind.items()):
        dice = _dice("held out", kind, 0)
        count = 0
        for source in dice.sample(sorted(sources), len(sources)):
            some = sources[source]
            some = dice.sample(some, min(len(some), _MOST_HELD_OUT))
            kept += some
            count += len(some)
            if count >= _MOST_HELD_OUT:
                break
    return kept


def _is_held_out(name: str) -> bool:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=2).digest()[0] % _HELD_OUT == 0


def _dice(use: str, name: str, seed: int) -> random.Random:
    return random.Random(f"{use} {name} {seed}")  # noqa: S311 (reproducible, no secret)
