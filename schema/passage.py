"""Passages: the unit that is indexed, retrieved and shown to a reader."""

from __future__ import annotations

from dataclasses import dataclass

from schema.concept import CodeSystem, ConceptMention
from schema.document import PartialDate, Span

#: What is said of a concept, as a reader of the text needs it said again.
_SAID = (("negated", "nié"), ("hypothetical", "hypothèse"), ("family", "famille"), ("history", "antécédent"))
_SYSTEMS = {CodeSystem.SNOMED: "SNOMED ", CodeSystem.ICD10: "", CodeSystem.ATC: "ATC ", CodeSystem.UMLS: "UMLS "}


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one document (``span``, positions in ``Document.text``) with what is needed to cite it.

    ``section`` is the title of the innermost section, as written, and ``section_kind`` its canonical name
    (`schema.document.Section.kind`); both are "" outside any section.
    ``concepts`` are the mentions that lie in it, where they were looked for, with positions in ``Document.text``.
    ``score`` and ``rank`` (from 1) are set by the retriever that found it, whose name is ``method``;
    ties are broken by document_id, then start.
    """

    patient_id: str
    span: Span
    text: str
    document_type: str
    written_on: PartialDate | None
    section: str = ""
    section_kind: str = ""
    score: float = 0.0
    rank: int = 0
    method: str = ""
    concepts: tuple[ConceptMention, ...] = ()

    def coded_text(self) -> str:
        """The text with, after each name, what it is: "FA [fibrillation atriale, SNOMED 49436004, I48]".

        For a reader that takes words alone, such as a language model. A name inside a longer one is not said twice.
        What is denied, doubted or another person's has no code there, so that no code of the text is false of the
        patient: "pas de diabète [diabète, nié]".
        """
        parts: list[str] = []
        position = self.span.start
        covered = -1
        for mention in sorted(self.concepts, key=lambda m: (m.start, -m.end)):
            if mention.end <= covered:
                continue
            covered = mention.end
            end = max(position, mention.end)
            parts += [self.text[position - self.span.start : end - self.span.start], f" [{_described(mention)}]"]
            position = end
        return "".join([*parts, self.text[position - self.span.start :]])

    def concept_line(self) -> str:
        """What it names, each once: "fibrillation atriale (SNOMED 49436004, I48) ; diabète (nié)"; "" without any.

        For a reader that must see the text as it is written. As in `coded_text`, no code is false of the patient.
        """
        described = {
            f"{_name(mention)} ({', '.join(remarks)})" if (remarks := _remarks(mention)) else _name(mention): None
            for mention in sorted(self.concepts, key=lambda m: (m.start, -m.end))
        }
        return " ; ".join(described)


def _described(mention: ConceptMention) -> str:
    return ", ".join((_name(mention), *_remarks(mention)))


def _name(mention: ConceptMention) -> str:
    label = mention.concept.label
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _remarks(mention: ConceptMention) -> list[str]:
    """What is said of it, then its codes, where the patient has it."""
    said = [word for flag, word in _SAID if getattr(mention, flag)]
    if mention.negated or mention.hypothetical or mention.family:
        return said
    codes = ((system, mention.concept.code_in(system)) for system in _SYSTEMS)
    return [*said, *(f"{_SYSTEMS[system]}{code}" for system, code in codes if code)]
