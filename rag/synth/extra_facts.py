"""What is true of the further subjects of a patient, and which documents tell it."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from rag.synth.config import SynthConfig
from rag.synth.extras import Subject, asked, of_patient
from rag.synth.facts import Fact, Key
from rag.synth.life import Encounter, Life, Planned
from rag.synth.load import data
from rag.synth.reference import when

_MOMENTS = frozenset({"samu", "in", "h24", "out", ""})
_INITIAL = {"init": "in"}
_NEEDED = frozenset({"index", "old", "ssr", "m3", "m6", "y1"})
#: Kinds of documents that look back over a stay.
_LOOKING_BACK = frozenset({"crh", "reeducation", "transfert", "courrier"})


@dataclass(frozen=True, slots=True)
class Telling:
    """What a document is to tell of a subject. ``before``: an earlier moment told in the same breath."""

    subject: Subject
    key: Key
    recalled: bool = False
    before: Key | None = None


@dataclass(slots=True)
class Extras:
    """The further subjects of a patient: tellings by document (its identity as a plan), and what cannot be asked.

    ``blurred``: concepts that some other words of an encounter's documents speak of.
    """

    subjects: tuple[Subject, ...] = ()
    tellings: dict[int, list[Telling]] = field(default_factory=dict)
    blurred: set[tuple[str, str]] = field(default_factory=set)
    contradictions: float = 0.0


def plan_extras(life: Life, config: SynthConfig) -> Extras:
    """Draw the subjects, their values and their tellings. Facts are added to the life."""
    dice = random.Random(f"{life.seed}/subjects")  # noqa: S311
    documents = sum(len(encounter.documents) for encounter in life.encounters)
    wanted = asked(config.vocabulary, config.seed, config.extras)
    count = min(config.extras, 4 + documents // 2)
    extras = Extras(of_patient(dice, wanted, count), contradictions=config.contradictions)
    for subject in extras.subjects:
        tellings = _tellings(life, subject, _asked_at(wanted.get(subject.name, ())), dice)
        keys = {telling.key for _, telling in tellings} | {t.before for _, t in tellings if t.before}
        _values(life, subject, keys, config, dice)
        for planned, telling in tellings:
            if telling.key in life.facts:
                extras.tellings.setdefault(id(planned), []).append(telling)
    return extras


def _asked_at(slots: Iterable[str]) -> set[tuple[str, str]]:
    """The role of the encounter and the moment of slots."""
    moments = [data("extra_moments.yml")[slot] for slot in slots]
    return {(moment["role"], moment["moment"]) for moment in moments if "role" in moment}


def _tellings(
    life: Life, subject: Subject, asked_at: set[tuple[str, str]], dice: random.Random
) -> list[tuple[Planned, Telling]]:
    fitting = [
        (encounter, planned)
        for encounter in life.encounters
        for planned in encounter.documents
        if planned.kind in subject.kinds
        and (_INITIAL.get(planned.moment, planned.moment) in _MOMENTS or planned.moment[:1] == "j")
    ]
    if subject.kind in ("date", "time"):
        return _once(life, subject, fitting, dice)
    most = min(9, 3 + sum(len(each.documents) for each in life.encounters) // 6)
    wanted = min(len(fitting), dice.randrange(1, 4) if subject.lasting else dice.randrange(1, most))
    ranked = sorted(
        fitting,
        key=lambda each: (
            -dice.random() - 0.3 * (each[0].role in _NEEDED) - 0.5 * ((each[0].role, each[1].moment) in asked_at)
        ),
    )
    found: list[tuple[Planned, Telling]] = []
    for encounter, planned in sorted(ranked[:wanted], key=lambda each: each[1].when):
        if subject.lasting:
            found.append((planned, Telling(subject, Key(encounter.name, subject.concept))))
            continue
        moment = _INITIAL.get(planned.moment, planned.moment)
        if subject.whole and moment == "out":
            moment = ""
        key = Key(encounter.name, subject.concept, moment)
        earlier = [_back(key, moment) for moment in _before(encounter, planned, subject)]
        sought = [key for key in earlier if (encounter.role, key.moment) in asked_at]
        if earlier and planned.kind in _LOOKING_BACK and dice.random() < (0.85 if sought else 0.5):
            past = dice.choice(sought or earlier)
            if subject.kind == "number" and dice.random() < 0.5 and past.moment != "pre":
                found.append((planned, Telling(subject, key, before=past)))
                continue
            found.append((planned, Telling(subject, past, recalled=True)))
        elif moment == "in" and encounter.role == "index" and "pre" in subject.slots and dice.random() < 0.75:
            found.append((planned, Telling(subject, _back(key, "pre"), recalled=True)))
        if dice.random() < 0.88:
            found.append((planned, Telling(subject, key)))
        far = [e for e in life.encounters if e.role in _NEEDED and e.end < planned.when.date() and e is not encounter]
        moments = [(e, m) for e in far[-4:] for m in _recallable(e, subject)]
        missed = [(e, m) for e, m in moments if (e.role, m) in asked_at]
        if moments and dice.random() < (0.6 if missed else 0.3):
            other, moment = dice.choice(missed or moments)
            found.append((planned, Telling(subject, Key(other.name, subject.concept, moment), recalled=True)))
    return found


def _before(encounter: Encounter, planned: Planned, subject: Subject) -> list[str]:
    """The earlier moments of a stay that a document may recall."""
    if planned.moment != "out" or subject.whole:
        return ["pre"] if planned.moment == "out" and "pre" in subject.slots and encounter.role == "index" else []
    days = (encounter.end - encounter.start).days
    found = ["in", "in", "h24"] if days > 1 else ["in"]
    found += [f"j{number}" for number in (2, 3, 5, 7, 7) if number < days]
    return found + (["pre"] if "pre" in subject.slots and encounter.role == "index" else [])


def _recallable(encounter: Encounter, subject: Subject) -> tuple[str, ...]:
    """The moments of an earlier encounter that are recalled."""
    return ("in", "out", "out") if "stay" in encounter.flags and not subject.whole else ("",)


def _back(key: Key, moment: str) -> Key:
    return key._replace(moment=moment)


def _once(
    life: Life, subject: Subject, fitting: list[tuple[Encounter, Planned]], dice: random.Random
) -> list[tuple[Planned, Telling]]:
    """A date or a time: one for an encounter, told there and perhaps recalled later."""
    found: list[tuple[Planned, Telling]] = []
    roles = (
        ("index", "old") if "stay" in subject.slots else ("ssr",) if "ssr_stay" in subject.slots else ("m3", "y1", "m6")
    )
    for role in roles:
        encounter = life.encounter(role)
        if encounter is None or (roles[0] == "m3" and found):
            continue
        key = Key(encounter.name, subject.concept)
        moment = dt.datetime.combine(encounter.start, dt.time()) + dt.timedelta(
            days=dice.randint(int(subject.low), int(subject.high)) if subject.kind == "date" else 0
        )
        if subject.kind == "date" and "stay" in encounter.flags:
            moment = min(moment, dt.datetime.combine(encounter.end, dt.time()))
        own = [(e, p) for e, p in fitting if p.when.date() >= moment.date() and e is encounter]
        later = [(e, p) for e, p in fitting if p.when.date() >= encounter.end and e is not encounter]
        chosen = dice.sample(own, min(len(own), dice.randrange(1, 3))) + dice.sample(
            later, min(len(later), dice.randrange(2))
        )
        if not chosen:
            continue
        if subject.kind == "date":
            value = f"{moment.date()}"
        else:
            value = f"{dice.randint(int(subject.low), int(subject.high)):02d}:{dice.randrange(0, 60, 5):02d}"
        life.facts[key] = Fact(value)
        found += [(p, Telling(subject, key, recalled=e is not encounter)) for e, p in chosen]
    return found


def _values(life: Life, subject: Subject, keys: Iterable[Key], config: SynthConfig, dice: random.Random) -> None:
    """Give the facts of a subject their values, in order of time."""
    latest: Key | None = None
    level, role, lasting, happened = dice.uniform(0.1, 0.9), "", "", dict[str, str]()
    for key in sorted(keys, key=lambda each: (when(life, each), each)):
        encounter = life.by_name(key.encounter)
        if key in life.facts:
            continue
        if subject.kind == "number":
            if subject.trend and encounter.role in ("index", "old") and role != key.encounter and key.moment != "pre":
                level = dice.uniform(0, 0.55) if subject.trend > 0 else dice.uniform(0.45, 1)
            level = min(1.0, max(0.0, level + subject.trend * dice.uniform(0, 0.2) + dice.gauss(0, 0.11)))
            value = _number(subject, level)
        elif subject.event:
            whole = happened.setdefault(key.encounter, str(int(dice.random() < subject.likely)))
            value = whole if key.moment in ("", "pre") else str(int(whole == "1" and dice.random() < 0.6))
        elif subject.kind == "yesno":
            value = str(int(dice.random() < subject.likely))
        else:
            changed = not lasting or dice.random() < 0.5
            value = dice.choice([code for code, _ in subject.choices]) if changed else lasting
        if subject.lasting:
            value = lasting or value
        lasting, role = value, key.encounter
        fact = Fact(value, silent=dice.random() < config.missingness)
        referable = not subject.event and not subject.lasting and key.moment not in ("in", "pre", "samu")
        if latest and referable and not fact.silent and dice.random() < config.anaphora:
            fact = Fact(life.facts[latest].value, like=latest)
            lasting = fact.value
        elif not fact.silent:
            latest = key
        life.facts[key] = fact


def _number(subject: Subject, level: float) -> str:
    steps = round(level * (subject.high - subject.low) / subject.step)
    return f"{subject.low + steps * subject.step:.{subject.decimals}f}"
