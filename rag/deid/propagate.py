"""What was found once in a patient's documents is found everywhere in them: names, numbers, dates of birth, towns."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rag.deid.dates import FoundDate
from rag.deid.evidence import follows_medical_word, line_in_capitals
from rag.deid.gazetteer import Gazetteer
from rag.deid.merge import Candidate, Rank
from rag.deid.tokens import LETTER, LINE, LOWER, SIGN, UPPER, WORD, Phrases, Token, fold, tokenize
from schema.phi import KnownIdentity, PhiLabel

_NAMES = frozenset({PhiLabel.NOM, PhiLabel.PRENOM})
_NUMBERS = frozenset({PhiLabel.TEL, PhiLabel.IPP, PhiLabel.NDA, PhiLabel.SECU})
_LINKS = frozenset(["de", "du", "des", "la", "le", "les", "l", "d", "a", "au", "aux", "saint", "sainte", "st", "ste"])
_NUMERIC = re.compile(r"(?<![\w])\+?\d(?:[ .\-/()]{0,2}\d){4,19}(?!\w)")
_LONGEST_NAME = 40
_MISSPELT_FROM = 6  # letters: below, one edit makes another name


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _deletions(word: str) -> Iterator[str]:
    """The word and the word less one letter: two words at edit distance 1 share one of them."""
    yield word
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]


@dataclass
class PatientLexicon:
    """What is known to identify one patient and those around."""

    names: defaultdict[str, Counter[PhiLabel]] = field(default_factory=lambda: defaultdict(Counter))
    pairs: set[tuple[str, str]] = field(default_factory=set)
    numbers: dict[str, tuple[PhiLabel, Rank]] = field(default_factory=dict)
    towns: set[str] = field(default_factory=set)
    hospitals: set[str] = field(default_factory=set)
    births: set[tuple[int, int, int]] = field(default_factory=set)
    verbatim: list[tuple[str, PhiLabel]] = field(default_factory=list)

    def learn(self, text: str, found: Iterable[Candidate]) -> None:
        """Take what one document's candidates say with some trust."""
        previous: tuple[PhiLabel, str, int] | None = None
        for candidate in sorted(found, key=lambda c: (c.start, c.end)):
            value = text[candidate.start : candidate.end]
            form = " ".join(fold(value).replace("-", "-").split())
            if candidate.label in _NAMES:
                self._learn_name(form, candidate.label)
                if previous and previous[0] is not candidate.label and candidate.start - previous[2] <= 2:
                    names = {previous[0]: previous[1], candidate.label: form}
                    self.pairs.add((names[PhiLabel.PRENOM], names[PhiLabel.NOM]))
                previous = (candidate.label, form, candidate.end)
            elif candidate.label in _NUMBERS and candidate.rank >= Rank.FORM and len(_digits(value)) >= 6:
                self.numbers.setdefault(_digits(value), (candidate.label, Rank.PROPAGATED))
            elif candidate.label is PhiLabel.VILLE and candidate.rank >= Rank.CUED:
                self.towns.add(form)
            elif candidate.label is PhiLabel.HOPITAL:
                self.hospitals.add(form)

    def _learn_name(self, form: str, label: PhiLabel) -> None:
        form = form.strip(" .")
        if len(form.replace(".", "").replace("-", "").replace(" ", "")) < 2 or re.fullmatch(
            r"(?:[a-z]\.?[ -]?){1,3}", form
        ):
            return
        self.names[form][label] += 1
        words = re.findall(r"[^\W\d_][\w'’]*", form)
        if len(words) > 1:
            for word in words:
                if (
                    len(word) > 2
                    and word not in _LINKS
                    and word not in {"ben", "del", "van", "von", "dos", "das", "el"}
                ):
                    self.names[word][label] += 1

    def learn_identity(self, identity: KnownIdentity, births: Iterable[FoundDate] = ()) -> None:
        """Take what the data warehouse knows."""
        for label, value in identity.values:
            form = fold(value).strip()
            if label in _NAMES:
                for _ in range(5):
                    self._learn_name(form, label)
            elif label in _NUMBERS and len(_digits(value)) >= 4:
                self.numbers[_digits(value)] = (label, Rank.KNOWN)
                self.verbatim.append((value, label))
            elif label is PhiLabel.VILLE:
                self.towns.add(form)
            elif label is PhiLabel.HOPITAL:
                self.hospitals.add(form)
            else:
                self.verbatim.append((value, label))
        first = [fold(v).strip() for lab, v in identity.values if lab is PhiLabel.PRENOM]
        last = [fold(v).strip() for lab, v in identity.values if lab is PhiLabel.NOM]
        self.pairs.update((one, two) for one in first for two in last)
        self.births.update(found.day for found in births if found.day)


class Propagator:
    """Looks for a patient's lexicon in the text of one of the patient's documents."""

    def __init__(self, lexicon: PatientLexicon, lists: Gazetteer, medical_before: Phrases) -> None:
        self._lexicon = lexicon
        self._lists = lists
        self._medical_before = medical_before
        self._phrases = Phrases(name for name in lexicon.names if " " in name or "'" in name)
        self._towns = Phrases(lexicon.towns)
        self._hospital_names = Phrases(self._proper(lexicon.hospitals))
        self._misspelt: defaultdict[str, set[str]] = defaultdict(set)
        for name in lexicon.names:
            if _MISSPELT_FROM <= len(name) <= _LONGEST_NAME and " " not in name:
                for form in _deletions(name):
                    self._misspelt[form].add(name)

    def _proper(self, hospitals: Iterable[str]) -> Iterator[str]:
        """The proper part of a hospital's name, worth looking for alone: "saint-loup" of "ch de saint-loup"."""
        for hospital in hospitals:
            words = [token.fold for token in tokenize(hospital) if token.kind == WORD]
            while words and (self._lists.is_common(words[0]) or words[0] in _LINKS or len(words[0]) < 4):
                words.pop(0)
            if words and len("".join(words)) > 4 and not all(self._lists.is_common(word) for word in words):
                yield " ".join(words)

    def find(self, text: str, tokens: Sequence[Token], dates: Sequence[FoundDate]) -> Iterator[Candidate]:
        """Candidates for everything known, whatever its case, accents, separators, or one wrong letter."""
        index = 0
        while index < len(tokens):
            token = tokens[index]
            if token.is_capital and (medical := self._lists.protected_phrases.match(tokens, index)) > index:
                index = medical  # "Claude Bernard-Horner" stays, even where a Claude is known
                continue
            if token.kind == WORD:
                end, label, rank = self._name(tokens, index)
                if label is not None:
                    yield Candidate(token.start, tokens[end - 1].end, label, rank)
                    index = end
                    continue
                yield from self._initials(tokens, index)
            index += 1
        if self._lexicon.numbers:
            for match in _NUMERIC.finditer(text):
                digits = _digits(match.group())
                entry = self._lexicon.numbers.get(digits) or self._lexicon.numbers.get("0" + digits.removeprefix("33"))
                if entry is not None:
                    yield Candidate(*match.span(), *entry)
        births = self._lexicon.births  # a year of two digits may have been read a century late
        for found in dates:
            if found.day and (found.day in births or (found.day[0] - 100, *found.day[1:]) in births):
                yield Candidate(found.start, found.end, PhiLabel.DATE_NAISSANCE, Rank.KNOWN)
        for value, label in self._lexicon.verbatim:
            pattern = r"\W{1,3}".join(re.escape(word) for word in re.findall(r"\w+", value))
            if pattern:
                for match in re.finditer(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE):
                    yield Candidate(*match.span(), label, Rank.KNOWN)

    def _name(self, tokens: Sequence[Token], at: int) -> tuple[int, PhiLabel | None, Rank]:
        token = tokens[at]
        rank = Rank.PROPAGATED
        places = [(self._towns, PhiLabel.VILLE), (self._hospital_names, PhiLabel.HOPITAL)]
        if at and tokens[at - 1].fold in {"depuis", "vers"}:
            places.reverse()
        for phrases, label in places:
            end = phrases.match(tokens, at)
            if end > at and token.is_capital and (end - at > 1 or self._place_stands(tokens, at, label)):
                return end, label, Rank.WEAK
        end = self._phrases.match(tokens, at)
        if end > at and (token.is_capital or tokens[end - 1].is_capital or not self._lists.is_common(token.fold)):
            form = " ".join(t.fold for t in tokens[at:end] if t.kind == WORD)
            return end, self._label(form), rank
        form = token.fold
        if form in self._lexicon.names:
            if self._stands(tokens, at):
                return at + 1, self._label(form), rank
            return at, None, rank
        if "-" in form and token.is_capital:
            parts = form.split("-")
            if any(part in self._lexicon.names for part in parts) and all(
                part in self._lexicon.names or self._lists.is_name(part) for part in parts
            ):
                label = PhiLabel.PRENOM if self._lists.is_first(form) else PhiLabel.NOM
                return at + 1, label, rank
        if (
            token.is_capital
            and _MISSPELT_FROM <= len(form) <= _LONGEST_NAME
            and not self._lists.is_common(form)
            and not self._lists.is_protected(form)
        ):
            for piece in _deletions(form):
                for name in self._misspelt.get(piece, ()):
                    if abs(len(name) - len(form)) <= 1 and not (self._lists.is_name(form) and len(name) < 8):
                        return at + 1, self._label(name), Rank.LISTED
        return at, None, rank

    def _label(self, form: str) -> PhiLabel | None:
        seen = self._lexicon.names.get(form)
        if not seen:
            return None
        return seen.most_common(1)[0][0]

    def _place_stands(self, tokens: Sequence[Token], at: int, label: PhiLabel) -> bool:
        form = tokens[at].fold
        if self._lists.is_protected(form) or form in self._lexicon.names:
            return False
        previous = tokens[at - 1] if at else None
        after_place = previous is not None and previous.fold in {"a", "de", "d", "depuis", "vers", "sur", "au", "'"}
        if label is PhiLabel.HOPITAL:
            return not self._lists.is_name(form) and (after_place or not self._lists.is_common(form))
        return after_place or not self._lists.is_common(form)

    def _stands(self, tokens: Sequence[Token], at: int) -> bool:
        """Whether a known name is meant here, and not the word or the medical term that it also is."""
        token = tokens[at]
        form = token.fold
        ambiguous = self._lists.is_common(form) or self._lists.is_protected(form)
        if token.shape == LOWER:
            return not ambiguous and len(form) > 3
        if not ambiguous:
            return len(form) > 2 or token.shape == UPPER
        if follows_medical_word(tokens, at, self._medical_before):
            return False
        if self._beside_name(tokens, at - 1) or self._beside_name(tokens, at + 1):
            return True
        if self._lists.is_protected(form):
            return False
        if token.shape == UPPER and len(form) > 2:
            return not line_in_capitals(tokens, at)
        starts = not at or tokens[at - 1].kind == LINE or tokens[at - 1].fold in {".", "!", "?", "-", "–", "•", ":"}
        return not starts and self._lists.is_name(form) and len(form) > 3

    def _beside_name(self, tokens: Sequence[Token], at: int) -> bool:
        if not 0 <= at < len(tokens) or tokens[at].kind != WORD or not tokens[at].is_capital:
            return False
        form = tokens[at].fold
        if form in self._lexicon.names:
            return not self._lists.is_common(form)
        return tokens[at].shape != LETTER and self._lists.is_first(form) and not self._lists.is_common(form)

    def _initials(self, tokens: Sequence[Token], at: int) -> Iterator[Candidate]:
        """``E.F.``, ``E. F.``: initials of a person of the lexicon."""
        if tokens[at].shape != LETTER or at + 3 >= len(tokens):
            return
        one, dot, two, end = tokens[at : at + 4]
        if dot.fold != "." or end.fold != "." or two.shape != LETTER or dot.kind != SIGN or two.start - dot.end > 1:
            return
        if at + 4 < len(tokens) and (tokens[at + 4].start == end.end and tokens[at + 4].kind == WORD):
            return
        for first, last in self._lexicon.pairs:
            if first[0] == one.fold and last[0] == two.fold:
                yield Candidate(one.start, dot.end, PhiLabel.PRENOM, Rank.PROPAGATED)
                yield Candidate(two.start, end.end, PhiLabel.NOM, Rank.PROPAGATED)
                return
            if first[0] == two.fold and last[0] == one.fold:
                yield Candidate(one.start, dot.end, PhiLabel.NOM, Rank.PROPAGATED)
                yield Candidate(two.start, end.end, PhiLabel.PRENOM, Rank.PROPAGATED)
                return
