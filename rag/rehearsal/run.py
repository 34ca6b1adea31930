"""Main path of the rehearsal: cohorts -> base -> experts -> merges -> the best one served -> its table, measured.

Each step is the one that a hospital takes, and its result stays in a folder: a rehearsal that was stopped goes on from
the last one.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
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
from rag.rehearsal.conversations import conversations_of
from rag.rehearsal.plan import BIOMEDICAL, INSTRUCTIONS, RehearsalPlan
from rag.retrieval import Retrieval, RetrieverName
from rag.train_retriever import CohortFiles
from schema.report import EvaluationReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from merging.space import Space
    from merging.trials import Trial

Say = Callable[[str], None]

#: Tokens of an answer: a quote of a line and a value.
_ANSWER = 96
_EXPERTS = ("biomedical", "instructions")


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
    for name in _EXPERTS:
        stage.expert(name)
    chosen, trials = stage.search()
    tables = stage.tables(chosen)
    scores = [Score("base", trials.get("base"), tables["base"])]
    scores += [Score(name, trials.get(name), tables[name]) for name in _EXPERTS]
    merges = {name: score for name, score in trials.items() if name not in ("base", *_EXPERTS)}
    scores += [Score(name, score, tables.get(name)) for name, score in merges.items()]
    return RehearsalReport(tuple(scores), chosen, time.monotonic() - started)


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
                held = conversations_of(
                    self._cohorts / "taught",
                    self._retrieval,
                    self._settings,
                    plan.contexts,
                    frozenset(BIOMEDICAL + INSTRUCTIONS),
                    plan.share,
                    plan.seed,
                    self._workers,
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

    def expert(self, name: str) -> None:
        """An adapter of the base, from the table of a cohort of its own."""
        plan, cohort = self._plan, self._cohorts / name
        place = self._models / name
        if place.exists():
            return
        self._say(f"{name}: an adapter from the table of its own cohort")
        lora = replace(plan.lora, seed=plan.seed + 1 + _EXPERTS.index(name))
        report = finetune(
            FinetuneRequest(
                cohorts=(CohortFiles(cohort / "documents.jsonl", cohort / "dictionary.csv", cohort / "table.csv"),),
                base=self._models / "base",
                out=self._out / "tuning" / name,
                retrieval=self._retrieval,
                settings=self._settings,
                plan=lora,
                resume=(self._out / "tuning" / name).exists(),
            ),
            lambda problem: None,
        )
        for line in report.summary():
            self._say(f"  {line}")
        (self._out / "tuning" / name).rename(place)

    def search(self) -> tuple[str, dict[str, float]]:
        """The best of the merges and the experts by the table that it fills, and the score of each, by name."""
        from merging.search import search

        cohort = self._cohorts / "development"
        judge = TableJudge(
            cohort / "documents.jsonl",
            cohort / "dictionary.csv",
            cohort / "table.csv",
            work=self._out,
            retrieval=self._retrieval,
            settings=self._settings,
        )
        place = self._out / "search"
        self._say("merges, each judged by the table that it fills through vLLM")
        space = self._space()
        found = search(space, judge, place, self._models, resume=place.exists(), say=self._say)
        patients = space.patients[-1]
        trials = {_name(trial, space): trial.scores[patients] for trial in found.trials if patients in trial.scores}
        return _name(found.best, space), trials

    def tables(self, chosen: str) -> Mapping[str, EvaluationReport]:
        """The table of the test cohort, filled by the base, by each expert and by the merge that was chosen, if any."""
        from generator.llm.launch import ServedModel
        from generator.llm.serve import ServerProcess

        self._say("tables of the test cohort")
        reports: dict[str, EvaluationReport] = {}
        adapters = {name: self._models / name for name in _EXPERTS}
        with ServerProcess(ServedModel(self._models / "base", adapters=adapters)) as server:
            for name in ("base", *_EXPERTS):
                reports[name] = self._table(name, server.url)
        if chosen not in _EXPERTS:
            with serve_with_vllm(self._out / "search" / "best") as url:
                reports[chosen] = self._table(chosen, url, served="best")
        return reports

    def _table(self, name: str, url: str, served: str = "") -> EvaluationReport:
        cohort, run = self._cohorts / "test", self._out / "tables" / name
        generation = Generation(GeneratorName.LLM, server=url, served=served or name, settings=self._settings)
        request = FillRequest(
            documents=cohort / "documents.jsonl",
            dictionary=cohort / "dictionary.csv",
            out=run,
            retrieval=self._retrieval,
            generation=generation,
            workers=self._workers,
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

        experts = [{"name": name, "model": "base", "adapter": name} for name in _EXPERTS]
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


class _Told:
    """Says a step now and then."""

    def __init__(self, say: Say, steps: int) -> None:
        self._say, self._every = say, max(1, steps // 8)

    def __call__(self, step: object) -> None:
        from generator.train.tiny import Step

        assert isinstance(step, Step)
        if step.step % self._every == 0:
            self._say(f"  step {step.step} of {step.steps}: loss {step.loss:.3f} per token of an answer")


def _name(trial: Trial, space: Space) -> str:
    """The expert's name for a trial that is one of them; else that of its recipe."""
    from merging.trials import Kind

    if trial.kind is Kind.PARENT:
        return next(p.name for p, own in zip(space.parents, trial.recipe.parents, strict=False) if own.weight)
    return trial.id
