"""What an evaluation of retrievers is asked to measure: request -> methods and groups of patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from rag.compared_retrievers import COMPARED, Need
from rag.settings import nearest_hint
from retriever.model import SHIPPED
from schema.problem import InputError, Problem

#: What to do about an option that has nothing to act on.
_TRAINING = "Models are trained where --table and --fit-patients are given, and no --model."
_IN_VAIN = {
    "--fit-patients": "Give --table, from which these patients teach.",
    "--start": _TRAINING,
    "--new": _TRAINING,
    "--ablations": f"Give --model. {_TRAINING}",
}


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """What to measure, and on what.

    Args:
        out: folder of the report; models that are trained are kept in it.
        methods: names of `COMPARED`, the first of which is compared with each other one; () for all that can be made.
        table: what `bm25+prior` and temporal models learn from: the rows of other patients than the one asked about.
        fit_patients, test_patients: patterns of identifiers ("A*"): learn from the first, ask about the second, or
            about all others.
        crossed: then the reverse too, the questions of both being put together.
        models: folder of a temporal model, or one for each group of patients asked about; () for the shipped one, which
            is trained on each group to learn from where there are ``table`` and ``fit_patients``.
        start: folder of the model that such a training goes on from; None for the shipped one.
        new: such a training starts from nothing.
        ablations: also measure temporal models made alike without one of their parts.
        encoder: folder of a sentence encoder; the default one when None.
        patient: whose timeline is drawn; that of most documents when None.
    """

    documents: Path
    dictionary: Path
    evidence: Path
    out: Path
    study: Path | None = None
    methods: tuple[str, ...] = ()
    table: Path | None = None
    fit_patients: str | None = None
    test_patients: str | None = None
    crossed: bool = False
    models: tuple[Path, ...] = ()
    start: Path | None = None
    new: bool = False
    ablations: bool = False
    encoder: Path | None = None
    patient: str | None = None
    progress: bool = False

    @property
    def trains(self) -> bool:
        """Whether temporal models are trained on the patients to learn from."""
        return not self.models and self.table is not None and self.fit_patients is not None


def methods_of(request: EvaluateRequest, trained_encoder: bool) -> tuple[str, ...]:
    """The methods asked for, or all those that what was given suffices for.

    Raises:
        InputError: one is unknown, or needs what was not given; or an option would do nothing.
    """
    model = bool(request.models) or request.trains or (SHIPPED.is_dir() and request.encoder is None)
    for option, given_in_vain in (
        ("--fit-patients", request.fit_patients is not None and request.table is None),
        ("--start", request.start is not None and not request.trains),
        ("--new", request.new and not request.trains),
        ("--ablations", request.ablations and not model),
    ):
        if given_in_vain:
            raise InputError(Problem(option, "would do nothing here.", _IN_VAIN[option]))
    given = {
        None: True,
        Need.TABLE: request.table is not None,
        Need.MODEL: model,
        Need.ABLATIONS: model and request.ablations,
        Need.ENCODER: trained_encoder,
    }
    for name in request.methods:
        if name not in COMPARED:
            remedy = nearest_hint(name, COMPARED) or f"Known methods are {', '.join(COMPARED)}."
            raise InputError(Problem("--methods", f"knows no method {name!r}.", remedy))
        if not given[COMPARED[name].needs]:
            what = f"{name!r} needs {COMPARED[name].needs}."
            raise InputError(Problem("--methods", what, "Give it, or leave the method out."))
    possible = (name for name, compared in COMPARED.items() if given[compared.needs])
    return tuple(dict.fromkeys(request.methods or possible))


@dataclass(frozen=True, slots=True)
class Fold:
    """Patients to learn from and patients to ask about, by identifier."""

    fit: tuple[str, ...]
    test: frozenset[str]


def folds_of(request: EvaluateRequest, patients: Sequence[str]) -> list[Fold]:
    """Who teaches and who is asked about. Without ``fit_patients`` all teach, but for the row of the one asked about.

    Raises:
        InputError: a group is empty, a patient is in both, or the folders of models do not go with the groups.
    """
    if request.fit_patients is None:
        if request.crossed:
            remedy = "Give --fit-patients."
            raise InputError(Problem("--crossed", "has no two groups of patients to cross.", remedy))
        test = _matching("--test-patients", request.test_patients, patients)
        folds = [Fold(tuple(patients), frozenset(test))]
    else:
        fit = _matching("--fit-patients", request.fit_patients, patients)
        others = [patient for patient in patients if patient not in fit]
        test = _matching("--test-patients", request.test_patients, patients if request.test_patients else others)
        if both := sorted(set(fit) & set(test)):
            what = f"also takes patients of --fit-patients ({', '.join(both[:3])}{'…' if both[3:] else ''})."
            raise InputError(Problem("--test-patients", what, "Give patterns without a patient in common."))
        folds = [Fold(fit, frozenset(test)), Fold(test, frozenset(fit))][: 2 if request.crossed else 1]
    if len(request.models) > len(folds):
        what = "is given more folders than there are groups of patients to ask about."
        raise InputError(Problem("--model", what, "Give one folder, or with --crossed one for each group."))
    return folds


def _matching(option: str, pattern: str | None, patients: Sequence[str]) -> tuple[str, ...]:
    found = tuple(p for p in patients if pattern is None or fnmatchcase(p, pattern))
    if not found:
        what = f"no patient's identifier is like {pattern!r}." if pattern else "no patient is left to ask about."
        remedy = f"Identifiers look like {', '.join(patients[:3])}; * stands for any characters." if patients else ""
        raise InputError(Problem(option, what, remedy or "Give --fit-patients that leaves some."))
    return found
