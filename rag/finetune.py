"""Main path of `finetune`: documents and their tables -> passages -> pairs -> an adapter of a language model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from generator.llm.engine import Message
from generator.llm.settings import LlmSettings
from generator.train.lora import LoraPlan, LoraReport, Progress, context_of, train_lora
from generator.train.pairs import CHAT_TEMPLATE, load_tokenizer
from generator.train.state import check_free
from rag.concepts import ConceptReader
from rag.corpus.build import build_document
from rag.corpus.read import read_documents
from rag.fingerprint import hash_code, hash_tree
from rag.instruction_pairs import Fits, PairMaker
from rag.journal import Journal
from rag.redcap.dictionary import read_dictionary
from rag.retrieval import WHOLE_RECORD, PassageFinder, Retrieval, RetrieverName
from rag.settings import load_study
from rag.supervision import read_rows
from rag.taught_files import PAIRS, as_row, pair_of, write_rows
from rag.terminology.bundled import open_terminology
from rag.train_retriever import CohortFiles
from schema.document import PatientRecord, RawDocument
from schema.problem import InputError, Problem

Report = Callable[[Problem], None]
#: Fewer patients than this are all learned from.
_ENOUGH = 10
#: Tokens that `cohort-rag serve` gives to a prompt and its answer, at most.
_SERVED = 8192


@dataclass(frozen=True, slots=True)
class FinetuneRequest:
    """What to teach, to which model.

    Args:
        cohorts: each with its own dictionary.
        base: folder of the model; None when pairs alone are made.
        out: folder of the adapter. The pairs, which hold patients' text, go in a folder beside it (`pairs_folder`).
        retrieval, settings: how `fill` will read: the pairs ask as it will.
        held_out: share of the patients, from ten on, that say when to stop.
        pairs_only: make the pairs and stop.
    """

    cohorts: tuple[CohortFiles, ...]
    base: Path | None
    out: Path
    retrieval: Retrieval = WHOLE_RECORD
    settings: LlmSettings = field(default_factory=LlmSettings)
    plan: LoraPlan = field(default_factory=LoraPlan)
    held_out: float = 0.15
    resume: bool = False
    pairs_only: bool = False
    progress: bool = False

    @property
    def pairs_folder(self) -> Path:
        """Where the pairs go."""
        return self.out.with_name(f"{self.out.name}.pairs")


@dataclass(frozen=True, slots=True)
class FinetuneReport:
    """What was made.

    Args:
        kinds: pairs of each `rag.lessons.Kind`; ``weak``: those that weak labels alone vouch for.
        left_out: cells that teach nothing, by reason.
        training: None when pairs alone were made.
    """

    pairs: Path
    patients: int
    kinds: Mapping[str, int]
    weak: int
    left_out: Mapping[str, int]
    training: LoraReport | None = None

    def summary(self) -> list[str]:
        """What was made, in a few lines for a person."""
        kinds = ", ".join(f"{name} {count}" for name, count in sorted(self.kinds.items()))
        lines = [f"{sum(self.kinds.values())} pairs of {self.patients} patients ({kinds}); {self.weak} of them weak"]
        lines += [f"left out: {count} cells, {why}" for why, count in sorted(self.left_out.items())]
        if (training := self.training) is not None:
            best = training.epochs[training.best - 1]
            held = "" if best.held_out is None else f", {best.held_out:.4f} on the patients held out"
            lines.append(
                f"epoch {training.best} of {len(training.epochs)} kept: loss {best.loss:.4f}{held}; "
                f"{training.seconds:.0f} s"
            )
            if training.too_long:
                lines.append(f"left out: {training.too_long} pairs longer than the model's context")
        return lines


def finetune(
    request: FinetuneRequest, on_problem: Report, on_progress: Callable[[Progress], None] = lambda _: None
) -> FinetuneReport:
    """Make the pairs, then the adapter.

    Raises:
        InputError: nothing can be learned, the base is no model, or a folder holds something else.
    """
    if request.base is not None and not request.pairs_only:
        check_free(request.out, request.resume)
    fits, limit = _fits(request, on_problem)
    rows, counted = _pairs(request, fits, limit, on_problem)
    if not rows:
        what = "teaches nothing: no patient has both documents and a row of the table whose values they tell."
        raise InputError(Problem(str(request.cohorts[0].table), what, "Check that identifiers are the same in both."))
    report = FinetuneReport(
        pairs=request.pairs_folder / PAIRS,
        patients=len({(row["cohort"], row["patient"]) for row in rows}),
        kinds=Counter(row["kind"] for row in rows),
        weak=sum(row["weak"] for row in rows),
        left_out=counted,
    )
    if request.base is None or request.pairs_only:
        return report
    learned, held_out = _split(rows, request.held_out, request.plan.seed)
    training = train_lora(
        request.base,
        [pair_of(row) for row in learned],
        request.out,
        request.plan,
        [pair_of(row) for row in held_out],
        request.resume,
        on_progress,
    )
    return FinetuneReport(report.pairs, report.patients, report.kinds, report.weak, report.left_out, training)


def _fits(request: FinetuneRequest, on_problem: Report) -> tuple[Fits, str]:
    """Whether the model takes a prompt and an answer as long as `fill` allows; and what decides it, in words."""
    if request.base is None:
        return (lambda _: True), ""
    context = min(request.plan.context or _SERVED, context_of(request.base))
    tokenizer = load_tokenizer(request.base)
    if tokenizer.chat_template == CHAT_TEMPLATE.read_text(encoding="utf-8"):
        what = "has no chat template: the program's own is used, here and by `cohort-rag serve`."
        remedy = "Another server needs it too: chat_template.jinja, beside the adapter."
        on_problem(Problem(str(request.base), what, remedy, lost=False))
    room = context - request.settings.max_tokens
    if room <= 0:
        what = f"takes {context} tokens, fewer than an answer may have ({request.settings.max_tokens})."
        raise InputError(Problem(str(request.base), what, "Tune a model of a longer context."))

    def fits(messages: Sequence[Message]) -> bool:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return len(tokenizer(str(text), add_special_tokens=False)["input_ids"]) <= room

    vocabulary = hash_tree(request.base / "tokenizer.json") if (request.base / "tokenizer.json").is_file() else ""
    return fits, f"{room} tokens of {vocabulary}"


def _pairs(
    request: FinetuneRequest, fits: Fits, limit: str, on_problem: Report
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The rows of all pairs and the cells left out, by reason; patients already read are not read again."""
    folder = request.pairs_folder
    if folder.exists() and not request.resume:
        what = "holds pairs already."
        raise InputError(Problem(str(folder), what, "Remove it, go on with --resume, or choose another --out."))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    journal = Journal(folder / "patients.jsonl", _made_of(request, limit))
    try:
        place = 0
        for number, cohort in enumerate(request.cohorts):
            place = _read_cohort(request, number, cohort, journal, place, fits, on_problem)
        held = list(journal)
    finally:
        journal.close()
    rows = [{**row, "cohort": one["cohort"]} for one in held for row in one["pairs"]]
    left_out: Counter[str] = Counter()
    for one in held:
        left_out.update(one["left_out"])
    write_rows(folder, rows)
    return rows, dict(left_out)


def _made_of(request: FinetuneRequest, limit: str) -> dict[str, str]:
    cohorts = [
        hash_tree(path)
        for cohort in request.cohorts
        for path in (cohort.documents, cohort.dictionary, cohort.table, cohort.study)
        if path is not None
    ]
    return {
        "documents, dictionary, table or study": " ".join(cohorts),
        "retriever": request.retrieval.described(),
        "prompt": f"{hash_tree(request.settings.style)} {request.settings.model_dump_json(exclude={'style'})}",
        "context or tokenizer of the model": limit,
        "seed": str(request.plan.seed),
        "code": hash_code(),
    }


def _read_cohort(
    request: FinetuneRequest,
    number: int,
    cohort: CohortFiles,
    journal: Journal,
    place: int,
    fits: Fits,
    on_problem: Report,
) -> int:
    """Journal the pairs of one cohort's patients from ``place`` on; the place of the next one."""
    dictionary = read_dictionary(cohort.dictionary)
    study = load_study(cohort.study, dictionary.variables, on_problem)
    rows, problems = read_rows(cohort.table, dictionary)
    for problem in (*dictionary.problems, *problems):
        on_problem(problem)
    by_patient: defaultdict[str, list[RawDocument]] = defaultdict(list)
    for raw in read_documents(cohort.documents, on_problem):
        by_patient[raw.patient_id].append(raw)
    patients = [patient for patient in sorted(by_patient) if rows.get(patient)]
    finder = PassageFinder(request.retrieval, dictionary.variables, study)
    whole = request.retrieval.retriever is RetrieverName.ALL
    mentions = ConceptReader(open_terminology()).mentions if whole and request.settings.concepts else None
    maker = PairMaker(dictionary.variables, study, request.settings, fits, mentions, request.plan.seed)
    for here, patient in enumerate(tqdm(patients, "pairs", unit="patient", disable=not request.progress), place):
        if here in journal.places:
            continue
        record = PatientRecord.of(patient, [build_document(raw, on_problem) for raw in by_patient[patient]])
        lessons = maker.lessons_of(record, rows[patient], finder.passages_for(record))
        left_out = {why.value: count for why, count in lessons.left_out.items()}
        content = {"cohort": number, "pairs": [as_row(one) for one in lessons.taught], "left_out": left_out}
        journal.add(here, content)
    return place + len(patients)


def _split(
    rows: Sequence[Mapping[str, Any]], share: float, seed: int
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Pairs of patients to learn from and of patients held out: none of fewer than ten."""
    patients = sorted({(row["cohort"], row["patient"]) for row in rows})
    held = round(share * len(patients)) if len(patients) >= _ENOUGH else 0
    order = np.random.default_rng(seed).permutation(len(patients)).tolist()
    apart = {patients[i] for i in order[:held]}
    is_apart = [(row["cohort"], row["patient"]) in apart for row in rows]
    pairs = list(zip(rows, is_apart, strict=True))
    return [row for row, out in pairs if not out], [row for row, out in pairs if out]
