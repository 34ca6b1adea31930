"""Main path of the rehearsal: cohorts -> base -> experts -> merges -> the best one served -> its table, measured.

Each step is the one that a hospital takes, and its result stays in a folder: a rehearsal that was stopped goes on from
the last one.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from eval.run import evaluate
from generator.llm.engine import Message
from generator.llm.prompt import TEMPLATES
from generator.llm.settings import Context, LlmSettings
from rag.finetune import FinetuneRequest, finetune
from rag.generators import Generation, GeneratorName
from rag.merge_search import TableJudge, serve_with_vllm
from rag.pipeline import FillRequest, Mode, fill
from rag.redcap.dictionary import read_dictionary
from rag.redcap.export import read_table
from rag.rehearsal.cohorts import write_cohorts
from rag.rehearsal.conversations import Asking, conversations_of
from rag.rehearsal.plan import BIOMEDICAL, EXPERTS, INSTRUCTIONS, RehearsalPlan
from rag.retrieval import Retrieval, RetrieverName
from rag.train_retriever import CohortFiles
from rag.workers import Failure, ReadPlace, read_all
from schema.report import EvaluationReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from merging.search import SearchReport
    from merging.space import Space
    from merging.trials import Trial

Say = Callable[[str], None]

#: Tokens of an answer: a quote of a line and a value.
_ANSWER = 96
#: Share of an expert's patients whose loss is told, and not learned from.
_HELD_OUT = 0.05


@dataclass(frozen=True, slots=True)
class Score:
    """What a model's table is worth.

    Args:
        development: F1 on the patients that chose the merge; None when it was not judged there.
        test: the whole measure on the others; None for merges that were not chosen.
    """

    name: str
    development: float | None
    test: EvaluationReport | None


@dataclass(frozen=True, slots=True)
class RehearsalReport:
    """Scores of the base, the experts and the merges; ``chosen`` is the best on the development cohort.

    It is an expert where no merge is better than both.
    """

    scores: tuple[Score, ...]
    chosen: str
    seconds: float


def rehearse(out: Path, plan: RehearsalPlan, say: Say, workers: int = 2) -> RehearsalReport:
    """Do it all in ``out``; steps that an earlier call finished there are not done again.

    Raises:
        InputError: vLLM is not installed, or a step cannot be done.
    """
    started = time.monotonic()
    stage = _Stages(out, plan, say, workers)
    stage.cohorts()
    stage.base()
    stage.experts()
    found = stage.search()
    named = {_name(trial): trial for trial in found.trials}
    chosen = _name(found.best)
    tables = stage.tables(named, chosen)
    development = {name: trial.scores.get(plan.development) for name, trial in named.items()}
    names = list(dict.fromkeys(("base", *EXPERTS, *named)))
    scores = tuple(Score(name, development.get(name), tables.get(name)) for name in names)
    return RehearsalReport(scores, chosen, time.monotonic() - started)


class _Stages:
    """The steps, each done once."""

    def __init__(self, out: Path, plan: RehearsalPlan, say: Say, workers: int) -> None:
        self._out, self._plan, self._say, self._workers = out, plan, say, workers
        self._cohorts, self._models = out / "cohorts", out / "models"
        self._settings = LlmSettings(
            style=TEMPLATES / "brief", context=Context.VARIABLE, concepts=False, max_tokens=_ANSWER
        )
        self._retrieval = Retrieval(RetrieverName.BM25, passages=plan.passages)

    def cohorts(self) -> None:
        """Fictitious patients, in five folders."""
        with self._once(self._cohorts, "fictitious cohorts") as folder:
            if folder:
                write_cohorts(folder, self._plan)

    def base(self) -> None:
        """A Llama and its tokenizer, from nothing."""
        from generator.train.tiny import make_tiny_llama

        conversations = self._out / "conversations.jsonl"
        plan = self._plan
        with self._once(conversations, "conversations about their documents") as file:
            if file:
                asking = Asking(plan.contexts, frozenset(BIOMEDICAL + INSTRUCTIONS), plan.share, plan.seed)
                held = conversations_of(
                    self._cohorts / "taught", self._retrieval, self._settings, asking, self._workers
                )
                with file.open("w", encoding="utf-8") as lines:
                    for one in held:
                        lines.writelines(
                            json.dumps([[m.role, m.content] for m in turns], ensure_ascii=False) + "\n" for turns in one
                        )
        with self._once(self._models / "base", "a small French Llama") as folder:
            if folder:
                read = [
                    [Message(role, content) for role, content in json.loads(line)]
                    for line in conversations.read_text(encoding="utf-8").splitlines()
                ]
                make_tiny_llama(read, folder, plan.base, _Told(self._say, plan.base.steps))

    def experts(self) -> None:
        """Adapters of the base, each from the table of a cohort of its own, made at the same time."""
        left = [name for name in EXPERTS if not (self._models / name).exists()]
        if not left:
            return
        self._say(f"experts: adapters of it from tables, {' and '.join(left)}")
        requests = [self._tuning(name) for name in left]
        threads = max(1, (os.cpu_count() or 1) // len(left))
        make = functools.partial(_make_tuner, requests, threads)
        for name, summary in zip(left, read_all(range(len(left)), make, len(left), fork=False, chunk=1), strict=True):
            if isinstance(summary, Failure):
                raise RuntimeError(f"{name}: {summary.reason}")  # noqa: TRY004 (it tells what broke, not a wrong type)
            for line in summary:
                self._say(f"  {name}: {line}")
            (self._out / "tuning" / name).rename(self._models / name)

    def _tuning(self, name: str) -> FinetuneRequest:
        cohort = self._cohorts / name
        return FinetuneRequest(
            cohorts=(CohortFiles(cohort / "documents.jsonl", cohort / "dictionary.csv", cohort / "table.csv"),),
            base=self._models / "base",
            out=self._out / "tuning" / name,
            retrieval=self._retrieval,
            settings=self._settings,
            plan=replace(self._plan.lora, seed=self._plan.seed + 1 + list(EXPERTS).index(name)),
            held_out=_HELD_OUT,
            resume=True,
        )

    def search(self) -> SearchReport:
        """The merges and the experts, each with the score of the table that it fills."""
        from merging.search import search

        cohort = self._cohorts / "development"
        judge = TableJudge(
            cohort / "documents.jsonl",
            cohort / "dictionary.csv",
            cohort / "table.csv",
            work=self._out,
            retrieval=self._retrieval,
            settings=self._settings,
            serve=_serve,
        )
        place = self._out / "search"
        self._say("merges, each judged by the table that it fills through vLLM")
        return search(self._space(), judge, place, self._models, resume=place.exists(), say=self._say)

    def tables(self, named: Mapping[str, Trial], chosen: str) -> Mapping[str, EvaluationReport]:
        """The table of the test cohort, filled by the base, by each expert and by the merge that was chosen, if any."""
        from merging.run import merge

        self._say("tables of the test cohort")
        served = {"base": self._models / "base"}
        for name in EXPERTS:
            with self._once(self._out / "served" / name, f"{name}: its adapter laid into the base") as folder:
                if folder:
                    merge(named[name].recipe, folder, self._models)
            served[name] = self._out / "served" / name
        if chosen not in EXPERTS:
            served[chosen] = self._out / "search" / "best"
        reports: dict[str, EvaluationReport] = {}
        for name, model in served.items():
            with _serve(model) as url:
                reports[name] = self._table(name, url)
        return reports

    def _table(self, name: str, url: str) -> EvaluationReport:
        cohort, run = self._cohorts / "test", self._out / "tables" / name
        generation = Generation(GeneratorName.LLM, server=url, settings=self._settings)
        request = FillRequest(
            documents=cohort / "documents.jsonl",
            dictionary=cohort / "dictionary.csv",
            out=run,
            retrieval=self._retrieval,
            generation=generation,
            workers=generation.processes,
            mode=Mode.FRESH,
        )
        report = fill(request)
        for line in report.summary():
            self._say(f"  {name}: {line}")
        dictionary = read_dictionary(request.dictionary)
        predicted, gold = (read_table(path, dictionary)[0] for path in (run / "table.csv", cohort / "table.csv"))
        return evaluate(dictionary.variables, predicted, gold, run / "report")

    def _space(self) -> Space:
        from merging.space import Space

        experts = [{"name": name, "model": "base", "adapter": name} for name in EXPERTS]
        return Space.model_validate(
            {
                "name": "rehearsal",
                "seed": self._plan.seed,
                "base": {"model": "base"},
                "parents": experts,
                "methods": list(self._plan.methods),
                "trials": self._plan.trials,
                "patients": [self._plan.development],
                "soup": False,
                "dtype": "float32",
            }
        )

    @contextmanager
    def _once(self, place: Path, what: str) -> Iterator[Path | None]:
        """A draft of ``place`` to write, put in its place when it is whole; None when that was done."""
        if place.exists():
            yield None
            return
        self._say(what)
        draft = place.with_name(f"{place.name}.draft")
        if draft.is_dir():
            shutil.rmtree(draft)
        draft.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        draft.replace(place)


def _make_tuner(requests: Sequence[FinetuneRequest], threads: int) -> ReadPlace[list[str]]:
    """Runs in the process that will tune one of them."""
    import torch

    torch.set_num_threads(threads)
    return lambda place: finetune(requests[place], lambda problem: None).summary()


class _Told:
    """Says a step now and then."""

    def __init__(self, say: Say, steps: int) -> None:
        self._say, self._every = say, max(1, steps // 8)

    def __call__(self, step: object) -> None:
        from generator.train.tiny import Step

        assert isinstance(step, Step)
        if step.step % self._every == 0:
            self._say(f"  step {step.step} of {step.steps}: loss {step.loss:.3f} per token of an answer")


def _serve(model: Path) -> AbstractContextManager[str]:
    """One thread: more of them wait for each other longer than so small a model computes."""
    return serve_with_vllm(model, threads=1)


def _name(trial: Trial) -> str:
    """The expert's name for a trial that is one of them; else its method and its number."""
    from merging.trials import Kind

    if trial.kind is Kind.PARENT:
        parents = trial.recipe.parents
        return next(name for name, own in zip(EXPERTS, parents, strict=True) if own.weight)
    return f"{trial.recipe.method}-{trial.id.rpartition('-')[2]}"
