"""A style of prompt: a folder of templates, checked before the first patient is read."""

from __future__ import annotations

import functools
import re
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from generator.llm.shield import openers_of
from schema.problem import InputError, Problem

#: The styles that come with the program.
TEMPLATES = Path(__file__).with_name("templates")

#: What a folder must hold, and what it may: the program's own stand in for those.
_REQUIRED = ("system.j2", "record.j2", "question.j2")
_OPTIONAL = ("repair.j2", "arbitrate.j2")
_HELP = "See docs/prompts.md for what a style holds, and copy the folder generator/llm/templates/full to begin one."


class StyleSettings(BaseModel):
    """``style.yml``: ``reason``, whether answers give a reason and a unit; ``examples`` shown before each question."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    reason: bool = True
    examples: int = Field(default=3, ge=0, le=20)


@dataclass(frozen=True, slots=True)
class Style:
    """A folder that was read: its templates, its settings, and what its lines begin with (`openers_of`)."""

    folder: Path
    settings: StyleSettings
    openers: re.Pattern[str] | None
    environment: jinja2.Environment

    def render(self, name: str, **given: Any) -> str:
        """One template filled in.

        Raises:
            InputError: the template fails; names its file and line.
        """
        try:
            return self.environment.get_template(name).render(given)
        except Exception as error:
            raise InputError(_problem(self.folder, name, error)) from None


@functools.cache
def open_style(folder: Path) -> Style:
    """Read a folder of templates and try them on an invented question. Read once: later changes are not seen.

    Raises:
        InputError: a file is missing, is no template, or uses a variable that the program does not give.
    """
    missing = [name for name in _REQUIRED if not (folder / name).is_file()]
    if missing:
        raise InputError(
            *(Problem(str(folder / name), "is missing from the prompt's style.", _HELP) for name in missing)
        )
    settings = _settings(folder / "style.yml")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, TEMPLATES / "full"]),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 (plain text, no page)
        keep_trailing_newline=True,
    )
    sources = [_source(folder, environment, name) for name in (*_REQUIRED[1:], *_OPTIONAL)]
    style = Style(folder, settings, openers_of(*sources), environment)
    for sample in (_SAMPLE, _BARE):
        for name in (*_REQUIRED, *_OPTIONAL):
            style.render(name, **sample.get(name, {}))
    return style


def _source(folder: Path, environment: jinja2.Environment, name: str) -> str:
    assert environment.loader is not None
    try:
        return environment.loader.get_source(environment, name)[0]
    except UnicodeDecodeError as error:
        raise InputError(_problem(folder, name, error)) from None


def _settings(path: Path) -> StyleSettings:
    if not path.is_file():
        return StyleSettings()
    try:
        return StyleSettings.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = str(path) if line is None else f"{path}, line {line + 1}"
        raise InputError(Problem(where, "is not YAML.", "Mend it, or delete the file to use the defaults.")) from None
    except ValidationError as error:
        raise InputError(
            *(
                Problem(str(path), f"{'.'.join(map(str, e['loc'])) or 'content'}: {e['msg']}.", "Mend it.")
                for e in error.errors()
            )
        ) from None


def _problem(folder: Path, name: str, error: Exception) -> Problem:
    """What a template fails on: the file, the line, the name that it does not find."""
    line = getattr(error, "lineno", None)
    path = getattr(error, "filename", None) or folder / name
    if line is None:  # jinja2 puts the template's own lines in the traceback
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename.endswith(".j2"):
                path, line = frame.filename, frame.lineno
    where = str(path) if line is None else f"{path}, line {line}"
    match error:
        case jinja2.TemplateNotFound():
            return Problem(f"{folder / name}", f"asks for the template {error.name!r}, which is not there.", _HELP)
        case jinja2.TemplateSyntaxError():
            return Problem(where, f"is not a template: {error.message}.", _HELP)
        case jinja2.UndefinedError():
            return Problem(where, f"uses what is not given to it: {error.message}.", _HELP)
        case UnicodeDecodeError():
            return Problem(where, "is not UTF-8 text.", "Save it as UTF-8.")
        case _:
            return Problem(where, f"fails ({type(error).__name__}).", _HELP)


def _invented(filled: bool) -> dict[str, dict[str, Any]]:
    words = "x" if filled else ""
    variable = {"name": "v", "label": "v", "kind": "v", "choices": words, "note": words, "passages": words}
    example = {"number": "1", "passage": "x", "label": "x", "kind": "x", "choices": words, "answer": "{}"}
    passage = {"number": 1, "date": "x", "document": "x", "type": "x", "section": words, "text": "x", "concepts": words}
    candidate = {"letter": "A", "value": "x", "quotes": [{"passage": 1, "text": "x"}] if filled else []}
    return {
        "record.j2": {"passages": [passage] if filled else []},
        "question.j2": {"variables": [variable], "examples": [example] if filled else []},
        "repair.j2": {"reasons": ["x"]},
        "arbitrate.j2": {"v": variable, "candidates": [candidate, candidate]},
    }


_SAMPLE, _BARE = _invented(filled=True), _invented(filled=False)
