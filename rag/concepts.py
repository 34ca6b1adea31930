"""Main path of normalization for one document: names -> guards -> what is said of them -> the value beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from generator.rules.annotate import Annotated
from generator.rules.numbers import DURATIONS
from rag.concept_context import ContextReader
from rag.terminology.guards import admitted
from rag.terminology.index import StoredIndex
from rag.terminology.kinds import Kind, kind_of
from rag.terminology.linker import Normalizer, load_reranker
from retriever.query import query_text
from schema.concept import ConceptMention
from schema.document import Document
from schema.study import Study
from schema.variable import Question, Variable

#: Between a measure and its value: "NIHSS à 14", "LDL-cholestérol : 1,32 g/L", "mRS (3 mois) = 2" is another matter.
_TO_VALUE = re.compile(
    r"[\s:=(]*(?:(?:a|est|de|coté|cote|initial|initiale|total|final|score|evalue|mesure|estime)e?\b[\s:=]*){0,3}"
)


@dataclass(frozen=True, slots=True)
class ConceptReading:
    """A mention, and the value written beside it when it names a measure or a score; ``unit`` is "" for a score."""

    mention: ConceptMention
    value: float | None = None
    unit: str = ""


class ConceptReader:
    """Reads the concepts of documents. Built once per process; immutable.

    Args:
        reranker: folder of a model that chooses between the concepts of a name (`terminology train`).
    """

    def __init__(self, index: StoredIndex, reranker: Path | None = None) -> None:
        self._normalizer = Normalizer(index, load_reranker(reranker))
        self._context = ContextReader()

    def read(self, document: Document) -> tuple[ConceptReading, ...]:
        """The concepts that a document names, nested and discontinuous ones included, in text order."""
        found = self._normalizer.mentions(document.text, document.sections)
        named = admitted(document.text, [replace(mention, document_id=document.document_id) for mention in found])
        annotated = self._context.annotate(document)
        said = self._context.read(annotated, sorted(named, key=lambda m: (m.start, -m.end)))
        return tuple(_valued(annotated, mention) for mention in said)

    def mentions(self, document: Document) -> tuple[ConceptMention, ...]:
        """The mentions of `read` alone."""
        return tuple(reading.mention for reading in self.read(document))

    def named_in(self, words: str) -> tuple[str, ...]:
        """Identifiers of the concepts that a question names, as often as it names them."""
        return tuple(mention.concept.concept_id for mention in self._normalizer.mentions(words))

    def named_by(self, variables: Iterable[Variable], study: Study) -> dict[str, tuple[str, ...]]:
        """By variable name, the concepts that its question names, in the words of the dictionary and the study."""
        return {v.name: self.named_in(query_text(Question("", v), study.variables.get(v.name))) for v in variables}


def _valued(annotated: Annotated, mention: ConceptMention) -> ConceptReading:
    if kind_of(mention.concept) not in (Kind.MEASURE, Kind.SCALE):
        return ConceptReading(mention)
    end = mention.end
    _, high = annotated.sentences[annotated.sentence_of(mention.start)]
    joint = _TO_VALUE.match(annotated.folded, end, high)
    start = joint.end() if joint else end
    number = next(iter(annotated.numbers_in(start, high)), None)
    if number is None or number.start != start or number.joint or number.unit in DURATIONS:
        return ConceptReading(mention)
    return ConceptReading(mention, number.value, number.unit)
