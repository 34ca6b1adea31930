"""Main path of a life: who, the years before, the index stroke, what follows; then which documents are kept."""

from __future__ import annotations

import datetime as dt
import random

from rag.synth import encounters
from rag.synth.config import SynthConfig
from rag.synth.life import Life, at
from rag.synth.load import data
from rag.synth.medicine import Pharmacy, draw_conditions
from rag.synth.people import doctor, make_hospital, make_patient
from rag.synth.stroke import Course, labs

_STYLES = ("letters", "telegraphic", "forms", "dictated")


def live(config: SynthConfig, dice: random.Random, patient_id: str, seed: str, documents: int) -> Life:
    """A life that leaves at least ``documents`` documents."""
    # from the years of thrombectomy on, and so that the last document is not of the future
    index_day = dt.date(2014, 1, 1) + dt.timedelta(days=dice.randrange(4330 - _days_after(documents)))
    patient = make_patient(dice, patient_id, index_day)
    years_before = max(1.0, min(14.0, documents / 10))
    conditions = draw_conditions(dice, patient, index_day)
    diabetes = "0" if "diabete" not in conditions else dice.choices("123", [8, 80, 12])[0]
    places = {
        kind: make_hospital(dice, kind, dice.choice(_STYLES) if config.style == "mixed" else config.style)
        for kind in ("chu", "ch", "clinique", "ssr", "cabinet")
    }
    smoking = dice.choices("012", [55, 25, 20])[0]
    alcohol = dice.choices("012", [62, 24, 14])[0]
    people = doctor(dice), doctor(dice)
    life = Life(seed, patient, index_day, conditions, diabetes, smoking, alcohol, Pharmacy(dice), places, *people)
    if smoking == "2" and dice.random() < 0.5:
        life.stopped_smoking = index_day + dt.timedelta(days=dice.randrange(30, 200))
    mrs = dice.choices([0, 1, 2, 3, 4], [62, 16, 11, 8, 3])[0]
    old = dice.random() < (0.22 if documents < 20 else 0.5)
    if old:
        day = index_day - dt.timedelta(days=dice.randrange(200, round(366 * years_before) + 400))
        course = encounters.add_stroke(life, dice, "old", day, mrs_before=0, minor=dice.random() < 0.5)
        mrs = max(course.mrs, mrs) if course.mrs < 5 else mrs
        conditions["avc"] = day
    elif dice.random() < 0.1:
        conditions["avc"] = index_day - dt.timedelta(days=dice.randrange(900, 6000))
    _routine(life, dice, index_day - dt.timedelta(days=round(years_before * 365)), index_day, documents * 0.28, mrs)
    course = encounters.add_stroke(life, dice, "index", index_day, mrs_before=mrs)
    _after(life, dice, course, documents)
    return life


def _days_after(documents: int) -> int:
    """How long a patient is followed after the index stroke."""
    return round(365 * max(0.4, min(6.0, documents / 22)))


def _after(life: Life, dice: random.Random, course: Course, documents: int) -> None:
    if course.dead:
        _fill_up(life, dice, documents, life.index_day - dt.timedelta(days=6000), life.index_day, 1)
        return
    mrs = course.mrs
    if course.rehabilitation:
        mrs = max(int(course.facts["mrs", "pre"]), mrs - dice.choice([0, 0, 1, 1, 2]))
        encounters.add_rehabilitation(life, dice, course, mrs)
    day = life.index_day + dt.timedelta(days=dice.randrange(78, 116))
    if course.mrs >= 4 and dice.random() < 0.3:
        died = course.leaves + dt.timedelta(days=dice.randrange(4, 60))
        encounters.add_death(life, died, at(died + dt.timedelta(days=6), 10, dice))
        _fill_up(life, dice, documents, life.index_day - dt.timedelta(days=6000), life.index_day, 1)
        return
    stay = life.encounter("index")
    if stay:
        life.know(stay, {("deces", ""): "0"})
    nihss = int(course.facts["nihss", "out"])
    until = life.index_day + dt.timedelta(days=_days_after(documents))
    for role, months in (("m3", 3), ("m6", 6), ("y1", 12), ("y2", 24)):
        if months > 3:
            day = life.index_day + dt.timedelta(days=round(30.5 * months) + dice.randrange(-15, 25))
        if day > until + dt.timedelta(days=40) or (months > 3 and dice.random() < 0.25):
            continue
        mrs = max(0, min(5, mrs + dice.choice([0, 0, 0, -1, -1, 1 if months > 3 else 0])))
        nihss = max(0, nihss + dice.choice([0, 0, -1, -2]))
        facts = {
            ("nihss", ""): str(nihss),
            ("mrs", ""): str(mrs),
            ("conduite", ""): str(int(mrs < 2 and dice.random() < 0.6)),
        }
        kind = "suivi" if dice.random() < 0.25 else "consultation"
        encounters.add_visit(
            life, dice, role, day, kind, 0.93 if role == "m3" else 0.4, facts=facts, stroke_visit="1", **{role: "1"}
        )
    _routine(life, dice, life.index_day + dt.timedelta(days=130), until, documents * 0.22, mrs)
    if documents > 40 and dice.random() < 0.3:
        later = life.index_day + dt.timedelta(days=dice.randrange(240, _days_after(documents)))
        encounters.add_stroke(life, dice, "later", later, mrs_before=mrs, minor=True)
    _fill_up(life, dice, documents, until - dt.timedelta(days=60), until, mrs)
    for role in ("m6", "y1", "y2"):
        _tell_readmission(life, course, role)


def _tell_readmission(life: Life, course: Course, role: str) -> None:
    """Whether the patient was in hospital again between the stroke and a visit, rehabilitation apart."""
    visit = life.encounter(role)
    if visit is not None:
        stays = [each for each in life.encounters if "stay" in each.flags and "rehab" not in each.flags]
        again = any(course.leaves < each.start < visit.start for each in stays)
        life.know(visit, {("rehosp", ""): str(int(again))})


def _fill_up(life: Life, dice: random.Random, documents: int, since: dt.date, until: dt.date, mrs: int) -> None:
    for _ in range(60):
        missing = documents - sum(len(encounter.documents) for encounter in life.encounters)
        if missing <= 0:
            return
        _routine(life, dice, since, until, missing + 2, mrs)


def _has(life: Life, condition: str, day: dt.date) -> bool:
    return condition in life.conditions and life.conditions[condition] <= day


def _routine(life: Life, dice: random.Random, since: dt.date, until: dt.date, wanted: float, mrs: int) -> None:
    """Visits and stays of ordinary years, until they leave about ``wanted`` documents."""
    since = max(since, life.patient.born + dt.timedelta(days=365 * 18))
    span = max(30, (until - since).days - 20)
    count = 0.0
    stays = [(each.start, each.end) for each in life.encounters if "stay" in each.flags]
    days: list[tuple[dt.date, bool]] = []
    reasons = data("reasons.yml")
    while count < wanted or not days:
        stay = dice.random() < (0.2 if wanted > 6 else 0.05)
        day = since + dt.timedelta(days=dice.randrange(span))
        if not any(start <= day <= end for start, end in stays):
            days.append((day, stay))
        count += 6 if stay else 1.1
    for day, stay in sorted(days):
        if stay:
            fitting = [each for each in reasons if "needs" not in each or _has(life, each["needs"], day)]
            encounters.add_plain_stay(life, dice, day, dice.choice(fitting), mrs)
            continue
        kind, place = dice.choices(
            [
                ("courrier", "cabinet"),
                ("consultation", "cabinet"),
                ("cardiologie", "clinique"),
                ("biologie", "cabinet"),
                ("specialite", "ch"),
                ("imagerie", "clinique"),
            ],
            [24, 20, 14, 22, 14, 6],
        )[0]
        flags = {"other": dice.choice(["thorax", "abdomen", "bassin", "crane"])} if kind == "imagerie" else {}
        facts = {("mrs", ""): str(mrs)} if kind in ("courrier", "consultation") and dice.random() < 0.3 else {}
        if kind == "biologie":
            facts |= labs(dice, "")
        encounters.add_visit(
            life, dice, "", day, kind, 0.15 + dice.uniform(0, 0.15), facts=facts, at=place, routine="1", **flags
        )
