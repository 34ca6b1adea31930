"""YAML that forgives nothing: keys unknown, misspelt or given twice are refused, with their line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from rapidfuzz import fuzz, process

from schema.problem import InputError, Problem

_Model = TypeVar("_Model", bound=BaseModel)
_MANUAL = "docs/merging.md"


class FaultsError(ValueError):
    """What a model's own validator found: where (as pydantic's ``loc``), what, and the remedy."""

    def __init__(self, faults: Sequence[tuple[tuple[int | str, ...], str, str]]) -> None:
        super().__init__(" ".join(f"{what} {remedy}" for _, what, remedy in faults))
        self.faults = tuple(faults)


def read_strict(path: Path, model: type[_Model]) -> _Model:
    """The content of a YAML file as a ``model`` (pydantic).

    Raises:
        InputError: with one problem for each fault, each naming its line and what was meant where that can be guessed.
    """
    content, root = _parse(path)
    if twice := [Problem(f"{path}, line {line}", f"{key} is given twice.", "Keep one.") for key, line in _twice(root)]:
        raise InputError(*twice)
    try:
        # In JSON mode lists become tuples, while a text is still no number.
        return model.model_validate_json(json.dumps({} if content is None else content, default=str), strict=True)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise InputError(*(found for fault in faults for found in _problems(path, root, model, fault))) from error


def suggestion(name: str, known: Sequence[str]) -> str:
    """What the ``known`` names offer instead of ``name``."""
    near = [match for match, _, _ in process.extract(name, known, scorer=fuzz.ratio, limit=2, score_cutoff=60)]
    return f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(known)}."


def _parse(path: Path) -> tuple[Any, yaml.Node | None]:
    try:
        text = path.read_text(encoding="utf-8")
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            return (None if root is None else loader.construct_document(root)), root
        finally:
            loader.dispose()
    except OSError as error:
        raise InputError(Problem(str(path), f"cannot be read ({error.strerror}).", "Check the path.")) from error
    except UnicodeDecodeError as error:
        raise InputError(Problem(str(path), "is not UTF-8 text.", "Save the file in UTF-8.")) from error
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        what = f"is not YAML ({getattr(error, 'problem', None) or 'unreadable'})."
        raise InputError(Problem(where, what, "Check the indentation and the colons of that line.")) from error


def _twice(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if str(key.value) in seen:
                yield str(key.value), key.start_mark.line + 1
            seen.add(str(key.value))
            yield from _twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _twice(item)


def _line(node: yaml.Node | None, loc: Sequence[int | str]) -> int:
    line = 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def _where(path: Path, root: yaml.Node | None, loc: Sequence[int | str]) -> str:
    key = ".".join(str(part) for part in loc)
    return f"{path}, line {_line(root, loc)}" + (f", {key}" if key else "")


def _problems(path: Path, root: yaml.Node | None, model: type[BaseModel], fault: Any) -> Iterator[Problem]:
    loc: tuple[int | str, ...] = fault["loc"]
    found = fault.get("ctx", {}).get("error")
    if isinstance(found, FaultsError):
        for inner, what, remedy in found.faults:
            yield Problem(_where(path, root, (*loc, *inner)), what, remedy)
    else:
        yield _problem(_where(path, root, loc), model, fault)


def _problem(where: str, model: type[BaseModel], fault: Any) -> Problem:
    loc: tuple[int | str, ...] = fault["loc"]
    if fault["type"] == "extra_forbidden":
        remedy = suggestion(str(loc[-1]), _keys_beside(model, loc))
        return Problem(where, f"{loc[-1]} is not a key that is known here.", remedy)
    if fault["type"] == "missing":
        return Problem(where, f"{loc[-1]} is missing.", f"Add it; {_MANUAL} says what each key means.")
    what = fault["msg"].removeprefix("Value error, ").rstrip(".")
    return Problem(where, f"{what}.", f"Correct it; {_MANUAL} says what each key means.")


def _keys_beside(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """The keys that the block holding the last part of ``loc`` may have."""
    current: type[BaseModel] = model
    for part in loc[:-1]:
        if isinstance(part, int):
            continue
        by_key = {field.alias or name: field for name, field in current.model_fields.items()}
        if part not in by_key:
            continue
        inner = _model_in(by_key[part].annotation)
        if inner is None:
            break
        current = inner
    return [field.alias or name for name, field in current.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)
