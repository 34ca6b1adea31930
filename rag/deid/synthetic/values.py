"""What one fictitious document talks of: its patient, and the values of the grammar's slots."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable
from string import ascii_uppercase, digits

from rag.deid.spelling import unaccented
from rag.deid.synthetic import medical
from rag.deid.synthetic.dates import DateForms, in_words
from rag.deid.synthetic.names import names

_NUMBER = re.compile(r"#(\d+)(?:([.])(\d+))?-(\d+)(?:\.\d+)?$")
_DIGITS = re.compile(r"d(\d+)$")
_PHONE_MARKS = (" ", " ", " ", ".", ".", "", "-", " .", "/")
_DOMAINS = ("fr", "fr", "com", "org", "net", "example", "eu")


class Values:
    """The slots of one document. The patient, the style of names, numbers and dates are drawn once.

    Args:
        dice: the only source of chance.
    """

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._names = names()
        self._dates = DateForms(dice)
        self._written = dt.date(1996, 1, 1) + dt.timedelta(days=dice.randrange(365 * 34))
        self._birth = self._written - dt.timedelta(days=int(365.25 * dice.triangular(0, 100, 70)))
        self._sex = dice.choice(("male", "female"))
        self._patient_surname = self._names.surname(dice)
        self._patient_maiden = self._names.surname(dice)
        self._patient_first = self._names.first(self._sex, dice)
        self._ids = {kind: self._identifier(kind) for kind in ("ipp", "nda")}
        self._surname_case = dice.choices((str.upper, str.title, str.lower), (60, 36, 4))[0]
        self._first_case = dice.choices((str.title, str.upper, str.lower), (76, 20, 4))[0]
        self._comma = "," if dice.random() < 0.8 else "."
        self._phone_mark = dice.choice(_PHONE_MARKS)
        female = self._sex == "female"
        self._slots: dict[str, Callable[[], str]] = {
            "surname": lambda: self._cased(self._names.surname(dice), self._surname_case),
            "patient.surname": lambda: self._cased(self._patient_surname, self._surname_case),
            "patient.maiden": lambda: self._cased(self._patient_maiden, self._surname_case),
            "patient.first": lambda: self._cased(self._patient_first, self._first_case),
            "patient.initial": lambda: self._initial(self._patient_first),
            "patient.surname_initial": lambda: f"{self._patient_surname[0].upper()}.",
            "patient.title": lambda: dice.choice(_WOMAN if female else _MAN),
            "patient.e": lambda: "e" if female else "",
            "patient.sex": lambda: "F" if female else "M",
            "patient.age": lambda: str(max(0, (self._written - self._birth).days // 365)),
            "patient.birth": lambda: self._dates.full(self._birth),
            "first": lambda: self._first(dice.choice(("male", "female"))),
            "first.f": lambda: self._first("female"),
            "first.m": lambda: self._first("male"),
            "initial": lambda: self._initial(self._names.first(dice.choice(("male", "female")), dice)),
            "surname_initial": lambda: f"{self._names.surname(dice)[0].upper()}.",
            "birth.any": lambda: self._dates.full(self._day(36500)),
            "date.full": lambda: self._dates.full(self._day(900)),
            "date.short": lambda: self._dates.short(self._day(900)),
            "date.year": lambda: str(self._day(12000).year),
            "date.today": lambda: self._dates.full(self._written),
            "town": lambda: self._town(),
            "tel": self._phone,
            "email": self._email,
            "zip": self._zip,
            "nir": self._nir,
            "ipp.number": lambda: self._ids["ipp"] if dice.random() < 0.8 else self._identifier("ipp"),
            "nda.number": lambda: self._ids["nda"] if dice.random() < 0.8 else self._identifier("nda"),
            "time": self._time,
            "icd": lambda: dice.choice(medical.icd_labels()),
            "icd.code": lambda: medical.icd_code(dice),
            "drug": lambda: dice.choice(medical.drugs()),
            "icd.word": lambda: dice.choice(medical.icd_words()).lower(),
            "Word": lambda: dice.choice(medical.icd_words()).capitalize(),
            "WORD": lambda: dice.choice(medical.icd_words()).upper(),
            "verb": lambda: dice.choice(medical.verb_forms()),
            "Verb": lambda: dice.choice(medical.verb_forms()).capitalize(),
            "invented": lambda: medical.invented(dice),
            "number.words": lambda: in_words(dice.randint(1, 99)),
            "letters": lambda: self._letters(ascii_uppercase, 2, 5),
            "code": lambda: self._letters(ascii_uppercase + digits, 4, 9),
        }

    def __call__(self, slot: str) -> str | None:
        """The value of a slot; None for a name that is no slot.

        ``#1-99`` is a whole number, ``#0.5-9.9`` one with a decimal mark, ``d8`` eight digits.
        """
        if make := self._slots.get(slot):
            return make()
        if run := _DIGITS.match(slot):
            return self._digits(int(run[1]))
        if number := _NUMBER.match(slot):
            low, high = int(number[1]), int(number[4])
            if not number[2]:
                return str(self._dice.randint(low, high))
            decimals = f"{self._dice.uniform(low, high):.{self._dice.choice((1, 1, 2))}f}"
            return decimals.replace(".", self._comma)
        return None

    def _cased(self, name: str, usual: Callable[[str], str]) -> str:
        """A name in the document's case, with now and then another."""
        if self._dice.random() < 0.85:
            return name if usual is str.title else usual(name)
        return self._dice.choice((str, str, str.upper, str.lower))(name)

    def _first(self, sex: str) -> str:
        return self._cased(self._names.first(sex, self._dice), self._first_case)

    def _initial(self, first: str) -> str:
        # An M alone would be "Monsieur".
        parts = [part[0].upper() for part in re.split(r"[- ]", first.replace("M", "L")) if part]
        return self._dice.choice((".-", "-", ".", " ")).join(parts) + self._dice.choice((".", ".", ".", ""))

    def _town(self) -> str:
        town = self._names.town(self._dice)
        return self._dice.choices((town, town.upper(), town.replace("-", " ")), (70, 24, 6))[0]

    def _day(self, back: int) -> dt.date:
        return self._written - dt.timedelta(days=self._dice.randrange(back))

    def _time(self) -> str:
        hour, minute = self._dice.randrange(24), self._dice.randrange(60)
        forms = (f"{hour:02}h{minute:02}", f"{hour}h{minute:02}", f"{hour:02}:{minute:02}", f"{hour} h {minute:02}")
        return self._dice.choice((*forms, f"{hour}h", f"{hour:02}H{minute:02}", f"{hour:02}:{minute:02}:00"))

    def _digits(self, count: int) -> str:
        return "".join(self._dice.choice("0123456789") for _ in range(count))

    def _letters(self, alphabet: str, low: int, high: int) -> str:
        return "".join(self._dice.choice(alphabet) for _ in range(self._dice.randint(low, high)))

    def _phone(self) -> str:
        dice = self._dice
        mark = self._phone_mark if dice.random() < 0.8 else dice.choice(_PHONE_MARKS)
        head = f"0{dice.choice('123456679')}"
        pairs = [self._digits(2) for _ in range(4)]
        match dice.random():
            case draw if draw < 0.06:
                return f"+33{dice.choice(['', ' ', ' (0)'])}{head[1]}{mark}{mark.join(pairs)}"
            case draw if draw < 0.10:
                return f"{head} {pairs[0]}{pairs[1]} {pairs[2]}{pairs[3]}"
            case draw if draw < 0.13:
                return f"{head}{mark}{mark.join(pairs[:3])}"
            case draw if draw < 0.16:
                return self._digits(dice.choice((4, 5)))
            case draw if draw < 0.18:
                return f"+{dice.choice(('32', '41', '352', '213', '216', '49'))} {self._digits(3)} {self._digits(6)}"
        return mark.join((head, *pairs))

    def _email(self) -> str:
        dice = self._dice
        first, last = self._names.first("female", dice), self._names.surname(dice)
        people = [
            f"{first}.{last}",
            f"{first[0]}.{last}",
            f"{last}.{first}",
            f"{first[0]}{last}",
            f"{last}{dice.randrange(99)}",
        ]
        places = ["secretariat", "sec.neuro", "accueil", "contact", "urgences", "rdv.imagerie", "labo", "dr." + last]
        name = dice.choice(people + places[: dice.randrange(1, 9)])
        site = dice.choice((f"chu-{self._names.town(dice)}", f"ch-{self._names.town(dice)}", "mail", "webmail", last))
        text = f"{name}@{site}.{dice.choice(_DOMAINS)}"
        plain = re.sub(r"[^\w.@-]+", "", unaccented(text.replace(" ", "-")))
        return plain.lower() if dice.random() < 0.9 else plain

    def _zip(self) -> str:
        department = self._dice.choice((f"{self._dice.randint(1, 95):02}", "971", "972", "974", "2A"))
        code = department + "".join(self._dice.choice("0012345") for _ in range(5 - len(department)))
        return code if self._dice.random() < 0.95 else f"{code[:2]} {code[2:]}"

    def _nir(self) -> str:
        born = self._birth
        parts = ["2" if self._sex == "female" else "1", f"{born:%y}", f"{born:%m}", self._digits(2), self._digits(3)]
        parts += [self._digits(3), self._digits(2)]
        match self._dice.random():
            case draw if draw < 0.45:
                return " ".join(parts)
            case draw if draw < 0.55:
                return " ".join("".join(parts))
            case draw if draw < 0.65:
                return f"{''.join(parts[:-1])} {parts[-1]}"
            case draw if draw < 0.72:
                return " ".join(parts[:-1])
            case draw if draw < 0.78:
                return ".".join(parts)
        return "".join(parts)

    def _identifier(self, kind: str) -> str:
        dice = self._dice
        length = dice.choice((6, 7, 8, 8, 9, 10, 10, 10, 11, 12))
        forms = [self._digits(length)] * 6 if kind == "ipp" else [self._digits(length)] * 4
        forms.append(f"{dice.choice('ABNPHU')}{self._digits(length - 1)}")
        if kind == "nda":
            year = f"{self._written:%y}"
            forms += [
                f"{year}{self._digits(7)}",
                f"{year}-{self._digits(6)}",
                f"U{year}-{self._digits(4)}-{self._digits(3)}",
            ]
            forms.append(f"{year}{dice.choice('ABCDEH')}{self._digits(5)}")
        else:
            forms += [f"{self._digits(4)} {self._digits(3)} {self._digits(3)}", f"{self._digits(3)}.{self._digits(3)}"]
        return dice.choice(forms)


_MAN = ("M.", "M.", "M.", "Mr", "Monsieur", "Mr.", "MR", "M", "MONSIEUR", "Monsieur")
_WOMAN = ("Mme", "Mme", "Mme", "Madame", "MME", "Mme.", "Mlle", "Madame", "MADAME", "Mademoiselle")
