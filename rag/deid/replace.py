"""Main path of de-identification: the documents of one patient, with what identifies in them -> their new texts."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rag.deid.apply import DeidentifiedText, Replacement, apply
from rag.deid.calendar import Reference, complete_dates, shift_dates
from rag.deid.fake_people import Name
from rag.deid.fake_places import LINKED
from rag.deid.keys import PatientKey, Replaced, Secret
from rag.deid.policy import Action, Policy
from rag.deid.sensitivity import Level, LeveledSentence, level_at, sentence_levels
from rag.deid.shift import OldAge, choose_shift, grouped_birth, old_ages
from rag.deid.surrogate import Occurrence, Surrogates
from schema.phi import PhiEntity, PhiLabel

_NAMES = (PhiLabel.NOM, PhiLabel.PRENOM)
_DATES = (PhiLabel.DATE, PhiLabel.DATE_NAISSANCE)
#: What may stand between the names of one person.
_BETWEEN_NAMES = re.compile(r"[\s,.\-–()]{0,3}(?:(?:née?|ep\.?|épouse|veuve)\s)?")
_LOOK_BACK = 40
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


def deidentify_patient(
    patient_id: str, texts: Sequence[IdentifiedText], policy: Policy, secret: Secret, earlier: PatientKey | None = None
) -> DeidentifiedPatient:
    """Mask, replace or keep every entity of one patient's texts, as the policy says.

    The same texts, policy, secret and ``earlier`` (the patient's entry in the key of an earlier run, which is
    followed) give the same result.
    """
    births, days = _days(texts)
    grouped = {born: grouped_birth(born, days) if policy.ages_over_89 == "group" else born for born in births}
    shift = 0
    if policy.moves_dates:
        shift = choose_shift(secret, patient_id, set(grouped.values()), days, policy.shift_weeks)
        shift = earlier.shift_days if earlier and earlier.shift_days else shift
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
        edits = []
        for one in found:
            action = policy.action(one.entity.label, level_at(leveled, one.entity.start))
            new = _new_text(one, action, shift, grouped, text.reference, surrogates)
            edits.append(Replacement(one.entity.start, one.entity.end, new))
            if action is Action.REPLACE:
                made[Replaced(one.entity.label.value, one.name.text, new)] = None
        done.append(apply(text.text, [*_with_ages(edits, ages)]))
    return DeidentifiedPatient(tuple(done), PatientKey(patient_id, shift, tuple(made)), levels)


def _days(texts: Sequence[IdentifiedText]) -> tuple[list[dt.date], set[dt.date]]:
    """Every birth date as often as it is written, and the days of documents and events."""
    births: list[dt.date] = []
    days = {text.reference.written_on for text in texts if text.reference.written_on}
    for text in texts:
        for entity in text.entities:
            if entity.label in _DATES:
                found = complete_dates(text.text[entity.start : entity.end], text.reference)
                births += found if entity.label is PhiLabel.DATE_NAISSANCE else []
                days.update(found if entity.label is PhiLabel.DATE else ())
    return births, days - set(births)


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


def _new_text(
    one: Occurrence,
    action: Action,
    shift: int,
    grouped: dict[dt.date, dt.date],
    reference: Reference,
    surrogates: Surrogates,
) -> str:
    written, label = one.name.text, one.entity.label
    tag = f"<{label}>"
    if action is Action.KEEP or _MASKED.fullmatch(written) or not any(map(str.isalnum, written)):
        return written
    if action is Action.MASK:
        return tag
    if label not in _DATES:
        return surrogates.of(one)
    days = shift
    born = complete_dates(written, reference)
    if len(born) == 1 and born[0] in grouped:
        days += (grouped[born[0]] - born[0]).days
    return shift_dates(written, days, reference) or tag


def _with_ages(edits: Sequence[Replacement], ages: Sequence[OldAge]) -> Iterator[Replacement]:
    """The replacements in order, with those of ages that stand in none of them."""
    held = sorted([*edits, *(Replacement(*age) for age in ages)], key=lambda edit: (edit.start, -edit.end))
    position = 0
    for edit in held:
        if edit.start >= position:
            yield edit
            position = edit.end
