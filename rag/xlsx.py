"""A spreadsheet file written as a stream of rows.

openpyxl takes ten times longer (a third of a whole fill) and makes formulas of texts. Here a text can only be a text:
cells are numbers, dates or inline strings, the three of them written out below (ECMA-376, part 1, 18.3.1.4).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

Cell = str | int | float | dt.date | dt.time | None

_MOST_ROWS = 1_048_576  # Excel's limits
_MOST_CHARACTERS = 32_767
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")  # Excel reads "_x0041_" as "A"
_DAY_ZERO = dt.datetime(1899, 12, 30)
_FIRST_DAY = dt.date(1900, 3, 1)  # Excel believes in 29 February 1900

# Styles by position: general, text kept as text when it is edited, date, date and time, time.
_TEXT, _DATE, _DATETIME, _TIME = 1, 2, 3, 4
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEET_START = (
    f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" '
    'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    '<sheetFormatPr defaultColWidth="16" defaultRowHeight="15"/><sheetData>'
)
_SHEET_END = "</sheetData></worksheet>"


class Sheet:
    """A sheet under way: rows are added one at a time, and written to the folder of drafts.

    Rows beyond what a sheet can hold go to further sheets of the same name, numbered, under the same headings. Texts
    are cut at 32,767 characters and lose the control characters that the format cannot hold.
    """

    def __init__(self, name: str, headings: Sequence[str], drafts: Path) -> None:
        self._name = name
        self._headings = headings
        self._drafts = drafts
        self._rows = 0
        self.pages: dict[str, Path] = {}
        self._open_page()

    def add(self, row: Iterable[Cell]) -> None:
        """Write a row below the others."""
        if self._rows == _MOST_ROWS:
            self.close()
            self._open_page()
        self._part.write(f"<row>{''.join(map(_cell, row))}</row>")
        self._rows += 1

    def close(self) -> None:
        """End the sheet; nothing can be added."""
        self._part.write(_SHEET_END)
        self._part.close()

    def _open_page(self) -> None:
        name = f"{self._name} {len(self.pages) + 1}" if self.pages else self._name
        self.pages[name] = self._drafts / f"{name}.xml"
        self._part = self.pages[name].open("w", encoding="utf-8")
        self._part.write(_SHEET_START)
        self._rows = 0
        self.add(self._headings)


def write_xlsx(path: Path, sheets: Sequence[Sheet]) -> None:
    """Put closed sheets together in one file."""
    pages = {name: page for sheet in sheets for name, page in sheet.pages.items()}
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as file:
        for part_name, text in _frame(list(pages)).items():
            file.writestr(part_name, text)
        for number, page in enumerate(pages.values(), start=1):
            file.write(page, f"xl/worksheets/sheet{number}.xml")


def _cell(cell: Cell) -> str:
    match cell:
        case None | "":
            return "<c/>"
        case str():
            return _string(cell)
        case dt.datetime() | dt.date() | dt.time():
            return _moment(cell)
    return f"<c><v>{cell!r}</v></c>"


def _string(text: str) -> str:
    if not text.isprintable():
        text = _NOT_XML.sub("", text)
    if "_x" in text:
        text = _LOOKS_ESCAPED.sub("_x005F_", text)
    style = f' s="{_TEXT}"' if text[:1] in "=+-@" else ""
    kept = escape(text[:_MOST_CHARACTERS])
    return f'<c{style} t="inlineStr"><is><t xml:space="preserve">{kept}</t></is></c>'


def _moment(moment: dt.date | dt.time) -> str:
    if isinstance(moment, dt.time):
        seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
        return f'<c s="{_TIME}"><v>{seconds / 86_400!r}</v></c>'
    if moment < (dt.datetime.combine(_FIRST_DAY, dt.time()) if isinstance(moment, dt.datetime) else _FIRST_DAY):
        return _string(moment.isoformat())
    if isinstance(moment, dt.datetime):
        return f'<c s="{_DATETIME}"><v>{(moment - _DAY_ZERO) / dt.timedelta(days=1)!r}</v></c>'
    return f'<c s="{_DATE}"><v>{(moment - _DAY_ZERO.date()).days}</v></c>'


def _frame(names: list[str]) -> dict[str, str]:
    """The parts that hold the sheets together, by their path in the file."""
    numbers = range(1, len(names) + 1)
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    links = "http://schemas.openxmlformats.org/package/2006/relationships"
    spreadsheet = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    overrides = "".join(
        f'<Override PartName="/xl/{name}.xml" ContentType="{spreadsheet}.{kind}+xml"/>'
        for name, kind in (
            ("workbook", "sheet.main"),
            ("styles", "styles"),
            *((f"worksheets/sheet{number}", "worksheet") for number in numbers),
        )
    )
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, name in enumerate(names, start=1)
    )
    targets = "".join(
        f'<Relationship Id="rId{number}" Type="{_LINKS}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    styles = f'<Relationship Id="rId{len(names) + 1}" Type="{_LINKS}/styles" Target="styles.xml"/>'
    root = f'<Relationship Id="rId1" Type="{_LINKS}/officeDocument" Target="xl/workbook.xml"/>'
    return {
        "[Content_Types].xml": f'{_HEAD}<Types xmlns="{types}"><Default Extension="rels" ContentType='
        f'"application/vnd.openxmlformats-package.relationships+xml"/>{overrides}</Types>',
        "_rels/.rels": f'{_HEAD}<Relationships xmlns="{links}">{root}</Relationships>',
        "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{_HEAD}<Relationships xmlns="{links}">{targets}{styles}</Relationships>',
        "xl/styles.xml": _styles(),
    }


def _styles() -> str:
    """The styles that `_TEXT`, `_DATE`, `_DATETIME` and `_TIME` count."""
    dates = {164: r"yyyy\-mm\-dd", 165: r"yyyy\-mm\-dd\ hh:mm:ss", 166: "hh:mm:ss"}
    formats = "".join(f'<numFmt numFmtId="{number}" formatCode="{code}"/>' for number, code in dates.items())
    plain = 'fontId="0" fillId="0" borderId="0"'
    as_text = f'<xf numFmtId="49" {plain} xfId="0" quotePrefix="1" applyNumberFormat="1"/>'
    as_dates = "".join(f'<xf numFmtId="{number}" {plain} xfId="0" applyNumberFormat="1"/>' for number in dates)
    fills = "".join(f'<fill><patternFill patternType="{kind}"/></fill>' for kind in ("none", "gray125"))
    return (
        f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="3">{formats}</numFmts>'
        '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        f'<fills count="2">{fills}</fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        f'<cellStyleXfs count="1"><xf numFmtId="0" {plain}/></cellStyleXfs>'
        f'<cellXfs count="5"><xf numFmtId="0" {plain} xfId="0"/>{as_text}{as_dates}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )
