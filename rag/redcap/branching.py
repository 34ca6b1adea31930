"""REDCap branching logic ("Show field only if…"): parsed once, then asked whether a field applies to a row.

The grammar, loosest first: ``or`` · ``and`` · ``not`` · one comparison · ``+ -`` · ``* /`` · unary minus · a number,
a quoted text, a field, a function of `rag.redcap.functions`, or a bracketed expression.

An empty field is "" as in REDCap: it equals "" and differs from every code; an order (<, <=, >, >=) against it is
false, and arithmetic with it is empty. A checkbox choice ``[field(code)]`` is "1" when ticked, "0" otherwise. Two
operands that both read as numbers are compared as numbers, others as text (dates are texts, year first).
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from rag.redcap.functions import FUNCTIONS, Operand, number_of
from schema.value import Value

Row = Mapping[str, Value | None]
_Node = Callable[[Row], Operand]

_DEEPEST = 40
_TOKEN = re.compile(
    r"""(?:
      (?P<field>\[[^\[\]]*\])
    | (?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)
    | (?P<text>'[^']*'|"[^"]*")
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<sign><>|!=|<=|>=|==|&&|\|\||[=<>!()+*/,-])
    )\s*""",
    re.VERBOSE,
)
_FIELD = re.compile(
    r"\[\s*([a-z][a-z0-9_]*)\s*(?:\(\s*([^()\s]+)\s*\))?\s*(?::(?:value|checked|unchecked))?\s*\]", re.I
)
_EVENT = re.compile(r"\[\s*(?:[a-z][a-z0-9_]*|event-name)\s*\]", re.I)
_INSTANCE = re.compile(r"\[\s*(?:[0-9]+|current-instance|first-instance|last-instance)\s*\]", re.I)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


class BranchingError(ValueError):
    """The logic cannot be read. ``position`` counts characters from 0."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"{reason} (character {position + 1})")
        self.position = position


@dataclass(frozen=True, slots=True)
class Branching:
    """Parsed logic; ``names`` are the fields it reads."""

    text: str
    names: frozenset[str]
    _node: _Node = field(repr=False, compare=False)

    def applies(self, values: Row) -> bool:
        """Whether the field is shown for this row; a name that the row lacks counts as empty."""
        return _truth(self._node(values))


def parse(text: str) -> Branching:
    """Read branching logic; empty logic always applies.

    Raises:
        BranchingError: the logic is malformed, or uses what one row cannot answer (today, smart variables).
    """
    if not text.strip():
        return Branching(text, frozenset(), lambda _: True)
    parser = _Parser(text)
    node = parser.whole()
    return Branching(text, frozenset(parser.names), node)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # "field", "number", "text", "word", "sign" or "end"
    text: str
    start: int
    end: int


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position, last = len(text) - len(text.lstrip()), len(text.rstrip())
    while position < last:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise BranchingError("a character or an open quote that does not belong here", position)
        kind = match.lastgroup
        tokens.append(_Token(kind, match[kind], match.start(kind), match.end()))
        position = match.end()
    return [*tokens, _Token("end", "", last, last)]


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._index = 0
        self._depth = 0
        self.names: set[str] = set()

    def whole(self) -> _Node:
        node = self._any_of()
        if self._next.kind != "end":
            self._fail("'and', 'or' or the end was expected")
        return node

    @property
    def _next(self) -> _Token:
        return self._tokens[self._index]

    def _take(self, *texts: str) -> str:
        """The next token's text in lower case if it is a sign or word among ``texts``, and step past it; else ""."""
        token = self._next
        if token.kind not in ("sign", "word") or token.text.lower() not in texts:
            return ""
        self._index += 1
        return token.text.lower()

    def _fail(self, reason: str) -> NoReturn:
        raise BranchingError(reason, self._next.start)

    def _nested(self, rule: Callable[[], _Node]) -> _Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail("too many nested brackets or signs")
        node = rule()
        self._depth -= 1
        return node

    def _any_of(self) -> _Node:
        nodes = [self._all_of()]
        while self._take("or", "||"):
            nodes.append(self._all_of())
        return nodes[0] if len(nodes) == 1 else lambda row: any(_truth(node(row)) for node in nodes)

    def _all_of(self) -> _Node:
        nodes = [self._negation()]
        while self._take("and", "&&"):
            nodes.append(self._negation())
        return nodes[0] if len(nodes) == 1 else lambda row: all(_truth(node(row)) for node in nodes)

    def _negation(self) -> _Node:
        if self._take("not", "!"):
            node = self._nested(self._negation)
            return lambda row: not _truth(node(row))
        return self._comparison()

    def _comparison(self) -> _Node:
        left = self._chain("+", "-")
        sign = self._take(*_COMPARISONS)
        if not sign:
            return left
        right = self._chain("+", "-")
        return lambda row: _compare(sign, left(row), right(row))

    def _chain(self, *signs: str) -> _Node:
        """Terms joined by + and -, or factors joined by * and /."""
        part = self._unary if "*" in signs else lambda: self._chain("*", "/")
        first, rest = part(), list[tuple[str, _Node]]()
        while sign := self._take(*signs):
            rest.append((sign, part()))
        if not rest:
            return first

        def computed(row: Row) -> Operand:
            total: Operand = first(row)
            for sign, node in rest:
                total = _calculate(sign, total, node(row))
            return total

        return computed

    def _unary(self) -> _Node:
        if self._take("-"):
            node = self._nested(self._unary)
            return lambda row: _calculate("-", 0.0, node(row))
        return self._operand()

    def _operand(self) -> _Node:
        token = self._next
        if token.kind == "field":
            return self._field()
        if self._take("("):
            node = self._nested(self._any_of)
            self._close()
            return node
        if token.kind == "word":
            return self._function()
        if token.kind not in ("number", "text"):
            raise BranchingError("a field, a value or '(' was expected", token.start)
        literal: Operand = float(token.text) if token.kind == "number" else token.text[1:-1].strip()
        if literal in ("today", "now"):
            raise BranchingError(f"{literal!r} changes with the day the table is made", token.start)
        self._index += 1
        return lambda _: literal

    def _close(self) -> None:
        if not self._take(")"):
            self._fail("')' was expected")

    def _function(self) -> _Node:
        name = self._next.text.lower()
        if name in ("true", "false"):
            self._index += 1
            return lambda _: name == "true"
        if name not in FUNCTIONS:
            self._fail(f"{self._next.text!r} is not known here")
        function, fewest, most = FUNCTIONS[name]
        start = self._index
        self._index += 1
        if not self._take("("):
            self._fail("'(' was expected")
        arguments = [self._nested(self._any_of)]
        while self._take(","):
            arguments.append(self._nested(self._any_of))
        self._close()
        if not fewest <= len(arguments) <= most:
            raise BranchingError(f"{name} takes {fewest} to {most} arguments", self._tokens[start].start)
        return lambda row: function(*(argument(row) for argument in arguments))

    def _field(self) -> _Node:
        """``[field]``, ``[field(code)]``, with an event before or an instance after that one row does not need."""
        group = [self._next]
        while self._tokens[self._index + len(group)].kind == "field" and len(group) < 3:
            group.append(self._tokens[self._index + len(group)])
        if len(group) > 1 and _INSTANCE.fullmatch(group[-1].text):
            group, taken = group[:-1], len(group)
        else:
            taken = len(group)
        match = _FIELD.fullmatch(group[-1].text)
        if match is None or len(group) > 2 or not all(_EVENT.fullmatch(event.text) for event in group[:-1]):
            self._fail("a field of this row was expected, such as [name] or [name(code)]")
        self._index += taken
        name, code = match[1], match[2]
        self.names.add(name)
        if code is None:
            return lambda row: _text(row.get(name))

        def ticked(row: Row) -> Operand:
            held = row.get(name)
            return "1" if isinstance(held, tuple) and code.lower() in (item.lower() for item in held) else "0"

        return ticked


def _text(value: Value | None) -> str:
    match value:
        case None:
            return ""
        case tuple():
            return ",".join(value)
        case dt.datetime():
            return value.isoformat(sep=" ", timespec="seconds" if value.second else "minutes")
        case dt.date():
            return value.isoformat()
        case dt.time():
            return value.isoformat(timespec="seconds" if value.second else "minutes")
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def _truth(operand: Operand) -> bool:
    number = number_of(operand)
    return operand != "" if number is None else number != 0


def _compare(sign: str, left: Operand, right: Operand) -> bool:
    compare = _COMPARISONS[sign]
    first, second = number_of(left), number_of(right)
    if first is not None and second is not None:
        return compare(first, second)
    if sign in ("=", "==", "<>", "!="):
        return compare(str(left), str(right))
    # An order needs two of a kind: a number against a text, or anything against "", has none.
    return left != "" and right != "" and first is None and second is None and compare(str(left), str(right))


def _calculate(sign: str, left: Operand, right: Operand) -> Operand:
    first, second = number_of(left), number_of(right)
    if first is None or second is None or (sign == "/" and second == 0):
        return ""
    return _ARITHMETIC[sign](first, second)
