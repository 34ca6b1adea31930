"""Enumerations: where a document lists what the patient had, or takes, so that what it leaves out is absent.

An annotation rule may say that a list of history which does not name a disease answers "no", and a list of usual
drugs without a class too. Silence elsewhere answers nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generator.rules.annotate import Annotated
from generator.rules.cues import PREFIX
from generator.rules.episode import Phase
from generator.rules.matcher import Hit
from generator.rules.reading import Cite, PatientView
from generator.rules.stay import is_summary

_HISTORY_SECTIONS = ("antecedents", "facteurs_risque")
#: What may stand between "antécédents" and what they are: "ATCD (carte du patient) :", "antécédents d'HTA".
_OPENS = re.compile(r"(?:\s*\([^)]*\)|\s+[a-z/-]+){0,3}?\s*(?:[:=]|\b(?:deux points|de|des|sont|a type de)\b|d')|\s*$")
_ABBREVIATED = re.compile(r"(?:atcds?|antcds?|fdr\w*|fdrcv|frcv|frv|ttts?|trt)$")
_BLANK = re.compile(r"[ \t]+(?!fam|chir|n['e ])(?=\w)")
#: What may follow "aucun", "pas de" in an empty list; "pas de diabète" denies one disease only.
_NOTHING_AT_ALL = re.compile(
    r"\s*(?:$|[.,;)\n]|(?:notables?|particul\w*|signific\w*|connus?|a signaler|medica\w*|chirurg\w*|personnels?|"
    r"traitements?|ttt|antecedents?|atcd|facteurs?|cardio\w*|neuro\w*|vasculaires?|habituels?|au long cours|en cours|"
    r"chronique|de fond|[aà]u? domicile|medicamenteux|regulier|par ailleurs)\b)"
)
#: In the letter that sends the patient, "Ordonnance :" is what is taken at home.
_REFERRAL = re.compile(r"\b(?:medecin[ _]traitant|generaliste|adressage|cabinet)\b")
#: What is taken "now", written well into a stay, is what the stay gives.
_NOW = re.compile(r"\W*(?:traitements?|ttts?|trt|ordonnances?)\s+(?:actuel\w*|en cours|du jour|du moment)\b")
#: From this share of a summary on, the stay has been told.
_TOLD = 0.4
_SEPARATORS = re.compile(r"[,;+•\n]|\s-\s|\bet\b|\.\s")
#: Words of a list that is not one: "ATCD : cf courrier", "non connus".
_FEW_WORDS = 6


@dataclass(frozen=True, slots=True)
class Enumeration:
    """A list at [start, end) of a document; ``nothing`` when it says that there is nothing to list."""

    document: Annotated
    start: int
    end: int
    items: int
    nothing: bool = False

    def cite(self) -> Cite:
        """The first sentence of the list, its title included."""
        text = self.document.folded
        stop = min(self.end, self.document.sentences[self.document.sentence_of(self.start)][1])
        if stop - self.start < len("Antécédents :  "):  # the title has a line of its own
            stop = min(self.end, self.document.sentences[self.document.sentence_of(min(stop + 1, self.end - 1))][1])
        while stop > self.start + 1 and text[stop - 1].isspace():
            stop -= 1
        return Cite(self.document, self.start, stop)


def histories(view: PatientView) -> list[Enumeration]:
    """Lists of the patient's history or risk factors written before the follow-up, the fullest first."""
    return view.once("histories", _find_histories)


def home_treatments(view: PatientView) -> list[Enumeration]:
    """Lists of what the patient takes before the admission, in order of documents."""
    return view.once("home_treatments", _find_home_treatments)


def courses(view: PatientView) -> list[Cite]:
    """Sentences that tell how the stay went on; those that say it went well first."""
    return view.once("courses", _find_courses)


def _find_histories(view: PatientView) -> list[Enumeration]:
    found: list[Enumeration] = []
    for document in view.documents:
        if view.timeline.document_phase(document) is not Phase.FOLLOW_UP:
            found += enumerations(document, _HISTORY_SECTIONS, ("list.history",))
    return sorted(found, key=lambda e: (not e.nothing, -e.items))


def _find_home_treatments(view: PatientView) -> list[Enumeration]:
    found: list[Enumeration] = []
    for document in view.documents:
        phase = view.timeline.document_phase(document)
        if phase is Phase.FOLLOW_UP:
            continue
        early = phase <= Phase.ADMISSION
        prescribed_before = phase is Phase.BEFORE or (early and _REFERRAL.search(document.name) is not None)
        sections = ("traitement_entree", "traitement_sortie") if prescribed_before else ("traitement_entree",)
        cues = ("list.home", "list.treatment") if early else ("list.home",)
        found += [
            e
            for e in enumerations(document, sections, cues)
            if (e.nothing or names_drugs(document, e.start, e.end))
            and not _is_late(document, e.start)
            and not is_of_stay(view, document, e.start)
        ]
        found += _told_treatments(document, early)
    return found


def is_of_stay(view: PatientView, document: Annotated, position: int) -> bool:
    """Whether a place of a note written well into the stay is in a list of what is taken then."""
    if view.timeline.document_phase(document) is not Phase.STAY:
        return False
    low = document.sentences[document.sentence_of(position)][0]
    places = (low, document.section_of(position).start)
    return any(_NOW.match(document.folded, place) for place in places)


def _told_treatments(document: Annotated, early: bool) -> Iterator[Enumeration]:
    """Sentences that tell what is taken, of two drugs or more, or that nothing is: "prend habituellement …"."""
    prescribed = document.find(PREFIX + "list.prescribed") if early else ()
    for hit in (*document.find(PREFIX + "list.takes"), *prescribed):
        end = document.sentences[hit.sentence][1]
        if names_drugs(document, hit.end, end, least=2):
            yield from _judged(document, hit.start, hit.end, end)
    for hit in document.find(PREFIX + "list.takes.none"):
        low, end = document.sentences[hit.sentence]
        if _NOTHING_AT_ALL.match(document.folded, hit.end, end):
            yield Enumeration(document, low, end, 0, nothing=True)


def discharge_treatments(document: Annotated) -> list[Enumeration]:
    """Lists of what the patient leaves with, in a document of the discharge."""
    return [
        *enumerations(document, ("traitement_sortie",), ("list.discharge",)),
        *(e for e in enumerations(document, ("traitement_entree",), ()) if _is_late(document, e.start)),
    ]


def _is_late(document: Annotated, start: int) -> bool:
    """Whether a list that is only titled "Traitement" stands where a summary has told the stay already."""
    section = document.section_of(start)
    return (
        section.kind == "traitement_entree"
        and " " not in section.title.strip()
        and is_summary(document)
        and start >= _TOLD * len(document.folded)
        and all(other.kind != "traitement_sortie" for other in document.document.sections)
    )


def names_drugs(document: Annotated, start: int, end: int, least: int = 1) -> bool:
    """Whether at least so many drugs or classes of drugs are named within [start, end)."""
    named = {
        hit.start
        for name, hits in document.hits.items()
        if name.startswith("drug:") and not name.endswith("!")
        for hit in hits
        if start <= hit.start < end
    }
    return len(named) >= least


def enumerations(document: Annotated, sections: Sequence[str], cues: Sequence[str]) -> Iterator[Enumeration]:
    """The lists of one document: sections of these kinds, and sentences that one of these cues opens."""
    taken: list[tuple[int, int]] = []
    for section in document.document.sections:
        if section.kind in sections:
            taken.append((section.start, section.end))
            yield from _judged(document, section.start, section.body_start, section.end)
    for cue in cues:
        for hit in document.find(PREFIX + cue):
            if any(low <= hit.start < high for low, high in taken) or _of_family(document, hit):
                continue
            end = document.sentences[hit.sentence][1]
            taken.append((hit.start, end))
            if is_denied(document, hit):
                if _NOTHING_AT_ALL.match(document.folded, hit.end, end):
                    low = document.sentences[hit.sentence][0]
                    yield Enumeration(document, max(low, hit.start - 30), end, 0, nothing=True)
                continue
            opening = _OPENS.match(document.folded, hit.end, end) or _bare_title(document, hit)
            if opening:
                yield from _judged(document, hit.start, opening.end(), end)


def _bare_title(document: Annotated, hit: Hit) -> re.Match[str] | None:
    """The blank after an abbreviated title that opens its sentence without a colon: "ATCD HTA, DNID"."""
    abbreviated = _ABBREVIATED.match(document.folded, hit.start, hit.end)
    opens = not document.folded[document.sentences[hit.sentence][0] : hit.start].strip(" -•*")
    return _BLANK.match(document.folded, hit.end) if abbreviated and opens else None


def _judged(document: Annotated, start: int, body: int, end: int) -> Iterator[Enumeration]:
    """The list whose content lies in [body, end), unless it is empty or was not made, or may not be read whole."""
    if not document.is_readable(start, end):
        return
    content = document.folded[body:end].strip()
    if not content:
        return
    few = len(content.split()) <= _FEW_WORDS
    if few and any(True for _ in document.within(PREFIX + "list.unknown", body, end)):
        return
    first = next(document.within(PREFIX + "list.nothing", body, end), None)
    nothing = (
        first is not None
        and few
        and not document.folded[body : first.start].strip(" :-=.")
        and bool(_NOTHING_AT_ALL.match(document.folded, first.end, end))
    )
    yield Enumeration(document, start, end, 0 if nothing else 1 + len(_SEPARATORS.findall(content)), nothing)


def is_denied(document: Annotated, hit: Hit) -> bool:
    """Whether "aucun", "sans"… stands right before: "sans antécédent notable", "ne prend aucun traitement"."""
    low = document.sentences[hit.sentence][0]
    for nothing in document.within(PREFIX + "list.nothing", max(low, hit.start - 30), hit.start):
        if not document.folded[nothing.end : hit.start].strip():
            # "TA contrôlée sans traitement" speaks of something else than the usual treatment
            opens = not document.folded[low : nothing.start].strip()
            return document.folded[nothing.start : nothing.end] != "sans" or opens or "history" in hit.concept
    return False


def _of_family(document: Annotated, hit: Hit) -> bool:
    return bool(re.match(r"[\s\w]{0,25}\bfamilia", document.folded[hit.start : hit.end + 30])) or (
        document.in_section(hit.start, ("antecedents_familiaux",))
    )


def _find_courses(view: PatientView) -> list[Cite]:
    well: list[Cite] = []
    told: list[Cite] = []
    for document in reversed(view.documents):
        if view.timeline.document_phase(document) is not Phase.DISCHARGE:
            continue
        for name, cites in (("uneventful", well), ("course", told)):
            for hit in document.find(PREFIX + name):
                cites.append(Cite(document, *document.sentences[hit.sentence]))
        for section in document.document.sections:
            if section.kind == "evolution" and document.is_readable(section.start, section.end):
                told.append(Cite(document, section.start, min(section.end, section.start + 160)))
    return [*dict.fromkeys(well), *dict.fromkeys(told)]
