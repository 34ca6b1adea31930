"""Fake towns, postcodes, addresses and hospitals: of the same kind as the originals, the same all along."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from rag.deid.fake_names import Town, name_key, pools
from rag.deid.keys import Secret
from rag.deid.spelling import shaped, small

_WORD = re.compile(r"[^\W\d_]+")
_POSTCODE_AND_TOWN = re.compile(r"(?P<zip>(?<!\d)\d{5}(?!\d))(?P<gap>[ \t,–-]*)(?P<town>[^\W\d_][^\n,;()]*)?")
_HOUSE_NUMBER = re.compile(r"(?<!\d)(\d{1,4})(?: ?(?:bis|ter|quater|[a-dA-D](?!\w)))?\s*,?\s*$")
#: What goes with a consonant, or with a vowel, to come.
LINKED = re.compile(r"(?<!\w)(?:de\s|[dl]['’])\Z", re.IGNORECASE)
_BEFORE_TOWN = re.compile(r"(?<!\w)(?:de\s|d['’])\Z", re.IGNORECASE)
#: A hospital of this kind lies in a large town.
_LARGE = re.compile(r"\b(?:chr?u|chr|universitaire|regional)\b")
_VOWELS = frozenset("aeiouyh")
#: The word before a hospital's name, and the list from which a name that fits it is taken.
_ARTICLES = {"des": "des", "les": "des", "du": "du", "le": "du", "la": "de la", "l": "de l'"}


class Places:
    """Fake places of one patient.

    Args:
        towns: (town as written, whether it follows "de" or "d'") of every town in the documents, in order.
        hospitals, addresses: as written.
        postcodes: (postcode, town that it stands beside).
        earlier: fake towns by town, from the key file of an earlier run.
    """

    def __init__(
        self,
        secret: Secret,
        patient_id: str,
        towns: Sequence[tuple[str, bool]] = (),
        hospitals: Sequence[str] = (),
        addresses: Sequence[str] = (),
        postcodes: Sequence[tuple[str, str]] = (),
        earlier: Mapping[str, str] | None = None,
    ) -> None:
        self._secret = secret
        self._patient_id = patient_id
        self._sizes = {name_key(town.name): town.size for town in pools().towns}
        self._towns: dict[str, Town] = {}
        self._hospitals: dict[str, str] = {}
        self._streets: dict[str, tuple[str, str]] = {}
        in_hospitals = [(town, name) for name in hospitals if (town := _town_of_hospital(name))]
        written = [*(town for town, _ in towns), *(town for town, _ in in_hospitals)]
        self._originals = {*map(name_key, written), *map(_hospital_key, hospitals)}
        self._words = {word for name in (*written, *hospitals, *addresses) for word in name_key(name).split()}
        self._linked = {name_key(town) for town, linked in towns if linked} | {name_key(t) for t, _ in in_hospitals}
        for town, name in in_hospitals:
            if name_key(town) not in self._sizes and _LARGE.search(small(name)):
                self._sizes[name_key(town)] = "large"
        by_key = {name_key(town.name): town for town in pools().towns}
        for town, fake in (earlier or {}).items():
            if name_key(fake) in by_key:
                self._towns[name_key(town)] = by_key[name_key(fake)]
        for town in written:
            self._town(town)
        self._postcodes = {digits: self._town(town).postcode for digits, town in postcodes}

    def town(self, written: str) -> str:
        """The fake town of a town, in its capitals."""
        return shaped(written, self._town(written).name)

    def postcode(self, written: str, town: str | None) -> str:
        """The postcode of the fake town: that of ``town`` beside it, else of a town that had this one elsewhere."""
        if town:
            return self._town(town).postcode
        digits = re.sub(r"\D", "", written)
        return self._postcodes.get(digits) or self._town(digits).postcode

    def hospital(self, written: str) -> str:
        """The hospital with another name; the words that say what it is stay ("CHU de", "clinique des")."""
        written = re.sub(r"\d+", lambda number: self._other_number(number[0]), written)
        start, end = _name_span(written)
        if start == end:
            return written
        rest = written[start:end]
        town = rest if _town_of_hospital(written) else self._town_named(name_key(rest))
        if town:
            return written[:start] + shaped(rest, self._town(town).name) + written[end:]
        key = _hospital_key(written)
        if key not in self._hospitals:
            before = _WORD.findall(small(written[:start]))
            kind = _ARTICLES.get(before[-1], "alone") if before else "alone"
            self._hospitals[key] = self._draw_name(pools().hospitals[kind], "hospital", key)
        return written[:start] + shaped(rest, self._hospitals[key]) + written[end:]

    def address(self, written: str) -> str:
        """Another street of the same kind; floor, building and door codes are left out."""
        key = name_key(written)
        low = small(written)
        street = next((m for m in _WORD.finditer(low) if m[0] in pools().street_types), None)
        if key not in self._streets:
            name = self._draw_name(pools().streets, "street", key)
            self._streets[key] = (str(1 + self._secret.number(self._patient_id, "house", key) % 98), name)
        number, name = self._streets[key]
        head = written[: street.start()] if street else ""
        kind = written[street.start() : street.end()] if street else "résidence"
        house = _HOUSE_NUMBER.search(head)
        if house and house[1] == number:
            number = str(int(number) + 1)
        place = _POSTCODE_AND_TOWN.search(written, street.end() if street else 0)
        tail = ""
        if place:
            town = place["town"]
            tail = f" {self.postcode(place['zip'], town)}" + (f" {self.town(town)}" if town else "")
        name = name.upper() if written.isupper() else name
        return f"{number + ' ' if house else ''}{kind} {name}{tail}"

    def _town_named(self, key: str) -> str:
        """The town whose name is, or begins with, that of a hospital ("CH Brévannes" of Brévannes-les-Eaux)."""
        return next((town for town in self._towns if town == key or town.startswith(f"{key} ")), "")

    def _other_number(self, written: str) -> str:
        """A number of as many digits: that of a department in "SAMU 63"."""
        span = 9 * 10 ** (len(written) - 1)
        number = span // 9 + self._secret.number(self._patient_id, "number", written) % (span - 1)
        return str(number + (number >= int(written)))

    def _town(self, written: str) -> Town:
        key = name_key(written)
        if key not in self._towns:
            size = self._sizes.get(key, "small")
            alike = [town for town in pools().towns if town.size == size]
            others = [town for town in pools().towns if town.size != size]
            order = [t for pool in (alike, others) for t in self._secret.pick(pool, self._patient_id, "town", key)]
            fitting = [t for t in order if name_key(t.name) not in self._originals and name_key(t.name)[0] != key[:1]]
            if key in self._linked:
                fitting = [t for t in fitting if (name_key(t.name)[0] in _VOWELS) == (key[0] in _VOWELS)]
            used = set(self._towns.values())
            fresh = [town for town in fitting if town not in used]
            self._towns[key] = (fresh or fitting or order)[0]
        return self._towns[key]

    def _draw_name(self, pool: Sequence[str], kind: str, key: str) -> str:
        used = {*self._hospitals.values(), *(name for _, name in self._streets.values())}
        order = [n for n in self._secret.pick(pool, self._patient_id, kind, key) if not _shares_word(n, self._words)]
        order = order or list(self._secret.pick(pool, self._patient_id, kind, key))
        return next((name for name in order if name not in used), order[0])


def _shares_word(name: str, words: Collection[str]) -> bool:
    return any(len(word) > 3 and word in words for word in name_key(name).split())


def _name_span(written: str) -> tuple[int, int]:
    """Where a hospital's own name lies, from its first word that no other hospital needs to its last."""
    own = [match for match in _WORD.finditer(small(written)) if match[0] not in pools().hospital_words]
    return (own[0].start(), own[-1].end()) if own else (0, 0)


def _hospital_key(written: str) -> str:
    start, end = _name_span(written)
    words = name_key(written[start:end]).split()
    return " ".join(word for word in words if word not in pools().hospital_words)


def _town_of_hospital(written: str) -> str:
    """The town in "CHU de Montclar", "hôpital d'Arras"; "" when none shows."""
    start, end = _name_span(written)
    return written[start:end] if start < end and _BEFORE_TOWN.search(written[:start]) else ""
