"""The methods of merging, in one table: what each does, its paper, its parameters, the program that computes it.

`merging/run.py` gives every parameter to mergekit or PEFT, the defaults of this table included, so that another version
of those with other defaults makes the same model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Engine(StrEnum):
    """The program that computes a merge."""

    MERGEKIT = "mergekit"
    PEFT = "peft"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that a recipe may give. ``default`` None: it must be given."""

    about: str
    default: float | bool | None = None
    low: float | None = None
    high: float | None = None

    @property
    def is_flag(self) -> bool:
        """Whether the value is true or false."""
        return isinstance(self.default, bool)


@dataclass(frozen=True, slots=True)
class Method:
    """One method.

    Args:
        engine, called: what computes it, and its name there.
        paper: authors, year and identifier.
        needs_base: the method works on differences from a base.
        parents: how many it takes, at least and at most (None: any number).
        of_parents: the parameters given for each parent, by name; ``shared``: those given once.
        is_random: the result depends on the seed.
        adapters: every parent is a LoRA adapter of the one base.
    """

    engine: Engine
    called: str
    about: str
    paper: str
    needs_base: bool = True
    parents: tuple[int, int | None] = (1, None)
    of_parents: Mapping[str, Parameter] = field(default_factory=dict)
    shared: Mapping[str, Parameter] = field(default_factory=dict)
    is_random: bool = False
    adapters: bool = False


_WEIGHT = {"weight": Parameter("how much of this parent (of its difference from the base)")}
_DENSITY = {"density": Parameter("share of the difference that is kept", low=0.001, high=1.0)}
_GAMMA = {"gamma": Parameter("share of the largest differences that is dropped", 0.01, 0.0, 1.0)}
_EPSILON = {"epsilon": Parameter("spread of the drop rates around 1 - density", 0.15, 0.0, 0.5)}
_LAMBDA = {"lambda": Parameter("factor of the merged difference", 1.0)}


def _normalize(default: bool) -> dict[str, Parameter]:
    return {"normalize": Parameter("divide by the sum of the weights", default)}


_RESCALE = {"rescale": Parameter("bring the kept part back to the L1 norm of the whole", True)}
_DARE, _TIES = "Yu et al. 2024, arXiv:2311.03099", "Yadav et al. 2023, arXiv:2306.01708"
_DELLA, _CRUMBS = "Deep et al. 2024, arXiv:2406.11617", "Davari and Belilovsky 2023, arXiv:2312.06795"
_LORA = "Hu et al. 2021, arXiv:2106.09685"

#: Every method by the name that recipes give it.
METHODS: Mapping[str, Method] = {
    "linear": Method(
        Engine.MERGEKIT,
        "linear",
        "weighted mean of the weights (a soup)",
        "Wortsman et al. 2022, arXiv:2203.05482",
        needs_base=False,
        parents=(2, None),
        of_parents=_WEIGHT,
        shared=_normalize(True),
    ),
    "slerp": Method(
        Engine.MERGEKIT,
        "slerp",
        "along the arc from the first parent (t = 0) to the second (t = 1), tensor by tensor",
        "Shoemake 1985, doi:10.1145/325165.325242",
        needs_base=False,
        parents=(2, 2),
        shared={"t": Parameter("place on the arc", low=0.0, high=1.0)},
    ),
    "task_arithmetic": Method(
        Engine.MERGEKIT,
        "task_arithmetic",
        "base + weighted sum of the differences",
        "Ilharco et al. 2023, arXiv:2212.04089",
        of_parents=_WEIGHT,
        shared={**_LAMBDA, **_normalize(False)},
    ),
    "ties": Method(
        Engine.MERGEKIT,
        "ties",
        "largest differences, those that agree with the elected sign",
        _TIES,
        of_parents={**_WEIGHT, **_DENSITY},
        shared={**_LAMBDA, **_normalize(True)},
    ),
    "dare_linear": Method(
        Engine.MERGEKIT,
        "dare_linear",
        "differences dropped at random, the rest made larger, summed",
        _DARE,
        of_parents={**_WEIGHT, **_DENSITY},
        shared={**_LAMBDA, **_normalize(False), **_RESCALE},
        is_random=True,
    ),
    "dare_ties": Method(
        Engine.MERGEKIT,
        "dare_ties",
        "differences dropped at random, then the elected sign of TIES",
        f"{_DARE}; {_TIES}",
        of_parents={**_WEIGHT, **_DENSITY},
        shared={**_LAMBDA, **_normalize(False), **_RESCALE},
        is_random=True,
    ),
    "della": Method(
        Engine.MERGEKIT,
        "della",
        "differences dropped at random, the smaller the likelier, then the elected sign",
        _DELLA,
        of_parents={**_WEIGHT, **_DENSITY, **_EPSILON},
        shared={**_LAMBDA, **_normalize(True), **_RESCALE},
        is_random=True,
    ),
    "della_linear": Method(
        Engine.MERGEKIT,
        "della_linear",
        "the same, summed without election",
        _DELLA,
        of_parents={**_WEIGHT, **_DENSITY, **_EPSILON},
        shared={**_LAMBDA, **_normalize(False), **_RESCALE},
        is_random=True,
    ),
    "breadcrumbs": Method(
        Engine.MERGEKIT,
        "breadcrumbs",
        "neither the largest nor the smallest differences, summed",
        _CRUMBS,
        of_parents={**_WEIGHT, **_DENSITY, **_GAMMA},
        shared={**_LAMBDA, **_normalize(False)},
    ),
    "breadcrumbs_ties": Method(
        Engine.MERGEKIT,
        "breadcrumbs_ties",
        "the same, with the elected sign of TIES",
        f"{_CRUMBS}; {_TIES}",
        of_parents={**_WEIGHT, **_DENSITY, **_GAMMA},
        shared={**_LAMBDA, **_normalize(False)},
    ),
    "model_stock": Method(
        Engine.MERGEKIT,
        "model_stock",
        "between the base and the mean of the parents, by the angle between their differences",
        "Jang et al. 2024, arXiv:2403.19522",
        parents=(2, None),
        shared={"filter_wise": Parameter("one angle for each row, not for each tensor", False)},
    ),
    "lora": Method(
        Engine.PEFT,
        "merge_and_unload",
        "one LoRA adapter merged into its base",
        _LORA,
        parents=(1, 1),
        adapters=True,
    ),
    "lora_cat": Method(
        Engine.PEFT,
        "cat",
        "weighted sum of the adapters' differences, exactly (ranks add up)",
        _LORA,
        parents=(2, None),
        of_parents=_WEIGHT,
        adapters=True,
    ),
    "lora_linear": Method(
        Engine.PEFT,
        "linear",
        "factors A and B of the adapters summed apart (not the sum of their differences)",
        _LORA,
        parents=(2, None),
        of_parents=_WEIGHT,
        adapters=True,
    ),
    "lora_ties": Method(
        Engine.PEFT,
        "ties",
        "TIES on the factors A and B",
        _TIES,
        parents=(2, None),
        of_parents=_WEIGHT,
        shared=_DENSITY,
        adapters=True,
    ),
    "lora_dare_linear": Method(
        Engine.PEFT,
        "dare_linear",
        "DARE on the factors A and B, summed",
        _DARE,
        parents=(2, None),
        of_parents=_WEIGHT,
        shared=_DENSITY,
        is_random=True,
        adapters=True,
    ),
    "lora_dare_ties": Method(
        Engine.PEFT,
        "dare_ties",
        "DARE on the factors A and B, then TIES",
        f"{_DARE}; {_TIES}",
        parents=(2, None),
        of_parents=_WEIGHT,
        shared=_DENSITY,
        is_random=True,
        adapters=True,
    ),
}
