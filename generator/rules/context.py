"""What is said of a mention: that it is denied, doubted, planned, declined, or another person's.

After ConText (Harkema et al. 2009): a cue acts from where it stands to the end of its scope. Scopes here follow
French reports: a comma ends the scope of "pas de" unless the list goes on ("pas d'HTA, de diabète ni de tabac"),
a colon after a relative ("Mère : HTA, diabète") opens one to the end of the sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from generator.rules.annotate import Annotated
from generator.rules.cues import PREFIX
from generator.rules.forms import answered
from generator.rules.matcher import Hit

_STOP_WORDS = (
    r"sauf|hormis|en dehors d|excepte|a part|si ce n'est|outre|alors que|tandis que|bien que|malgre|chez|sous|avec|"
    r"compliquant|devant|car|donc|ayant|secondaire|permettant|depuis|apres|des l|en raison|du fait|a cause|compte tenu|"
    r"au vu d"
)
_HARD_STOP = re.compile(
    r"[;!\n|]|\.(?!\d)|\s-\s|=>|->|\s{3,}|"
    r"\b(?:mais|puis|cependant|toutefois|par contre|en revanche|" + _STOP_WORDS + r")\b"
)
#: What was planned may be given up later in the sentence: "prévue puis annulée".
_GIVEN_UP_STOP = re.compile(r"[;!\n|]|\.(?!\d)|\b(?:" + _STOP_WORDS + r")\b")
_NEGATION_REACH, _AFTER_REACH, _PLAN_REACH, _FAMILY_REACH = 75, 40, 70, 90
_LIST_GOES_ON = re.compile(r"^\s*(?:ni\b|de\b|d'|ou\b|et\b|aucune?\b)")
_LIST_ENDS_SO = re.compile(r"^[^.;:\n]{0,60}?\b(?:ni|ou)\b")
#: "sans effet de masse (HI2)": what is denied is whole before the bracket; "pas de comorbidité (HTA)" is not.
_FULL_PHRASE = 3
#: "plus de fièvre" denies, "plus de 20 cigarettes" and "plus d'un paquet" count.
_COUNTS = re.compile(r"\s*(?:\d|une?\b|deux\b|trois\b|dix\b|vingt\b|la moitie)")
#: "non" denies the word that follows it and no other: "non fumeur, HTA".
_NEXT_WORD = re.compile(r"^[\s-]*(?:d'|de\s+)?$")
#: "Diabète : non     HTA": what answers one column says nothing of the next.
_ANSWERS = ("non", "aucun", "aucune", "jamais", "absent", "absente", "neant")
_WIDE = re.compile(r"\s{2}")
#: "0 tabac", "Scope : 0 FA": a zero that opens an item counts none of what follows; "NIHSS : 0 HTA" is a score.
_ZERO_BEFORE = re.compile(r"(?:^\W*|[,;(/>]\s?|\s-\s|\bet\s|(?P<colon>:\s?))[0o]\s(?:\w+\s){0,2}$")
_LABEL_REACH = 25
#: "Il n'y a pas chez ce patient d'angor", "n'avons pas vu, en cinq jours, de FA": the article denies again.
_ADJUNCT = re.compile(
    r"^(?P<verb>[^,]{0,30}?)(?:,[^,;:.]{3,60},|\b(?:chez|depuis|apres|avec|sous|malgre)\b[^,;:.]{2,40}?)\s*"
    r"(?P<article>(?:d'|de\s|aucune?\s)(?:[\w']+\s){0,4}(?:d'|de\s|en faveur d'|en faveur de\s)?)$"
)
_VERB_BEFORE = re.compile(r"\bn(?:e\s+|')(?:l'|y\s+|en\s+|s'|se\s+)?$")
_VERB_AFTER = re.compile(r"^\s*(?:pas|jamais|aucun)\b")

#: Words of doubt that name a sign of the thing.
_SIGNS = ("evocat", "evoqu", "en faveur", "suspect", "suspic", "fait evoquer", "faisant evoquer")
#: "anti-luxation", "risque escarre": what is feared or prevented is not there.
_NOT_THE_THING = re.compile(r"\b(?:anti|risques?|precautions?|prevention|depistage)[\s-]$")

#: What may stand between a condition and the relative who has it: "AVC à 74 ans chez la", "diabète (".
_SAID_OF_RELATIVE = re.compile(
    r"^\s?(?:precoce\s*)?(?:a \d+ ans\s*)?"
    r"(?:\(|(?:\b(?:chez|dans|du|de|de la|de son|de sa|le|la|son|sa|un|une)\b|\s(?!\s))+$)"
)
#: A relative who is the subject of the sentence stays so after a comma: "Sa mère est décédée d'un AVC, diabétique".
_OPENS_SENTENCE = re.compile(r"^\W*(?:(?:son|sa|ses|le|la|les|un|une)\s+)?$")
_BACK_TO_PATIENT = re.compile(r"\b(?:patiente?|monsieur|madame|mme|mr?|il|elle|lui|qui|que)\b")
#: A thing that belongs to somebody else: "Eliquis 5 mg (au nom de l'épouse)", "Eliquis = épouse".
_BELONGS = re.compile(
    r"(?:\s\d[\d,.]*\s?m?g)?\s?\(?\s?"
    r"(?:=|(?:celui|celle|boite)?\s?(?:au nom d[eu]|appartenant au?|destinee? au?|prescrite? au?))"
    r"\s?(?:'|l'|la |le |son |sa |ses )*$"
)
#: "Fils : diabète", "Mari fumeur, diabétique": not "Fille présente, HTA connue", nor "Épouse : elle signale".
_OF_SUBJECT = re.compile(
    r"(?!.*\b(?:presente?|joint|joignable|appel\w*|preven\w*|accompagn\w*|aidante?|contact\w*|referente?|patiente?|monsieur|"
    r"madame|mme|il|elle|lui|confirm\w*|rapport\w*|signal\w*|decri\w*|dit|declar\w*|retrouv\w*|note)\b)"
    r"\s?(?::|(?:[\w'-]+\s){0,3}[\w'-]+,)\s(?:[\w'-]+\s){0,3}"
)
#: A relative who speaks is an informant: what is told is said of the patient.
_TELLS = re.compile(
    r"\b(?:confirm|rapport|signal|decri|precis|indiqu|expliqu|racont|dit|dis|declar|not|constat|trouv|retrouv|previen|"
    r"prevenu|inform|apprend|evoqu|souhait|selon|d'apres)\w*"
)


@dataclass(frozen=True, slots=True)
class Context:
    """What is said of one mention of the patient's documents."""

    negated: bool = False
    hypothetical: bool = False
    family: bool = False
    planned: bool = False
    declined: bool = False
    other_person: bool = False

    @property
    def affirmed(self) -> bool:
        """Said of the patient, as a fact."""
        return not (self.negated or self.hypothetical or self.family or self.planned or self.declined
                    or self.other_person)  # fmt: skip


def context_of(document: Annotated, hit: Hit) -> Context:
    """The context of one hit within its sentence."""
    return context_at(document, hit.start, hit.end, hit.sentence)


def context_at(document: Annotated, start: int, end: int, sentence: int) -> Context:
    """The context of ``document.folded[start:end]``, which lies in the sentence of that index."""
    low, high = document.sentences[sentence]
    text = document.folded
    answer = answered(text[low:high], start - low, end - low)
    negated = not answer if answer is not None else _negated(document, start, end, low, high)
    return Context(
        negated=negated,
        hypothetical=_hypothetical(document, start, end, low, high, negated=negated),
        family=_family(document, start, end, low, high),
        planned=_near(document, "plan", start, end, low, high),
        declined=_near(document, "declined", start, end, low, high),
        other_person=_other_person(document, start, end, low, high),
    )


def _masked(document: Annotated, kind: str, start: int, end: int, mention: int = -1) -> bool:
    """Whether a pseudo-cue ("pas de doute") covers the cue at [start, end); not one that runs into the mention itself.

    "Pas de récidive d'AVC" does not deny the stroke, but it denies the recurrence.
    """
    sentence = document.sentences[document.sentence_of(start)]
    masks = document.within(f"{PREFIX}{kind}.none", *sentence)
    return any(mask.start <= start and end <= mask.end and not mask.start < mention < mask.end for mask in masks)


def _negated(document: Annotated, start: int, end: int, low: int, high: int) -> bool:
    text = document.folded
    if _VERB_BEFORE.search(text[low:start]) and _VERB_AFTER.match(text[end:high]):
        return True
    if _counts_none(document, start, low):
        return True
    for cue in document.within(PREFIX + "negation.before", max(low, start - _NEGATION_REACH), start + 1):
        if cue.end > start or _masked(document, "negation", cue.start, cue.end, start):
            continue
        between = text[cue.end : start]
        word = text[cue.start : cue.end]
        if (word == "non" and not _NEXT_WORD.match(between)) or (word.startswith("plus d") and _COUNTS.match(between)):
            continue
        if word in _ANSWERS and _WIDE.match(between):
            continue
        if word.endswith("pas") and (adjunct := _ADJUNCT.match(between)):
            between = adjunct["verb"] + adjunct["article"]
        if _HARD_STOP.search(between) or ":" in between or ")" in between.split("(")[0]:
            continue
        if len(between.partition("(")[0].split()) >= _FULL_PHRASE and "(" in between:
            continue
        if "," in between and not _list_goes_on(between, text[end:high]):
            continue
        return True
    for cue in document.within(PREFIX + "negation.after", end, min(high, end + _AFTER_REACH)):
        between = text[end : cue.start]
        if _masked(document, "negation", cue.start, cue.end) or _HARD_STOP.search(between):
            continue
        if "," in between or ":" in between or "(" in between:
            continue
        if text[cue.end : cue.end + 12].lstrip().startswith(("seulement", "que ")):
            continue
        return True
    return False


def _counts_none(document: Annotated, start: int, low: int) -> bool:
    """Whether a zero stands before, as a count and not as the value of a score."""
    zero = _ZERO_BEFORE.search(document.folded[low:start])
    if zero is None:
        return False
    opening = low + zero.start()
    scores = document.measures_after(max(low, opening - _LABEL_REACH), opening)
    return zero["colon"] is None or not any(True for _ in scores)


def _list_goes_on(between: str, after: str) -> bool:
    """Whether a comma continues what is denied: "pas d'HTA, de diabète", "ni fièvre, toux ou dyspnée"."""
    items = between.split(",")[1:]
    if all(_LIST_GOES_ON.match(item) for item in items):
        return True
    return all(len(item.split()) <= 2 for item in items) and bool(_LIST_ENDS_SO.match(after))


def _hypothetical(document: Annotated, start: int, end: int, low: int, high: int, *, negated: bool) -> bool:
    """Whether the mention is doubted; a sign that is denied ("rien d'évocateur de") leaves a denial, not a doubt."""
    text = document.folded
    for cue in document.within(PREFIX + "hypothesis.before", max(low, start - 45), start + 1):
        between = text[cue.end : start]
        if cue.end > start or _masked(document, "hypothesis", cue.start, cue.end):
            continue
        if negated and text.startswith(_SIGNS, cue.start):
            continue
        if not (_HARD_STOP.search(between) or "," in between or ":" in between):
            return True
    for cue in document.within(PREFIX + "hypothesis.after", end, min(high, end + 30)):
        between = text[end : cue.start]
        if not (_HARD_STOP.search(between) or "," in between or "(" in between):
            return True
    if _NOT_THE_THING.search(text[low:start]):
        return True
    # "?" carries no letter, so the cue list of words cannot hold it.
    return bool(re.match(r"[^.,;:!\n]{0,25}\?", text[end:high]))


def _family(document: Annotated, start: int, end: int, low: int, high: int) -> bool:
    if document.in_section(start, ("antecedents_familiaux",)):
        return True
    text = document.folded
    cues = list(document.within(PREFIX + "family", max(low, start - _FAMILY_REACH), start + 1))
    for cue in reversed(cues):
        between = text[cue.end : start]
        if re.search(r"[;\n]|\.(?!\d)|\bmais\b|\bpersonnel", between) or (")" in between and "(" not in between):
            continue
        if _TELLS.search(between):
            continue
        if _OPENS_SENTENCE.match(text[low : cue.start]) and not _BACK_TO_PATIENT.search(between):
            return True
        if "," not in between or ":" in text[cue.start : cue.end + 3] or "familia" in text[cue.start : cue.end]:
            return True
    for cue in document.within(PREFIX + "family", end, min(high, end + 40)):
        titled = re.match(r"(?:atcd|antecedent|heredit|fam)", text[cue.start : cue.end])
        if not titled and _SAID_OF_RELATIVE.search(text[end : cue.start]):
            return True
    return False


def _near(document: Annotated, cue_name: str, start: int, end: int, low: int, high: int) -> bool:
    """Whether a cue stands in the same clause, before or after."""
    text = document.folded
    for cue in document.within(PREFIX + cue_name, max(low, start - _PLAN_REACH), min(high, end + _PLAN_REACH)):
        if (cue.start < end and cue.end > start) or _masked(document, cue_name, cue.start, cue.end):
            continue
        after = cue.start >= end
        between = text[end : cue.start] if after else text[cue.end : start]
        stop = _GIVEN_UP_STOP if after and cue_name == "declined" else _HARD_STOP
        if not (stop.search(between) or "," in between or ":" in between):
            return True
    return False


def _other_person(document: Annotated, start: int, end: int, low: int, high: int) -> bool:
    """Whether it is a relative's: the subject right before ("mari gros fumeur"), or the owner named right after."""
    text = document.folded
    for cue in document.within(PREFIX + "other_person", max(low, start - 60), start + 1):
        between = text[cue.end : start]
        if between.strip() == "(":
            return True
        if _OPENS_SENTENCE.match(text[low : cue.start]) and _OF_SUBJECT.fullmatch(between):
            return True
        if cue.end > start or re.search(r"[,;:.()\n]|\bet\b|\bque\b|\bdu patient\b|\bde la patiente\b", between):
            continue
        if not _TELLS.search(between):
            return True
    owners = (*document.within(PREFIX + "other_person", end, min(high, end + 40)),
              *document.within(PREFIX + "family", end, min(high, end + 40)))  # fmt: skip
    return any(_BELONGS.fullmatch(document.folded, end, cue.start) for cue in owners)
