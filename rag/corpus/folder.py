"""Documents in a folder: one sub-folder per patient, one file per document."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from rag.corpus.decode import decode, is_binary
from schema.document import RawDocument
from schema.problem import Problem

Report = Callable[[Problem], None]

# Left there by the desktop, not by the user.
_IGNORED = frozenset(["thumbs.db", "desktop.ini"])


class _UnreadableError(Exception):
    """A file that cannot be read, with what to say of it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


def read_folder(root: Path, report: Report, patient_id: str | None = None) -> Iterator[RawDocument]:
    """The files of every patient's folder, in order of name; sub-folders of a patient are read too.

    The document's identifier is the file's name without extension, or its path in the patient's folder when two
    files of the patient would have the same. With ``patient_id``, no file of another patient is opened.
    """
    for entry in _entries(root):
        if patient_id not in (None, patient_of(entry)):
            continue
        if entry.is_dir():
            yield from _read_patient(root, entry, report)
        else:
            what = "this file belongs to no patient."
            report(Problem(entry.name, what, "Put it in a folder named after its patient."))


def patient_of(folder: Path) -> str:
    """The patient whose documents a folder holds."""
    return folder.name.strip(" ")


def patient_folders(root: Path) -> list[Path]:
    """The folders of patients, in order of name."""
    return [entry for entry in _entries(root) if entry.is_dir()]


def _entries(root: Path) -> list[Path]:
    return sorted(entry for entry in root.iterdir() if not _is_ignored(entry))


def _is_ignored(path: Path) -> bool:
    return path.name.startswith((".", "~$")) or path.name.lower() in _IGNORED


def _read_patient(root: Path, folder: Path, report: Report) -> Iterator[RawDocument]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _is_ignored(path)]
    if not files:
        report(Problem(f"{folder.name}/", "this folder holds no file.", "Put the patient's documents in it."))
    stems = Counter(path.stem for path in files)
    usable = False
    for path in files:
        origin = path.relative_to(root).as_posix()
        read = _READERS.get(path.suffix.lower())
        if read is None:
            what = f"files {path.suffix or 'without extension'} are not read."
            report(Problem(origin, what, "Save it as .txt, .md, .docx or .pdf."))
            continue
        try:
            text = read(path, origin, report)
        except _UnreadableError as error:
            report(Problem(origin, error.what, error.remedy))
            continue
        except OSError as error:
            what = f"the file cannot be opened ({error.strerror})."
            report(Problem(origin, what, "Check that it exists and that you may read it."))
            continue
        usable = usable or bool(text.strip())
        unique = stems[path.stem] == 1
        document_id = path.stem if unique else path.relative_to(folder).as_posix()
        yield RawDocument(patient_id=patient_of(folder), document_id=document_id, text=text, origin=origin)
    if files and not usable:
        what = "none of this patient's files could be used; the patient has no row in the table."
        report(Problem(f"{folder.name}/", what, "Mend or replace the files named above."))


def _read_text(path: Path, origin: str, report: Report) -> str:
    data = path.read_bytes()
    if is_binary(data):
        raise _UnreadableError(
            f"it is named {path.suffix} but does not hold text.", "Give it its true extension, or save it as text."
        )
    text, encoding = decode(data)
    if encoding.damaged:
        what = "some bytes are not valid UTF-8; they are read as '�'."
        report(Problem(origin, what, "Save the file again in UTF-8.", lost=False))
    return text


def _read_docx(path: Path, origin: str, report: Report) -> str:
    import docx
    from docx.table import Table

    try:
        document = docx.Document(str(path))
        lines: list[str] = []
        for block in document.iter_inner_content():
            if isinstance(block, Table):
                for row in block.rows:
                    cells = {id(cell._tc): cell for cell in row.cells}  # merged cells come several times
                    lines.append(" | ".join(" ".join(cell.text.split()) for cell in cells.values()))
            else:
                lines.append(block.text)
    except OSError:
        raise
    except Exception as error:  # python-docx lets the errors of zipfile, lxml and its own through
        raise _UnreadableError(
            "it is not a readable Word document.", "Open it in Word and save it again as .docx."
        ) from error
    return "\n".join(lines)


def _read_pdf(path: Path, origin: str, report: Report) -> str:
    """The text layer, pages parted by form feeds."""
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it would print a line for every flaw it forgives
    try:
        reader = pypdf.PdfReader(path)
        locked = reader.is_encrypted and not reader.decrypt("")
        pages = [] if locked else [page.extract_text() for page in reader.pages]
    except OSError:
        raise
    except pypdf.errors.DependencyError as error:
        raise _UnreadableError("it is encrypted.", "Save it without protection.") from error
    except Exception as error:  # pypdf lets KeyError, RecursionError and others through on damaged files
        raise _UnreadableError("it is not a readable PDF.", "Export it again; it may be cut short.") from error
    if locked:
        raise _UnreadableError("it is protected by a password.", "Save it without password.")
    blank = [number for number, page in enumerate(pages, 1) if not page.strip()]
    if len(blank) == len(pages):
        raise _UnreadableError("it holds images and no text.", "Run OCR on it (ocrmypdf --language fra).")
    if blank:
        what = f"page {', '.join(map(str, blank))} holds no text."
        report(Problem(origin, what, "If it is a scan, run OCR on it (ocrmypdf --language fra).", lost=False))
    return "\f".join(pages)


_READERS: dict[str, Callable[[Path, str, Report], str]] = {
    ".txt": _read_text,
    ".md": _read_text,
    ".docx": _read_docx,
    ".pdf": _read_pdf,
}
