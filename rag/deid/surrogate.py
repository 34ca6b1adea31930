"""The surrogate of every identifying span of one patient, dates aside: the same original gives the same surrogate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.deid.fake_names import name_key, pools
from rag.deid.fake_numbers import Numbers
from rag.deid.fake_people import Name, People, split_name, word_key
from rag.deid.fake_places import Places
from rag.deid.keys import Replaced, Secret
from rag.deid.spelling import shaped, small
from schema.phi import PhiEntity, PhiLabel

_NAMES = (PhiLabel.NOM, PhiLabel.PRENOM)
#: Labels whose surrogates depend on the other places of the documents.
_PLACES = (PhiLabel.VILLE, PhiLabel.ADRESSE, PhiLabel.HOPITAL)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An entity, its text with what stands around it, and the town written right after it ("" when there is none)."""

    entity: PhiEntity
    name: Name
    town_after: str = ""


class Surrogates:
    """Surrogates of one patient, drawn once for all of the patient's documents.

    Args:
        occurrences: every entity of the documents, in order.
        born: the patient's birth date as it will stand in the documents.
        earlier: the patient's table in the key of an earlier run.
    """

    def __init__(
        self,
        secret: Secret,
        patient_id: str,
        occurrences: Sequence[Occurrence],
        born: dt.date | None = None,
        earlier: Sequence[Replaced] = (),
    ) -> None:
        names = [one.name for one in occurrences if one.entity.label in _NAMES]
        towns = [one.name for one in occurrences if one.entity.label is PhiLabel.VILLE]
        hospitals = [one.name.text for one in occurrences if one.entity.label is PhiLabel.HOPITAL]
        words = {word for name in (*(town.text for town in towns), *hospitals) for word in name_key(name).split()}
        self._people = People(secret, patient_id, names, words, _words_of(earlier))
        self._places = Places(
            secret,
            patient_id,
            [(town.text, town.linked) for town in towns],
            hospitals,
            [one.name.text for one in occurrences if one.entity.label is PhiLabel.ADRESSE],
            [(o.name.text, o.town_after) for o in occurrences if o.entity.label is PhiLabel.ZIP and o.town_after],
            {one.original: one.surrogate for one in earlier if one.label == PhiLabel.VILLE},
        )
        self._kept = {(one.label, one.original): one.surrogate for one in earlier if one.label in _PLACES}
        self._numbers = Numbers(secret, patient_id, born)
        self._secret = secret
        self._patient_id = patient_id

    def of(self, one: Occurrence) -> str:
        """What to write in place of an entity that is not a date."""
        written = one.name.text
        kept = self._kept.get((one.entity.label.value, written))
        if kept is not None:
            return kept
        match one.entity.label:
            case PhiLabel.NOM | PhiLabel.PRENOM:
                return self._people.fake(one.name)
            case PhiLabel.VILLE:
                return self._places.town(written)
            case PhiLabel.ZIP:
                return self._places.postcode(written, one.town_after)
            case PhiLabel.ADRESSE:
                return self._places.address(written)
            case PhiLabel.HOPITAL:
                return self._places.hospital(written)
            case PhiLabel.TEL:
                return self._numbers.telephone(written)
            case PhiLabel.SECU:
                return self._numbers.social_security(written)
            case PhiLabel.MAIL:
                return self._numbers.mail(written, self._mail_word)
            case label:
                return self._numbers.same_shape(written, label)

    def _mail_word(self, word: str) -> str:
        """A word of a mail address: that of a person of the documents, or any name."""
        if len(word) == 1:
            return small(self._people.fake_initial(word, PhiLabel.PRENOM))
        if word.isdigit():
            return self._numbers.same_shape(word, PhiLabel.MAIL)
        fake = self._people.fake_word(word)
        if fake is None:
            surnames = self._secret.pick(pools().surnames, self._patient_id, "mail", small(word))
            others = (n for n in surnames if not self._people.is_original(n) and name_key(n) != name_key(word))
            fake = next(others, "contact")
        return shaped(word, small(fake)) if word.isupper() else small(fake)


def _words_of(earlier: Iterable[Replaced]) -> dict[str, str]:
    """Fake words of an earlier run by the key of the original word."""
    known: dict[str, str] = {}
    for label, original, surrogate in earlier:
        old, new = split_name(original), split_name(surrogate)
        if label in _NAMES and len(old) == len(new):
            known.update((word_key(a), b.title()) for a, b in zip(old, new, strict=True) if len(a) > 1 and a != b)
    return known
