"""Main path of `retriever encoder`: cohorts, documents and terminology -> texts and pairs -> an encoder in a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from rag.checkpoint import MANIFEST, drop_checkpoint, made_of, read_checkpoint, write_checkpoint, write_manifest
from rag.concepts import ConceptReader
from rag.encoder_pairs import Cohort, Lessons, lessons
from rag.terminology.bundled import open_terminology
from retriever.pretrain.loop import Report
from retriever.pretrain.pairs import read_pairs
from retriever.pretrain.run import EncoderPlan, train_encoder
from schema.problem import InputError, Problem


@dataclass(frozen=True, slots=True)
class EncoderRequest:
    """What to train on, and where to.

    Args:
        cohorts: folders with ``documents.jsonl``, ``dictionary.csv`` and ``evidence.jsonl``.
        documents: further sources of documents, without evidence.
        pairs: files of pairs of one's own.
        terminology: a dictionary of concepts; the bundled one when None.
        resume: go on with the training that ``out`` holds.
    """

    plan: EncoderPlan
    out: Path
    cohorts: Sequence[Path] = ()
    documents: Sequence[Path] = ()
    pairs: Sequence[Path] = ()
    terminology: Path | None = None
    resume: bool = False
    progress: bool = False


def run_training(
    request: EncoderRequest,
    on_problem: Callable[[Problem], None],
    on_lessons: Callable[[Lessons], None] = lambda lessons: None,
    on_report: Callable[[Report], None] = lambda report: None,
) -> list[Report]:
    """Train, and leave in ``out`` the encoder and its manifest.

    Raises:
        InputError: an input cannot be read, or teaches nothing; ``out`` holds a model and ``resume`` was not asked;
            what it holds is another training.
    """
    index = open_terminology(request.terminology)
    seed = request.plan.seed
    cohorts = [Cohort.of(folder) for folder in request.cohorts]
    made = lessons(cohorts, request.documents, index.terms(), ConceptReader(index), seed, on_problem)
    for file in request.pairs:
        made.pairs += read_pairs(file)
    if not made.pairs or not made.held_out:
        what = "no pair of texts, to learn from or to choose the best weights."
        raise InputError(Problem("training texts", what, "Give a --cohort, or a terminology with synonyms."))
    on_lessons(made)
    plan = asdict(request.plan) | {"encoder": _encoder(request.plan.encoder)}
    # Sets have no order: pairs are told apart by sorted ones.
    pairs, held_out = (
        [(p.anchor, p.positive, p.source, p.asks, sorted(p.answers), p.negatives) for p in some]
        for some in (made.pairs, made.held_out)
    )
    origin = made_of(plan, [made.texts, pairs], held_out) | {"counts": _counts(made)}
    state = read_checkpoint(request.out, origin, request.resume)
    request.out.mkdir(parents=True, exist_ok=True)

    def keep(new: Mapping[str, Any]) -> None:
        write_checkpoint(request.out, {"made_of": origin, "state": dict(new)})

    reports = train_encoder(
        request.plan,
        made.texts,
        made.pairs,
        made.held_out,
        request.out,
        state=state["state"] if state else None,
        keep=keep,
        on_report=on_report,
        progress=request.progress,
    )
    write_manifest(request.out, origin | {"reports": [asdict(report) for report in reports]})
    drop_checkpoint(request.out)
    return reports


def _counts(made: Lessons) -> dict[str, int]:
    kinds = Counter(pair.source.partition(":")[0] for pair in made.pairs)
    return {"texts": len(made.texts), "characters": sum(map(len, made.texts)), **dict(sorted(kinds.items()))}


def _encoder(folder: Path | None) -> dict[str, str] | None:
    """The encoder to start from, by the hash of its files."""
    if folder is None:
        return None
    if not (folder / "config.json").is_file():
        remedy = "Give the folder of a BERT, RoBERTa or CamemBERT encoder with its tokenizer.json."
        raise InputError(Problem(str(folder), "holds no config.json.", remedy))
    total = sha256()
    for file in sorted(file for file in folder.glob("*") if file.is_file() and file.name != MANIFEST):
        total.update(file.name.encode() + file.read_bytes())
    return {"name": folder.name, "sha256": total.hexdigest()}
