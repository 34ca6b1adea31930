"""What reads the values of a run: the rules, a language model, or both.

A `Generation` says how, as the command line asks for it. `ready` checks it, so that a run never begins without its
server, and names all that decides the answers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from tqdm import tqdm

from generator.both import BothGenerator
from generator.llm.cache import CachedEngine
from generator.llm.engine import Engine
from generator.llm.identity import folder_identity
from generator.llm.prompt import TEMPLATES, PromptStyle
from generator.llm.reader import LlmGenerator
from generator.llm.settings import LlmSettings
from generator.llm.whole import Mentions
from generator.protocol import Generator
from generator.rules.reader import RulesGenerator
from rag.calibration import Calibration
from rag.concepts import ConceptReader
from rag.fingerprint import hash_tree
from rag.patient import MakeGenerator
from rag.terminology.bundled import open_terminology
from schema.problem import InputError, Problem
from schema.study import Study
from schema.variable import Variable

#: Where `cohort-rag serve` answers.
SERVER = "http://127.0.0.1:8000/v1"
#: Seconds that a server may be away before the patients under way are given up.
PATIENCE = 600.0
#: Processes that read patients with a server: while some wait for their answers, others prepare their questions.
_PROCESSES = 4
_BETWEEN_TRIES = 2.0


class GeneratorName(StrEnum):
    """What reads the values."""

    RULES = "rules"
    LLM = "llm"
    BOTH = "both"

    @property
    def asks_model(self) -> bool:
        """Whether a language model is asked."""
        return self is not GeneratorName.RULES


@dataclass(frozen=True, slots=True)
class Generation:
    """How values are read, and which of them are taken.

    Args:
        server: URL of an OpenAI-compatible server.
        served: name of a model, or of an adapter, that it serves; "": the one that it serves alone.
        offline: folder of a model read in this process, without a server; ``adapter``: of one to put on it.
        patience: seconds that the server may be away.
        settings: how the model is asked.
        calibration: file that turns confidences into probabilities.
        above: values of less confidence go to review.
    """

    generator: GeneratorName = GeneratorName.RULES
    server: str = SERVER
    served: str = ""
    offline: Path | None = None
    adapter: Path | None = None
    patience: float = PATIENCE
    settings: LlmSettings = field(default_factory=LlmSettings)
    calibration: Path | None = None
    above: float = 0.0

    @property
    def processes(self) -> int:
        """Processes that are best to read patients, when nothing else is asked for."""
        return _PROCESSES if self.generator.asks_model and self.offline is None else 1


#: The rules alone; every value that they give is taken.
RULES = Generation()


@dataclass(frozen=True, slots=True)
class Ready:
    """A checked `Generation`.

    Args:
        name: what reads, model included, for people.
        described: all that decides the values, as `schema.run.Fingerprint.generator` keeps it.
        make: builds the generator.
        doubts: what should be known before documents are read.
    """

    name: str
    described: str
    make: MakeGenerator
    calibration: Calibration | None
    doubts: tuple[Problem, ...] = ()


def ready(generation: Generation, answers: Path | None = None) -> Ready:
    """Check that what is asked for is there.

    Args:
        answers: file that keeps the answers of the model, for a run that is cut; in a folder made before the first
            patient is read.

    Raises:
        InputError: no server answers, it does not serve the model, the prompt's templates are faulty, or a file or
            folder cannot be used.
    """
    calibration = Calibration.load(generation.calibration) if generation.calibration else None
    taken = [f"calibration {hash_tree(generation.calibration)}"] if generation.calibration else []
    taken += [f"above {generation.above}"] if generation.above else []
    name = generation.generator
    if not name.asks_model:
        return Ready(name.value, ", ".join(taken), RulesGenerator, calibration)
    PromptStyle(generation.settings.style)
    model = _model_of(generation)
    prompt = f"prompt {hash_tree(generation.settings.style)}"
    settings = generation.settings.model_dump_json(exclude={"style"})
    described = ", ".join([name.value, model, prompt, settings, *taken])
    opener = _Opener(generation, answers, model)

    def make(variables: Sequence[Variable], study: Study) -> Generator:
        model_reads = LlmGenerator(variables, study, generation.settings, opener, _open_mentions)
        if name is GeneratorName.LLM:
            return model_reads
        return BothGenerator(variables, RulesGenerator(variables, study), model_reads)

    return Ready(f"{name.value}, {model}", described, make, calibration, tuple(_elsewhere(generation)))


def style_named(name: str) -> Path:
    """The templates of a style that comes with the program, or those of a folder."""
    shipped = TEMPLATES / name
    return shipped if shipped.is_dir() and shipped.parent == TEMPLATES else Path(name)


def _model_of(generation: Generation) -> str:
    """The name of the model that will answer: it changes when the model does."""
    if generation.offline is None:
        with closing(_open_server(generation)) as engine:
            return engine.name
    folders = [folder for folder in (generation.offline, generation.adapter) if folder is not None]
    for folder in folders:
        if not folder.is_dir():
            what, remedy = "is not a folder.", "Give the folder that holds the model's config.json."
            raise InputError(Problem(str(folder), what, remedy))
    if find_spec("vllm") is None:
        what, remedy = "vllm is not installed in this environment.", "Install it, or serve the model: cohort-rag serve."
        raise InputError(Problem("--offline", what, remedy))
    return " + ".join(f"{folder.name}@{folder_identity(folder)}" for folder in folders)


def _elsewhere(generation: Generation) -> Iterator[Problem]:
    """A server on another machine is told: documents leave this one."""
    host = urlsplit(generation.server).hostname or ""
    is_here = host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)
    if generation.offline is None and not is_here:
        what, remedy = "is another machine: the patients' documents are sent to it.", "Stop if it may not read them."
        yield Problem(generation.server, what, remedy, lost=False)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _open_server(generation: Generation) -> Engine:
    from generator.llm.client import ServerEngine

    return ServerEngine(generation.server, generation.served, patience=generation.patience, on_wait=_say)


@dataclass(frozen=True, slots=True)
class _Opener:
    """Opens the model in the process that reads patients; picklable."""

    generation: Generation
    answers: Path | None
    model: str

    def __call__(self) -> Engine:
        engine = self._open()
        return CachedEngine(engine, self.answers) if self.answers else engine

    def _open(self) -> Engine:
        if self.generation.offline is not None:
            from generator.llm.offline import OfflineEngine

            return OfflineEngine(self.generation.offline, self.generation.adapter)
        engine = self._await_server()
        if engine.name != self.model:
            engine.close()
            what = f"now serves {engine.name}; this run was begun with {self.model}."
            raise InputError(Problem(self.generation.server, what, "Serve that model again, and use --resume."))
        return engine

    def _await_server(self) -> Engine:
        """The server was there when the run began: it is given the time to come back."""
        end = time.monotonic() + self.generation.patience
        while True:
            try:
                return _open_server(self.generation)
            except InputError:
                if time.monotonic() + _BETWEEN_TRIES > end:
                    raise
                time.sleep(_BETWEEN_TRIES)


def _open_mentions() -> Mentions:
    return ConceptReader(open_terminology()).mentions


def _say(text: str) -> None:
    tqdm.write(text, file=sys.stderr)
