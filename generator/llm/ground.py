"""Where the words that a model quotes stand in what it was given to read.

Three tries, each on the passage that the model named and then on the others: the very characters; the same words once
case, accents, typography and blanks are forgotten; the same words but for misspellings and a few small words. A quote
is never completed: a number, a negation or an abbreviation that the text does not have makes it an invention.

Positions are code points of ``Document.text``, as in `schema.passage.Passage.span`.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import yaml
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from generator.rules.text import fold
from schema.passage import Passage


class Alignment(StrEnum):
    """How closely a quote is the text."""

    EXACT = "exact"
    NORMALIZED = "normalized"  # case, accents, typography, blanks and hyphenation aside
    FUZZY = "fuzzy"  # misspellings and small words aside


@dataclass(frozen=True, slots=True)
class Located:
    """A quote found in ``passage``, at [start, end) of its document's text.

    Args:
        similarity: 1.0 when nothing but typography differs; the share of the characters that agree below.
        elsewhere: it is not in the passage that the model named.
    """

    passage: Passage
    start: int
    end: int
    alignment: Alignment
    similarity: float = 1.0
    elsewhere: bool = False

    @property
    def text(self) -> str:
        """The words of the document."""
        return self.passage.text[self.start - self.passage.span.start : self.end - self.passage.span.start]


#: What a quote must hold to be looked for: two letters ("FA"); the four figures of a date, a time, a pressure; or a
#: letter and three figures ("T 38,2").
_LETTERS, _FIGURES = 2, 4
#: From this length on a quote may begin or end inside a word: answers are cut there.
_CUT_FROM = 20
#: Characters that an ellipsis may stand for.
_ELLIPSIS_REACH = 240
#: `rapidfuzz.fuzz.partial_ratio` from which on a text is worth an alignment word by word, and the least result.
_WORTH_TRYING, _SIMILAR = 75.0, 0.85
#: Share of the words that a fuzzy quote may leave out.
_LEFT_OUT = 0.2
#: A misspelling is one edit from this length on; two, of the same length, from the second on.
_MISSPELT_FROM, _TWICE_FROM = 5, 12
_SAME_START = 4
#: A word alone is quoted as it is written.
_MISSPELT_WORDS = 2

_ELLIPSIS = re.compile(r"\s*(?:\[\s*(?:…|\.{3})\s*\]|\(\s*(?:…|\.{3})\s*\)|…|\.{3,})\s*")
_WRAPPING = " \t\r\n\"'«»“”„`…."
_HYPHENATED = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010\u2011]\s*\n\s*(?=[^\W\d_])")
_BLANK = re.compile(r"\s+")
_PLAIN = {
    "œ": "oe",
    "æ": "ae",
    "‹": "<",
    "›": ">",
    "“": '"',
    "”": '"',
    "„": '"',
    "…": "...",
    "\u00ad": "",
    "\ufeff": "",
}
_INVISIBLE = ("Cf", "Mn")
_END = re.compile(r"[\n;!?]|\.(?!\d)")
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_TOKEN = re.compile(r"\d+(?:[.,:/]\d+)*|[a-z]+|[<>=+%±]")
_WORD = re.compile(r"[a-z0-9]+")
#: A scanner reads "o" as "0" and "l" as "1": between letters of a long word ("clopid0grel") no digit belongs.
_MISREAD = re.compile(r"(?<=[a-z]{3})[01](?=[a-z]{2})")
_ACRONYM = re.compile(r"\b(?=\w*[A-Z]\w*[A-Z0-9])[A-Z][A-Za-z0-9]{1,11}\b")


@dataclass(frozen=True, slots=True)
class _Normal:
    """A text in plain characters; ``places[i]`` is the position in the text of its i-th character."""

    text: str
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Token:
    word: str
    start: int
    end: int


def locate(quote: str, passages: Sequence[Passage], named: int | None) -> Located | None:
    """Where a quote stands, or None when no passage holds it.

    Of several places the first is taken. An ellipsis parts two fragments, which stand in that order in one passage.

    Args:
        named: the position in ``passages`` of the one that the model named; None, or one that is not there, for none.
    """
    quote = quote.strip(_WRAPPING)
    if not _is_telling(quote):
        return None
    order = list(passages)
    if named is not None and 0 <= named < len(order):
        order.insert(0, order.pop(named))
    else:
        named = None
    for search in (_as_written, _in_fragments, _misspelt):
        for rank, passage in enumerate(order):
            if (found := search(quote, passage)) is not None:
                start, end, alignment, similarity = found
                offset = passage.span.start
                return Located(
                    passage, offset + start, offset + end, alignment, similarity, named is not None and rank > 0
                )
    return None


_Place = tuple[int, int, Alignment, float]


def _is_telling(quote: str) -> bool:
    letters = sum(character.isalpha() for character in quote)
    figures = sum(character.isdigit() for character in quote)
    return letters >= _LETTERS or figures >= _FIGURES or (letters > 0 and figures >= _FIGURES - 1)


def _as_written(quote: str, passage: Passage) -> _Place | None:
    text = passage.text
    start = text.find(quote)
    while start >= 0:
        if _is_whole(text, start, start + len(quote), len(quote)):
            return start, start + len(quote), Alignment.EXACT, 1.0
        start = text.find(quote, start + 1)
    place = next(_normal_places(quote, text, 0), None)
    return (*place, Alignment.NORMALIZED, 1.0) if place else None


def _normal_places(quote: str, text: str, after: int) -> Iterator[tuple[int, int]]:
    """Places of ``text`` from ``after`` on that read as the quote, once both are normalized."""
    wanted, whole = _normalized(quote).text.strip(), _normalized(text)
    if not wanted:
        return
    at = whole.text.find(wanted)
    while at >= 0:
        start, end = whole.places[at], whole.places[at + len(wanted) - 1] + 1
        if start >= after and _is_whole(text, start, end, len(wanted)) and _numbers(text[start:end]) == _numbers(quote):
            yield start, end
        at = whole.text.find(wanted, at + 1)


def _in_fragments(quote: str, passage: Passage) -> _Place | None:
    fragments = [fragment for fragment in _ELLIPSIS.split(quote) if fragment]
    if len(fragments) < 2 or not all(_is_telling(fragment) for fragment in fragments):
        return None
    text = passage.text
    for first_start, first_end in _normal_places(fragments[0], text, 0):
        end = first_end
        for fragment in fragments[1:]:
            place = next(_normal_places(fragment, text, end), None)
            if place is None or place[0] - end > _ELLIPSIS_REACH or _turns(text[end : place[0]]):
                break
            end = place[1]
        else:
            return first_start, end, Alignment.NORMALIZED, 1.0
    return None


def _turns(skipped: str) -> bool:
    """Whether what an ellipsis leaves out denies what follows it."""
    clause = re.split(r"[.;\n]", skipped)[-1]
    return any(token.word in _words("negations") for token in _tokens(clause))


def _misspelt(quote: str, passage: Passage) -> _Place | None:
    wanted, whole = _normalized(quote).text.strip(), _normalized(passage.text)
    near = fuzz.partial_ratio_alignment(wanted, whole.text, score_cutoff=_WORTH_TRYING)
    if near is None or not whole.text:
        return None
    asked = _tokens(wanted)
    margin = 12 + len(wanted) // 4
    tokens = [t for t in _tokens(whole.text) if near.dest_start - margin <= t.start and t.end <= near.dest_end + margin]
    breaks = {
        i
        for i, token in enumerate(tokens)
        if i and (_parts(passage.text, whole, tokens[i - 1], token) or _is_joined(whole, tokens[i - 1], token))
    }
    aligned = _aligned(asked, tokens, breaks)
    if aligned is None:
        return None
    first, last = aligned
    low, high = tokens[first].start, tokens[last].end
    found = whole.text[low:high]
    start, end = whole.places[low], whole.places[high - 1] + 1
    similarity = OSA.normalized_similarity(" ".join(t.word for t in asked), " ".join(t.word for t in _tokens(found)))
    if (
        similarity < _SIMILAR
        or not _is_whole(passage.text, start, end, 0)
        or not _keeps_acronyms(quote, passage.text[start:end])
    ):
        return None
    return start, end, Alignment.FUZZY, round(similarity, 4)


def _parts(text: str, whole: _Normal, last: _Token, token: _Token) -> bool:
    """Whether a sentence or a line ends between two tokens."""
    return _END.search(text, whole.places[last.end - 1] + 1, whole.places[token.start]) is not None


def _is_joined(whole: _Normal, last: _Token, token: _Token) -> bool:
    """Whether two tokens make one word: "sous-corticale" is not all of "cortico-sous-corticale"."""
    return whole.text[last.end : token.start] == "-"


def _aligned(asked: Sequence[_Token], tokens: Sequence[_Token], breaks: Set[int]) -> tuple[int, int] | None:
    """The first and the last token of the text that the asked ones follow, all in order; None when they do not.

    Both ends of the quote must be words of the text. Between them either side may have small words of its own, and the
    text a few words that the quote leaves out, none of which tells a number or denies, nor runs into the next sentence.

    Args:
        breaks: positions of the tokens that begin a sentence or a line, or go on with a word.
    """
    if len(asked) < _MISSPELT_WORDS or not tokens:
        return None
    allowed = int(_LEFT_OUT * len(asked))
    best: tuple[int, int, int] | None = None
    for first, token in enumerate(tokens):
        if not _same(asked[0].word, token.word):
            continue
        states = {(first, 0): 0}  # (token of the text, words left out) -> small words that differ
        for place, word in enumerate(asked[1:], 2):
            following: dict[tuple[int, int], int] = {}
            for (at, left), small in states.items():
                if word.word in _words("small") and place < len(asked):
                    _keep(following, (at, left), small + 1)
                skipped, added = left, small
                for reached in range(at + 1, min(len(tokens), at + 2 + allowed + 3)):
                    if _same(word.word, tokens[reached].word):
                        _keep(following, (reached, skipped), added)
                        break
                    if not _may_be_left_out(tokens[reached].word) or {reached, reached + 1} & breaks:
                        break
                    if tokens[reached].word in _words("small"):
                        added += 1
                    elif (skipped := skipped + 1) > allowed:
                        break
            states = following
            if not states:
                break
        for (last, left), small in states.items():
            cost = 2 * left + small
            if best is None or cost < best[0]:
                best = (cost, first, last)
    return best[1:] if best else None


def _keep(states: dict[tuple[int, int], int], state: tuple[int, int], cost: int) -> None:
    states[state] = min(cost, states.get(state, cost))


def _same(asked: str, word: str) -> bool:
    """Whether two words are one, or one misspells the other: never a number, a date, a denial, a short word."""
    if asked == word:
        return True
    size = min(len(asked), len(word))
    if size < _MISSPELT_FROM or asked[:2] != word[:2] or not (asked.isalpha() and word.isalpha()):
        return False
    if {asked, word} & (_words("exact") | _words("negations")):
        return False
    edits = OSA.distance(asked, word, score_cutoff=2)
    if edits == 2:
        return size >= _TWICE_FROM and len(asked) == len(word) and asked[:_SAME_START] == word[:_SAME_START]
    return edits <= 1


def _may_be_left_out(word: str) -> bool:
    return not any(c.isdigit() for c in word) and word not in _words("negations") and word not in "<>=+%±"


def _keeps_acronyms(quote: str, text: str) -> bool:
    held = set(_WORD.findall(fold(text)))
    return quote.isupper() or all(fold(acronym[0]) in held for acronym in _ACRONYM.finditer(quote))


def _is_whole(text: str, start: int, end: int, length: int) -> bool:
    """Whether [start, end) cuts no number in two and, when the quote is short, no word."""
    for inside, outside, beyond in (
        (text[start], text[start - 1 : start], text[max(0, start - 2) : max(0, start - 1)]),
        (text[end - 1], text[end : end + 1], text[end + 1 : end + 2]),
    ):
        if inside.isdigit() and (outside.isdigit() or (outside in ".,:/" and beyond.isdigit() and outside)):
            return False
        if inside.isalnum() and outside.isalnum() and (length < _CUT_FROM or inside.isdigit() or outside.isdigit()):
            return False
    return True


def _numbers(text: str) -> list[str]:
    return [match.replace(",", ".") for match in _NUMBER.findall(_mended(text))]


def _mended(text: str) -> str:
    return _MISREAD.sub(lambda figure: "o" if figure[0] == "0" else "l", fold(text))


@functools.lru_cache(maxsize=2048)
def _normalized(text: str) -> _Normal:
    """Plain small letters; one blank between two letters or two figures, no other; words cut at a line's end mended."""
    dropped = {at for match in _HYPHENATED.finditer(text) for at in range(*match.span())}
    signs: list[str] = []
    places: list[int] = []
    blank_at = -1
    for at, (character, folded) in enumerate(zip(text, _mended(text), strict=True)):
        if at in dropped or unicodedata.category(character) in _INVISIBLE:
            continue
        if character.isspace():
            blank_at = at if blank_at < 0 else blank_at
            continue
        plain = _PLAIN.get(folded) or _PLAIN.get(character)
        if plain is None:
            plain = folded if folded.isascii() else _decomposed(folded)
        for sign in plain:
            if blank_at >= 0 and signs and _are_alike(signs[-1], sign):
                signs.append(" ")
                places.append(blank_at)
            blank_at = -1
            signs.append(sign)
            places.append(at)
    return _Normal("".join(signs), tuple(places))


def _are_alike(last: str, sign: str) -> bool:
    return (last.isalpha() and sign.isalpha()) or (last.isdigit() and sign.isdigit())


def _decomposed(character: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", character).lower() if not unicodedata.combining(c))
    return plain if plain.strip() == plain else ""


@functools.lru_cache(maxsize=512)
def _tokens(normal: str) -> tuple[_Token, ...]:
    return tuple(_Token(m[0].replace(",", "."), m.start(), m.end()) for m in _TOKEN.finditer(fold(normal)))


@functools.cache
def _words(name: str) -> frozenset[str]:
    content = yaml.safe_load(Path(__file__).with_name("ground.yml").read_text(encoding="utf-8"))
    return frozenset(content[name])
