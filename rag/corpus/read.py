"""Read the user's documents, one at a time, wherever they lie."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from rag.corpus.folder import patient_folders, patient_of, read_folder
from rag.corpus.tabular import read_csv, read_jsonl, read_parquet
from schema.document import RawDocument
from schema.problem import InputError, Problem

Report = Callable[[Problem], None]

_READERS: dict[str, Callable[[Path, Report], Iterator[RawDocument]]] = {
    ".jsonl": read_jsonl,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".parquet": read_parquet,
}
_EXPECTED = "Give a folder with one sub-folder per patient, or a .jsonl, .csv, .tsv or .parquet file"
_QUOTED_PROBLEMS = 20  # of those met on the way, repeated when nothing could be read


def read_documents(source: Path, on_problem: Report, patient_id: str | None = None) -> Iterator[RawDocument]:
    """Yield the documents of ``source``, one at a time; what cannot be used goes to ``on_problem``.

    Args:
        source: a folder (one sub-folder per patient; .txt, .md, .docx, .pdf), or a .jsonl, .csv, .tsv or .parquet
            file with the columns patient_id, document_id, date, type, title, text or those of OMOP's NOTE table.
        on_problem: told of every row or file that was left out, or kept with a doubt.
        patient_id: give this patient's documents alone, which may be none; files of others in a folder stay closed.

    Identifiers are data and are kept as they are; nothing of them is ever used as a path. One patient's documents
    have different identifiers: of two with the same, the first is kept.

    Raises:
        InputError: nothing can go on: the source does not exist, cannot be read or is of an unknown kind, a
            required column is missing, or (at the end) no document could be used.
    """
    try:
        if source.is_dir():
            return _usable(source, functools.partial(read_folder, patient_id=patient_id), on_problem, patient_id)
        if not source.exists():
            raise InputError(Problem(str(source), "it does not exist.", "Check the path."))
    except OSError as error:
        raise _unreadable(source, error) from error
    reader = _READERS.get(source.suffix.lower())
    if reader is None:
        what = f"files {source.suffix or 'without extension'} are not read."
        raise InputError(Problem(str(source), what, f"{_EXPECTED}."))
    return _usable(source, reader, on_problem, patient_id)


def patient_ids(source: Path) -> list[str]:
    """The patients of a source that `read_documents` can read, in its order. Raises as `read_documents` does."""
    if source.is_dir():
        return [patient_of(folder) for folder in patient_folders(source)]
    return list(dict.fromkeys(raw.patient_id for raw in read_documents(source, lambda _: None)))


def _unreadable(source: Path, error: OSError) -> InputError:
    return InputError(Problem(str(source), f"it cannot be read ({error.strerror}).", "Check that you may read it."))


def _usable(
    source: Path,
    read: Callable[[Path, Report], Iterator[RawDocument]],
    on_problem: Report,
    patient_id: str | None,
) -> Iterator[RawDocument]:
    """The documents that have a patient, an identifier of their own and a text."""
    met: list[Problem] = []

    def report(problem: Problem) -> None:
        if len(met) < _QUOTED_PROBLEMS:
            met.append(problem)
        on_problem(problem)

    seen: dict[bytes, bytes] = {}  # digests only: the memory must not grow with the texts
    try:
        for found in read(source, report):
            if patient_id not in (None, found.patient_id.strip(" ")):
                continue
            raw = _named(_encodable(found, report), report)
            if raw is None:
                continue
            key = _digest(raw.patient_id, raw.document_id)
            text = _digest(raw.text)
            if key in seen:
                report(_duplicate(raw, same_text=seen[key] == text))
                continue
            seen[key] = text
            yield raw
    except OSError as error:
        raise _unreadable(source, error) from error
    if not seen and patient_id is None:
        what, remedy = "no document could be used.", "Mend what is named below, or check the path."
        if not met:
            what, remedy = "it holds no document.", f"{_EXPECTED}, or check the path."
        raise InputError(Problem(str(source), what, remedy), *met)


def _named(raw: RawDocument, report: Report) -> RawDocument | None:
    patient_id, document_id = raw.patient_id.strip(" "), raw.document_id.strip(" ")
    if not patient_id.strip():
        report(Problem(raw.origin, "its patient_id is empty.", "Say whose document it is."))
        return None
    if not raw.text.strip():
        report(
            Problem(
                raw.origin, f"its text is empty (patient {patient_id!r}).", "Leave it out, or export its text again."
            )
        )
        return None
    if not document_id.strip():
        document_id = raw.origin.rsplit(", ", 1)[-1]
        what = f"its document_id is empty; {document_id!r} is used."
        report(Problem(raw.origin, what, "Give every document an identifier.", lost=False))
    return replace(raw, patient_id=patient_id, document_id=document_id)


def _duplicate(raw: RawDocument, same_text: bool) -> Problem:
    what = f"patient {raw.patient_id!r} already has a document {raw.document_id!r}"
    if same_text:
        return Problem(raw.origin, f"{what}, with the same text; it is kept once.", "Nothing is lost.", lost=False)
    return Problem(raw.origin, f"{what}, with another text; the first is kept.", "Give each its own document_id.")


def _encodable(raw: RawDocument, report: Report) -> RawDocument:
    r"""The document without lone surrogates (``"\ud83d"`` in JSON), which no file or database can hold."""
    fields = (raw.patient_id, raw.document_id, raw.text, raw.date or "", raw.type or "", raw.title or "")
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        what = "it holds half characters, which are read as '?'."
        report(Problem(raw.origin, what, "Export it again in UTF-8.", lost=False))
        names = ("patient_id", "document_id", "text", "date", "type", "title")
        whole = {name: value.encode("utf-8", "replace").decode() for name, value in zip(names, fields, strict=True)}
        return replace(raw, **whole)
    return raw


def _digest(*parts: str) -> bytes:
    return blake2b("\0\0".join(parts).encode(), digest_size=12).digest()
