"""Read the phrase files (rules) and the voice files (documents) of ``data/``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from rag.synth.grammar import Call, Choice, Grammar, GrammarError, Option, Series, Slot, parse_option

_DATA = files("rag.synth") / "data"


@dataclass(frozen=True, slots=True)
class Voice:
    """One way of writing one kind of document."""

    kind: str
    name: str
    styles: frozenset[str]
    titles: tuple[Option, ...]
    guard: Option
    blocks: tuple[tuple[tuple[bool, Option], ...], ...]  # lines of each block: (is a heading, what is said)


@cache
def data(name: str) -> Any:
    """A YAML file of ``data/``."""
    return yaml.safe_load((_DATA / name).read_text(encoding="utf-8"))


@cache
def grammar() -> Grammar:
    """The rules of all files of ``data/phrases``. A rule named in two files has the options of both."""
    rules: dict[str, Choice | Series] = {}
    for path in _sorted(_DATA / "phrases", ".txt"):
        for head, lines in _rules(path.read_text(encoding="utf-8")):
            try:
                name, rule = _rule(head, lines)
                rules[name] = _joined(rules.get(name), rule)
            except (GrammarError, ValueError) as error:
                raise GrammarError(f"{path.name}, {head}: {error}") from error
    return Grammar(rules)


@cache
def voices() -> dict[str, tuple[Voice, ...]]:
    """The voices by kind: ``data/voices/<kind>/<name>.txt``."""
    found: dict[str, tuple[Voice, ...]] = {}
    for folder in sorted((_DATA / "voices").iterdir(), key=lambda path: path.name):
        if folder.is_dir():
            found[folder.name] = tuple(_voice(folder.name, path) for path in _sorted(folder, ".txt"))
    return found


def unknown_rules() -> list[str]:
    """Rules that are called and not given, for the tests of the data files."""
    rules = grammar().rules
    called: set[str] = set()
    for rule in rules.values():
        for option in rule.options:
            called |= _calls(option)
    for kind in voices().values():
        for voice in kind:
            for option in (*voice.titles, *(line for block in voice.blocks for _, line in block)):
                called |= _calls(option)
    return sorted(called - set(rules))


def slot_names() -> set[str]:
    """All names of slots and guards that the files use."""
    names: set[str] = set()

    def visit(option: Option) -> None:
        names.update(term.name for term in option.terms)
        for piece in option.pieces:
            if isinstance(piece, Slot):
                names.add(piece.name)
            elif isinstance(piece, Choice):
                for inner in piece.options:
                    visit(inner)

    for rule in grammar().rules.values():
        for option in rule.options:
            visit(option)
    for kind in voices().values():
        for voice in kind:
            for option in (voice.guard, *voice.titles, *(line for block in voice.blocks for _, line in block)):
                visit(option)
    return names


def _calls(option: Option) -> set[str]:
    found = {piece.rule for piece in option.pieces if isinstance(piece, Call)}
    for piece in option.pieces:
        if isinstance(piece, Choice):
            for inner in piece.options:
                found |= _calls(inner)
    return found


def _sorted(folder: Traversable, suffix: str) -> list[Traversable]:
    return sorted((path for path in folder.iterdir() if path.name.endswith(suffix)), key=lambda path: path.name)


def _rules(content: str) -> Iterator[tuple[str, list[str]]]:
    head, lines = "", list[str]()
    for line in content.splitlines():
        if line.startswith("@"):
            if head:
                yield head, lines
            head, lines = line, []
        elif line.strip() and not line.startswith("#"):
            lines.append("" if line == "_" else line.replace("\\n", "\n"))
    if head:
        yield head, lines


def _rule(head: str, lines: list[str]) -> tuple[str, Choice | Series]:
    """``@name sticky=patient``: one of the lines; ``@@name keep=0.8 join="; " fixed``: all of them."""
    name, *settings = shlex.split(head)
    options = tuple(parse_option(line) for line in lines)
    given = dict(setting.partition("=")[::2] for setting in settings)
    if not name.startswith("@@"):
        return name[1:], Choice(options, given.get("sticky", ""), name[1:])
    join = given.get("join", " ").replace("\\n", "\n")
    return name[2:], Series(options, float(given.get("keep", 1)), join, "fixed" in given)


def _joined(first: Choice | Series | None, second: Choice | Series) -> Choice | Series:
    match first, second:
        case None, _:
            return second
        case Choice(), Choice():
            return Choice((*first.options, *second.options), first.sticky or second.sticky, first.name)
        case Series(), Series():
            return Series((*first.options, *second.options), first.keep, first.join, first.fixed)
    raise GrammarError("is a choice in one file and a series in another")


def _voice(kind: str, path: Traversable) -> Voice:
    head: dict[str, str] = {}
    blocks: list[list[tuple[bool, Option]]] = [[]]
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("#! "):
                key, _, value = line[3:].partition(":")
                head[key.strip()] = value.strip()
            elif not line.strip():
                blocks.append([])
            elif line.startswith("## "):
                blocks[-1].append((True, parse_option(line[3:])))
            else:
                blocks[-1].append((False, parse_option(line)))
        return Voice(
            kind,
            path.name.removesuffix(".txt"),
            frozenset(head["styles"].replace(",", " ").split()),
            tuple(parse_option(title.strip()) for title in head["titles"].split(" / ")),
            parse_option(f"?{head['for']}: " if head.get("for") else ""),
            tuple(tuple(block) for block in blocks if block),
        )
    except (GrammarError, KeyError) as error:
        raise GrammarError(f"{kind}/{path.name}: {error}") from error
