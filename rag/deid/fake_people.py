"""Fake names of people: one for each word of a name, so that every form of a person's name changes alike.

"Blanc-Tardieu", "BLANC Yvette", "Y. Blanc" and "Mme Tardieu" share their words; a word keeps its fake one in all
the documents of a patient. Capitals, hyphens, particles and initials follow the original.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from rag.deid.fake_names import FEMALE, MALE, known_surnames, name_key, pools, sexes
from rag.deid.keys import Secret
from rag.deid.spelling import shaped, small
from schema.phi import PhiLabel

#: A word of a name: "d'Astier" is two, "N'Diaye" is one.
WORD = re.compile(r"(?:(?![dDlL]['’])[^\W\d_]['’])?[^\W_]*[^\W\d_][^\W_]*")
_SPACED = re.compile(r"[^\W\d_](?: [^\W\d_]){3,}")
_BROKEN = re.compile(r"(?<=[^\W\d_])-\n\s*(?=[a-zà-ÿ])")
_TITLE = re.compile(
    r"(?<!\w)(?:(?P<f>mme|mmes|madame|mlle|mademoiselle|melle|patiente|fille|soeur|sœur|mere|epouse|nee|tante|niece)"
    r"|(?P<m>m|mr|monsieur|messieurs|patient|fils|frere|pere|mari|oncle|neveu))\.?[\s:,(]{0,3}\Z"
)
_VOWELS = frozenset("aeiouyh")
_SHORTEST_MISSPELT = 5


@dataclass(frozen=True, slots=True)
class Name:
    """One written name: its label, its words, and what stands around it.

    Args:
        before: the text before the group of names in which it stands ("Mme ").
        linked: whether it follows "de", "d'" or "l'", which go with a consonant or with a vowel.
        group: the other names written with it ("Yvette" of "Blanc").
    """

    label: PhiLabel
    text: str
    before: str = ""
    linked: bool = False
    group: tuple[str, ...] = ()


def split_name(text: str) -> list[str]:
    """The words of a name as written."""
    return WORD.findall(_whole(text))


def _whole(text: str) -> str:
    """The name without the spaces between its letters, nor a hyphen at a line's end."""
    return text.replace(" ", "") if _SPACED.fullmatch(text) else _BROKEN.sub("", text)


def _particles(words: Sequence[str]) -> set[int]:
    """Places of the words that stay ("de", "Le", "d'"), none where a name is made of nothing else."""
    kept = {place for place, word in enumerate(words) if small(word) in pools().particles}
    return kept if len(kept) < len(words) else set()


def _initials(text: str) -> str:
    """The letters of a name of initials alone ("J.-M."), "" for any other."""
    words = WORD.findall(text)
    return "".join(map(word_key, words)) if len(words) > 1 and all(len(word) == 1 for word in words) else ""


def word_key(word: str) -> str:
    """What the spellings of one word of a name share, misread digits included."""
    key = name_key(word).replace(" ", "")
    return key.replace("0", "o").replace("1", "l") if any(map(str.isalpha, key)) else key


class People:
    """Fake names for the names of one patient's documents.

    Args:
        names: every name of the documents, in order.
        forbidden: keys of words that no fake name may be (what else identifies the patient).
        earlier: fake words by key, from the key file of an earlier run.
    """

    def __init__(
        self,
        secret: Secret,
        patient_id: str,
        names: Sequence[Name],
        forbidden: Iterable[str] = (),
        earlier: dict[str, str] | None = None,
    ) -> None:
        self._secret = secret
        self._patient_id = patient_id
        self._count: Counter[str] = Counter()
        self._labels: defaultdict[str, Counter[PhiLabel]] = defaultdict(Counter)
        self._sexes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._linked: set[str] = set()
        self._compounds: dict[str, tuple[str, ...]] = {}
        self._together: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for name in names:
            self._count_words(name)
        self._originals = set(self._count) | set(forbidden)
        self.fakes: dict[str, str] = {}
        self._taken = set(map(name_key, (earlier or {}).values()))
        for key in self._count:
            kept = (earlier or {}).get(key)
            if kept and name_key(kept) not in self._originals:
                self.fakes[key] = kept
        aliases = self._misspelt()
        for key in self._count:
            if key not in self.fakes and key not in aliases:
                self.fakes[key] = self._draw(key)
        for key, right in aliases.items():
            self.fakes.setdefault(key, self.fakes[right])

    def fake(self, name: Name) -> str:
        """The name with each of its words replaced, in the same capitals and with the same marks."""
        text = _whole(name.text)
        initials = iter(self._compounds.get(_initials(text), ()))

        kept = _particles(WORD.findall(text))
        places = itertools.count()

        def fake_word(word: re.Match[str]) -> str:
            if next(places) in kept:
                return word[0]
            if len(word[0]) > 1:
                return shaped(word[0], self.fakes.get(word_key(word[0]), word[0]))
            known = self.fakes.get(next(initials, ""))
            return shaped(word[0], known[0] if known else self.fake_initial(word[0], name.label, name.group))

        fake = WORD.sub(fake_word, text)
        return " ".join(fake) if text != name.text and " " in name.text and " " not in text else fake

    def fake_word(self, word: str) -> str | None:
        """The fake word of a word that stands in a name of this patient, None for any other."""
        return self.fakes.get(word_key(word))

    def is_original(self, name: str) -> bool:
        """Whether a word identifies the patient, or someone in the documents."""
        return name_key(name) in self._originals

    def fake_initial(self, letter: str, label: PhiLabel, group: Sequence[str] = ()) -> str:
        """The initial of the fake name of whoever has this initial: someone of the same group first."""
        key = word_key(letter)
        near: Counter[str] = Counter()
        for word in group:
            near.update(self._together[word_key(word)])
        for words in (near, self._count):
            fitting = [word for word in words if word.startswith(key) and word in self.fakes]
            if words is self._count:  # anyone: then a first name for a first name
                fitting = [word for word in fitting if self._label(word) is label]
            if fitting:
                best = max(fitting, key=lambda word: (words[word], self._count[word]))
                return self.fakes[best][0]
        letters = [other for other in "ABCDEFGJLMNPRSTV" if other.lower() != key]
        return next(iter(self._secret.pick(letters, self._patient_id, "initial", label, key)))

    def _count_words(self, name: Name) -> None:
        words = split_name(name.text)
        group = [word_key(word) for text in name.group for word in split_name(text)]
        title = _TITLE.search(small(name.before[-30:]))
        if len(words) > 1 and all(len(word) > 1 for word in words):
            self._compounds.setdefault("".join(word_key(word)[0] for word in words), tuple(map(word_key, words)))
        kept = _particles(words)
        for place, word in enumerate(words):
            key = word_key(word)
            if len(key) < 2 or place in kept:
                continue
            self._count[key] += 1
            self._labels[key][name.label] += 1
            self._together[key].update(other for other in group if other != key)
            if title:
                self._sexes[key][FEMALE if title["f"] else MALE] += 1
            if (place == 0 and name.linked) or (place > 0 and small(words[place - 1]) in ("d", "l", "de")):
                self._linked.add(key)

    def _label(self, key: str) -> PhiLabel:
        labels = self._labels[key]
        return PhiLabel.PRENOM if labels[PhiLabel.PRENOM] > labels[PhiLabel.NOM] else PhiLabel.NOM

    def _misspelt(self) -> dict[str, str]:
        """Words written with a letter wrong or missing, with the word that they mean."""
        known = known_surnames() | sexes().keys()
        found: dict[str, str] = {}
        for key, count in self._count.items():
            if len(key) < _SHORTEST_MISSPELT or key in known:
                continue
            for right, times in self._count.items():
                if (
                    times > count
                    and right not in found
                    and self._label(right) is self._label(key)
                    and abs(len(right) - len(key)) < 2
                    and Levenshtein.distance(key, right, score_cutoff=1) == 1
                ):
                    found[key] = right
                    break
        return found

    def _draw(self, key: str) -> str:
        label = self._label(key)
        if label is PhiLabel.PRENOM:
            sex = sexes().get(key) or self._sex_of_titles(key) or (FEMALE if key[-1] in "ae" else MALE)
            pool = pools().first_names[sex]
        else:
            pool = pools().surnames
        candidates = list(self._secret.pick(pool, self._patient_id, label, key))
        fresh = (c for c in candidates if self._may_stand_for(key, c) and name_key(c) not in self._taken)
        fake = next(fresh, None) or self._compound(key, candidates)
        self._taken.add(name_key(fake))
        return fake

    def _may_stand_for(self, key: str, candidate: str) -> bool:
        fake = name_key(candidate)
        return (
            fake[0] != key[0]
            and fake not in self._originals
            and (key not in self._linked or (fake[0] in _VOWELS) == (key[0] in _VOWELS))
        )

    def _compound(self, key: str, candidates: Sequence[str]) -> str:
        """Two names in one, for a patient whose documents name more people than there are names."""
        fitting = [candidate for candidate in candidates if self._may_stand_for(key, candidate)] or list(candidates)
        pairs = (f"{first}-{second}" for first in fitting for second in candidates if first != second)
        return next((pair for pair in pairs if name_key(pair) not in self._taken), fitting[0])

    def _sex_of_titles(self, key: str) -> str | None:
        told = self._sexes[key].most_common(1)
        return told[0][0] if told else None
