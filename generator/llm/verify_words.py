"""The words by which a document may answer a variable, when the dictionary is all that is known of it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from generator.llm.verify_lexicon import words_like, words_of_furniture
from generator.rules.asked import is_no
from generator.rules.label import wanted_of
from generator.rules.plan import Plan
from generator.rules.text import fold

#: Words of a label shorter than this name nothing, unless they are abbreviations.
_SHORTEST = 4
#: The stem of a longer word has at least so many letters; of one without a known ending, all but the last three.
_STEM, _ANY_ENDING = 6, 3
#: From this length on a word may be made of two.
_COMPOUND = 9
#: From so many words on, a choice as a whole is met for no other reason than to answer.
_PHRASE = 2
#: Letters in a row that two words share when they are of one root.
_CORE = 7
_WORD = re.compile(r"[a-z0-9œ]+")
_HYPHEN = re.compile(r"[- ]")
_ENDING = re.compile(
    r"(?:istes?|ologues?|ologies?|ologiques?|ements?|ations?|iques?|aires?|ales?|aux|elles?|ives?|ifs?|euses?|eux|ees?|es|e|s|x)$"
)


@dataclass(frozen=True, slots=True)
class Words:
    """Stems of the words of one label: a text holds them when one of its words begins so.

    ``size`` counts the words of the label itself, without those that stand for them.
    """

    stems: tuple[str, ...] = ()
    size: int = 0
    pattern: re.Pattern[str] | None = field(default=None, compare=False)

    @classmethod
    def of(cls, words: Sequence[str]) -> Words:
        """The stems of some words, each once."""
        own = tuple(dict.fromkeys(stem for word in words if (stem := stem_of(word))))
        return cls.of_stems(own, len(own))

    @classmethod
    def with_like(cls, words: Sequence[str], expanded: Sequence[str]) -> Words:
        """The same, and what documents write instead of some words."""
        own = cls.of(words)
        like = (other for word in expanded for other in words_like(fold(word)))
        return cls.of_stems(tuple(dict.fromkeys((*own.stems, *like))), own.size)

    @classmethod
    def of_stems(cls, stems: tuple[str, ...], size: int) -> Words:
        """The same of stems."""
        if not stems:
            return cls()
        longest = sorted(stems, key=len, reverse=True)
        return cls(stems, size, re.compile(rf"\b(?:{'|'.join(map(_hyphened, longest))})\w*"))

    def found_in(self, folded: str) -> Iterator[re.Match[str]]:
        """Where a folded text holds one of them."""
        return self.pattern.finditer(folded) if self.pattern else iter(())

    def held_by(self, folded: str) -> set[str]:
        """Those that a folded text holds."""
        held = {_HYPHEN.sub("", match[0]) for match in self.found_in(folded)}
        return {stem for stem in self.stems if any(word.startswith(_HYPHEN.sub("", stem)) for word in held)}

    def share_held_by(self, folded: str) -> float:
        """The share of the words that a folded text holds; one for each that stands for one of them."""
        return min(1.0, len(self.held_by(folded)) / max(1, self.size))


def _hyphened(stem: str) -> str:
    """The pattern of a stem; a long one may be written in two: "cardio-embolique"."""
    return "[- ]?".join(map(re.escape, stem)) if len(stem) >= _COMPOUND else re.escape(stem)


def stem_of(word: str) -> str:
    """The beginning by which a word of a label is known again; "" for a word that tells nothing."""
    folded = fold(word).strip()
    if not folded or (len(folded) < _SHORTEST and not any(c.isdigit() for c in folded) and not word.isupper()):
        return ""
    if len(folded) <= _STEM:
        return folded.removesuffix("e") if len(folded) == _STEM else folded
    stem = _ENDING.sub("", folded)
    if stem == folded:
        return folded[: max(_STEM, len(folded) - _ANY_ENDING)]
    return stem if len(stem) >= _STEM - 1 else folded[:_STEM]


@functools.lru_cache(maxsize=4096)
def label_words(label: str) -> Words:
    """The words of content of a label, its words of time and form left out."""
    words = wanted_of(label).words
    return Words.with_like([word for word in words if word not in words_of_furniture()], words)


@functools.lru_cache(maxsize=4096)
def all_words(label: str) -> Words:
    """The same, with the examination that a label names last: "Horaire du premier scanner"."""
    words = [label[m.start() : m.end()] for m in _WORD.finditer(fold(label))]
    own = [word for word in words if fold(word) not in words_of_furniture()]
    return Words.with_like(own, own)


def choice_words(plan: Plan) -> dict[str, Words]:
    """By choice code, the words that tell it from the other choices; codes without any are left out.

    "Indéterminée" is words of a choice; what says that nothing is known of the question is none of another's.
    """
    bare = {choice.code: all_words(choice.label) for choice in plan.variable.choices}
    counts: dict[str, int] = {}
    for words in bare.values():
        for stem in words.stems:
            counts[stem] = counts.get(stem, 0) + 1
    own = {
        code: Words.of_stems(kept, min(words.size, len(kept)))
        for code, words in bare.items()
        if (kept := tuple(stem for stem in words.stems if counts[stem] == 1))
    }
    return {code: words for code, words in own.items() if words.stems}


@functools.lru_cache(maxsize=4096)
def phrase_of(label: str) -> re.Pattern[str] | None:
    """A choice of several words as a whole, in the singular or the plural: "autres causes déterminées"."""
    words = _WORD.findall(fold(label).partition("(")[0])
    if len(words) < _PHRASE:
        return None
    return re.compile(r"\b" + r"\W+".join(re.escape(word.removesuffix("s")) + "s?" for word in words) + r"\b")


def no_code(plan: Plan) -> str | None:
    """The choice that says no; "0" for a yes or no without choices; None when none does."""
    choices = plan.variable.choices
    if not choices:
        return "0" if plan.variable.kind.value in ("yesno", "truefalse") else None
    return next((choice.code for choice in choices if is_no(choice)), None)


def resembling(label: str, folded: str) -> Iterator[tuple[int, int]]:
    """Where a folded text holds the core of a long word of a label: "cholestérol" of "hypercholestérolémie"."""
    for word in wanted_of(label).words:
        cores = {word[i : i + _CORE] for i in range(len(word) - _CORE + 1)} if word not in words_of_furniture() else ()
        for core in cores:
            yield from (match.span() for match in re.finditer(re.escape(core), folded))
