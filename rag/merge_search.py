"""What judges the candidates of a merge: the table that each fills on patients of a development cohort."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from eval.align import align
from eval.measure import measure
from generator.llm.settings import LlmSettings
from rag.corpus.build import build_document, write_corpus
from rag.corpus.read import read_documents
from rag.generators import Generation, GeneratorName
from rag.pipeline import FillRequest, fill
from rag.redcap.dictionary import read_dictionary
from rag.redcap.export import read_table
from rag.retrieval import WHOLE_RECORD, Retrieval
from schema.problem import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.document import RawDocument

_WORK = ".judging-"


class Serve(Protocol):
    """Serves the model of a folder while its block lasts, and gives the server's URL."""

    def __call__(self, model: Path) -> AbstractContextManager[str]:
        """The server, started when the block is entered and ended when it is left."""
        ...


@contextmanager
def serve_with_vllm(model: Path, threads: int | None = None) -> Iterator[str]:
    """vLLM on this machine; ``threads`` as `generator.llm.launch.ServedModel` has them."""
    from generator.llm.launch import ServedModel
    from generator.llm.serve import ServerProcess

    with ServerProcess(ServedModel(model, threads=threads)) as server:
        yield server.url


@dataclass
class TableJudge:
    """F1 of the filled cells of the table that a model fills, against the manual one.

    The patients are those of the manual table that have documents, in an order that their identifiers decide, so that
    each rung holds the patients of the one before. What is filled is removed once it is scored.

    Args:
        work: folder for the fills; it holds patients' words while one is under way.
        retrieval, settings: as in a fill by the language model.
        serve: starts the server of a candidate.
    """

    documents: Path
    dictionary: Path
    table: Path
    work: Path
    study: Path | None = None
    retrieval: Retrieval = WHOLE_RECORD
    settings: LlmSettings = field(default_factory=LlmSettings)
    serve: Serve = serve_with_vllm

    def check(self, rungs: Sequence[int]) -> None:
        """Make sure that there are patients enough for the largest rung.

        Raises:
            InputError: there are not, or a file cannot be read.
        """
        if len(self._patients()) < max(rungs):
            what = f"{len(self._patients())} of its patients have documents; the search asks for {max(rungs)}."
            raise InputError(Problem(str(self.table), what, "Give smaller numbers to patients: in the space."))

    def __call__(self, model: Path, patients: int) -> float:
        """The F1 of a model's table on the first ``patients``.

        Raises:
            InputError: the server does not start, or patients could not be read.
        """
        chosen = set(self._patients()[:patients])
        self.work.mkdir(parents=True, exist_ok=True)
        for left in self.work.glob(f"{_WORK}*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_WORK, dir=self.work) as folder, self.serve(model) as url:
            run = Path(folder) / "run"
            generation = Generation(GeneratorName.LLM, server=url, settings=self.settings)
            report = fill(
                FillRequest(
                    documents=self._write_documents(chosen, Path(folder) / "documents.jsonl"),
                    dictionary=self.dictionary,
                    out=run,
                    study=self.study,
                    retrieval=self.retrieval,
                    generation=generation,
                    workers=generation.processes,
                )
            )
            if report.failed:
                raise InputError(*report.failed)
            return self._score(run, chosen)

    def _score(self, run: Path, chosen: set[str]) -> float:
        dictionary = read_dictionary(self.dictionary)
        predictions, _ = read_table(run / "table.csv", dictionary)
        gold, _ = read_table(self.table, dictionary)
        # A patient that the run has lost counts as one whose cells are all empty.
        predicted = {patient: predictions.get(patient, {}) for patient in chosen}
        kept = {patient: row for patient, row in gold.items() if patient in chosen}
        figures = measure(align(dictionary.variables, predicted, kept, {}), seed=0)
        return figures.overall.f1.value or 0.0

    def _patients(self) -> list[str]:
        gold, _ = read_table(self.table, read_dictionary(self.dictionary))
        known = {document.patient_id for document in self._documents()}
        return sorted(gold.keys() & known, key=lambda patient: hashlib.sha256(patient.encode()).hexdigest())

    def _documents(self) -> Iterator[RawDocument]:
        return read_documents(self.documents, lambda problem: None)

    def _write_documents(self, chosen: set[str], path: Path) -> Path:
        today = dt.datetime.now(dt.UTC).date()
        kept = (document for document in self._documents() if document.patient_id in chosen)
        write_corpus((build_document(document, lambda problem: None, today) for document in kept), path)
        return path
