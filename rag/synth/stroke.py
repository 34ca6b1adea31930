"""The course of one ischaemic stroke: what was found, done and measured, in an order that medicine allows."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field

Facts = dict[tuple[str, str], str]


@dataclass(slots=True)
class Course:
    """One stroke. ``facts`` by (concept, moment); the rest is what the documents' plan asks."""

    facts: Facts
    arrival: dt.datetime
    leaves: dt.date
    lysed: bool
    thrombectomy: bool
    dead: bool
    days: int
    mrs: int
    rehabilitation: bool
    transferred: dt.datetime | None = None
    flags: dict[str, str] = field(default_factory=dict)


def stamp(moment: dt.datetime) -> str:
    """A moment as REDCap writes it."""
    return f"{moment:%Y-%m-%d %H:%M}"


def draw_stroke(
    dice: random.Random, day: dt.date, *, age: int, cardiac: bool, mrs_before: int, minor: bool = False
) -> Course:
    """One stroke on a day; ``cardiac``: an embolic heart disease is known or will be found; ``minor``: a small one."""
    facts: Facts = {}
    arrival = dt.datetime.combine(day, dt.time(dice.randrange(6, 24), dice.randrange(60)))
    mode = dice.choices(["1", "2", "3"], [72, 18, 10])[0]
    delay = {"1": dice.randrange(40, 260), "2": dice.randrange(240, 720), "3": dice.randrange(300, 1100)}[mode]
    onset = arrival - dt.timedelta(minutes=delay)
    if mode == "1" and dice.random() < 0.6:
        onset -= dt.timedelta(minutes=onset.minute % 5)
    occlusion = _occlusion(dice, minor)
    posterior = occlusion in "56"
    side = "4" if occlusion == "6" and dice.random() < 0.5 else dice.choice("12")
    nihss = _first_nihss(dice, occlusion, minor)
    facts |= {("debut", ""): stamp(onset), ("arrivee", ""): stamp(arrival), ("admission", ""): f"{arrival:%Y-%m-%d}"}
    facts |= {("mode", ""): mode, ("cote", ""): side, ("occlusion", ""): occlusion, ("nihss", "in"): str(nihss)}
    facts["nihss", "samu"] = str(max(1, min(38, nihss + dice.choice([-4, -3, -2, 2, 3, -1, 1]))))
    for moment in ("samu", "in"):
        facts |= _pressure(dice, moment, 158, 22)
    facts["gly", "in"] = _one(dice, 7.2, 2.2, 3.6, 22)
    facts["gly", "samu"] = _one(dice, float(facts["gly", "in"]), 0.8, 3.5, 23)
    facts["mrs", "pre"] = str(mrs_before)
    image = arrival + dt.timedelta(minutes=dice.randrange(12, 75))
    facts |= {("imagerie", ""): dice.choices("12", [55, 45])[0], ("heure_imagerie", ""): stamp(image)}
    aspects = max(3, min(10, 10 - round(nihss / 6) + dice.choice([-2, -1, 0, 0, 1])))
    if not posterior:
        facts["aspects", ""] = str(aspects)
    lysed = mode == "1" and delay < 225 and nihss >= 4 and not minor and dice.random() < 0.72
    lysed = lysed or (mode == "2" and facts["imagerie", ""] == "1" and dice.random() < 0.25)
    thrombectomy = occlusion in "12567" and nihss >= 6 and not minor and dice.random() < 0.85
    thrombectomy = thrombectomy or (occlusion == "3" and nihss >= 8 and dice.random() < 0.25)
    facts["thrombolyse", ""] = str(int(lysed))
    facts["thrombectomie", ""] = str(int(thrombectomy))
    course = Course(facts, arrival, day, lysed, thrombectomy, False, 0, 0, False)
    clock = image + dt.timedelta(minutes=dice.randrange(10, 35))
    if lysed:
        facts |= {("agent", ""): dice.choice("112"), ("bolus", ""): stamp(clock)}
    if thrombectomy:
        if dice.random() < 0.3:
            course.transferred = clock + dt.timedelta(minutes=dice.randrange(50, 120))
            clock = course.transferred
            facts["nihss", "in2"] = str(max(1, min(40, nihss + dice.choice([-3, -2, 0, 0, 1, 2, 4]))))
        _thrombectomy(dice, facts, clock + dt.timedelta(minutes=dice.randrange(15, 60)))
    _aftermath(dice, course, nihss, age)
    _workup(dice, facts, cardiac, occlusion)
    return course


def _occlusion(dice: random.Random, minor: bool) -> str:
    if minor:
        return dice.choices("0345", [60, 22, 6, 12])[0]
    return dice.choices("01234567", [20, 12, 34, 14, 3, 5, 7, 5])[0]


def _first_nihss(dice: random.Random, occlusion: str, minor: bool) -> int:
    if minor:
        return dice.randrange(1, 5)
    mean, spread = {"0": (5, 3), "3": (8, 4), "4": (7, 3), "5": (5, 3), "6": (15, 8)}.get(occlusion, (15, 5))
    return max(1, min(34, round(dice.gauss(mean, spread))))


def _thrombectomy(dice: random.Random, facts: Facts, puncture: dt.datetime) -> None:
    passes = dice.choices([1, 2, 3, 4, 5], [42, 27, 16, 10, 5])[0]
    tici = dice.choices(["0", "1", "2a", "2b", "2c", "3"], [5, 2, 7, 26, 22, 38])[0]
    facts |= {("ponction", ""): stamp(puncture), ("passages", ""): str(passes), ("tici", ""): tici}
    if tici not in ("0", "1"):
        facts["recanalisation", ""] = stamp(puncture + dt.timedelta(minutes=14 + 13 * passes + dice.randrange(20)))
    facts["anesthesie", ""] = dice.choices("123", [35, 40, 25])[0]
    facts["technique", ""] = (
        dice.choices("123", [38, 18, 44])[0] if passes > 1 else dice.choices("123", [50, 24, 26])[0]
    )
    facts["complication", ""] = dice.choices("012345", [80, 7, 3, 4, 4, 2])[0]


def _aftermath(dice: random.Random, course: Course, nihss: int, age: int) -> None:
    facts = course.facts
    good = course.thrombectomy and facts["tici", ""] in ("2b", "2c", "3")
    gain = dice.uniform(0.15, 0.75) if good or course.lysed else dice.uniform(-0.15, 0.4)
    worse = nihss > 15 and not good and dice.random() < 0.35
    at_24 = max(0, min(38, round(nihss * (1.2 if worse else 1 - gain))))
    facts["nihss", "h24"] = str(nihss if dice.random() < 0.08 else at_24)
    bleeding = dice.choices(
        "012345", [68, 9, 7, 6, 4, 6] if course.lysed or course.thrombectomy else [88, 4, 3, 1, 1, 3]
    )[0]
    facts["transfo", ""] = bleeding
    serious = bleeding in "34" and dice.random() < 0.6
    facts["sich", ""] = str(int(serious))
    course.dead = nihss >= 12 and dice.random() < (0.3 if serious or worse else 0.06) + (0.08 if age > 85 else 0)
    days = dice.randrange(2, 8) if course.dead else max(2, min(28, round(dice.gauss(4 + nihss * 0.55, 2.5))))
    course.days, course.leaves = days, course.arrival.date() + dt.timedelta(days=days)
    facts["sortie", ""] = f"{course.leaves}"
    inhaled = nihss > 8 and dice.random() < 0.28
    facts["pneumopathie", ""] = str(int(inhaled))
    facts["deglutition", ""] = "1" if inhaled or (nihss > 9 and dice.random() < 0.7) else "0"
    facts |= _pressure(dice, "h24", 142, 14)
    facts |= {("temp", "in"): f"{dice.gauss(36.7, 0.3):.1f}", ("fc", "in"): str(round(dice.gauss(80, 13)))}
    if course.dead:
        facts |= {("destination", ""): "5", ("deces", ""): "1", ("date_deces", ""): f"{course.leaves}"}
        course.mrs = 6
        return
    last = int(facts["nihss", "h24"])
    for number in range(2, days):
        last = max(0, last + dice.choice([0, 0, 0, -1, -1, -1, -2, 1]))
        facts["nihss", f"j{number}"] = str(last)
        facts |= _pressure(dice, f"j{number}", 136, 13)
    last = max(0, last + dice.choice([0, 0, 0, -1, -1, -2]))
    facts["nihss", "out"] = str(last)
    facts |= _pressure(dice, "out", 132, 11)
    before = int(facts["mrs", "pre"])
    course.mrs = max(before, min(5, round(last / 3.4 + dice.choice([0, 0.4, 0.8, 1.3]))))
    facts["mrs", "out"] = str(course.mrs)
    home = course.mrs <= 2 or (course.mrs == 3 and dice.random() < 0.3)
    course.rehabilitation = not home and dice.random() < 0.72
    facts["destination", ""] = "1" if home else "2" if course.rehabilitation else dice.choice("334")


def _workup(dice: random.Random, facts: Facts, cardiac: bool, occlusion: str) -> None:
    facts["fevg", ""] = str(max(22, min(72, round(dice.gauss(48 if cardiac and dice.random() < 0.3 else 60, 7)))))
    facts["og", ""] = str(round(dice.gauss(44 if cardiac else 30, 6)))
    facts |= {("ldl", ""): _one(dice, 3.1, 0.95, 0.9, 7), ("hba1c", ""): _one(dice, 6.0, 0.8, 4.8, 11.5)}
    facts |= labs(dice, "in") | labs(dice, "h24") | labs(dice, "out")
    facts["stenose", ""] = (
        dice.choice(["60", "70", "75", "80", "90"])
        if occlusion in "17"
        else dice.choice(["0", "0", "0", "20", "30", "40"])
    )
    facts["fop", ""] = str(int(not cardiac and dice.random() < 0.15))
    facts["holter", ""] = dice.choice(["24", "48", "72", "168"])
    if cardiac:
        cause = "2" if dice.random() < 0.85 else "5"
    elif int(facts["stenose", ""]) >= 60:
        cause = "1"
    elif occlusion == "0" and int(facts["nihss", "in"]) < 8:
        cause = dice.choice("335")
    else:
        cause = dice.choices("145", [20, 12, 68])[0]
    facts["etiologie", ""] = cause


def labs(dice: random.Random, moment: str, level: float = 0) -> Facts:
    """Ordinary blood results of a moment; ``level`` 0 to 1: how inflamed."""
    return {
        ("creat", moment): str(max(38, round(dice.gauss(82, 20)))),
        ("hb", moment): f"{max(8.0, dice.gauss(13.3 - 1.5 * level, 1.3)):.1f}",
        ("crp", moment): str(max(1, round(dice.expovariate(1 / (6 + 90 * level))))),
        ("plaquettes", moment): str(round(dice.gauss(240, 50))),
        ("na", moment): str(round(dice.gauss(139, 2.5))),
        ("k", moment): f"{dice.gauss(4.1, 0.35):.1f}",
        ("leuco", moment): f"{max(3.1, dice.gauss(7.8 + 4 * level, 1.7)):.1f}",
    }


def _pressure(dice: random.Random, moment: str, mean: float, spread: float) -> Facts:
    systolic = max(92, min(232, round(dice.gauss(mean, spread))))
    diastolic = max(48, min(systolic - 28, round(systolic * 0.55 + dice.gauss(0, 6))))
    if dice.random() < 0.35:
        systolic, diastolic = round(systolic, -1), min(round(diastolic, -1), round(systolic, -1) - 30)
    return {
        ("pas", moment): str(systolic),
        ("pad", moment): str(diastolic),
        ("fc", moment): str(max(44, round(dice.gauss(77, 12)))),
    }


def pressure(dice: random.Random, moment: str) -> Facts:
    """Blood pressure and pulse of an ordinary day."""
    return _pressure(dice, moment, 137, 14)


def _one(dice: random.Random, mean: float, spread: float, low: float, high: float) -> str:
    return f"{max(low, min(high, dice.gauss(mean, spread))):.1f}"
