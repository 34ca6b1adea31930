"""The encounters of a life, with their facts and the documents that they may leave."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from rag.synth.life import Encounter, Life, at
from rag.synth.medicine import ANTICOAGULANTS, ANTIPLATELETS, Drug
from rag.synth.stroke import Course, draw_stroke, labs, pressure, stamp

_DAY = dt.timedelta(days=1)


def add_stroke(
    life: Life, dice: random.Random, role: str, day: dt.date, *, mrs_before: int, minor: bool = False
) -> Course:
    """A stroke with its stay. The index one leaves many documents, an old or later one a few."""
    index = role == "index"
    cardiac = "fa" in life.conditions and dice.random() < 0.85
    found = index and "fa" not in life.conditions and dice.random() < 0.16
    course = draw_stroke(
        dice, day, age=life.patient.age(day), cardiac=cardiac or found, mrs_before=mrs_before, minor=minor
    )
    if not index and course.dead:
        return add_stroke(life, dice, role, day, mrs_before=mrs_before, minor=True)
    place = life.places["chu" if index or dice.random() < 0.5 else "ch"]
    stay = life.meet(
        role, course.arrival.date(), course.leaves, place, dice.choice(place.doctors), stay="1", stroke="1"
    )
    stay.flags |= {"dead": "1"} if course.dead else {}
    life.know(stay, course.facts)
    fa = "1" if "fa" in life.conditions else "2" if found else "0"
    life.know(stay, {("fa", ""): fa, **_body(life, dice)})
    if index and "diabete" not in life.conditions and dice.random() < 0.08:
        life.conditions["diabete"], life.diabetes = course.arrival.date() + _DAY, "2"
        life.know(stay, {("diabete_trouve", ""): "2", ("hba1c", ""): f"{dice.uniform(6.6, 9.4):.1f}"})
    before = usual(life, stay.start)
    life.treat(stay, "in", before)
    if not course.dead:
        life.treat(stay, "out", _after_stroke(life, dice, course, before, fa))
    _stroke_documents(life, dice, stay, course)
    if not index:
        others = [planned for planned in stay.documents if planned.kind != "crh"]
        kept = dice.sample(others, min(len(others), dice.randrange(0, 5)))
        stay.documents = [planned for planned in stay.documents if planned.kind == "crh" or planned in kept]
    if found:
        life.conditions["fa"] = course.arrival.date() + _DAY
    return course


def usual(life: Life, day: dt.date) -> list[Drug]:
    """The treatment at home of a day: the last one prescribed, else the one that the conditions call for."""
    done = [encounter for encounter in life.encounters if encounter.start <= day]
    for encounter in sorted(done, key=lambda encounter: encounter.start, reverse=True):
        for moment in ("out", ""):
            if (encounter.name, moment) in life.treatments:
                new = {name: since for name, since in life.conditions.items() if encounter.start < since <= day}
                return _added(life.treatments[encounter.name, moment], life.pharmacy.usual(new, life.diabetes, day))
    return life.pharmacy.usual(life.conditions, life.diabetes, day)


def _added(drugs: list[Drug], new: list[Drug]) -> list[Drug]:
    drugs = [*drugs, *(drug for drug in new if all(drug.group != other.group for other in drugs))]
    if any(drug.group in ANTICOAGULANTS for drug in new):
        return [drug for drug in drugs if drug.group not in ANTIPLATELETS]
    return drugs


def _after_stroke(life: Life, dice: random.Random, course: Course, before: list[Drug], fa: str) -> list[Drug]:
    pharmacy = life.pharmacy
    drugs = pharmacy.changed(pharmacy.without_antithrombotics(before))
    if fa != "0":
        groups = dice.choices([["aod"], ["avk"], ["hbpm"], ["aod", "aspirine"], ["aspirine"], []], [70, 8, 4, 7, 6, 5])[
            0
        ]
    else:
        groups = dice.choices(
            [["aspirine"], ["clopidogrel"], ["aspirine", "clopidogrel"], ["aod"], []], [58, 14, 20, 4, 4]
        )[0]
    if dice.random() < 0.78 and all(drug.group != "statine" for drug in drugs):
        groups = [*groups, "statine"]
    if dice.random() < 0.3 and all(drug.group not in ("iec", "ara2") for drug in drugs):
        groups = [*groups, "iec"]
    return [*[pharmacy.drug(group) for group in groups], *drugs]


def _body(life: Life, dice: random.Random) -> dict[tuple[str, str], str]:
    height = round(dice.gauss(161 if life.patient.female else 174, 6))
    weight = round(dice.gauss(25.8, 4.2) * (height / 100) ** 2)
    weight = max(41, min(138, weight))
    return {("poids", ""): str(weight), ("taille", ""): str(height), ("imc", ""): f"{weight / (height / 100) ** 2:.1f}"}


def _stroke_documents(life: Life, dice: random.Random, stay: Encounter, course: Course) -> None:
    index = stay.role == "index"
    low = 0.0 if index else 0.45  # an older stroke leaves fewer documents
    arrival, last = course.arrival, dt.datetime.combine(course.leaves, dt.time(15, dice.randrange(60)))
    image = dt.datetime.fromisoformat(course.facts["heure_imagerie", ""])
    first = life.places["ch"] if course.transferred else stay.place
    if dice.random() < 0.75:
        stay.plan("samu", "samu", arrival - dt.timedelta(minutes=dice.randrange(12, 30)), 0.6 - low)
    stay.plan("urgences", "in", arrival + dt.timedelta(minutes=8), 1 - low, first)
    stay.plan("imagerie", "init", image, 0.98 - low, first, init="1", irm=str(int(course.facts["imagerie", ""] == "1")))
    if course.transferred:
        stay.plan("transfert", "in", image + dt.timedelta(minutes=30), 0.7 - low, first)
        stay.plan("urgences", "in2", course.transferred + dt.timedelta(minutes=10), 0.6 - low, second="1")
    if course.thrombectomy:
        puncture = dt.datetime.fromisoformat(course.facts["ponction", ""])
        stay.plan("thrombectomie", "tm", puncture + dt.timedelta(minutes=100), 0.97 - low)
        stay.plan("anesthesie", "tm", puncture + dt.timedelta(minutes=110), 0.2 - low, tm="1")
    stay.plan("biologie", "in", arrival + dt.timedelta(minutes=50), 0.5 - low, urgent="1")
    if course.days > 1:
        next_day = arrival.date() + _DAY
        stay.plan(
            "imagerie", "h24", at(next_day, 11, dice), 0.9 - low, None, control="1", irm=str(int(dice.random() < 0.35))
        )
        stay.plan("biologie", "h24", at(next_day, 7, dice), 0.55 - low, None, fasting="1")
        stay.plan("soins", "h24", at(next_day, 16, dice), 0.55 - low)
    if course.days > 2:
        stay.plan("cardiologie", "", at(arrival.date() + 2 * _DAY, 10, dice), 0.52 - low, None, ett="1")
        stay.plan("orthophonie", "j2", at(arrival.date() + 2 * _DAY, 14, dice), 0.4 - low)
        stay.plan("kine", "j2", at(arrival.date() + 2 * _DAY, 15, dice), 0.35 - low)
    for number in range(2, course.days):
        day = arrival.date() + number * _DAY
        stay.plan(
            "soins",
            f"j{number}",
            at(day, dice.choice([6, 13, 20]), dice),
            0.25 - low + dice.uniform(-0.1, 0.1),
            day=str(number),
        )
    stay.plan("crh", "out", last, 1 - low / 2)
    if not course.dead:
        stay.plan("ordonnance", "out", last, 0.3 - low)
        stay.plan("biologie", "out", at(course.leaves - _DAY, 7, dice), 0.22 - low)
        stay.plan("dietetique", "out", at(course.leaves - _DAY, 11, dice), 0.18 - low)
        stay.plan("cardiologie", "holter", at(course.leaves + 9 * _DAY, 11, dice), 0.3 - low, None, holter="1")


def add_rehabilitation(life: Life, dice: random.Random, course: Course, mrs: int) -> Encounter:
    """The stay in rehabilitation after the index stroke."""
    end = course.leaves + dt.timedelta(days=dice.randrange(16, 60))
    place = life.places["ssr"]
    stay = life.meet("ssr", course.leaves, end, place, dice.choice(place.doctors), stay="1", rehab="1")
    nihss = max(0, int(course.facts["nihss", "out"]) - dice.randrange(0, 4))
    facts = {
        ("mrs", "in"): str(course.mrs),
        ("mrs", "out"): str(mrs),
        ("nihss", "out"): str(nihss),
        ("destination", ""): "1" if mrs < 4 else dice.choice("14"),
    }
    facts |= {("nihss", "in"): course.facts["nihss", "out"], ("sortie", ""): f"{end}"}
    life.know(stay, facts | pressure(dice, "in") | pressure(dice, "out") | labs(dice, "in", 0.1))
    life.treat(stay, "in", usual(life, course.leaves))
    life.treat(stay, "out", life.pharmacy.changed(usual(life, course.leaves)))
    stay.plan("biologie", "in", at(course.leaves + 2 * _DAY, 8, dice), 0.12)
    stay.plan("kine", "in", at(course.leaves + 4 * _DAY, 10, dice), 0.2)
    stay.plan("orthophonie", "in", at(course.leaves + 5 * _DAY, 10, dice), 0.2)
    stay.plan("reeducation", "out", at(end, 14, dice), 0.55)
    stay.plan("ordonnance", "out", at(end, 15, dice), 0.1)
    return stay


def add_visit(
    life: Life, dice: random.Random, role: str, day: dt.date, kind: str, weight: float, **flags: Any
) -> Encounter:
    """A visit: the stroke clinic, the cardiologist, the practitioner. ``flags`` may give ``facts`` of its own."""
    facts = flags.pop("facts", {})
    place = life.places[flags.pop("at", "chu")]
    doctor = (
        life.gp
        if place is life.places["cabinet"]
        else life.cardiologist
        if kind == "cardiologie"
        else dice.choice(place.doctors)
    )
    visit = life.meet(role, day, day, place, doctor, visit="1", **flags)
    life.know(visit, pressure(dice, "") | facts)
    if dice.random() < 0.4:
        life.know(visit, {("poids", ""): str(round(dice.gauss(72, 12)))})
    if dice.random() < 0.45:
        life.know(
            visit,
            {
                ("ldl", ""): f"{max(0.8, dice.gauss(2.2, 0.7)):.1f}",
                ("hba1c", ""): f"{max(4.9, dice.gauss(6.2, 0.7)):.1f}",
            },
        )
    if kind == "cardiologie":
        life.know(visit, {("fevg", ""): str(round(dice.gauss(57, 7))), ("og", ""): str(round(dice.gauss(36, 6)))})
    life.treat(visit, "", life.pharmacy.changed(usual(life, day)) if dice.random() < 0.5 else usual(life, day))
    visit.plan(kind, "", at(day, dice.randrange(9, 18), dice), weight, ett="1" if kind == "cardiologie" else "")
    return visit


def add_death(life: Life, day: dt.date, written: dt.datetime) -> None:
    """A death after the stay, and the letter that tells it."""
    stay = life.encounter("index")
    if stay:
        life.know(stay, {("deces", ""): "1", ("date_deces", ""): f"{day}"})
        stay.plan("courrier", "death", written, 0.9, life.places["ch"], death="1")


def add_plain_stay(life: Life, dice: random.Random, day: dt.date, reason: dict[str, Any], mrs: int) -> Encounter:
    """A stay for something else than a stroke, with the same kinds of documents."""
    place = life.places[dice.choice(["ch", "ch", "chu", "clinique"])]
    if "gives" in reason:
        life.conditions.setdefault(reason["gives"], day + _DAY)
    nights = dice.randrange(*reason["days"])
    arrival = at(day, dice.randrange(7, 22), dice)
    end = day + nights * _DAY
    stay = life.meet(
        "", day, end, place, dice.choice(place.doctors), stay="1", reason=reason["name"], **{reason["name"]: "1"}
    )
    stay.flags |= {name: "1" for name in ("surgery", "neuro") if reason.get(name)}
    level = float(reason.get("inflamed", 0))
    facts: dict[tuple[str, str], str] = {
        ("arrivee", ""): stamp(arrival),
        ("admission", ""): f"{day}",
        ("sortie", ""): f"{end}",
    }
    facts |= (
        pressure(dice, "in")
        | pressure(dice, "out")
        | labs(dice, "in", level)
        | labs(dice, "h24", level)
        | labs(dice, "out", level / 4)
    )
    facts |= {
        ("temp", "in"): f"{dice.gauss(36.9 + 1.6 * level, 0.4):.1f}",
        ("mrs", "pre"): str(mrs),
        ("mrs", "out"): str(min(5, mrs + (dice.random() < 0.3))),
    }
    facts |= {("pneumopathie", ""): str(int(reason["name"] == "pneumonie" or (nights > 4 and dice.random() < 0.08)))}
    facts |= {
        ("destination", ""): dice.choices("124", reason.get("to", [80, 14, 6]))[0],
        ("gly", "in"): f"{max(3.8, dice.gauss(6.6, 1.6)):.1f}",
    }
    if dice.random() < 0.3:
        facts["fevg", ""] = str(round(dice.gauss(56, 8)))
    if reason.get("neuro") and dice.random() < 0.75:
        score = dice.choice([0, 0, 1, 1, 2, 3, 4])
        facts |= {("nihss", "in"): str(score), ("nihss", "out"): str(max(0, score - dice.choice([0, 1, 2])))}
        if dice.random() < 0.5:
            facts["nihss", "samu"] = str(score + dice.choice([0, 1, 2]))
    life.know(stay, facts)
    life.treat(stay, "in", usual(life, day))
    life.treat(stay, "out", life.pharmacy.changed(usual(life, day)))
    if reason.get("urgent", True):
        stay.plan("urgences", "in", arrival + dt.timedelta(minutes=25), 0.2)
        if dice.random() < 0.3:
            stay.plan("samu", "samu", arrival - dt.timedelta(minutes=30), 0.08)
    stay.plan("biologie", "in", arrival + dt.timedelta(minutes=55), 0.16)
    if reason.get("image"):
        stay.plan("imagerie", "init", arrival + dt.timedelta(minutes=90), 0.2, None, other=reason["image"])
    if reason.get("surgery"):
        stay.plan("anesthesie", "in", at(day, 17, dice), 0.15)
        stay.plan("bloc", "", at(day + _DAY, 10, dice), 0.15)
    for number in range(1, nights):
        stay.plan(
            "soins",
            f"j{number}" if number > 1 else "h24",
            at(day + number * _DAY, dice.choice([6, 14, 21]), dice),
            0.05 + dice.uniform(0, 0.08),
            day=str(number),
        )
    if nights > 3:
        stay.plan("biologie", "h24", at(day + _DAY, 7, dice), 0.1)
        stay.plan("kine", "h24", at(day + 2 * _DAY, 10, dice), 0.08)
    stay.plan("crh", "out", at(end, 15, dice), 0.32)
    stay.plan("ordonnance", "out", at(end, 16, dice), 0.1)
    return stay
