"""Servers that tests may ask: vLLM with a tiny Llama, one for all processes of the tests, and a scripted fake."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from generator.llm.launch import ServedModel, find_vllm
from generator.llm.serve import ServerProcess
from schema.problem import InputError
from tests.llm.fake_server import FakeServer
from tests.llm.tiny_llama import make_adapter, make_llama

#: Tokens that the tiny Llama's prompts and answers may take.
CONTEXT = 4096


@dataclass(frozen=True)
class Served:
    """A server that answers: its address, and the names of its model and of an adapter."""

    url: str
    model: str
    adapter: str
    folder: Path | None = None


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    """A scripted server, which answers anything that the schema allows until it is given a script."""
    with FakeServer(served={"fake": None, "adapted": "fake"}, context=CONTEXT) as server:
        yield server


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run of the tests share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def tiny_llama(shared_folder: Path) -> Path:
    """Folder of a Llama of two layers with random weights and a tokenizer of its own; beside it, an ``adapter``."""
    folder = shared_folder / "llama" / "tiny"
    with FileLock(shared_folder / "llama.lock"):
        if not folder.is_dir():
            made = make_llama(folder.with_name("made"), context=CONTEXT)
            make_adapter(made, folder.with_name("adapter"))
            made.rename(folder)
    return folder


@pytest.fixture(scope="session")
def vllm_there() -> None:
    """Skip where there is no vLLM; in continuous integration its absence is a failure."""
    try:
        find_vllm()
    except InputError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def vllm_server(vllm_there: None, tiny_llama: Path, shared_folder: Path) -> Iterator[Served]:
    """A real server. The first process that wants it starts it, and ends it when no other one uses it any more."""
    state = shared_folder / "vllm.json"
    lock = FileLock(shared_folder / "vllm.lock")
    adapter = tiny_llama.with_name("adapter")
    server = ServerProcess(ServedModel(tiny_llama, adapters={"adapted": adapter}, context=CONTEXT, threads=1))
    with lock:
        if not state.is_file():
            server.start()
            server.wait_ready()
            state.write_text(json.dumps({"url": server.url, "users": []}))
        told = json.loads(state.read_text())
        state.write_text(json.dumps({**told, "users": [*told["users"], os.getpid()]}))
    yield Served(told["url"], server.name, "adapted", tiny_llama)
    with lock:
        _leave(state)
    while server.is_running:
        with lock:
            if not _users(state):
                state.unlink()
                server.stop()
                break
        time.sleep(0.2)


def _leave(state: Path) -> None:
    told = json.loads(state.read_text())
    told["users"].remove(os.getpid())
    state.write_text(json.dumps(told))


def _users(state: Path) -> list[int]:
    """The processes of the tests that use the server and still live."""
    return [pid for pid in json.loads(state.read_text())["users"] if Path(f"/proc/{pid}").exists()]


@pytest.fixture(params=["fake", pytest.param("vllm", marks=pytest.mark.server)])
def served(request: pytest.FixtureRequest) -> Served:
    """Both: what holds for the one holds for the other."""
    if request.param == "vllm":
        return request.getfixturevalue("vllm_server")
    fake: FakeServer = request.getfixturevalue("fake")
    return Served(fake.url, "fake", "adapted")
