"""Fake numbers and addresses of machines: telephones, mails, record numbers, social security numbers.

Telephone numbers are those that the French regulator keeps for fiction (ARCEP, decision 2018-0881); mail
addresses lie in a domain kept for examples (RFC 2606); social security numbers have a right key, and 000 for the
rank of the birth in its town, which begins at 001.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from rag.deid.keys import Secret

_FICTION = {"1": "019900", "2": "026191", "3": "035301", "4": "046571", "5": "053649", "6": "063998", "7": "063998"}
_FRENCH = re.compile(
    r"(?:(?:\+|(?<!\d)00)\s?33[\s.\-/]*(?:\(0\)[\s.\-/]*|0)?|(?<!\d)0)[1-9](?:[\s.\-/]{0,2}\d){8}(?!\d)"
)
_DOMAIN = "exemple.example"
_NIR_DIGITS = (13, 15)


class Numbers:
    """Fake numbers of one patient; a number written in two ways has one fake, written in both.

    Args:
        born: the patient's birth date after its shift, which the fake social security numbers tell too.
    """

    def __init__(self, secret: Secret, patient_id: str, born: dt.date | None = None) -> None:
        self._secret = secret
        self._patient_id = patient_id
        self._born = born

    def telephone(self, written: str) -> str:
        """Numbers kept for fiction, in the same groups; short and foreign ones keep their shape alone."""
        pieces: list[str] = []
        position = 0
        for french in _FRENCH.finditer(written):
            pieces += (self.same_shape(written[position : french.start()], "TEL"), self._fiction(french[0]))
            position = french.end()
        return "".join([*pieces, self.same_shape(written[position:], "TEL")])

    def _fiction(self, written: str) -> str:
        digits = re.sub(r"\D", "", written)
        national = digits[-9:]
        fake = _FICTION.get(national[0], _FICTION["1"])
        fake += f"{self._number('TEL', national, 10 ** (10 - len(fake))):0{10 - len(fake)}d}"
        if fake[1:] == national:
            fake = fake[:-1] + str((int(fake[-1]) + 1) % 10)
        return _poured(written, digits[: len(digits) - 9] + fake[1:])

    def same_shape(self, written: str, label: str) -> str:
        """Other digits for digits, other letters for letters; leading zeros stay, and no other comes to lead."""
        key = re.sub(r"[\W_]", "", written).upper()
        if not key.strip("0"):
            return written
        for attempt in range(20):
            fake = self._random_like(key, label, attempt)
            if fake != key:
                break
        return _poured(written, fake)

    def social_security(self, written: str) -> str:
        """A number that was given to nobody, with a right key; the first digit (the sex) stays."""
        key = re.sub(r"[\W_]", "", written).upper()
        if len(key) not in _NIR_DIGITS or not key[:5].isdigit():
            return self.same_shape(written, "SECU")
        year, month = key[1:3], key[3:5]
        if self._born:
            year, month = f"{self._born.year % 100:02d}", f"{self._born.month:02d}"
        department = 1 + self._number("SECU", key, 94)
        town = 1 + self._number("SECU town", key, 900)
        body = f"{key[0]}{year}{month}{department if department != 20 else 21:02d}{town:03d}000"
        check = f"{97 - int(body) % 97:02d}" if len(key) == 15 else ""
        return _poured(written, body + check)

    def mail(self, written: str, fake_word: Callable[[str], str]) -> str:
        """An address of a domain kept for examples; ``fake_word`` changes each word of its local part."""
        local, at, _ = written.partition("@")
        return re.sub(r"[^\W_]+", lambda word: fake_word(word[0]), local) + (f"@{_DOMAIN}" if at else "")

    def _random_like(self, key: str, label: str, attempt: int) -> str:
        zeros = len(key) - len(key.lstrip("0"))
        fake = ["0"] * zeros
        for place, character in enumerate(key[zeros:]):
            number = self._number(f"{label} {attempt}", f"{key} {place}", 1 << 32)
            if character.isdigit():
                fake.append(str(number % 10) if place else str(1 + number % 9))
            else:
                fake.append(chr(ord("A") + number % 26))
        return "".join(fake)

    def _number(self, label: str, key: str, below: int) -> int:
        return self._secret.number(self._patient_id, label, key) % below


def _poured(like: str, characters: str) -> str:
    """``characters`` in place of the letters and digits of ``like``, whose marks and capitals stay."""
    left = iter(characters)
    poured = []
    for old in like:
        if not old.isalnum():
            poured.append(old)
        elif (new := next(left, None)) is not None:
            poured.append(new.lower() if old.islower() else new)
    return "".join(poured) + "".join(left)
