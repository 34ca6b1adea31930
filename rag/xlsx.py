"""A spreadsheet file written a row at a time, in flat memory, in which a text can only be a text."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

Cell = str | int | float | dt.date | dt.time | None

_MOST_ROWS = 1_048_576  # Excel's limit
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FIRST_MONTH = (1900, 3)  # Excel believes in 29 February 1900
_WIDTH = 16  # of a column, in characters


class Book:
    """A spreadsheet file under way: its rows lie beside ``path``, in the same folder, until `close`."""

    def __init__(self, path: Path) -> None:
        # A temporary folder elsewhere would hold quotes of the documents after a crash.
        self._book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": str(path.parent)})
        add = self._book.add_format
        self.as_text = add({"num_format": "@", "quote_prefix": True})  # still text once a user has edited it
        self.as_date = add({"num_format": "yyyy-mm-dd"})
        self.as_datetime = add({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self.as_time = add({"num_format": "hh:mm:ss"})

    def page(self, name: str, headings: Sequence[str]) -> Worksheet:
        """A new page whose first row stays in view."""
        page = self._book.add_worksheet(name)
        page.freeze_panes(1, 0)
        page.set_column(0, len(headings) - 1, _WIDTH)
        for column, heading in enumerate(headings):
            page.write_string(0, column, heading)
        return page

    def close(self, created: dt.datetime) -> None:
        """Write the file; nothing can be added. ``created`` is the date that its properties show."""
        self._book.set_properties({"created": created})
        self._book.close()


class Sheet:
    """A sheet of a book: rows are added one at a time.

    Rows beyond what a sheet can hold go to further sheets of the same name, numbered, under the same headings. Texts
    are cut at 32,767 characters and lose the control characters that the format cannot hold.
    """

    def __init__(self, book: Book, name: str, headings: Sequence[str]) -> None:
        self._book = book
        self._name = name
        self._headings = headings
        self._pages = 1
        self._page = book.page(name, headings)
        self._rows = 1

    def add(self, row: Iterable[Cell]) -> None:
        """Write a row below the others."""
        if self._rows == _MOST_ROWS:
            self._pages += 1
            self._page = self._book.page(f"{self._name} {self._pages}", self._headings)
            self._rows = 1
        for column, cell in enumerate(row):
            match cell:
                case None | "":
                    continue
                case str():
                    self._write_text(column, cell)
                case dt.date() | dt.time():
                    self._write_moment(column, cell)
                case _:
                    self._page.write_number(self._rows, column, cell)
        self._rows += 1

    def _write_text(self, column: int, text: str) -> None:
        if not text.isprintable():
            text = _NOT_XML.sub("", text)
        if text.startswith("<r>"):
            text = f" {text}"  # XlsxWriter would take it for text with fonts, and write its tags as they are
        self._page.write_string(self._rows, column, text, self._book.as_text if text[:1] in "=+-@" else None)

    def _write_moment(self, column: int, moment: dt.date | dt.time) -> None:
        if isinstance(moment, dt.time):
            style = self._book.as_time
        elif (moment.year, moment.month) < _FIRST_MONTH:
            return self._write_text(column, moment.isoformat())
        else:
            style = self._book.as_datetime if isinstance(moment, dt.datetime) else self._book.as_date
        self._page.write_datetime(self._rows, column, moment, style)
        return None
