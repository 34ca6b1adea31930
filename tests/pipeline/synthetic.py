"""A small cohort and a small generator, so that the pipeline is tested without the rules.

The generator reads lines such as ``poids : 71`` and cites them; what a line names decides what it does.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rag.pipeline import FillRequest, Mode, fill
from schema.document import Document, PatientRecord
from schema.passage import Passage
from schema.study import Study
from schema.value import Evidence, ExtractedValue, Status
from schema.variable import Variable

DICTIONARY = """\
Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",\
Field Note,Text Validation Type OR Show Slider Number,Text Validation Min,Text Validation Max,Identifier?,\
Branching Logic (Show field only if...),Required Field?
record_id,f,,text,Patient,,,,,,y,,
poids,f,,text,Poids (kg),,,integer,1,300,,,
sexe,f,,radio,Sexe,"1, Homme | 2, Femme",,,,,,,
entree,f,,text,Date d'entrée,,,date_ymd,,,,,
fume,f,,yesno,Tabac,,,,,,,,
paquets,f,,text,Paquets-années,,,number_1dp,0,200,,[fume] = '1',
signes,f,,checkbox,Signes,"1, Fièvre | 2, Toux",,,,,,,
remarque,f,,notes,Remarque,,,,,,,,
"""


class LineGenerator:
    """Reads ``name : value`` lines. "casse" raises, "tue" kills the process, "menteur" cites what is not written."""

    name = "lines"

    def __init__(self, variables: Sequence[Variable], study: Study) -> None:
        self._variables = variables

    def fill(
        self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None = None
    ) -> list[ExtractedValue]:
        sys.audit("synthetic.patient")
        for document in record.documents:
            if "casse" in document.text:
                raise RuntimeError(document.text)
            if "tue" in document.text:
                os.kill(os.getpid(), signal.SIGKILL)
        return [self._read(record, variable) for variable in self._variables]

    def _read(self, record: PatientRecord, variable: Variable) -> ExtractedValue:
        for document in record.documents:
            if match := re.search(rf"^{variable.name} : (.+)$", document.text, re.MULTILINE):
                return self._found(document, variable, match)
        return ExtractedValue(record.patient_id, variable.name, Status.NOT_MENTIONED)

    def _found(self, document: Document, variable: Variable, match: re.Match[str]) -> ExtractedValue:
        span = document.locate(match.start(), match.end())
        quote = "menteur" if "menteur" in document.text else document.source_text[span.start : span.end]
        value = tuple(match[1].split(",")) if variable.name == "signes" else match[1]
        evidence = Evidence(document.document_id, span.start, span.end, quote)
        return ExtractedValue(document.patient_id, variable.name, Status.FOUND, value, 0.9, (evidence,))


def write_dictionary(folder: Path) -> Path:
    """The dictionary that the lines answer."""
    path = folder / "dictionary.csv"
    path.write_text(DICTIONARY, encoding="utf-8")
    return path


def write_documents(path: Path, texts: Sequence[tuple[str, str]]) -> Path:
    """A .jsonl file of (patient_id, text) pairs."""
    lines = [
        {"patient_id": patient, "document_id": f"d{number}", "date": "2024-03-05", "type": "note", "title": "Note"}
        | {"text": text}
        for number, (patient, text) in enumerate(texts)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def plain_cohort(patients: int) -> list[tuple[str, str]]:
    """Two documents per patient, the second ones after all the first ones."""
    first = [
        (f"P{i:03d}", f"Compte rendu.\npoids : {50 + i % 60}\nfume : {i % 2}\npaquets : 12,5") for i in range(patients)
    ]
    second = [
        (f"P{i:03d}", f"Suite.\nsexe : {1 + i % 2}\nentree : 2024-02-{1 + i % 28:02d}\nsignes : 1")
        for i in range(patients)
    ]
    return first + second


class SlowGenerator(LineGenerator):
    """Takes its time, and adds a byte to the file named by READ for each patient."""

    def fill(
        self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None = None
    ) -> list[ExtractedValue]:
        with Path(os.environ["READ"]).open("ab") as stream:
            stream.write(b".")
        time.sleep(0.003)
        return super().fill(record, passages)


if __name__ == "__main__":
    _documents, _dictionary, _out, _workers, os.environ["READ"] = sys.argv[1:]
    _request = FillRequest(Path(_documents), Path(_dictionary), Path(_out), workers=int(_workers), mode=Mode.RESUME)
    fill(_request, SlowGenerator)
