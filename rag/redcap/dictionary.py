"""A REDCap data dictionary (CSV) -> the variables to fill. Every doubt is a `Problem`; good fields are kept."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from rag.redcap import branching, values
from rag.redcap.choices import read_choices
from rag.redcap.csvfile import CsvFile, read_csv
from rag.redcap.units import unit_of
from rag.redcap.wording import plain
from schema.problem import InputError, Problem
from schema.variable import Choice, Variable, VariableKind

# Headings as REDCap writes them in its CSV (two wordings over the years) and in its API, reduced by `_key`.
_HEADINGS = {
    "variable_field_name": "name",
    "field_name": "name",
    "form_name": "form",
    "section_header": "section",
    "field_type": "type",
    "field_label": "label",
    "choices_calculations_or_slider_labels": "choices",
    "choices_or_calculations": "choices",
    "choices_or_slider_labels": "choices",
    "select_choices_or_calculations": "choices",
    "field_note": "note",
    "text_validation_type_or_show_slider_number": "validation",
    "text_validation_type": "validation",
    "text_validation_min": "minimum",
    "text_validation_max": "maximum",
    "identifier": "identifier",
    "branching_logic_show_field_only_if": "branching",
    "branching_logic": "branching",
    "required_field": "required",
    "field_annotation": "annotation",
}
_REQUIRED = {"name": "Variable / Field Name", "type": "Field Type", "label": "Field Label"}
_NAME = re.compile(r"[a-z](?:_?[a-z0-9])*_?")
_LONGEST_NAME = 100

_NOT_FILLED = {
    "calc": "REDCap computes it",
    "descriptive": "it shows text and holds no value",
    "file": "it holds a file",
    "signature": "it holds a signature",
    "sql": "its choices live in the REDCap database",
}
_COMPUTED = re.compile(r"@CALC(?:TEXT|DATE)\b", re.IGNORECASE)
_CHOICE_TYPES = {
    "radio": VariableKind.CHOICE,
    "dropdown": VariableKind.CHOICE,
    "select": VariableKind.CHOICE,
    "checkbox": VariableKind.CHECKBOX,
}
_FIXED_CHOICES = {
    "yesno": (VariableKind.YESNO, (Choice("1", "Oui"), Choice("0", "Non"))),
    "truefalse": (VariableKind.TRUEFALSE, (Choice("1", "Vrai"), Choice("0", "Faux"))),
}
_NUMBER = re.compile(r"(?:number|float)(?:_([1-9])dp)?(_comma_decimal)?")
_DATE = re.compile(r"(date|datetime|datetime_seconds)(?:_(ymd|dmy|mdy))?")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A field of the dictionary that is not filled from documents."""

    name: str
    type: str
    why: str


@dataclass(frozen=True, slots=True)
class Dictionary:
    """What a data dictionary declares.

    Args:
        record_id: name of its first field, which names the record (the patient) and is not to be filled.
        variables: the fields to fill, in order.
        version: SHA-256 of the file's content, in hexadecimal.
    """

    record_id: str
    variables: tuple[Variable, ...]
    skipped: tuple[Skipped, ...]
    problems: tuple[Problem, ...]
    version: str


def read_dictionary(path: Path) -> Dictionary:
    """Read a data dictionary as REDCap exports it, or as a spreadsheet saved it again.

    Raises:
        InputError: the file cannot be read, lacks a required column, or declares no variable to fill.
    """
    file = read_csv(path)
    headings = _headings(file)
    reader = _Reader(file.name)
    for row, cells in file.rows:
        reader.read(row, headings, cells)
    variables = reader.with_known_branching()
    if not variables:
        what = "declares no variable that can be filled."
        raise InputError(*reader.problems, Problem(file.name, what, "Add text, radio, checkbox… fields."))
    return Dictionary(
        record_id=reader.record_id,
        variables=variables,
        skipped=tuple(reader.skipped),
        problems=tuple(reader.problems),
        version=hashlib.sha256(file.content).hexdigest(),
    )


def _key(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", heading.lower()).strip("_")


def _headings(file: CsvFile) -> list[str]:
    """What each column holds, in the words of `_HEADINGS`' values, "" when it is not read.

    Raises:
        InputError: a required column is missing.
    """
    found = [_HEADINGS.get(_key(heading), "") for heading in file.header]
    missing = [heading for part, heading in _REQUIRED.items() if part not in found]
    if missing:
        what = f"has no column {', '.join(map(repr, missing))} in its first row."
        remedy = "Export the data dictionary from REDCap again, with its heading row, and do not rename its columns."
        raise InputError(Problem(file.name, what, remedy))
    return found


class _Reader:
    """Reads field after field; keeps the names taken, the section in force and every problem met."""

    def __init__(self, file_name: str) -> None:
        self._file = file_name
        self._section = ""
        self._form = ""
        self._taken: set[str] = set()
        self._rows: dict[str, int] = {}
        self._variables: list[Variable] = []
        self.record_id = ""
        self.skipped: list[Skipped] = []
        self.problems: list[Problem] = []

    def read(self, row: int, headings: list[str], cells: tuple[str, ...]) -> None:
        field = dict.fromkeys(_HEADINGS.values(), "") | dict(zip(headings, cells, strict=False))
        name, kind = field["name"], field["type"].lower()
        if not name:
            self._say(f"row {row}", "has no variable name.", "Name it, or delete the row.", lost=True)
            return
        if any(cells[len(headings) :]):
            what = f"has {len(cells)} cells under {len(headings)} headings, so they may stand in wrong columns."
            self._say(f"row {row}", what, "Put quotes around cells that hold the delimiter.", lost=True)
            return
        where = f"row {row}, variable {name!r}"
        if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
            self._say(
                where,
                "has a name that REDCap does not accept.",
                "Use small letters, digits and single underscores, beginning with a letter.",
            )
        if field["form"] != self._form:
            self._form, self._section = field["form"], ""  # a section never runs over to the next form
        self._section = plain(field["section"]) or self._section
        if name.lower() in self._taken:
            self._say(where, "is declared twice; the first one is kept.", "Rename or delete this row.", lost=True)
            return
        self._taken.add(name.lower())
        if not self.record_id:
            self.record_id = name
            return
        why = "REDCap computes it" if _COMPUTED.search(field["annotation"]) else _NOT_FILLED.get(kind)
        if why:
            self.skipped.append(Skipped(name, kind, why))
            return
        variable = self._variable(where, field, kind)
        if variable is None:
            return
        exported = {column.lower() for column in values.columns([variable])} - {name.lower()}
        if exported & self._taken or len(exported) < len(variable.choices) * (variable.kind is VariableKind.CHECKBOX):
            what = "has export columns that another variable or choice already has."
            self._say(where, what, "Give its choices codes that differ by more than case or signs.", lost=True)
            return
        self._taken |= exported
        self._rows[name] = row
        self._variables.append(variable)

    def with_known_branching(self) -> tuple[Variable, ...]:
        """The variables read, in order; logic that cannot be evaluated is said and dropped."""
        known = {variable.name for variable in self._variables}
        return tuple(self._with_branching(variable, known) for variable in self._variables)

    def _with_branching(self, variable: Variable, known: set[str]) -> Variable:
        try:
            unknown = sorted(branching.parse(variable.branching).names - known)
            fault = f"names {', '.join(map(repr, unknown))}, which is not among the variables to fill"
        except branching.BranchingError as error:
            unknown, fault = [], f"cannot be read: {error}"
        else:
            if not unknown:
                return variable
        what = f"has branching logic that {fault}; the variable is taken as always applicable."
        self._say(
            f"row {self._rows[variable.name]}, variable {variable.name!r}",
            what,
            "Mend the logic, or leave the cell empty where it is closed.",
        )
        return dataclasses.replace(variable, branching="")

    def _say(self, where: str, what: str, remedy: str, *, lost: bool = False) -> None:
        self.problems.append(Problem(f"{self._file}, {where}", what, remedy, lost))

    def _variable(self, where: str, field: dict[str, str], kind: str) -> Variable | None:
        label, note = plain(field["label"]), plain(field["note"])
        if not label:
            self._say(where, "has no label.", "Write the question in its Field Label; its name is used instead.")
        variable = Variable(
            name=field["name"],
            label=label or field["name"],
            kind=VariableKind.TEXT,
            form=field["form"],
            section=self._section,
            note=note,
            branching=field["branching"],
            required=field["required"].lower() in ("y", "yes"),
            identifier=field["identifier"].lower() in ("y", "yes"),
        )
        if kind in _CHOICE_TYPES:
            return self._with_choices(where, field, dataclasses.replace(variable, kind=_CHOICE_TYPES[kind]))
        if kind in _FIXED_CHOICES:
            fixed, choices = _FIXED_CHOICES[kind]
            return dataclasses.replace(variable, kind=fixed, choices=choices)
        if kind in ("notes", "textarea"):
            return dataclasses.replace(variable, kind=VariableKind.NOTES)
        if kind == "slider":
            variable = dataclasses.replace(variable, kind=VariableKind.INTEGER)
            return self._with_bounds(where, variable, field["minimum"] or "0", field["maximum"] or "100")
        if kind != "text":
            what = f"has the field type {field['type']!r}, which is not one of REDCap's."
            self._say(where, what, "Use text, notes, radio, dropdown, yesno, truefalse, checkbox or slider.", lost=True)
            return None
        variable = self._with_format(where, variable, field["validation"].lower())
        variable = dataclasses.replace(variable, unit=_unit(variable))
        return self._with_bounds(where, variable, field["minimum"], field["maximum"])

    def _with_choices(self, where: str, field: dict[str, str], variable: Variable) -> Variable | None:
        choices, faults = read_choices(field["choices"])
        remedy = "Write choices as '1, Homme | 2, Femme'."
        for fault in faults if choices else ():
            self._say(where, fault, remedy)
        if not choices:
            self._say(where, "has no choice that can be read.", remedy, lost=True)
            return None
        return dataclasses.replace(variable, choices=choices)

    def _with_format(self, where: str, variable: Variable, validation: str) -> Variable:
        if not validation:
            return variable
        if validation in ("integer", "int"):
            return dataclasses.replace(variable, kind=VariableKind.INTEGER)
        if number := _NUMBER.fullmatch(validation):
            return dataclasses.replace(
                variable,
                kind=VariableKind.NUMBER,
                decimals=int(number[1]) if number[1] else None,
                decimal_mark="," if number[2] else ".",
            )
        if date := _DATE.fullmatch(validation):
            return dataclasses.replace(
                variable,
                kind=VariableKind.DATE if date[1] == "date" else VariableKind.DATETIME,
                date_order=date[2] or "ymd",
                seconds=date[1] == "datetime_seconds",
            )
        if validation in ("time", "time_hh_mm_ss"):
            return dataclasses.replace(variable, kind=VariableKind.TIME, seconds=validation != "time")
        if validation == "email":
            return dataclasses.replace(variable, kind=VariableKind.EMAIL)
        if validation.startswith("phone"):
            return dataclasses.replace(variable, kind=VariableKind.PHONE)
        if validation == "zipcode" or validation.startswith("postalcode"):
            return dataclasses.replace(variable, kind=VariableKind.ZIPCODE)
        what = f"has the validation {validation!r}, which is not checked here; its values are taken as free text."
        self._say(where, what, "Use one of REDCap's validations for numbers and dates, or check its values by hand.")
        return variable

    def _with_bounds(self, where: str, variable: Variable, minimum: str, maximum: str) -> Variable:
        kept: dict[str, str] = {}
        for side, bound in (("minimum", minimum), ("maximum", maximum)):
            if not bound or variable.kind is VariableKind.TEXT:
                continue
            try:
                values.read_bound(variable, bound)
            except values.InvalidValue as reason:
                self._say(where, f"has the {side} {bound!r}: {reason}.", "Mend it; until then that side is open.")
            else:
                kept[side] = bound
        if len(kept) == 2:
            low, high = (values.read_bound(variable, kept[side]) for side in ("minimum", "maximum"))
            if low > high:  # type: ignore[operator]
                what = f"has a minimum ({minimum}) above its maximum ({maximum})."
                self._say(where, what, "Mend them; until then neither is applied.")
                return variable
        return dataclasses.replace(variable, minimum=kept.get("minimum"), maximum=kept.get("maximum"))


def _unit(variable: Variable) -> str:
    measured = variable.kind in (VariableKind.INTEGER, VariableKind.NUMBER)
    if not measured and variable.kind is not VariableKind.TEXT:
        return ""
    return unit_of(variable.label) or (unit_of(variable.note) if measured else "")
