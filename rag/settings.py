"""The optional study file: what a study knows of its variables beyond the dictionary."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import yaml
from pydantic import ValidationError
from rapidfuzz import process

from schema.problem import InputError, Problem
from schema.study import Study, VariableHints

_MANUAL = "docs/your-dictionary.md, section 'A study file',"


def load_study(path: Path | None, names: Iterable[str], on_problem: Callable[[Problem], None]) -> Study:
    """Read a study file (YAML); no path gives the empty study.

    Hints about a variable that is not in ``names`` are left out and said through ``on_problem``.

    Raises:
        InputError: the file cannot be read, is not YAML, or holds a key or a value that a study file does not know.
    """
    if path is None:
        return Study()
    study = _validate(path, _parse(path))
    known = sorted(names)
    unknown = [name for name in study.variables if name not in known]
    for name in unknown:
        on_problem(
            Problem(
                f"{path}, variables.{name}",
                "the dictionary has no variable of this name, so these hints are not used.",
                nearest_hint(name, known) or "Check the spelling, or remove the entry.",
            )
        )
    kept = {name: hints for name, hints in study.variables.items() if name not in unknown}
    return study.model_copy(update={"variables": kept})


def nearest_hint(name: str, known: Iterable[str]) -> str:
    """A "Did you mean …?" naming up to three of the ``known`` names, or "" when none is near."""
    near = [match for match, _, _ in process.extract(name, list(known), limit=3, score_cutoff=70)]
    return f"Did you mean {' or '.join(near)}?" if near else ""


def _parse(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
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
    return Problem(where, f"{msg}.", f"Correct the value; {_MANUAL} says what each key accepts.")
