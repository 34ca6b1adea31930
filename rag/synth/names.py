"""The words that are no facts: persons, places, agreement in gender, the document's own date."""

from __future__ import annotations

import datetime as dt
import random

from rag.synth.forms import Forms
from rag.synth.grammar import Slot
from rag.synth.life import Encounter, Life, Planned
from rag.synth.people import Hospital, doctor, elided


class Names:
    """Slots that tell nothing that a table asks."""

    def __init__(
        self, life: Life, here: Encounter, planned: Planned, place: Hospital, forms: Forms, dice: random.Random
    ) -> None:
        self._life, self._here, self._planned, self._place = life, here, planned, place
        self._forms, self._dice = forms, dice
        self.reference = ("", planned.when.date(), "")  # what the words point to: kind and day of document, moment told
        self._author = here.doctor if place is here.place else dice.choice(place.doctors)
        patient, f = life.patient, life.patient.female
        self._plain = {
            "civ": "Mme" if f else "M.",
            "Civ": "Madame" if f else "Monsieur",
            "e": "e" if f else "",
            "ne": "née" if f else "né",
            "il": "elle" if f else "il",
            "Il": "Elle" if f else "Il",
            "patient": "patiente" if f else "patient",
            "le": "la" if f else "le",
            "Le": "La" if f else "Le",
            "ce": "cette" if f else "ce",
            "lui": "elle" if f else "lui",
            "fumeur": "fumeuse" if f else "fumeur",
            "Fumeur": "Fumeuse" if f else "Fumeur",
            "ne_e": "ne" if f else "",
            "eur": "rice" if f else "eur",
            "er": "ère" if f else "er",
            "le_patient": "à la patiente" if f else "au patient",
            "f_ve": "ve" if f else "f",
            "sexe1": "F" if f else "M",
            "sexef": "Féminin" if f else "Masculin",
            "sexeh": "femme" if f else "homme",
            "nom": patient.last_name,
            "NOM": patient.last_name.upper(),
            "prenom": patient.first_name,
            "ini": f"{patient.last_name[0]}.",
            "ville": patient.town,
            "rue": patient.street,
            "ipp": patient.ipp,
            "hop": place.name,
            "hopc": place.short,
            "HOP": place.name.upper(),
            "hopville": place.town,
            "dehopville": elided(f"de {place.town}", place.town),
            "hoprue": place.street,
            "tel": place.phone,
            "auteur": self._author,
            "mt": life.gp,
            "cardio": life.cardiologist,
            "conjoint": "son époux" if f else "son épouse",
            "x_se": "se" if f else "x",
            "jour": self._stay_day(),
            "day": planned.flags.get("day", ""),
        }

    def get(self, slot: Slot) -> str | None:
        """The words; None if there are none here."""
        if slot.name in self._plain:
            return self._plain[slot.name]
        forms, dice, today = self._forms, self._dice, self._planned.when
        match slot.name:
            case "date":
                return self._date(today.date(), slot.form)
            case "heure":
                return forms.time(today)
            case "start":
                return self._date(self._here.start, slot.form)
            case "end":
                return self._date(self._here.end, slot.form)
            case "veille":
                return self._date(today.date() - dt.timedelta(days=1), slot.form)
            case "rdv":
                return self._date(today.date() + dt.timedelta(days=dice.randrange(20, 400)), slot.form)
            case "avant":
                return self._date(today.date() - dt.timedelta(days=dice.randrange(3, 90)), slot.form)
            case "ref":
                return self._date(self.reference[1], slot.form)
            case "avc_annee":
                return self._past_stroke()
            case "dr":
                return dice.choice(self._place.doctors)
            case "qui":
                return doctor(dice)
            case "n":
                low, _, high = slot.form.partition("-")
                return str(dice.randrange(int(low), int(high) + 1))
            case "annee":
                return str(today.year - dice.randrange(2, 25))
        return None

    def flag(self, name: str) -> str | None:
        """For guards."""
        patient = self._life.patient
        match name:
            case "f":
                return str(int(patient.female))
            case "m":
                return str(int(not patient.female))
            case "old":
                return str(int(patient.age(self._planned.when.date()) >= 75))
            case "style":
                return self._place.style
            case "smoking":
                return self._life.smoking
            case "ref_kind":
                return self.reference[0]
            case "ref_days":
                return str((self._planned.when.date() - self.reference[1]).days)
            case "ref_moment":
                return self.reference[2]
            case "moment":
                return self._planned.moment
        since = self._life.conditions.get(name)
        if since is not None:
            return str(int(since <= self._planned.when.date()))
        return None

    def _past_stroke(self) -> str | None:
        today = self._planned.when.date()
        past = [e.start for e in self._life.encounters if "stroke" in e.flags and e.end < today and e is not self._here]
        return self._date(max(past), "m") if past else None

    def _date(self, day: dt.date, form: str) -> str:
        match form:
            case "c":
                return self._forms.short(day)
            case "l":
                return self._forms.long(day)
            case "m":
                return self._forms.month(day)
        return self._forms.day(day)

    def _stay_day(self) -> str:
        return f"J{(self._planned.when.date() - self._here.start).days}"
