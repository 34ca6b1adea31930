"""What a table loses, or wins, when each variable is read in a few passages instead of the whole record.

    OMP_NUM_THREADS=1 python -m benchmarks.fill_passages COHORT_DIR [--study YML] [--retrievers …] [--passages …]

COHORT_DIR holds documents.jsonl, dictionary.csv and table.csv. With evidence.jsonl, one more line reads the passages
that hold the evidence: what a retriever that never errs would give. Agreement is that of `cohort-rag evaluate`, with
95 % intervals over patients. Seconds are of one patient on one core: passages to read and their reading, start-up and
the making of documents excluded.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from eval.align import align
from eval.evidence import read_evidence
from eval.measure import measure
from generator.rules.reader import RulesGenerator
from rag.corpus.read import read_documents
from rag.patient import PatientReader, build_record
from rag.redcap.dictionary import read_dictionary
from rag.redcap.export import read_table
from rag.retrieval import PassageFinder, Retrieval, RetrieverName
from rag.settings import load_study
from retriever.passages import passages
from schema.document import PatientRecord, RawDocument
from schema.passage import Passage
from schema.problem import Problem
from schema.report import Estimate

#: The passages to read for each variable of a patient; None: the whole record.
Find = Callable[[PatientRecord], Mapping[str, Sequence[Passage]] | None]
Known = Mapping[tuple[str, str], list[tuple[str, str]]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cohort", type=Path, metavar="COHORT_DIR")
    parser.add_argument("--study", type=Path)
    parser.add_argument("--retrievers", nargs="+", type=RetrieverName, default=["bm25", "hybrid", "temporal"])
    parser.add_argument("--passages", nargs="+", type=int, default=[3, 5, 10, 20])
    parser.add_argument("--patients", default="*", help="a pattern of identifiers")
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--model", type=Path)
    arguments = parser.parse_args()
    problems: list[Problem] = []
    dictionary = read_dictionary(arguments.cohort / "dictionary.csv")
    study = load_study(arguments.study, dictionary.variables, problems.append)
    gold, _ = read_table(arguments.cohort / "table.csv", dictionary)
    raw: defaultdict[str, list[RawDocument]] = defaultdict(list)
    for document in read_documents(arguments.cohort / "documents.jsonl", problems.append):
        if fnmatchcase(document.patient_id, arguments.patients):
            raw[document.patient_id].append(document)
    records = [build_record(documents, problems.append) for documents in raw.values()]
    gold = {patient: row for patient, row in gold.items() if patient in raw}
    count = sum(len(record.documents) for record in records)
    print(f"{len(records)} patients, {count} documents, {len(dictionary.variables)} variables")
    reader = PatientReader(dictionary.variables, RulesGenerator(dictionary.variables, study))
    reader.read(records[0])  # start-up: compiled patterns

    def show(name: str, find: Find) -> None:
        find(records[0])
        started = time.perf_counter()
        read = {record.patient_id: reader.read(record, find(record)) for record in records}
        seconds = (time.perf_counter() - started) / len(records)
        table = {patient: {value.variable: value.value for value in row} for patient, row in read.items()}
        figures = measure(align(dictionary.variables, table, gold), seed=0).overall
        shown = "  ".join(_shown(one) for one in (figures.precision, figures.recall, figures.f1))
        print(f"{name:22} {shown}  {seconds:6.3f} s", flush=True)

    print(f"{'':22} {'precision':18}  {'recall':18}  {'F1':18}")
    show("whole record", lambda _: None)
    if (arguments.cohort / "evidence.jsonl").is_file():
        known = _known(arguments.cohort / "evidence.jsonl")
        names = [variable.name for variable in dictionary.variables]
        show("passages of evidence", lambda record: _passages_of_evidence(record, names, known))
    for name in arguments.retrievers:
        for most in arguments.passages:
            retrieval = Retrieval(RetrieverName(name), most, arguments.encoder, arguments.model)
            show(f"{name}, {most} passages", PassageFinder(retrieval, dictionary.variables, study).passages_for)


def _shown(one: Estimate) -> str:
    return f"{one.value:.3f} ({one.low:.2f} to {one.high:.2f})"


def _known(path: Path) -> Known:
    known: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for row in read_evidence(path).rows:
        known[row.patient_id, row.variable] += [(quote.document_id, quote.quote) for quote in row.evidence]
    return known


def _passages_of_evidence(record: PatientRecord, names: Sequence[str], known: Known) -> dict[str, list[Passage]]:
    documents = {document.document_id: (document, passages(document)) for document in record.documents}
    found: dict[str, list[Passage]] = {}
    for name in names:
        spans: dict[object, Passage] = {}
        for document_id, quote in known.get((record.patient_id, name), ()):
            document, cut = documents[document_id]
            start = document.source_text.find(quote)
            for passage in cut:
                place = document.locate(passage.span.start, passage.span.end)
                if start >= 0 and place.start < start + len(quote) and start < place.end:
                    spans[passage.span] = passage
        found[name] = list(spans.values())
    return found


if __name__ == "__main__":
    main()
