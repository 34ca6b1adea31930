"""When the symptoms began, and whether that is known: a time told by a witness, a waking, or only the last time seen well.

Each time of day that a document gives for the start is taken for what its words make of it: the time that the team
retained, the start, the last time seen well, or the moment of discovery (never a start). The hospital's words outweigh
those of the first call. When the start is a waking or unknown, the last time seen well stands for it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from generator.rules.annotate import Annotated
from generator.rules.chronology import is_duration
from generator.rules.cite import clause
from generator.rules.episode import Moment, Phase
from generator.rules.plan import Plan
from generator.rules.policies import vote
from generator.rules.reading import SILENT, Answer, Cite, PatientView, Reading
from generator.rules.stay import PREHOSPITAL, is_kind
from generator.rules.when import day_of_clock
from schema.document import DateMention
from schema.value import Status

_BEFORE, _AFTER = 100, 110


class _Kind(Enum):
    RETAINED = "retained"
    START = "start"
    WELL = "well"


@dataclass(frozen=True, slots=True)
class _Told:
    """One time given for the start, or for the last time seen well."""

    kind: _Kind
    when: dt.datetime
    weight: float
    cite: Cite


@dataclass(frozen=True, slots=True)
class _Onset:
    """All that the documents say of the start: times, signs of a waking stroke and of an unknown time."""

    told: tuple[_Told, ...]
    waking: tuple[tuple[float, Cite], ...]
    unknown: tuple[tuple[float, Cite], ...]

    @property
    def starts(self) -> list[_Told]:
        return [told for told in self.told if told.kind is _Kind.START]

    @property
    def mode(self) -> str:
        """ "known", "waking", "unknown", or "" when nothing is told."""
        waking, unknown = sum(w for w, _ in self.waking), sum(w for w, _ in self.unknown)
        known = sum(told.weight for told in self.starts)
        well = any(told.kind is not _Kind.START for told in self.told)
        if not (waking or unknown or known):
            return "unknown" if well else ""
        if known >= max(waking, unknown):
            return "known"
        return "waking" if waking else "unknown"


_SYMPTOM = (
    r"(?:hemipleg\w*|hemipares\w*|hemicorps|monopleg\w*|pares\w*|paralys\w*|deficit\w*|aphasi\w*|mutisme|dysarthri\w*|trouble\w*|faiblesse|"
    r"vertige\w*|cephale\w*|malaise|engourdi\w*|fourmill\w*|paresthesi\w*|diplopi\w*|ataxi\w*|chute|tombe\w*|lach\w*|echapp\w*|tient plus|parle\w*|"
    r"parole|bouche|visage|bras|jambe|main|membre|affaiss\w*|effondr\w*|perte|confus\w*|crise|convuls\w*|coma|brutal\w*|soudain\w*|brusque\w*|"
    r"douleur\w*|symptom\w*|instabil\w*|vomiss\w*|vision|hemianops\w*|asymetrie|deviation|voix|impotence|repond\w*)"
)
_RETAINED_BEFORE = re.compile(
    r"\b(?:retenue?s?|retient|retenons|on retiendra|retenir|corrigee?|reelle?|exacte?)\b[^.;\n\d]{0,45}$"
)
_RETAINED_AFTER = re.compile(
    r"^[^.;\n\d]{0,20}\b(?:est |sont |)?(?:retenue?|comme (?:heure|derniere|debut))\b|^\s*\(?\s*heure retenue"
)
_ABOUT_ONSET = re.compile(
    r"\b(?:debut\w*|horaire|heure|normal\w*|onset|symptom\w*|vue?|preuve|fonctionnement|installation|asymptomatique|sans deficit)\b"
)
_WELL_BEFORE = re.compile(
    r"(?:\bderniere? (?:fois|preuve|nouvelle|contact|temoignage|moment)\b[^.;\n]{0,60}|\bvue?s? (?:encore |pour la derniere fois |la derniere fois |\w+ment )?"
    r"(?:normale?|bien|asymptomatique|indemne|en forme|valide|sans (?:deficit|symptome|trouble|anomalie))\b[^.;\n]{0,50}|"
    r"\b(?:dfvn|dvn|lkw|lsw|lsn|dvb|dfvb|derniere vue|last (?:known|seen) (?:well|normal))\b[^.;\n]{0,25}|"
    r"\b(?:allait (?:tres )?bien|etait (?:tout a fait )?(?:bien|normale?|asymptomatique)|asymptomatique|encore (?:bien|normale?))\b[^.;\n]{0,30})$"
)
_WELL_AFTER = re.compile(
    r"^[^.;\n\d]{0,30}\b(?:vue? (?:normale?|bien|asymptomatique|sans)|(?:allait|va|etait) (?:tres )?bien|asymptomatique|comme derniere (?:preuve|fois)|"
    r"(?:dernier|derniere) (?:contact|fois|preuve)|tout allait bien|etait normale?|normale? (?:selon|d'apres|pour))"
)
_LAST_ACT = re.compile(
    r"\b(?:couchee?|coucher|endormie?|s'est (?:re)?levee?|est allee? (?:au lit|se coucher)|au lit|au telephone|jointe? par)\b[^.;\n]{0,40}$"
)
_START_BEFORE = re.compile(
    r"\b(?:debut\w*|debute\w*|survenue?s?|survient|survenant|apparition|apparue?s?|apparait|installation|installee?s?|onset|h0|t0|commence\w*|"
    r"constatee? en direct|heure (?:de debut|du debut|des symptomes|de survenue|d'apparition|d'installation))\b[^.;\n\d]{0,60}$"
)
_SYMPTOM_BEFORE = re.compile(rf"\b{_SYMPTOM}\b[^.;\n\d]{{0,40}}$")
_SYMPTOM_AFTER = re.compile(rf"^[^.;\n]{{0,70}}?\b{_SYMPTOM}\b")
_FOUND_BEFORE = re.compile(
    r"\b(?:retrouvee?|decouverte?|trouvee?|decouvre|retrouve|reveil\w*|leve[er]?|reveille\w*|constatee? (?:au|ce matin)|appel\w*|15|samu|pompiers|alert\w*|arriv\w*|"
    r"admis\w*|entree?|transfer\w*|examen|examine\w*|nihss|scanner|irm|tdm|bolus|tnk|alteplase|teneteplase|tenecteplase|actilyse|thrombolyse|tiv|ponction|aggrav\w*|"
    r"recupera\w*|regress\w*|depart|medecin|consult\w*|prise|pris|prevenue?|jointe?|remise?|visite|pompier|ambu\w*|smur|sur place|heure d'appel|iao|ioa|"
    r"passage|stent|anesthesie|intubation|opacification|acquisition|resultat|coronarographie|decision|conversion|fin|heparine|perfusion|edition|valide|dicte|vers)\b[^.;\n]{0,32}$"
)
_FOUND_AFTER = re.compile(
    r"^[\s:,()-]*(?:retrouvee?|decouverte?|reveil\b|appel|arrive|scanner|irm|bolus|alteplase|tnk|tenecteplase|actilyse|thrombolyse|ponction|transfert|depart|nihss|"
    r"aggravation|recidive|consultation|visite|retour|extubation|examen|urapidil|loxen|pa\b|ta\b|glyc)"
)
_WAKING = re.compile(
    r"\b(?:avc|infarctus|accident|ischemie|deficit|stroke)\s+(?:\w+\s+){0,4}?(?:du|au) reveil\b|\bwake[- ]?up\b|\b(?:constate\w*|decouvert\w*|present\w*|des|symptom\w*|deficit|trouble\w*) "
    r"(?:\w+ ){0,2}?(?:au|a son|lors du|le matin au) reveil\b|\b(?:au|a son|des le|des son) reveil\b[^.;\n]{0,60}|\bs'est (?:reveillee?|levee?) (?:\w+ ){0,4}?(?:avec|bizarre|paralys\w*|hemi\w*|aphasi\w*)|"
    r"\b(?:se reveille|reveillee?) (?:\w+ ){0,3}?(?:avec|paralys\w*|hemi\w*|aphasi\w*)|\bau lever\b[^.;\n]{0,40}"
)
_NOT_WAKING = re.compile(r"\b(?:pas|non|ni|sans|hors|aucun\w*|en dehors d)\b[^.;\n]{0,40}$")
_OTHER_REVEIL = re.compile(
    r"\b(?:salle de|sspi|anesthesi\w*|de reveil|sedation|extub\w*|arret des? sedat\w*|post-?operatoire|criteres?)\b"
)
_UNKNOWN = re.compile(
    r"\b(?:heure|horaire|debut|moment|installation)\b[^.;\n\d]{0,40}\b(?:inconnue?s?|indetermine\w*|imprecis\w*|non (?:connue?|precise\w*|determine\w*|datable)|incertaine?|ignoree?|pas connue?)\b|"
    r"\b(?:heure|debut) (?:exacte? )?(?:n'est |n'a |ne )?(?:pas )?(?:etre )?(?:precise\w*|connue?) (?:pas)\b|\b(?:impossible (?:a|de) dater|sans heure de debut|unknown onset)\b"
)
_SELF_FOUND = re.compile(
    r"\b(?:retrouvee?|decouverte?|trouvee?)\b[^.;\n]{0,50}\b(?:au sol|par terre|inconsciente?|au pied|dans (?:son|sa|le|la)|par (?:son|sa|ses|un|une|le|la|l'))"
)


def read_onset(view: PatientView, plan: Plan) -> Answer:
    """Date and time of the start, else of the last time seen well."""
    onset = _onset(view)
    retained = [told for told in onset.told if told.kind is _Kind.RETAINED]
    if onset.mode == "known":
        pool = [*onset.starts, *retained]
    else:
        pool = [told for told in onset.told if told.kind is not _Kind.START]
    if not pool:
        return SILENT
    readings = [
        Reading(t.when, (t.cite,), Moment(Phase.ADMISSION, t.when.date(), t.when.time()), t.weight) for t in pool
    ]
    return vote(readings)


def read_onset_mode(view: PatientView, plan: Plan) -> Answer:
    """The choice that says how the start is known; codes by the study file's ``settings`` (known, waking, unknown)."""
    onset = _onset(view)
    code = plan.hints.settings.get(onset.mode) if onset.mode else None
    if code is None:
        return SILENT
    if onset.mode == "known":
        backing = [(t.weight, t.cite) for t in onset.starts]
    elif onset.mode == "waking":
        backing = list(onset.waking)
    else:
        backing = [*onset.unknown, *((t.weight / 4, t.cite) for t in onset.told if t.kind is not _Kind.START)]
    cites = [cite for _, cite in sorted(backing, key=lambda item: -item[0])]
    return Answer(Status.FOUND, str(code), tuple(dict.fromkeys(cites))[:3], 0.9)


def _onset(view: PatientView) -> _Onset:
    told: list[_Told] = []
    waking: list[tuple[float, Cite]] = []
    unknown: list[tuple[float, Cite]] = []
    for document in view.documents:
        trust = _trust(view, document)
        if not trust:
            continue
        told += _times(view, document, trust)
        waking += [(trust, cite) for cite in _signs(document, _WAKING) if _is_waking(document, cite)]
        unknown += [(trust, cite) for cite in _signs(document, _UNKNOWN)]
        unknown += [(trust / 2, cite) for cite in _signs(document, _SELF_FOUND)]
    return _Onset(tuple(told), tuple(waking), tuple(unknown))


def _trust(view: PatientView, document: Annotated) -> float:
    """How much a document is believed on the start: the admitting team most, the first call least."""
    phase = view.timeline.document_phase(document)
    if phase is Phase.BEFORE:
        return 0.0
    if is_kind(document, PREHOSPITAL):
        return 0.6
    if phase is Phase.ADMISSION:
        return 0.8 if is_kind(document, ("imagerie", "irm", "scanner", "thrombectomie", "biologie")) else 2.0
    return {Phase.DISCHARGE: 1.6, Phase.FOLLOW_UP: 0.4}.get(phase, 0.5)


def _signs(document: Annotated, pattern: re.Pattern[str]) -> Iterator[Cite]:
    for match in pattern.finditer(document.folded):
        yield clause(document, match.start(), match.end())


def _is_waking(document: Annotated, cite: Cite) -> bool:
    low, _ = document.sentences[document.sentence_of(cite.start)]
    text = document.folded
    at = text.find("reveil", cite.start, cite.end)
    at = cite.start if at < 0 else at
    around = text[max(low, at - 45) : min(len(text), at + 30)]
    kind = document.section_of(cite.start).kind
    return not (_NOT_WAKING.search(text[low:at][-45:]) or _OTHER_REVEIL.search(around) or kind == "evolution")


def _times(view: PatientView, document: Annotated, trust: float) -> Iterator[_Told]:
    for mention in document.document.dates:
        if mention.clock is None or is_duration(document, mention):
            continue
        low, high = document.sentences[document.sentence_of(mention.start)]
        lead = document.folded[max(low, mention.start - _BEFORE) : mention.start]
        trail = document.folded[mention.end : min(high, mention.end + _AFTER)]
        sort = _sort(document, lead, trail, mention)
        if sort is None:
            continue
        kind, weight = sort
        day = day_of_clock(view.timeline, document, mention)
        if day is None:
            continue
        when = _before_arrival(view, document, mention, dt.datetime.combine(day, mention.clock))
        yield _Told(kind, when, trust * weight, clause(document, mention.start - len(lead) // 3, mention.end))


def _sort(document: Annotated, lead: str, trail: str, mention: DateMention) -> tuple[_Kind, float] | None:
    """What the words around a time make of it, and how plainly; None when it is not about the start."""
    retained = _RETAINED_BEFORE.search(lead) or _RETAINED_AFTER.match(trail)
    if retained and _ABOUT_ONSET.search(lead + trail):
        return _Kind.RETAINED, 8.0
    if _WELL_BEFORE.search(lead) or _WELL_AFTER.match(trail):
        return _Kind.WELL, 2.0
    found = _FOUND_BEFORE.search(lead)
    start = _START_BEFORE.search(lead)
    if start and not (found and found.start() > start.start()):
        return _Kind.START, 2.0
    if _LAST_ACT.search(lead):
        return _Kind.WELL, 0.5
    if found or _FOUND_AFTER.match(trail):
        return None
    if _SYMPTOM_BEFORE.search(lead):
        return _Kind.START, 1.0
    told = document.section_of(mention.start).kind in ("histoire", "motif", "indication", "")
    return (_Kind.START, 1.0) if told and _SYMPTOM_AFTER.match(trail) else None


def _before_arrival(view: PatientView, document: Annotated, mention: DateMention, when: dt.datetime) -> dt.datetime:
    """The day before, for a bare time later than the arrival: symptoms of "23h15" told by a patient arrived at 7h48."""
    episode = view.timeline.episode
    if mention.date is not None or episode.admission is None or episode.arrival is None:
        return when
    arrival = dt.datetime.combine(episode.admission, episode.arrival)
    late = when.date() == episode.admission and when.hour >= 17 and arrival.hour < 17 and when > arrival
    return when - dt.timedelta(days=1) if late else when
