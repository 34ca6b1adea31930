"""Annotated texts as a vocabulary: each string that was annotated is a name of its concept, weighed by its count.

QUAERO's layout (Névéol et al. 2014): the labels are UMLS semantic groups, the notes hold the concepts' identifiers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.brat import BratDocument, BratEntity, read_brat
from rag.terminology.loaders.source import Entry, Report, Source, clean_name, hash_files
from rag.terminology.model import Term, TermIndex
from schema.concept import Code, CodeSystem
from schema.problem import Problem

_CUI = re.compile(r"C\d{7}")
#: A note may hold several identifiers, separated by blanks or signs.
_BETWEEN = re.compile(r"[\s,;|+]+")


@dataclass(frozen=True, slots=True)
class BratSource(Source):
    """Folders of BRAT files (name.txt beside name.ann), read as one."""

    folders: Sequence[Path]
    language: str = "fr"

    @property
    def name(self) -> str:
        """The folders' names."""
        return f"BRAT ({', '.join(folder.name for folder in self.folders)})"

    def fingerprint(self) -> str:
        """A hash of every text and annotation."""
        files = (file for folder in self.folders for file in sorted(folder.rglob("*")))
        return hash_files(file for file in files if file.suffix in (".txt", ".ann") and file.is_file())

    def documents(self, report: Report) -> Iterator[BratDocument]:
        """The texts with their annotations.

        Raises:
            InputError: a folder is missing, or holds no text.
        """
        for folder in self.folders:
            yield from read_brat(folder, report)

    def entries(self, report: Report) -> Iterator[Entry]:
        """One entry for each concept, by identifier: its names by count, its labels by count."""
        names: dict[str, Counter[str]] = {}
        labels: dict[str, Counter[str]] = {}
        unlinked = 0
        for document in self.documents(report):
            for entity in document.entities:
                name = clean_name(" ".join(document.text[start:end] for start, end in entity.fragments))
                concepts = concepts_of(entity)
                unlinked += not concepts
                for concept_id in concepts if name else ():
                    names.setdefault(concept_id, Counter())[name] += 1
                    labels.setdefault(concept_id, Counter())[entity.label] += 1
        for concept_id in sorted(names):
            counted = sorted(names[concept_id].items(), key=lambda pair: (-pair[1], pair[0]))
            yield Entry(
                concept_id,
                tuple(Term(name, concept_id, self.language, weight=count) for name, count in counted),
                tuple(label for label, _ in sorted(labels[concept_id].items(), key=lambda pair: (-pair[1], pair[0]))),
                (Code(CodeSystem.UMLS if _CUI.fullmatch(concept_id) else CodeSystem.LOCAL, concept_id),),
            )
        if unlinked:
            what = f"{unlinked} annotations have no concept identifier in their notes; they give no name."
            report(Problem(self.name, what, "Write it in a note: #1<tab>AnnotatorNotes T1<tab>C0004238.", lost=False))

    def extras(self, index: TermIndex) -> Mapping[str, bytes]:
        """What the annotations teach of which names to read, and as what (`rag.terminology.learning`)."""
        from rag.terminology.learning import EXTRA, learn  # reads annotations with the functions of this file

        learnt = learn(self.documents(lambda problem: None), index)  # `entries` said the problems
        return {} if learnt is None else {EXTRA: learnt}


def concepts_of(entity: BratEntity) -> tuple[str, ...]:
    """The concepts that an annotation's notes name, in their order."""
    return tuple(dict.fromkeys(part for note in entity.notes for part in _BETWEEN.split(note) if part))
