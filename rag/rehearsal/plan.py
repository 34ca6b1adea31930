"""What a rehearsal does: how many patients, which variables, how long each model learns. Sized for two cores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from generator.train.lora import LoraPlan
from generator.train.tiny import TinyPlan

#: Findings and acts, told in a few words: what the expert in medicine is for.
BIOMEDICAL = (
    "tabac", "cote", "thrombolyse", "thrombectomie", "imagerie_initiale", "transfo_hemorragique", "deglutition",
    "destination",
)  # fmt: skip
#: Figures to find and to write as asked: what the expert in instructions is for.
INSTRUCTIONS = (
    "taille_poids_imc", "mrs_pre", "nihss_admission", "pas_admission", "glycemie_admission", "aspects", "fevg",
    "nihss_24h",
)  # fmt: skip
#: What each expert is asked for.
EXPERTS = {"biomedical": BIOMEDICAL, "instructions": INSTRUCTIONS}
#: The marks of an answer, each one token of the rehearsal's tokenizer: a small model has no capacity to lose on them.
MARKS = (
    '{"citations":[{"passage":', ',"texte":"', '"},{"passage":', '"}],"statut":"', '","valeur":',
    '{"citations":[],"statut":"non document',
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RehearsalPlan:
    """How much of everything. All of it decides the result.

    Args:
        taught: patients that the base learns from; ``apart``: those of each expert.
        development, test: patients that choose the merge, and that measure it.
        contexts: conversations about each taught patient.
        share: of the experts' questions, how many the base meets too.
        kept: variables of the base that both experts are asked for too, so that what they learn hangs on the question.
        passages: read for each question.
        base, lora: how the base and the experts learn.
        methods, trials: of merging, and recipes that are drawn of them.
    """

    taught: int = 3000
    apart: int = 250
    development: int = 40
    test: int = 30
    contexts: int = 2
    share: float = 0.1
    kept: tuple[str, ...] = ("alcool", "site_occlusion", "fop", "mrs_sortie", "nihss_3mois", "temperature_admission")
    passages: int = 2
    base: TinyPlan = field(default_factory=lambda: TinyPlan(fixed=MARKS, steps=1400))
    lora: LoraPlan = field(default_factory=lambda: LoraPlan(rank=16, alpha=32, epochs=1, batch=8, rate=1e-3))
    methods: tuple[Mapping[str, Any], ...] = (
        {"method": "linear", "weight": [0.5]},
        {"method": "task_arithmetic", "weight": [0.7]},
        {"method": "ties", "weight": [0.8], "density": [0.8]},
    )
    trials: int = 3
    seed: int = 0


def quick() -> RehearsalPlan:
    """The same steps, each as short as it can be: to see that they work here, not what they are worth."""
    full = RehearsalPlan()
    return replace(
        full,
        taught=20,
        apart=12,
        development=4,
        test=6,
        base=replace(full.base, steps=60),
        methods=full.methods[:1],
        trials=1,
    )
