"""Main path of a patient: a life, its documents, what they tell, the table's row."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

from rag.synth.biography import live
from rag.synth.compose import compose, voice_for
from rag.synth.config import SynthConfig
from rag.synth.extra_facts import Extras, plan_extras
from rag.synth.facts import Ledger
from rag.synth.hush import settle
from rag.synth.life import Encounter, Life, Planned
from rag.synth.load import data
from rag.synth.noise import Noise
from rag.synth.people import Hospital
from rag.synth.scene import Scene


@dataclass(frozen=True, slots=True)
class SyntheticDocument:
    """One row of documents.jsonl. ``kind`` is the generator's own name for ``type``."""

    patient_id: str
    document_id: str
    date: str
    type: str
    title: str
    text: str
    kind: str


def write_patient(
    config: SynthConfig, patient_id: str, seed: str
) -> tuple[Life, list[SyntheticDocument], Ledger, Extras]:
    """All documents of one patient, in order of time: as many as the settings ask."""
    dice = random.Random(seed)  # noqa: S311
    wanted = dice.randint(*config.documents)
    life = live(config, dice, patient_id, seed, round(wanted * 1.15) + 2)
    chosen = _choose(life, dice, wanted)
    settle(life, config, dice)
    extras = plan_extras(life, config)
    ledger = Ledger()
    documents: list[SyntheticDocument] = []
    used: dict[str, int] = {}
    for encounter, planned in chosen:
        document = _write(
            life, encounter, planned, ledger, extras, config, dice, used, f"{patient_id}-{len(documents) + 1:03d}"
        )
        if document is not None:
            documents.append(document)
    return life, documents, ledger, extras


def _choose(life: Life, dice: random.Random, wanted: int) -> list[tuple[Encounter, Planned]]:
    """The most needed documents, in order of time; the encounters keep only these."""
    all_of = [(encounter, planned) for encounter in life.encounters for planned in encounter.documents]
    ranked = sorted(all_of, key=lambda each: -(each[1].weight + dice.uniform(0, 0.12)))
    kept = sorted(ranked[:wanted], key=lambda each: (each[1].when, each[0].name, each[1].kind))
    chosen = {id(planned) for _, planned in kept}
    for encounter in life.encounters:
        encounter.documents = [planned for planned in encounter.documents if id(planned) in chosen]
    return kept


def _write(
    life: Life,
    encounter: Encounter,
    planned: Planned,
    ledger: Ledger,
    extras: Extras,
    config: SynthConfig,
    dice: random.Random,
    used: dict[str, int],
    document_id: str,
) -> SyntheticDocument | None:
    scene = Scene(life, encounter, planned, ledger, dice, config.contradictions)
    voice = voice_for(scene, dice, used)
    if voice is None:
        return None
    text = compose(scene, voice, document_id, Noise(dice, config.noise), extras)
    if text is None:
        return None
    name = f"{voice.kind}/{voice.name}"
    used[name] = used.get(name, 0) + 1
    ledger.documents[document_id] = planned.kind, scene.today
    for told in text.told:
        ledger.add(told)
    return SyntheticDocument(
        patient_id=life.patient.patient_id,
        document_id=document_id,
        date=f"{planned.when:%Y-%m-%d}",
        type=_type(planned.kind, scene.place, dice),
        title=text.title,
        text=text.body,
        kind=planned.kind,
    )


def _type(kind: str, place: Hospital, dice: random.Random) -> str:
    names = _habits().get(place.types, {})
    return dice.choice(names.get(kind) or names.get("default") or [kind])


@cache
def _habits() -> dict[str, dict[str, list[str]]]:
    """What hospitals call kinds of documents, by habit."""
    return dict(data("types.yml"))
