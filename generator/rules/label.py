"""What a label asks for, in the words that a document would write: lexicon concepts, else forms of its own.

A label is understood when its words are all accounted for. "Diabète connu" is diabetes; "Pied diabétique" holds a word
that the concept does not cover, so it asks for something narrower, which only its own words can find.
"""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from generator.rules.drugs import PREFIX as DRUG
from generator.rules.lexicon import load_lexicon
from generator.rules.matcher import Matcher
from generator.rules.moments import without_moment
from generator.rules.numbers import canonical_unit
from generator.rules.text import fold

#: A misspelt label matches a form of the lexicon from this similarity on (0-100), and this length.
_SAME_WORD, _SHORTEST_MISSPELT = 90, 7

_PARENTHESES = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_NUMBERING = re.compile(
    r"^\s*\d{1,2}(?:\.\d{1,2})+\s+|^\s*(?:q?\d{1,2}(?:\.\d+)*\s?[a-z]?\s?[.):/-]\s*)+|\*+\s*$|^[-•*\s]+"
)
_QUESTION = re.compile(
    r"^\s*(?:(?:le|la) patiente?\b|avez-vous|a-t-il|y a-t-il|existe-t-il|presence d|notion d|si oui\b|a t il|"
    r"l[ea] (?:sujet|malade)\b)[^a-z]*"
)
_APART = re.compile(r"\s+(?:et/ou|ou)\s+|\s*[,;]\s*|(?<=[a-z]{3})\s*/\s*(?=[a-z]{3})")
_OR = re.compile(r"\s*(?:[/,;+&]|\b(?:et/ou|ou)\b)\s*(?:(?:un|une|de|des|du|la|le|les|d|l)\b[\s']*)*")
_WORD = re.compile(r"[a-z0-9œ]+(?:-[a-z0-9œ]+)*\+?")
_ABBREVIATION = re.compile(r"\b(?=[a-z0-9/-]*[A-Z][a-z0-9/-]*[A-Z])[A-Za-z][A-Za-z0-9/-]{1,11}\b")
_PROPER_NAME = re.compile(r"(?<=[a-zà-ÿ'’] )[A-Z][a-zà-ÿ]{3,}(?:-[A-Z][a-zà-ÿ]+)*\b")
#: "Taille de la végétation": documents write "végétation de 12 mm".
_SIZE_OF = re.compile(
    r"(?:taille|(?:plus )?grand diametre|diametre|longueur|epaisseur|grand axe|surface|volume)\s"
    r"(?:de la |de l'|du |des |de |d')"
    r"(?P<thing>.+)$"
)
#: Where a number is read ("FEVG à l'échographie", "lactate sur les gaz du sang"): its name is enough to find it.
_EXAMINATION = re.compile(
    r"\b(?:a l'|au|aux|a la|sur|par|en|lors d[eu]|de l'|de la|du)\s*(?:l'|la |le |les )?"
    r"(?:(?:echo\w*|ett|eto|ecg|electrocardiogramme|scanner|tdm|irm|radio\w*|biopsie|bilan|biologie|prelevement|"
    r"prise de sang|gaz du sang|gds|gazometrie|laboratoire|monitor\w*|spirometrie|efr|examen|air ambiant)\b"
    r"(?:\s(?:sanguin\w*|biologique|clinique|cardiaque|transthoracique|initiale?|arteriels?))?)"
)
_TREATED = re.compile(r"\b(?:traitement|therapie|chirurgie)s?\b")
_EXCLUDES = re.compile(r"\b(?:hors|sauf|sans|non|excepte|exclu\w*|pas|ni)\b")
#: Endings of adjectives: an alternative made of one alone ("carotidienne ou vertébrale") names nothing.
_ADJECTIVE = re.compile(r"(?:ale?s?|aux|aires?|iques?|elles?|iennes?|iens?|euse?s?|eux|ives?|ifs?|ees?|oires?)$")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for.

    Args:
        concepts: lexicon concepts that a label names with nothing left over; drugs with `DRUG` before.
        forms: forms of its own, for what the lexicon does not have.
        words: the content words, for what the kind of question is told by.
    """

    concepts: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def understood(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self.concepts or self.forms)


@functools.lru_cache(maxsize=4096)
def wanted_of(label: str, *, named: bool = False) -> Wanted:
    """What a label asks for.

    Args:
        named: the label names a measure or a score: a proper name in it ("indice de Breslow") suffices to find it.
    """
    remarks = [a or b for a, b in _PARENTHESES.findall(label)]
    outside = _PARENTHESES.sub(" ", label)
    core = _core(outside)
    bare = " ".join(_EXAMINATION.sub(" ", core).split())
    if not all(word in _words("vague") for word in _content(bare)):
        core = bare
    whole = _concepts(core, named) or _concepts(without_moment(fold(label)), named)
    concepts, forms = list(whole), []
    if not whole:
        parts = [part for part in _APART.split(core) if part]
        for part in parts if len(parts) > 1 else (core,):
            found = _concepts(part, named)
            concepts += found
            if not found and not (len(parts) > 1 and _names_nothing(part)):
                forms += _forms_of(part)
    if not concepts and named and (leading := _leading_measure(core)):
        concepts, forms = [leading], []
    if not concepts and (near := _misspelt(core)):
        concepts, forms = [near], []
    kinds = {_kind(concept) for concept in concepts}
    for remark in remarks:
        added = _of_remark(remark, kinds)
        concepts += added.concepts
        forms += added.forms
    if not concepts and not _TREATED.search(core) and len(_content(core)) == 1:
        forms += [a for match in _ABBREVIATION.finditer(outside) if (a := _searchable(match[0]))]
    if not concepts and named and (sized := _SIZE_OF.match(core)):
        forms += _forms_of(sized["thing"])
    if not concepts and named:
        forms += [match[0] for match in _PROPER_NAME.finditer(outside)]
    return Wanted(tuple(dict.fromkeys(concepts)), tuple(dict.fromkeys(forms)), tuple(_content(core)))


def _leading_measure(core: str) -> str | None:
    """The measure that a label opens with, whatever it adds: "FiO2 lors de ces premiers gaz du sang".

    A complement makes it the measure of something else: "taille de la végétation".
    """
    hits = _hits(core)
    if hits and hits[0][1] == 0 and _kind(hits[0][0]) == "measure" and not _COMPLEMENT.match(core, hits[0][2]):
        return hits[0][0]
    return None


_COMPLEMENT = re.compile(r"\s*(?:de|du|des|d')\b")


@functools.lru_cache(maxsize=1024)
def concepts_named(folded: str) -> tuple[str, ...]:
    """All the concepts that a folded text names, such as the title of a document."""
    return tuple(dict.fromkeys(concept for concept, _, _ in _hits(folded)))


def drugs_named(text: str) -> tuple[str, ...]:
    """Drugs of a note's sentences that leave nothing out: "Bisphosphonate, dénosumab. Calcium seul = Non." """
    found: list[str] = []
    for sentence in re.split(r"[.;]", fold(text)):
        if not re.search(r"=\s?non\b|\bne compt|\bhors\b|\bsauf\b|\bexclu|\bpas\b|\bseule?s?\b", sentence):
            found += [concept for concept, _, _ in _hits(sentence) if concept.startswith(DRUG)]
    return tuple(dict.fromkeys(found))


def _core(outside: str) -> str:
    """A label without numbering, question, unit and words of time, folded."""
    text = _QUESTION.sub(" ", _NUMBERING.sub("", fold(outside)))
    text = re.sub(r"/\s?\d+\b|\?", " ", text)
    text = re.sub(r"\s[:=-]\s*$|\s*[:=]\s*(?=$)", " ", without_moment(text))
    words = text.split()
    while len(words) > 1 and re.search(r"[/%]|\d", words[-1]) and canonical_unit(words[-1]):
        words.pop()
    return " ".join(words).strip(" ,:;.-")


def _hits(folded: str, named: bool = False) -> list[tuple[str, int, int]]:
    """Concepts found in a folded text, longest first at each place, without those that an exception covers.

    Of two that the same words name, the kind that the question asks for wins, then the narrower.
    """
    hits = _matcher().find(folded, [(0, len(folded))])
    barred = [(hit.concept[:-1], hit.start, hit.end) for hit in hits if hit.concept.endswith("!")]
    kept: list[tuple[str, int, int]] = []
    covered = -1
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end, *_rank(hit.concept, named))):
        if hit.concept.endswith("!") or hit.start < covered:
            continue
        if any(name == hit.concept and a <= hit.start and hit.end <= b for name, a, b in barred):
            continue
        kept.append((hit.concept, hit.start, hit.end))
        covered = hit.end
    return kept


def _rank(concept: str, named: bool) -> tuple[bool, bool, int]:
    name = concept.removesuffix("!")
    return (_kind(name) == "measure") is not named, name.startswith(DRUG), -_depth(name)


@functools.cache
def _depth(concept: str) -> int:
    """How many broader entries an entry lies under."""
    prefix, file = (DRUG, "drugs") if concept.startswith(DRUG) else ("", "concepts")
    parents = load_lexicon(file)[concept.removeprefix(DRUG)].get("parents", ())
    return 1 + max((_depth(prefix + parent) for parent in parents), default=0)


def _concepts(folded: str, named: bool = False) -> tuple[str, ...]:
    """The concepts that a text names; none when a word of content is left over."""
    hits = _hits(folded, named)
    if not hits:
        return ()
    left = list(folded)
    for _, start, end in hits:
        left[start:end] = " " * (end - start)
    for (name, _, end), (other, start, _) in itertools.pairwise(hits):
        if name != other and not _OR.fullmatch(folded[end:start]):
            return ()  # "hémorragie du post-partum" is not either of the two
    names = tuple(dict.fromkeys(concept for concept, _, _ in hits))
    rest = _content("".join(left))
    if kinds_of(names) == {"drug"}:
        rest = [word for word in rest if word not in _words("routes")]
    if rest and not all(_is_linked(word) for word in rest):
        return ()
    if _TREATED.search(folded) and kinds_of(names) == {"condition"}:
        return ()  # "Traitement de l'HTA" asks for a drug, not for the disease
    return names


def _is_linked(word: str) -> bool:
    """Single letters and figures that hang on a concept ("CHA2DS2-VASc (0 9)", "protéinurie des 24h")."""
    return len(word) == 1 or word.rstrip("h").isdigit()


def _content(folded: str) -> list[str]:
    furniture = _words("furniture")
    return [word for word in _WORD.findall(folded) if word not in furniture]


@functools.cache
def _words(name: str) -> frozenset[str]:
    return frozenset(load_lexicon("labels")[name])


def _names_nothing(part: str) -> bool:
    words = _content(part)
    return not words or (len(words) == 1 and bool(_ADJECTIVE.search(words[0])) and not words[0].isupper())


def _forms_of(part: str) -> list[str]:
    """Forms of a phrase that the lexicon does not have: as written, and its words in order with any ending."""
    words = _content(part)
    if not words or all(word in _words("vague") for word in words):
        return []
    if len(words) == 1 and not _searchable(words[0]):
        return []
    if _TREATED.search(part) and _hits(part):
        return [part]
    if re.search(r"[<>≥≤=]", part):
        return []
    first, last = part.find(words[0]), part.rfind(words[-1]) + len(words[-1])
    forms = [part[first:last]]
    if len(words) == 1 and len(words[0]) >= 7:
        forms.append(_stem(words[0]))
    elif 2 <= len(words) <= 4 and all(len(word) >= 3 for word in words):
        forms.append("…".join(_stem(word) for word in words))
    return forms


def _stem(word: str) -> str:
    """A word with any ending: "vertébrale" → "vertebral*"."""
    stem = (
        re.sub(r"(?:aux|ales?|al|i(?:f|ve)s?|es|e|s|x)$", lambda m: m[0][0] if m[0][0] in "ai" else "", word)
        if len(word) > 5
        else word
    )
    return stem + "*" if len(word) > 5 and len(stem) >= 4 else word


def _searchable(word: str) -> str:
    """The word, or "" when everyday words are written the same ("EN", "PAS")."""
    return "" if len(word) < 2 or fold(word) in _words("deceptive") or canonical_unit(word) else word


def _of_remark(remark: str, kinds: set[str]) -> Wanted:
    """What brackets add: another name of the same thing ("(AVC)", "(infarctus, angor)"), not a unit or a rule."""
    folded = fold(remark)
    if canonical_unit(remark) or _EXCLUDES.search(folded) or not without_moment(folded) or re.search(r"/\s?\d", folded):
        return Wanted()
    concepts: list[str] = []
    forms: list[str] = []
    for written in re.split(r"\s*[,;]\s*|\s+ou\s+|\s*/\s*", remark):
        found = _concepts(fold(written))
        if found and (not kinds or {_kind(name) for name in found} <= kinds):
            concepts += found
        elif not found and _ABBREVIATION.fullmatch(written) and _searchable(written):
            forms.append(written)
    return Wanted(tuple(concepts), tuple(forms))


def _kind(concept: str) -> str:
    """The kind of a concept; conditions and events are asked alike, and so are measures and scores."""
    if concept.startswith(DRUG):
        return "drug"
    kind = str(load_lexicon("concepts")[concept].get("kind", ""))
    return {"event": "condition", "score": "measure"}.get(kind, kind)


def kinds_of(concepts: tuple[str, ...]) -> set[str]:
    """Kinds of some concepts: "condition", "measure", "procedure", "person" or "drug"."""
    return {_kind(concept) for concept in concepts}


def _misspelt(core: str) -> str:
    """The concept of which the words are a misspelt form; "" when there is none."""
    words = _content(core)
    phrase = " ".join(words)
    if len(phrase) < _SHORTEST_MISSPELT or all(word in _words("vague") for word in words):
        return ""
    alike = [form for form in _all_forms() if form[0] == phrase[0]]
    best = process.extractOne(phrase, alike, scorer=fuzz.ratio, score_cutoff=_SAME_WORD)
    return _all_forms()[best[0]] if best else ""


@functools.cache
def _all_forms() -> dict[str, str]:
    """Long forms of the lexicon → concept; narrow concepts come last and win."""
    return {
        fold(form): concept
        for concept, forms in reversed(_lexicon().items())
        if not concept.endswith("!")
        for form in forms
        if len(form) >= _SHORTEST_MISSPELT and "*" not in form and "…" not in form
    }


@functools.cache
def _lexicon() -> dict[str, tuple[str, ...]]:
    """Forms by concept and, under "concept!", their exceptions; drugs have `DRUG` before their name."""
    forms: dict[str, tuple[str, ...]] = {}
    for prefix, file in (("", "concepts"), (DRUG, "drugs")):
        for name, entry in load_lexicon(file).items():
            forms[prefix + name] = (*entry["forms"], *((entry["label"],) if "label" in entry else ()))
            if entry.get("except"):
                forms[prefix + name + "!"] = tuple(entry["except"])
    return forms


@functools.cache
def _matcher() -> Matcher:
    return Matcher(_lexicon())
