"""Values made of several facts: who the patient is, the antecedents, a treatment."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING

from rag.synth.facts import Key
from rag.synth.grammar import SOFT, Slot
from rag.synth.load import grammar
from rag.synth.medicine import Drug

if TYPE_CHECKING:
    from rag.synth.life import Life
    from rag.synth.scene import Scene

#: Slots written here: treatment, antecedents, age, day of birth, "Mme Prénom NOM".
LISTS = frozenset({"ttt", "atcd", "age", "dob", "qui_est"})

_WITH_TREATMENT = ("antiagregant", "anticoagulant", "antithrombotique", "statine")
#: Whether the antecedents are told, and where from.
ANTECEDENTS = Key("", "atcd")
#: Conditions that a list of antecedents rules out by not naming them.
ASKED = ("hta", "diabete", "dyslipidemie", "fa", "avc", "coronaropathie", "cancer", "depression")
#: What is true of a patient from some day on, told as of the document's day.
LASTING = frozenset({*ASKED, "tabac", "alcool"})


def companions(life: Life, key: Key) -> list[Key]:
    """The coded facts that go with a treatment."""
    if key.concept != "ttt":
        return []
    keys = [Key(key.encounter, name, key.moment) for name in _WITH_TREATMENT]
    return [each for each in keys if each in life.facts]


def say(scene: Scene, slot: Slot) -> str | None:
    """The words of one of the ``LISTS``, marked."""
    match slot.name.partition("@")[0].rpartition(".")[2]:
        case "ttt":
            return _treatment(scene, slot)
        case "atcd":
            return _antecedents(scene)
        case "age":
            return _age(scene)
        case "dob":
            return _birth(scene)
    return _who(scene)


def _treatment(scene: Scene, slot: Slot) -> str | None:
    from rag.synth.scene import Mark

    key = scene.key(slot.name)
    if key is None:
        return None
    if not scene.can_tell(key):
        return None
    drugs = scene.life.treatments[key.encounter, key.moment]
    if drugs:
        dice = scene.dice
        branded, doses = dice.choice([0.0, 0.0, 0.0, 1.0, 1.0, 0.4]), dice.random() < 0.75
        ordered = dice.sample(drugs, len(drugs)) if dice.random() < 0.5 else drugs
        text = scene.forms.list_join.join(_drug(drug, branded, doses, dice) for drug in ordered)
        text = (
            f"- {text}" if scene.forms.list_join == "\n- " else f"• {text}" if scene.forms.list_join == "\n• " else text
        )
    else:
        text = grammar().rule("no_treatment", scene) or "aucun"
    keys = [key, *companions(scene.life, key)]
    return scene.told([Mark(each, scene.life.facts[each].value) for each in keys], text)


def _drug(drug: Drug, branded: float, doses: bool, dice: random.Random) -> str:
    name = drug.name
    if dice.random() < branded:
        name = drug.brand.upper() if branded == 1 or dice.random() < 0.5 else f"{drug.brand} ({drug.name})"
    if not doses:
        return name
    dose = drug.dose
    if dice.random() < 0.4 and " x " not in dose:
        dose = dose.replace("/j", dice.choice([" par jour", " /24 h", " 1 fois par jour", "/jour"]), 1)
    if dice.random() < 0.2:
        dose = dose.replace(" mg", "mg", 1)
    return f"{name} {dose}" if dice.random() < 0.85 else f"{name} : {dose}"


def _antecedents(scene: Scene) -> str | None:
    from rag.synth.scene import Mark

    life, dice = scene.life, scene.dice
    today = scene.here.start if "stay" in scene.here.flags else scene.today
    if life.facts[ANTECEDENTS].silent:
        return None
    if scene.here.role == "index" and not scene.can_tell(ANTECEDENTS):
        return None
    said: list[str] = []
    for name, since in life.conditions.items():
        if since > today or (name == "avc" and any(e.role == "old" for e in life.encounters)):
            continue
        if name not in ASKED and dice.random() < 0.35:
            continue
        text = grammar().rule(f"cond_{name}", scene)
        if text:
            said.append(text + _since(scene, since))
    for stroke in scene.past_strokes:
        scene.recalled = stroke
        text = grammar().rule("past_stroke", scene)
        if text:
            said.append(f"{text} en {scene.forms.month(stroke.start)}")
    scene.recalled = None
    if len(said) < 2 or dice.random() < 0.4:
        said = dice.sample(said, len(said))
    marks = [Mark(Key("", name, f"{today}"), life.condition(name, today)) for name in ASKED]
    join = scene.forms.list_join
    text = join.join(said) if said else grammar().rule("no_antecedent", scene) or "aucun"
    if said:
        text = _as_list(text, join)
    return scene.told(marks, text)


def _as_list(text: str, join: str) -> str:
    """The items of a list of lines begin on a line of their own: ``SOFT`` is a line break where none is yet."""
    return f"{SOFT}{join.strip(chr(10))}{text}" if join.startswith("\n") else text


def _since(scene: Scene, since: dt.date) -> str:
    if scene.dice.random() < 0.65:
        return ""
    return scene.dice.choice([f" ({since.year})", f" depuis {since.year}", f" en {since.year}", f" {since.year}"])


def _age(scene: Scene) -> str:
    from rag.synth.scene import Mark

    years = str(scene.life.patient.age(scene.today))
    return scene.told([Mark(Key("", "age", f"{scene.today}"), years)], years)


def _birth(scene: Scene) -> str:
    from rag.synth.scene import Mark

    born = scene.life.patient.born
    return scene.told([Mark(Key("", "naissance"), f"{born}")], scene.forms.day(born))


def _who(scene: Scene) -> str:
    from rag.synth.scene import Mark

    text = grammar().rule("identity", scene) or ""
    return scene.told([Mark(Key("", "sexe"), "2" if scene.life.patient.female else "1")], text)
