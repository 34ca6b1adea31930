"""Which passages a question shows, and in which order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from schema.passage import Passage
from schema.variable import Variable


@dataclass(frozen=True, slots=True)
class Layout:
    """Passages in order of time, as a prompt numbers them from 1.

    Args:
        first: by variable name, the numbers of those that were found for it, best first.
    """

    passages: tuple[Passage, ...]
    first: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


class Readable:
    """What may be read of one patient: the passages found for each variable, or the whole record.

    Args:
        found: by variable name, best first; None: nothing was searched.
        whole: all the passages of the record, read where nothing was searched.
        concepts: keep the concepts of the passages.
    """

    def __init__(
        self, found: Mapping[str, Sequence[Passage]] | None, whole: Sequence[Passage] = (), concepts: bool = True
    ) -> None:
        self._found = found
        self._whole = tuple(whole)
        self._concepts = concepts
        #: Passages found for the variable that has most of them: none can be left out of a whole record, which nothing
        #: has ranked.
        self.most = max((len(passages) for passages in (found or {}).values()), default=1)

    @property
    def is_whole(self) -> bool:
        """Whether every question shows the whole record."""
        return self._found is None

    def shared(self, most: int) -> Layout:
        """What all the questions of a patient show: the ``most`` best passages of every variable."""
        return self._layout((self._found or {}).keys(), most)

    def own(self, variables: Sequence[Variable], most: int) -> Layout:
        """What a question about these variables shows alone: the ``most`` best passages of each."""
        return self._layout((variable.name for variable in variables), most)

    def _layout(self, names: Iterable[str], most: int) -> Layout:
        if self._found is None:
            return Layout(self._whole)
        best = {name: self._found.get(name, ())[:most] for name in names}
        by_span = {passage.span: passage for passages in best.values() for passage in passages}
        passages = tuple(sorted(by_span.values(), key=_by_time))
        if not self._concepts:
            passages = tuple(replace(passage, concepts=()) for passage in passages)
        numbers = {passage.span: number for number, passage in enumerate(passages, start=1)}
        first = {name: tuple(numbers[passage.span] for passage in found) for name, found in best.items()}
        return Layout(passages, first)


def _by_time(passage: Passage) -> tuple[dt.date, str, int, int]:
    """The order of `schema.document.PatientRecord`, then that of the text."""
    written, span = passage.written_on, passage.span
    return written.earliest() if written else dt.date.max, span.document_id, span.start, span.end
