from __future__ import annotations

from pathlib import Path

import docx
import pytest
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

from rag.corpus.read import read_documents
from schema.document import RawDocument
from schema.problem import InputError, Problem


def read(path: Path) -> tuple[list[RawDocument], list[Problem]]:
    problems: list[Problem] = []
    return list(read_documents(path, problems.append)), problems


def write(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def write_pdf(path: Path, *pages: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas = Canvas(str(path))
    for page in pages:
        for i, line in enumerate(page.split("\n")):
            canvas.drawString(50, 800 - 15 * i, line)
        canvas.showPage()
    canvas.save()
    return path


def test_one_folder_per_patient(tmp_path: Path) -> None:
    write(tmp_path / "P2" / "crh.txt", "HTA")
    write(tmp_path / "P1" / "2021" / "IRM.MD", "FA")
    write(tmp_path / "P1" / "crh.txt", "diabète")
    write(tmp_path / "P1" / ".DS_Store", b"\x00")
    write(tmp_path / "P1" / "~$crh.docx", b"\x00")
    documents, problems = read(tmp_path)
    assert problems == []
    assert documents == [
        RawDocument("P1", "IRM", "FA", origin="P1/2021/IRM.MD"),
        RawDocument("P1", "crh", "diabète", origin="P1/crh.txt"),
        RawDocument("P2", "crh", "HTA", origin="P2/crh.txt"),
    ]


def test_files_of_the_same_name_are_told_apart_by_their_path(tmp_path: Path) -> None:
    for name in ("a/crh.txt", "b/crh.txt", "crh.md", "irm.txt"):
        write(tmp_path / "P1" / name, name)
    documents, problems = read(tmp_path)
    assert {d.document_id: d.text for d in documents} == {
        "a/crh.txt": "a/crh.txt",
        "b/crh.txt": "b/crh.txt",
        "crh.md": "crh.md",
        "irm": "irm.txt",
    }
    assert problems == []


def test_word_documents(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("MOTIF")
    table = document.add_table(rows=1, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "NIHSS", "9"
    document.add_paragraph("Sort demain.")
    (tmp_path / "P1").mkdir()
    document.save(str(tmp_path / "P1" / "crh.docx"))
    write(tmp_path / "P1" / "cut.docx", (tmp_path / "P1" / "crh.docx").read_bytes()[:2000])
    write(tmp_path / "P1" / "fake.docx", "du texte")
    (found,), problems = read(tmp_path)
    assert found.text == "MOTIF\nNIHSS | 9\nSort demain."
    assert [p.where for p in problems] == ["P1/cut.docx", "P1/fake.docx"]


def test_pdf_with_a_text_layer(tmp_path: Path) -> None:
    write_pdf(tmp_path / "P1" / "crh.pdf", "MOTIF\nAphasie brutale", "CONCLUSION\nAVC")
    (found,), problems = read(tmp_path)
    pages = [[line.strip() for line in page.strip().split("\n")] for page in found.text.split("\f")]
    assert pages == [["MOTIF", "Aphasie brutale"], ["CONCLUSION", "AVC"]]
    assert problems == []


def test_pdf_that_cannot_be_read_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = write_pdf(tmp_path / "P1" / "a.pdf", "MOTIF", "").read_bytes()
    write_pdf(tmp_path / "P1" / "scan.pdf", "")
    write(tmp_path / "P1" / "cut.pdf", whole[: len(whole) // 3])
    write(tmp_path / "P1" / "fake.pdf", "du texte")
    write(tmp_path / "P1" / "empty.pdf", b"")
    locked = PdfWriter(clone_from=PdfReader(tmp_path / "P1" / "a.pdf"))
    locked.encrypt("secret", algorithm="RC4-128")
    locked.write(tmp_path / "P1" / "locked.pdf")
    (found,), problems = read(tmp_path)
    assert found.document_id == "a"
    by_file = {problem.where: problem for problem in problems}
    assert set(by_file) == {f"P1/{name}.pdf" for name in ("a", "scan", "cut", "fake", "empty", "locked")}
    assert not by_file["P1/a.pdf"].lost
    assert "page 2" in by_file["P1/a.pdf"].what
    assert "OCR" in by_file["P1/scan.pdf"].remedy
    assert "password" in by_file["P1/locked.pdf"].what
    assert caplog.records == []


def test_files_that_are_not_what_they_say(tmp_path: Path) -> None:
    write(tmp_path / "P1" / "ok.txt", "é".encode("cp1252") + b" stable")
    write(tmp_path / "P1" / "image.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    write(tmp_path / "P1" / "zip.txt", b"PK\x03\x04 et du texte")
    write(tmp_path / "P1" / "noise.txt", bytes(range(32)) * 8)
    write(tmp_path / "P1" / "empty.txt", "  \n")
    write(tmp_path / "P1" / "old.doc", b"\xd0\xcf\x11\xe0")
    write(tmp_path / "loose.txt", "à personne")
    (tmp_path / "P0").mkdir()
    (found,), problems = read(tmp_path)
    assert found.text == "é stable"
    assert [p.where for p in problems] == [
        "P0/",
        "P1/empty.txt",
        "P1/image.txt",
        "P1/noise.txt",
        "P1/old.doc",
        "P1/zip.txt",
        "loose.txt",
    ]
    assert all(problem.lost and problem.remedy for problem in problems)


def test_a_broken_link_is_not_an_end(tmp_path: Path) -> None:
    write(tmp_path / "P1" / "ok.txt", "HTA")
    (tmp_path / "P1" / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    (found,), _ = read(tmp_path)
    assert found.document_id == "ok"


def test_folders_without_a_usable_document(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no document"):
        read(tmp_path)
    write(tmp_path / "P1" / "empty.txt", "")
    with pytest.raises(InputError, match=r"P1/empty\.txt"):
        read(tmp_path)


@pytest.mark.parametrize("magic", [b"\x7fELF\x02\x01\x01", b"MZ\x90\x00"])
def test_a_program_is_not_taken_for_utf_16(tmp_path: Path, magic: bytes) -> None:
    words = b"".join(number.to_bytes(4, "little") for number in range(3, 60_000, 7))
    (tmp_path / "P1").mkdir()
    (tmp_path / "P1" / "outil.txt").write_bytes(magic + words)
    (tmp_path / "P1" / "note.txt").write_bytes("Déficit à gauche.".encode("utf-16-le"))
    problems: list[Problem] = []
    assert [raw.text for raw in read_documents(tmp_path, problems.append)] == ["Déficit à gauche."]
    assert [problem.where for problem in problems] == ["P1/outil.txt"]


def test_a_patient_of_whom_nothing_can_be_used_is_named(tmp_path: Path) -> None:
    for name, content in (("P1/note.txt", b"NIHSS 4"), ("P2/vide.txt", b" \n"), ("P2/image.txt", b"\x89PNG\r\n")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    problems: list[Problem] = []
    assert [raw.patient_id for raw in read_documents(tmp_path, problems.append)] == ["P1"]
    assert "no row in the table" in next(problem.what for problem in problems if problem.where == "P2/")
