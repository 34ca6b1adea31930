"""Main path of de-identification: the documents of one patient, with what identifies in them -> their new texts."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rag.deid.apply import DeidentifiedText, Replacement, apply
from rag.deid.calendar import Reference, complete_dates
from rag.deid.fake_people import Name
from rag.deid.fake_places import LINKED
from rag.deid.keys import PatientKey, Replaced, Secret
from rag.deid.policy import Action, Policy
from rag.deid.redate import shift_dates, shift_lone_day
from rag.deid.sensitivity import Level, LeveledSentence, level_at, sentence_levels
from rag.deid.shift import OLDEST_TOLD, OldAge, age_on, grouped_birth, old_ages, possible_shifts
from rag.deid.surrogate import Occurrence, Surrogates
from schema.phi import PhiEntity, PhiLabel

_NAMES = (PhiLabel.NOM, PhiLabel.PRENOM)
_DATES = (PhiLabel.DATE, PhiLabel.DATE_NAISSANCE)
#: What may stand between the names of one person.
_BETWEEN_NAMES = re.compile(r"[\s,.\-–()]{0,3}(?:(?:née?|ep\.?|épouse|veuve)\s)?")
_MOST_NAMES = 8  # of one person; more are a list, and cost the square of its length
_LONE_DAY = re.compile(r"\d{1,2}(?:er)?")
_LINK = 16  # characters between a day and the date that lends it a month
_LOOK_BACK = 40
_OF_AGE = 16  # years
_SHIFTS_TRIED = 8
#: What an earlier masking left.
_MASKED = re.compile(r"[<\[]\s?[A-Z_]+(?:[ _]?\d+)?\s?[>\]]|X{2,}|x{3,}|[*_#.]+")


@dataclass(frozen=True, slots=True)
class IdentifiedText:
    """A text and what identifies in it. All positions are in ``text``, in order.

    Args:
        entities: without overlap.
        reference: what completes the dates of the text; with the years of the dates in it.
        sentences: cut where the caller's reader cuts; lines when empty.
        clinical: sections that tell of the illness.
    """

    text: str
    entities: tuple[PhiEntity, ...]
    reference: Reference = field(default_factory=Reference)
    sentences: tuple[tuple[int, int], ...] = ()
    clinical: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class DeidentifiedPatient:
    """The new texts, in the order given, what undoes them, and the levels of the sentences that were read."""

    texts: tuple[DeidentifiedText, ...]
    key: PatientKey
    levels: Counter[Level]


#: Says, of texts whose dates have moved by some days, how many of these dates a reader would now read otherwise.
Misread = Callable[[Sequence[str], int], int]


def deidentify_patient(
    patient_id: str,
    texts: Sequence[IdentifiedText],
    policy: Policy,
    secret: Secret,
    earlier: PatientKey | None = None,
    misread: Misread = lambda texts, days: 0,
) -> DeidentifiedPatient:
    """Mask, replace or keep every entity of one patient's texts, as the policy says.

    The same texts, policy, secret and ``earlier`` (the patient's entry in the key of an earlier run, which is
    followed) give the same result. Of the shifts that may be, the first is taken that leaves no date ``misread``.
    """
    births, days = _days(texts)
    written_on = {text.reference.written_on for text in texts if text.reference.written_on}
    grouped = {born: grouped_birth(born, written_on) if policy.ages_over_89 == "group" else born for born in births}
    shift = 0
    if policy.moves_dates and earlier and earlier.shift_days:
        shift = earlier.shift_days
    elif policy.moves_dates:
        shifts = possible_shifts(secret, patient_id, {*grouped.values(), *_old(days)}, days, policy.shift_weeks)
        shift = _best_shift(itertools.islice(shifts, _SHIFTS_TRIED), texts, grouped, misread)
    occurrences = [[*_occurrences(text)] for text in texts]
    common = Counter(births).most_common(1)
    born = grouped[common[0][0]] + dt.timedelta(days=shift) if common else None
    surrogates = Surrogates(
        secret, patient_id, [one for ones in occurrences for one in ones], born, earlier.replaced if earlier else ()
    )
    levels: Counter[Level] = Counter()
    made: dict[Replaced, None] = dict.fromkeys(earlier.replaced if earlier else ())
    done = []
    for text, found in zip(texts, occurrences, strict=True):
        ages = [*old_ages(text.text)] if policy.ages_over_89 == "group" else []
        leveled = _levels(text, ages)
        levels.update(sentence.level for sentence in leveled)
        dates = _Dates(text, shift, grouped)
        edits = []
        for place, one in enumerate(found):
            label, written = one.entity.label, one.name.text
            action = policy.action(label, level_at(leveled, one.entity.start))
            if action is Action.KEEP or _MASKED.fullmatch(written) or not any(map(str.isalnum, written)):
                continue
            new = dates.moved(place) if label in _DATES else surrogates.of(one)
            if action is Action.REPLACE and new is not None:
                made[Replaced(label.value, written, new)] = None
            else:
                new = f"<{label}>"
            edits.append(Replacement(one.entity.start, one.entity.end, new))
        done.append(apply(text.text, [*_with_ages(edits, ages)]))
    return DeidentifiedPatient(tuple(done), PatientKey(patient_id, shift, tuple(made)), levels)


def _days(texts: Sequence[IdentifiedText]) -> tuple[list[dt.date], set[dt.date]]:
    """Every birth date as often as it is written, and the days of documents and events.

    A date that lies a long life before its document is a birth date, whatever its label.
    """
    births: list[dt.date] = []
    days = {text.reference.written_on for text in texts if text.reference.written_on}
    for text in texts:
        written_on = text.reference.written_on
        for entity in text.entities:
            if entity.label in _DATES:
                for day in complete_dates(text.text[entity.start : entity.end], text.reference):
                    old = written_on is not None and age_on(day, written_on) > OLDEST_TOLD
                    if old or entity.label is PhiLabel.DATE_NAISSANCE:
                        births.append(day)
                    else:
                        days.add(day)
    return births, days - set(births)


def _best_shift(
    shifts: Iterable[int], texts: Sequence[IdentifiedText], grouped: Mapping[dt.date, dt.date], misread: Misread
) -> int:
    """The first shift that leaves no date misread ("14/09" moved to "11/12", which may be a score), or the fewest."""
    counts: dict[int, int] = {}
    for shift in shifts:
        counts[shift] = misread([_with_dates_moved(text, shift, grouped) for text in texts], shift)
        if not counts[shift]:
            break
    return min(counts, key=lambda shift: counts[shift])


def _with_dates_moved(text: IdentifiedText, shift: int, grouped: Mapping[dt.date, dt.date]) -> str:
    dates = _Dates(text, shift, grouped)
    moved = (
        Replacement(entity.start, entity.end, new)
        for place, entity in enumerate(text.entities)
        if entity.label in _DATES and (new := dates.moved(place)) is not None
    )
    return apply(text.text, list(moved)).text


def _old(days: set[dt.date]) -> set[dt.date]:
    """Days that may be the birth of someone of age, though no label says so."""
    last = max(days, default=dt.date.min)
    return {day for day in days if age_on(day, last) > _OF_AGE}


def _occurrences(text: IdentifiedText) -> Iterator[Occurrence]:
    """The entities, each with what is written around it."""
    entities = text.entities
    group_of = _groups(text)
    for place, entity in enumerate(entities):
        group = group_of[place]
        written = text.text[entity.start : entity.end]
        before = text.text[max(0, entity.start - _LOOK_BACK) : entity.start]
        start = entities[group[0]].start
        others = tuple(text.text[entities[other].start : entities[other].end] for other in group if other != place)
        following = entities[place + 1] if place + 1 < len(entities) else None
        beside = ""
        if following and following.label is PhiLabel.VILLE and following.start - entity.end <= 3:
            beside = text.text[following.start : following.end]
        name = Name(
            entity.label,
            written,
            text.text[max(0, start - _LOOK_BACK) : start],
            LINKED.search(before) is not None,
            others if entity.label in _NAMES else (),
        )
        yield Occurrence(entity, name, beside)


def _groups(text: IdentifiedText) -> list[list[int]]:
    """For each entity, the places of the names that are written with it, itself included."""
    groups: list[list[int]] = []
    for place, entity in enumerate(text.entities):
        last = text.entities[place - 1] if place else None
        if (
            last
            and last.label in _NAMES
            and entity.label in _NAMES
            and len(groups[-1]) < _MOST_NAMES
            and _BETWEEN_NAMES.fullmatch(text.text, last.end, entity.start)
        ):
            groups[-1].append(place)
            groups.append(groups[-1])
        else:
            groups.append([place])
    return groups


def _levels(text: IdentifiedText, ages: Sequence[OldAge]) -> list[LeveledSentence]:
    sentences = text.sentences or tuple(match.span() for match in re.finditer(r"[^\n]+", text.text))
    return sentence_levels(text.text, sentences, text.entities, text.clinical, [(a.start, a.end) for a in ages])


class _Dates:
    """The dates of one text, moved."""

    def __init__(self, text: IdentifiedText, shift: int, grouped: Mapping[dt.date, dt.date]) -> None:
        self._text = text
        self._shift = shift
        self._grouped = grouped

    def moved(self, place: int) -> str | None:
        """The date at one place among the entities, None when it cannot be read."""
        entity = self._text.entities[place]
        written = self._text.text[entity.start : entity.end]
        if _LONE_DAY.fullmatch(written.strip()):
            return self._moved_day(place, written)
        return self._moved_as_written(written)

    def _moved_as_written(self, written: str) -> str | None:
        days = self._shift
        found = complete_dates(written, self._text.reference)
        if len(found) == 1 and found[0] in self._grouped:
            days += (self._grouped[found[0]] - found[0]).days
        return shift_dates(written, days, self._text.reference)

    def _moved_day(self, place: int, written: str) -> str | None:
        """A day that borrows the month of the date after it ("18" in "du 18 au 25 avril"), or the document's."""
        entities = self._text.entities
        last = place
        while (
            last + 1 < len(entities)
            and entities[last + 1].label in _DATES
            and entities[last + 1].start - entities[last].end <= _LINK
        ):
            last += 1
            if not _LONE_DAY.fullmatch(self._written(last, last).strip()):
                break
        whole = shift_dates(self._written(place, last), self._shift, self._text.reference) if last > place else None
        rest = shift_dates(self._written(place + 1, last), self._shift, self._text.reference) if whole else None
        if whole and rest:
            link = self._text.text[entities[place].end : entities[place + 1].start]
            return whole.removesuffix(link + rest)
        return shift_lone_day(written, self._shift, self._text.reference)

    def _written(self, first: int, last: int) -> str:
        entities = self._text.entities
        return self._text.text[entities[first].start : entities[last].end]


def _with_ages(edits: Sequence[Replacement], ages: Sequence[OldAge]) -> Iterator[Replacement]:
    """The replacements in order, with those of ages that stand in none of them."""
    held = sorted([*edits, *(Replacement(*age) for age in ages)], key=lambda edit: (edit.start, -edit.end))
    position = 0
    for edit in held:
        if edit.start >= position:
            yield edit
            position = edit.end
