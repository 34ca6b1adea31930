"""How a document tells of the further subjects: words in its voice, at a place that fits."""

from __future__ import annotations

import datetime as dt
import random
import re
from typing import TYPE_CHECKING, Any

from rag.synth import reference
from rag.synth.extra_facts import Extras, Telling
from rag.synth.extras import Subject, subjects
from rag.synth.facts import Key
from rag.synth.grammar import capital
from rag.synth.life import Encounter
from rag.synth.load import data

if TYPE_CHECKING:
    from rag.synth.scene import Scene

_MARKS = re.compile(r"[\ue000-\uf8ff]")
_TABLE = re.compile(r"^[^|\t\d]{3,40}?(\s*\|\s*|\t|\s{3,}|\s?\.{4,}\s?)(?=\S)")
_FIELD = re.compile(r"^[^:.]{2,32} ?: \S")
_TERSE = frozenset({"telegraphic", "forms"})
#: Lines at the start and at the end of a document that are its letterhead and its signature.
_HEAD, _TAIL = 3, 2


def woven(scene: Scene, extras: Extras, blocks: list[str]) -> list[str]:
    """The blocks of a document with what it is to tell of the further subjects."""
    bare = _MARKS.sub("", "\n".join(blocks))
    spoken = {subject.name for subject in extras.subjects if subject.seen.search(bare)}
    extras.blurred |= {(subjects()[name].concept, scene.here.name) for name in spoken}
    groups: dict[str, list[Telling]] = {}
    for telling in extras.tellings.get(id(scene.planned), []):
        if telling.subject.name not in spoken:
            groups.setdefault(telling.subject.group, []).append(telling)
    if not groups:
        return blocks
    lines = "\n\n".join(blocks).split("\n")
    for group, members in groups.items():
        lines = _placed(scene, extras.contradictions, lines, group, members)
    return "\n".join(lines).split("\n\n")


def _placed(scene: Scene, contradictions: float, lines: list[str], group: str, tellings: list[Telling]) -> list[str]:
    """Add some tellings of a group to the lines: to a sentence, on lines of their own, or under a heading."""
    dice, spec = scene.dice, data("extra_groups.yml")[group]
    places = _places(lines)
    near = re.compile(spec["near"], re.IGNORECASE)
    fitting = [at for at in places if near.search(_MARKS.sub("", lines[at]))]
    if not places:
        places = [len(lines) - 1]
    at = dice.choice(fitting if fitting and dice.random() < 0.8 else places)
    line = _MARKS.sub("", lines[at])
    terse = scene.place.style in _TERSE
    prose = line.rstrip().endswith(".") and len(line) > 30
    if prose and dice.random() < (0.5 if terse else 0.8):
        said = _said(scene, contradictions, tellings, terse=terse and dice.random() < 0.5)
        if said:
            text = ". ".join(capital(each) for each in said) if dice.random() < 0.5 else capital(", ".join(said))
            lines[at] = f"{lines[at].rstrip()} {text}."
        return lines
    table = _TABLE.match(line)
    if table and all(telling.subject.kind == "number" and not telling.before for telling in tellings):
        new = [row for t in tellings if (row := _words(scene, contradictions, t, row=table[1]))]
    elif terse or _FIELD.match(line):
        new = _said(scene, contradictions, tellings, terse=True)
        join = dice.choice(["\n", "\n", ", ", " ; ", " - ", " / ", ". "])
        new = [capital(join.join(new))] if new else []
    else:
        new = [capital(each) + "." for each in _said(scene, contradictions, tellings, terse=False)]
        new = [" ".join(new)] if new and dice.random() < 0.6 else new
    if new and dice.random() < 0.15:
        head = scene.forms.heading(dice.choice(spec["heads"]))
        return [*lines[: at + 1], "", head, *new, "", *lines[at + 1 :]]
    return [*lines[: at + 1], *new, *lines[at + 1 :]]


def _places(lines: list[str]) -> list[int]:
    """The lines after which something may be said: of the body, no heading, within no other telling."""
    found, depth = [], 0
    filled = [at for at, line in enumerate(lines) if line.strip()]
    body = set(filled[_HEAD : max(_HEAD + 1, len(filled) - _TAIL)])
    for at, line in enumerate(lines):
        depth += sum(1 if "\ue000" <= sign < "\ue900" else -1 for sign in _MARKS.findall(line) if sign < "\uf200")
        bare = _MARKS.sub("", line).strip()
        heading = bare.endswith(":") or bare.isupper() or (len(bare) < 32 and not re.search(r"[\d.,;:]", bare))
        heading = heading or re.match(r"(===|- .* -$|\d\. \D+$)", bare) is not None or len(bare) < 4
        if at in body and depth == 0 and not heading and not bare.startswith(("- ", "• ")):
            found.append(at)
    return found


def _said(scene: Scene, contradictions: float, tellings: list[Telling], *, terse: bool) -> list[str]:
    return [text for telling in tellings if (text := _words(scene, contradictions, telling, terse=terse))]


def _words(scene: Scene, contradictions: float, telling: Telling, *, terse: bool = True, row: str = "") -> str | None:
    """One telling, marked; None if it is not to be told. ``row``: what parts the cells of a table's line."""
    from rag.synth.scene import Mark

    dice, subject, key = scene.dice, telling.subject, telling.key
    fact = scene.life.facts[key]
    if fact.silent:
        return None
    phrases: dict[str, Any] = data("extra_phrases.yml")
    kind = "choice" if subject.kind == "yesno" else subject.kind
    s = dice.choice(subject.say)
    if fact.like is not None and not telling.recalled and "same" in phrases[kind]:
        source = reference.source(scene, key)
        if source is not None:
            day = scene.forms.day(scene.ledger.documents[source.document_id][1])
            text = dice.choice(phrases[kind]["same"]).format(s=s, d=day)
            return scene.told([Mark(key, fact.value, source)], text)
    value = _remembered(scene.dice, contradictions, telling, fact.value)
    written = _written(scene, subject, key, value)
    when = _when(scene, key)
    if telling.before is not None:
        past = scene.life.facts[telling.before]
        if not past.silent and past.like is None:
            first = scene.told([Mark(telling.before, past.value)], _written(scene, subject, telling.before, past.value))
            then = scene.told([Mark(key, value)], written)
            template = dice.choice(phrases["number"]["pair"])
            return str(template.format(s=s, v1=first, q1=_when(scene, telling.before), v=then, q2=when))
    how = "terse" if terse else "prose"
    if telling.recalled or (key.moment == "out" and dice.random() < 0.5) or (key.moment and dice.random() < 0.12):
        how = "recall"
    templates = phrases[kind][how]
    said = subject.variants(value)
    if row and not telling.recalled:
        templates = [f"{{s}}{row}{{v}}"]
    elif said and dice.random() < 0.7:
        templates, written = phrases["words"]["recall" if how == "recall" else "own"], dice.choice(said)
    elif subject.phrases and how != "recall" and dice.random() < 0.5:
        templates = subject.phrases
    text = dice.choice(templates).format(s=s, v=written, w=written, q=when)
    return scene.told([Mark(key, value)], text)


def _written(scene: Scene, subject: Subject, key: Key, value: str) -> str:
    forms, dice = scene.forms, scene.dice
    match subject.kind:
        case "number":
            text = forms.number(float(value), subject.decimals)
            if subject.unit.startswith("/"):
                return text + subject.unit if dice.random() < 0.6 else text
            return f"{text} {subject.unit}" if subject.unit and dice.random() < 0.75 else text
        case "date":
            return forms.day(dt.date.fromisoformat(value))
        case "time":
            return forms.time(dt.time.fromisoformat(value))
        case "yesno":
            return str(dice.choice(data("extra_phrases.yml")["present" if value == "1" else "absent"]))
    return dice.choice(dict(subject.choices)[value]).lower()


def _remembered(dice: random.Random, contradictions: float, telling: Telling, value: str) -> str:
    """A recalled number is now and then remembered wrongly."""
    subject = telling.subject
    if not (telling.recalled and subject.kind == "number" and dice.random() < contradictions / 2):
        return value
    other = float(value) + dice.choice([-2, -1, 1, 2]) * subject.step
    return f"{min(subject.high, max(subject.low, other)):.{subject.decimals}f}"


def _when(scene: Scene, key: Key) -> str:
    """The words for a moment, seen from this document."""
    encounter = scene.life.by_name(key.encounter)
    slot = _slot(encounter, key.moment)
    here = encounter is scene.here
    days = int(key.moment[1:]) if key.moment[:1] == "j" else 1
    day = scene.forms.short(encounter.start + dt.timedelta(days=days))
    month = scene.forms.month(encounter.start)
    if slot is None:
        if here:
            return f"à J{days}" if key.moment[:1] == "j" else "ce jour"
        return f"en {month}" if "visit" in encounter.flags else f"lors de l'hospitalisation de {month}"
    words = scene.dice.choice(slot["said" if here else "from_far"])
    return str(words.format(jour=day, mois=month))


def _slot(encounter: Encounter, moment: str) -> dict[str, Any] | None:
    slots: dict[str, dict[str, Any]] = data("extra_moments.yml")
    roles = [encounter.role, "index"] if "stay" in encounter.flags else [encounter.role]
    if encounter.role not in ("index", "old", "ssr", "m3", "m6", "y1"):
        return None
    for role in roles:
        for slot in slots.values():
            if slot.get("role") == role and slot["moment"] == moment:
                return slot
    return None
