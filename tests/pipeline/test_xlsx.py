import datetime as dt
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.xlsx import Book, Sheet


def written(folder: Path, *rows: list[object]) -> openpyxl.Workbook:
    book = Book(folder / "book.xlsx")
    sheet = Sheet(book, "feuille", ["a", "b"])
    for row in rows:
        sheet.add(row)
    book.close(dt.datetime(2024, 5, 6))
    return openpyxl.load_workbook(folder / "book.xlsx")


def test_every_kind_of_cell_is_read_back_as_it_was(tmp_path: Path) -> None:
    row = ["œdème & <b>", 3, 2.5, dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 13, 5), dt.time(7, 30), None, "007"]
    book = written(tmp_path, row)
    assert [cell.value for cell in book["feuille"][2]] == [
        *row[:3], dt.datetime(2024, 2, 29), dt.datetime(2024, 2, 29, 13, 5), dt.time(7, 30), None, "007",
    ]  # fmt: skip
    assert book["feuille"]["D2"].number_format == "yyyy-mm-dd"
    assert book["feuille"].freeze_panes == "A2"


def test_days_that_spreadsheets_misplace_are_written_as_text(tmp_path: Path) -> None:
    book = written(tmp_path, [dt.date(1900, 2, 28), dt.datetime(1899, 1, 1, 5), dt.date(1900, 3, 1)])
    assert [cell.value for cell in book["feuille"][2]] == [
        "1900-02-28", "1899-01-01T05:00:00", dt.datetime(1900, 3, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("text", [*"=+-@", "=1+1", "{=1+1}", "http://x.fr", " 1"])
def test_a_text_stays_a_text_even_when_it_is_edited(tmp_path: Path, text: str) -> None:
    cell = written(tmp_path, [text])["feuille"]["A2"]
    assert (cell.value, cell.quotePrefix) == (text, text[0] in "=+-@")
    assert cell.data_type in ("s", "inlineStr")
    assert cell.hyperlink is None


def test_tags_of_a_text_are_no_tags_of_the_file(tmp_path: Path) -> None:
    assert written(tmp_path, ["<r><t>gras</r>"])["feuille"]["A2"].value == " <r><t>gras</r>"


def test_the_same_rows_make_the_same_bytes_and_leave_nothing_beside(tmp_path: Path) -> None:
    for name in ("un", "deux"):
        (tmp_path / name).mkdir()
        written(tmp_path / name, ["x", 1])
        assert [path.name for path in (tmp_path / name).iterdir()] == ["book.xlsx"]
    assert (tmp_path / "un" / "book.xlsx").read_bytes() == (tmp_path / "deux" / "book.xlsx").read_bytes()


def test_rows_beyond_a_sheet_go_to_a_second_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.xlsx._MOST_ROWS", 3)
    book = written(tmp_path, *([i, i] for i in range(4)))
    assert book.sheetnames == ["feuille", "feuille 2"]
    assert [[cell.value for cell in row] for row in book["feuille 2"].rows] == [["a", "b"], [2, 2], [3, 3]]


def test_a_text_too_long_for_a_cell_is_cut(tmp_path: Path) -> None:
    assert len(written(tmp_path, ["x" * 40_000])["feuille"]["A2"].value) == 32_767


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_any_text_makes_a_file_that_opens(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    book = written(tmp_path_factory.mktemp("book"), texts)
    for text, cell in zip(texts, book["feuille"][2], strict=False):
        kept = "".join(c for c in text if c >= " " or c in "\t\n")
        assert (cell.value or "") == "".join(
            c for c in kept if c not in "\ufffe\uffff" and not "\ud800" <= c <= "\udfff"
        )
        assert cell.data_type != "f"
