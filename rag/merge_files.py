"""The files that merging is given: recipes by name or path, texts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import merging
from schema.problem import InputError, Problem

#: Recipes and spaces of search that come with the program.
SHIPPED = Path(merging.__file__).with_name("recipes")


def shipped(given: str) -> Path:
    """The file of a recipe or space that comes with the program, by its name; else the path that was given."""
    named = SHIPPED / f"{given}.yml"
    return named if named.is_file() and named.parent == SHIPPED else Path(given)


def read_texts(given: Iterable[tuple[str, Path]]) -> dict[str, list[str]]:
    """Texts by name, a paragraph each.

    Raises:
        InputError: a file cannot be read, or has no text.
    """
    texts: dict[str, list[str]] = {}
    for name, path in given:
        try:
            content = path.read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(Problem(str(path), f"cannot be read ({error.strerror}).", "Check --text.")) from error
        except UnicodeDecodeError as error:
            raise InputError(Problem(str(path), "is not UTF-8 text.", "Save the file in UTF-8.")) from error
        found = [part.strip() for part in content.split("\n\n") if part.strip()]
        if not found:
            raise InputError(Problem(str(path), "has no text.", "Give a file of some sentences."))
        texts[name] = found
    return texts
