"""Main path of normalization: a text -> its mentions of a dictionary's concepts, nested and discontinuous included."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.terminology.ambiguities import Ambiguities
from rag.terminology.candidates import Candidate
from rag.terminology.counts import JOIN
from rag.terminology.index import StoredIndex
from rag.terminology.learning import EXTRA, LearntReader, Selection
from rag.terminology.loaders.bundled import AMBIGUITIES, read_ambiguities
from rag.terminology.memory import in_memory
from rag.terminology.plain import PlainReader
from rag.terminology.reading import Reading
from schema.concept import Concept, ConceptMention
from schema.document import Section

if TYPE_CHECKING:
    from rag.terminology.rerank import Reranker


class Normalizer:
    """Finds the concepts of a dictionary in texts. Built once per process; immutable.

    A dictionary made from annotated texts is read the way they were annotated (`rag.terminology.learning`); any other
    is believed (`rag.terminology.plain`).

    Args:
        reranker: chooses between the concepts of a name that has several.
    """

    def __init__(self, index: StoredIndex, reranker: Reranker | None = None) -> None:
        self._index = in_memory(index)
        self._reranker = reranker
        judge = self._judge if reranker else None
        learnt = index.store.extra(EXTRA)  # noqa: S610 -- no Django here
        if learnt is not None:
            self._reader: LearntReader | PlainReader = LearntReader(self._index, Selection.from_bytes(learnt), judge)
        else:
            rules = read_ambiguities(index.store.extra(AMBIGUITIES))  # noqa: S610
            self._reader = PlainReader(self._index, Ambiguities(rules), judge)

    def mentions(self, text: str, sections: Sequence[Section] = ()) -> list[ConceptMention]:
        """The mentions of a text, by place; ``document_id`` is left empty.

        Args:
            sections: those of the text, which tell what an abbreviation means.
        """
        reading = Reading(text)
        found = [
            (tuple([reading.span(*place) for place in places]), concept, score)
            for places, concept, score in self._reader.read(reading, sections)
        ]
        found.sort(key=lambda one: (one[0][0][0], -one[0][-1][1], -one[2]))  # start, end, score
        return [ConceptMention("", fragments, self._concept(concept), score) for fragments, concept, score in found]

    def _judge(self, reading: Reading, rivals: Sequence[Candidate]) -> list[float]:
        from rag.terminology.rerank import Pair, described, in_context

        assert self._reranker is not None
        (start, _), (_, end) = reading.span(*rivals[0].places[0]), reading.span(*rivals[0].places[-1])
        context = in_context(reading.text, start, end)
        pairs = [Pair(context, described(self._concept(one.concept), self._name(one))) for one in rivals]
        shares: list[float] = self._reranker.shares(pairs).tolist()
        return shares

    def _name(self, candidate: Candidate) -> str:
        """The name of its concept that a candidate was taken for."""
        terms = self._index.lookup(candidate.source)
        return next((term.text for term in terms if term.concept_id == candidate.concept), "")

    def _concept(self, joined: str) -> Concept:
        """A concept; for identifiers that annotations give together, one that holds the codes of all."""
        if JOIN not in joined:
            return self._index.concept(joined)
        with contextlib.suppress(KeyError):  # ICD-10 as the ATIH writes it has codes with a "+"
            return self._index.concept(joined)
        concepts = [self._index.concept(one) for one in joined.split(JOIN)]
        types = dict.fromkeys(name for concept in concepts for name in concept.semantic_types)
        codes = dict.fromkeys(code for concept in concepts for code in concept.codes)
        return Concept(joined, " + ".join(concept.label for concept in concepts), tuple(types), tuple(codes))


def load_reranker(folder: Path | None) -> Reranker | None:
    """The model of a folder; torch is loaded for it alone.

    Raises:
        InputError: it holds no model that can be read.
    """
    if folder is None:
        return None
    from rag.terminology.rerank import Reranker

    return Reranker.load(folder)
