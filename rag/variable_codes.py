"""The codes that a value of the table stands for: "Hypertension artérielle connue avant l'AVC" = 1 is I10.

They are read from the words of the dictionary alone, as a terminology names them: the choice with its label first
("Diabète" + "Type 2"), then the label, then its parts; where a label holds no name of the terminology, the study's
synonyms and the lexicon's names of the same thing are tried. A value that says no has no code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from generator.rules.asked import holds_word, is_graded, is_no, is_other, is_sided, is_unknown, is_yes, is_yes_no
from generator.rules.label import wanted_of
from generator.rules.lexicon import load_lexicon
from generator.rules.moments import without_moment
from generator.rules.text import fold
from rag.terminology.ambiguities import Ambiguities
from rag.terminology.index import StoredIndex
from rag.terminology.kinds import Kind, kind_of
from rag.terminology.loaders.bundled import AMBIGUITIES, read_ambiguities
from rag.terminology.tokens import tokenize
from schema.concept import Code, Concept, ConceptMention
from schema.study import Study, VariableHints
from schema.value import ExtractedValue
from schema.variable import Choice, Variable, VariableKind

#: Finds the concepts that a text names, nested ones included.
FindMentions = Callable[[str], Sequence[ConceptMention]]

_STATES = frozenset({Kind.DIAGNOSIS, Kind.PROCEDURE, Kind.DRUG, Kind.DEVICE})
_MEASURES = frozenset({Kind.MEASURE, Kind.SCALE})
_NUMBERS = (VariableKind.INTEGER, VariableKind.NUMBER)
_ASKS_IF = (VariableKind.YESNO, VariableKind.TRUEFALSE)
_YES = "1"
#: Readers whose synonyms name the thing itself; those of a choice are words to look near.
_NAMED_BY_SYNONYMS = (None, "condition", "bleeding", "procedure", "treatment", "measure", "grade")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
#: "Facteurs de risque : HTA", "ATCD - diabète".
_LAST_PART = re.compile(r":|\s[-–—>]\s")
_WORD = re.compile(r"[a-z0-9œ]+")
#: Between two names that are alternatives of one question: "AVC ou AIT", "HTA / diabète".
_OR = re.compile(r"[\s,/|;]*(?:(?:et/ou|ou|et)\s*)?(?:(?:d'|de|des|du|une?|l'|la|le|les)\s*)*")
_LEXICONS = {"drug:": "drugs", "": "concepts"}


class ExactNames:
    """Finds names as they are written, inflection aside: labels are short, and written with care."""

    def __init__(self, index: StoredIndex) -> None:
        self._index = index
        self._ambiguities = Ambiguities(read_ambiguities(index.store.extra(AMBIGUITIES)))  # noqa: S610 (no Django here)

    def __call__(self, text: str) -> list[ConceptMention]:
        """See `FindMentions`."""
        words = tokenize(text)
        keys = [word.key for word in words]
        found: dict[tuple[int, int, str], ConceptMention] = {}
        for match in self._index.matches(keys):
            start, end = words[match.first].start, words[match.stop - 1].end
            rest = [*keys[: match.first], *keys[match.stop :]]
            name = " ".join(keys[match.first : match.stop])
            for term in match.terms:
                if term.text.isupper() and fold(text[start:end]) != fold(term.text):
                    continue  # "passe" is no plural of "PAS"
                if self._ambiguities.weigh(name, term.concept_id, (rest, rest), "") is None:
                    continue
                mention = ConceptMention("", ((start, end),), self._index.concept(term.concept_id))
                found.setdefault((start, end, term.concept_id), mention)
        return list(found.values())


@dataclass(frozen=True, slots=True)
class _Name:
    """Concepts, all alternatives of one another, that stand at the head of a text."""

    concepts: tuple[Concept, ...]
    end: int


class VariableCodes:
    """The codes of every value that a dictionary allows. Immutable.

    Args:
        find: see `FindMentions`; called for labels now, and for quotes of the few variables that name alternatives.
    """

    def __init__(self, variables: Sequence[Variable], study: Study, find: FindMentions) -> None:
        self._find = find
        self._concepts: dict[tuple[str, str], tuple[Concept, ...]] = {}
        for variable in variables:
            hints = study.variables.get(variable.name, VariableHints())
            for code, concepts in self._of_variable(variable, hints).items():
                self._concepts[variable.name, code] = concepts

    def of(self, found: ExtractedValue) -> tuple[Code, ...]:
        """The codes of a value: of each choice ticked, of what the choice or the label names; none without a value."""
        if found.value is None:
            return ()
        if isinstance(found.value, tuple):
            codes = [code for choice in found.value for code in self._chosen(found, choice)]
            return tuple(dict.fromkeys(codes))
        written = found.value if isinstance(found.value, str) else ""
        return self._chosen(found, written)

    def _chosen(self, found: ExtractedValue, code: str) -> tuple[Code, ...]:
        concepts = self._concepts.get((found.variable, code), ())
        if len(concepts) > 1:
            quoted = {m.concept.concept_id for evidence in found.evidence for m in self._find(evidence.quote)}
            concepts = tuple(c for c in concepts if c.concept_id in quoted)[:1] or concepts[:1]
        return concepts[0].codes if concepts else ()

    def _of_variable(self, variable: Variable, hints: VariableHints) -> dict[str, tuple[Concept, ...]]:
        """Concepts by choice code; under "" those of a number."""
        if holds_word(fold(variable.label), "relatives"):
            return {}
        if variable.kind in _NUMBERS:
            return {"": self._asked(variable, hints, _MEASURES)}
        if variable.kind in _ASKS_IF:
            return {_YES: self._asked(variable, hints, _STATES)}
        if variable.kind is VariableKind.CHECKBOX:
            return {c.code: self._named(c.label, _STATES) for c in variable.choices if _says_something(c)}
        if variable.kind is not VariableKind.CHOICE or is_sided(variable):
            return {}
        if is_graded(variable):
            graded = self._asked(variable, hints, _MEASURES)
            return {choice.code: graded for choice in variable.choices}
        asked = self._asked(variable, hints, _STATES) if is_yes_no(variable) else ()
        return {c.code: self._of_choice(c, asked) for c in variable.choices if _says_something(c)}

    def _of_choice(self, choice: Choice, asked: tuple[Concept, ...]) -> tuple[Concept, ...]:
        """What one choice names: a narrower form of what is asked, a thing of its own, or what is asked itself."""
        if is_yes(choice):
            return asked
        words = without_moment(fold(choice.label))
        for concept in asked[:1]:
            narrower = self._head(f"{fold(concept.label)} {words}", _STATES)
            if narrower and narrower.end > len(concept.label) and narrower.concepts[0] != concept:
                return narrower.concepts
        return self._named(choice.label, _STATES) or asked

    def _asked(self, variable: Variable, hints: VariableHints, kinds: frozenset[Kind]) -> tuple[Concept, ...]:
        """What a label asks for; by its own words, the study's synonyms, or the lexicon's names of the same thing."""
        label = self._named(variable.label, kinds) or self._named(_LAST_PART.split(variable.label)[-1], kinds)
        if label:
            return label
        asks_other = not set(_WORD.findall(fold(variable.label))).isdisjoint(load_lexicon("labels")["changes"])
        names = hints.concepts or (() if asks_other else wanted_of(variable.label).concepts)
        known = (form for name in names for form in _lexicon_forms(name))
        named = hints.synonyms if hints.reader in _NAMED_BY_SYNONYMS else ()
        for form in (*named, *known):
            if (
                "*" not in form
                and "…" not in form
                and (head := self._head(fold(form), kinds))
                and head.end == len(form)
            ):
                return head.concepts
        return ()

    def _named(self, label: str, kinds: frozenset[Kind]) -> tuple[Concept, ...]:
        """What the head of a label names, without what it says in brackets, or else with it."""
        for written in dict.fromkeys((_BRACKETS.sub(" ", label), label)):
            if head := self._head(without_moment(fold(written)), kinds):
                return head.concepts
        return ()

    def _head(self, words: str, kinds: frozenset[Kind]) -> _Name | None:
        """The longest name at the head of some folded words, and its alternatives ("AVC ou AIT")."""
        mentions = [m for m in self._find(words) if kind_of(m.concept) in kinds and m.concept.codes]
        found: list[Concept] = []
        position = 0
        while True:
            here = [m for m in mentions if m.start >= position and _leads(words[position : m.start], m, bool(found))]
            if not here:
                return _Name(tuple(dict.fromkeys(found)), position) if found else None
            best = min(here, key=lambda m: (m.start, -m.end))
            found.append(best.concept)
            position = best.end


def _leads(before: str, mention: ConceptMention, follows: bool) -> bool:
    """Whether the words before a mention add nothing to it; "Traitement de l'HTA" asks for no disease."""
    if follows:
        return _OR.fullmatch(before) is not None and bool(before.strip())
    labels = load_lexicon("labels")
    words = _WORD.findall(before)
    changed = kind_of(mention.concept) is Kind.DIAGNOSIS and any(word in labels["changes"] for word in words)
    empty = {*labels["furniture"], *labels["opens"]}
    return not changed and all(word in empty or len(word) == 1 for word in words)


def _says_something(choice: Choice) -> bool:
    return not (is_no(choice) or is_unknown(choice) or is_other(choice))


def _lexicon_forms(name: str) -> tuple[str, ...]:
    prefix = next(prefix for prefix in _LEXICONS if name.startswith(prefix))
    return tuple(load_lexicon(_LEXICONS[prefix]).get(name.removeprefix(prefix), {}).get("forms", ()))
