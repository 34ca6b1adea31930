"""Fifty patients filled through a server that fails, dies and comes back, by a client that is killed: the same table.

One request in five gets an error; the server is killed twice; the client is killed once and resumed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from generator.llm.launch import ServedModel
from generator.llm.serve import ServerProcess
from tests.llm.conftest import CONTEXT
from tests.llm.fake_server import Body, FakeServer, Raw, Reply, Reset, Say, Script, Status
from tests.llm.processes import kill_server
from tests.pipeline.synthetic import write_documents
from tests.pipeline.test_fill import evidence, exported, table
from tests.pipeline.test_fill_llm import DICTIONARY, cohort

PATIENTS = 50
#: After how many requests the server is killed, then the client, then, of those of the resumed one, the server again.
SERVER_DIES, CLIENT_DIES, SERVER_DIES_AGAIN = 25, 60, 30

_CLIENT = """
import sys
from pathlib import Path
from generator.llm.settings import LlmSettings
from rag.generators import Generation, GeneratorName, style_named
from rag.pipeline import FillRequest, Mode, fill

if __name__ == "__main__":
    folder, url, mode = Path(sys.argv[1]), sys.argv[2], Mode(sys.argv[3])
    settings = LlmSettings(style=style_named("brief"), max_tokens=96)
    generation = Generation(GeneratorName.LLM, server=url, patience=600, settings=settings)
    report = fill(FillRequest(folder / "documents.jsonl", folder / "dictionary.csv", folder / "run", workers=2,
                              mode=mode, generation=generation))
    sys.exit(1 if report.failed else 0)
"""


@dataclass
class Backend:
    """What answers behind the server of the test, and how it dies and comes back.

    Args:
        reads: whether it answers from what it is shown; random weights do not.
        said: the answers to each request; to the same one there should be one.
    """

    answer: Script
    reads: bool = False
    said: dict[str, set[str]] = field(default_factory=dict)
    die: Callable[[], None] = lambda: None
    revive: Callable[[], None] = lambda: None


@dataclass
class Disturbed:
    """A script that answers as ``backend`` does, but for one request in five and for the deaths."""

    backend: Backend
    front: FakeServer
    asked: int = 0
    dies_at: int | None = SERVER_DIES
    client: subprocess.Popen[bytes] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    mending: list[threading.Thread] = field(default_factory=list)

    def __call__(self, body: Body) -> Reply:
        with self.lock:
            self.asked += 1
            if self.dies_at is not None and self.asked >= self.dies_at:
                self.dies_at = None
                self.mending.append(threading.Thread(target=self._die_and_come_back))
                self.mending[-1].start()
                return Reset()
            if self.client is not None and self.asked >= CLIENT_DIES:
                self.client.send_signal(signal.SIGKILL)
                self.client = None
                return Reset()
            number = self.asked
        if hashlib.sha256(f"seed 5, request {number}".encode()).digest()[0] < 256 // 5:
            return Status(500)
        return self.backend.answer(body)

    def mend(self) -> None:
        """Wait until what died has come back."""
        while self.mending:
            self.mending.pop().join()

    def _die_and_come_back(self) -> None:
        self.front.die()
        self.backend.die()
        self.backend.revive()
        self.front.revive()


#: What is quoted for each question, and the value that is said.
_READ: dict[str, tuple[str, Callable[[str], object]]] = {
    "Poids (kg)": (r"Poids : (\d+) kg", int),
    "Taille (cm)": (r"Taille : (\d+) cm", int),
    "Diabète": (r"(Diabète) de type 2", lambda _: "Oui"),
}


def _answer_as_reads(body: Body) -> Reply:
    """The right answer, from the text that is shown."""
    shown, _, label = body["messages"][1]["content"].rpartition("\n? ")
    pattern, value = _READ[label.strip()]
    match = re.search(pattern, shown)
    assert match is not None
    told: Body = {"citations": [{"passage": 1, "texte": match[0]}], "statut": "documenté", "valeur": value(match[1])}
    schema = body["response_format"]["json_schema"]["schema"]
    assert set(schema["required"]) == set(told)
    return Say(json.dumps(told, ensure_ascii=False))


@pytest.fixture
def vllm_backend(vllm_there: None, tiny_llama: Path) -> Iterator[Backend]:
    """vLLM itself, killed and started again at the same address."""
    with ServerProcess(ServedModel(tiny_llama, name="fake", context=CONTEXT, threads=1)) as server:
        client = httpx.Client(trust_env=False, timeout=300)

        def answer(body: Body) -> Reply:
            try:
                told = client.post(f"{server.url}/chat/completions", json=body)
            except httpx.HTTPError:
                return Reset()
            if not told.is_success:
                return Status(told.status_code)
            text = told.json()["choices"][0]["message"]["content"]
            backend.said.setdefault(json.dumps(body), set()).add(text)
            return Raw(told.content)

        def revive() -> None:
            server.start()
            server.wait_ready()

        backend = Backend(answer, die=lambda: kill_server(server.port), revive=revive)
        yield backend
        client.close()


@pytest.fixture(params=["fake", pytest.param("vllm", marks=pytest.mark.server)])
def backend(request: pytest.FixtureRequest) -> Backend:
    return request.getfixturevalue("vllm_backend") if request.param == "vllm" else Backend(_answer_as_reads, True)


def start(folder: Path, url: str, mode: str) -> subprocess.Popen[bytes]:
    program = folder / "client.py"
    program.write_text(_CLIENT, encoding="utf-8")
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, program, folder, url, mode], env=environment, stderr=subprocess.DEVNULL)


def cohort_in(folder: Path) -> Path:
    folder.mkdir()
    (folder / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    write_documents(folder / "documents.jsonl", cohort(PATIENTS))
    return folder


def test_the_table_is_that_of_an_undisturbed_run(backend: Backend, tiny_llama: Path, tmp_path: Path) -> None:
    calm, rough = cohort_in(tmp_path / "calm"), cohort_in(tmp_path / "rough")
    with FakeServer(backend.answer, context=CONTEXT, root=str(tiny_llama)) as front:
        assert start(calm, front.url, "new").wait() == 0
        front.script = disturbed = Disturbed(backend, front)
        disturbed.client = killed = start(rough, front.url, "new")
        assert killed.wait() == -signal.SIGKILL
        disturbed.mend()
        disturbed.dies_at = disturbed.asked + SERVER_DIES_AGAIN
        assert start(rough, front.url, "resume").wait() == 0
        disturbed.mend()
    assert disturbed.dies_at is None
    assert exported(rough / "run") == exported(calm / "run")
    assert len(table(rough / "run")) == PATIENTS
    assert all(len(answers) == 1 for answers in backend.said.values())
    if backend.reads:
        assert [row["poids"] for row in table(rough / "run")] == [str(60 + i) for i in range(PATIENTS)]
    assert {cell["status"] for cell in evidence(rough / "run").values()}.isdisjoint({"server_error", "failed"})
