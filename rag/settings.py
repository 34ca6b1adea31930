"""The optional study file: what a study knows of its variables beyond the dictionary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError
from rapidfuzz import process

from schema.problem import InputError, Problem
from schema.study import Study, VariableHints
from schema.variable import Variable

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times faster
_MANUAL = "docs/your-dictionary.md, section 'A study file',"

#: Faults of a value, by pydantic's name, in words for someone who writes YAML.
_WORDS = {
    "model_type": "should be a block of keys.",
    "dict_type": "should be a block of keys.",
    "tuple_type": "should be a list, such as [one form, another].",
    "string_type": "should be text; put it between quotes.",
}


def load_study(path: Path | None, variables: Sequence[Variable], on_problem: Callable[[Problem], None]) -> Study:
    """Read a study file (YAML); no path gives the empty study.

    Hints about a variable, or a choice, that is not in ``variables`` are left out and said through ``on_problem``.

    Raises:
        InputError: the file cannot be read, is not YAML, or holds a key or a value that a study file does not know.
    """
    if path is None:
        return Study()
    study = _validate(path, _parse(path))
    codes = {variable.name: {choice.code for choice in variable.choices} for variable in variables}
    kept: dict[str, VariableHints] = {}
    for name, hints in study.variables.items():
        where = f"{path}, variables.{name}"
        if name not in codes:
            what = "the dictionary has no variable of this name, so these hints are not used."
            on_problem(Problem(where, what, nearest_hint(name, codes) or "Check the spelling, or remove the entry."))
            continue
        # A number has no choices, yet its values may have forms: "autonome" is a Rankin of 0.
        wrong = sorted(hints.choices.keys() - codes[name]) if codes[name] else []
        for code in wrong:
            what = "the variable has no choice of this code, so these forms are not used."
            on_problem(Problem(f"{where}.choices.{code}", what, f"Its codes are {', '.join(sorted(codes[name]))}."))
        choices = {code: forms for code, forms in hints.choices.items() if code not in wrong}
        kept[name] = hints.model_copy(update={"choices": choices})
    return study.model_copy(update={"variables": kept})


def nearest_hint(name: str, known: Iterable[str]) -> str:
    """A "Did you mean …?" naming up to three of the ``known`` names, or "" when none is near."""
    near = [match for match, _, _ in process.extract(name, list(known), limit=3, score_cutoff=70)]
    return f"Did you mean {' or '.join(near)}?" if near else ""


def _parse(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8")
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 (a safe loader)
    except OSError as error:
        what, remedy = f"cannot be read ({error.strerror}).", "Check the path given to --study."
        raise InputError(Problem(str(path), what, remedy)) from error
    except UnicodeDecodeError as error:
        raise InputError(Problem(str(path), "is not UTF-8 text.", "Save the file in UTF-8.")) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        what = f"is not YAML ({getattr(error, 'problem', None) or 'unreadable'})."
        raise InputError(Problem(where, what, "Check the indentation and the colons of that line.")) from error


def _validate(path: Path, content: object) -> Study:
    try:
        return Study.model_validate({} if content is None else content)
    except ValidationError as error:
        raise InputError(*(_problem(path, **detail) for detail in error.errors(include_url=False))) from error


def _problem(path: Path, loc: tuple[int | str, ...], msg: str, type: str, **_: object) -> Problem:
    key = ".".join(str(part) for part in loc)
    where = f"{path}, {key}" if key else str(path)
    if type == "extra_forbidden":
        known = Study.model_fields if len(loc) == 1 else VariableHints.model_fields
        remedy = nearest_hint(str(loc[-1]), known) or f"Remove it; {_MANUAL} lists them."
        return Problem(where, "is not a key of a study file.", remedy)
    what = _WORDS.get(type, f"{msg}.")
    return Problem(where, what, f"Correct the value; {_MANUAL} says what each key accepts.")
