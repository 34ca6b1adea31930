"""`cohort-rag serve`: what is said before a server starts, and that nothing of it stays behind."""

from __future__ import annotations

import itertools
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from generator.llm import launch
from generator.llm.client import ServerEngine
from generator.llm.launch import PYTHON_VARIABLE, ServedModel, find_vllm, serve_command, server_environment
from generator.llm.serve import ServerProcess
from schema.problem import InputError
from tests.cli.commands import run
from tests.llm.conftest import CONTEXT
from tests.llm.processes import kill_server, processes_of

#: Stands for vLLM: answers, with a process of its own as vLLM has.
_STAND_IN = """
import http.server, os, subprocess, sys, time
arguments = sys.argv[sys.argv.index("--port"):]
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "worker-of-" + arguments[1]])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", int(arguments[1])), Handler).serve_forever()
"""
_BROKEN = """
import sys
print("INFO the prompt was: Mme Delaunay")
print("ValueError: no room for the weights")
sys.exit(3)
"""


def stand_in(folder: Path, program: str) -> Path:
    """A Python that runs ``program``, whatever module it is asked to run."""
    (folder / "program.py").write_text(program)
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {folder / "program.py"} "$@"\n')
    python.chmod(0o755)
    return python


@pytest.fixture
def standing_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    python = stand_in(tmp_path, _STAND_IN)
    monkeypatch.setenv(PYTHON_VARIABLE, str(python))
    return python


def are_gone(port: int) -> bool:
    end = time.monotonic() + 30
    while processes_of(port):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_a_server_is_ready_when_entered_and_leaves_nothing_behind(standing_in: Path, tiny_llama: Path) -> None:
    with ServerProcess(ServedModel(tiny_llama)) as server:
        assert httpx.get(server.url, trust_env=False).is_success
        assert server.is_running
        assert len(processes_of(server.port)) >= 2
    assert are_gone(server.port)
    assert not server.is_running
    server.stop()
    server.start()
    server.wait_ready()
    server.stop()
    assert are_gone(server.port)


@pytest.fixture
def serving(standing_in: Path, tiny_llama: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """``cohort-rag serve`` in a process of its own, ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "rag.cli", "serve", str(tiny_llama), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == f"ready     http://127.0.0.1:{port}/v1\n"
    assert process.stdout.readline() == "models    tiny\n"
    assert len(processes_of(port)) >= 2
    yield process, port
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_however_the_command_ends_its_server_ends(
    serving: tuple[subprocess.Popen[str], int], number: signal.Signals
) -> None:
    process, port = serving
    process.send_signal(number)
    process.wait(120)
    assert are_gone(port)
    if number is not signal.SIGKILL:
        assert process.returncode == 0
        assert "Stopped." in process.communicate()[1]


def test_a_server_that_dies_is_said(serving: tuple[subprocess.Popen[str], int]) -> None:
    process, port = serving
    kill_server(port)
    assert process.wait(30) == 2
    assert "ended" in process.communicate()[1]
    assert are_gone(port)


def test_a_server_that_does_not_start_says_its_last_words_but_no_prompt(
    tmp_path: Path, tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PYTHON_VARIABLE, str(stand_in(tmp_path, _BROKEN)))
    with pytest.raises(InputError) as caught, ServerProcess(ServedModel(tiny_llama)):
        pass
    assert "no room for the weights" in str(caught.value)
    assert "Delaunay" not in str(caught.value)


def test_a_port_that_is_taken_is_said(standing_in: Path, tiny_llama: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        answer = run("serve", tiny_llama, "--port", other.getsockname()[1])
    assert answer.code == 2
    assert "Another program uses it" in answer.err


def test_without_vllm_it_says_how_to_get_it(tmp_path: Path, tiny_llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PYTHON_VARIABLE, raising=False)
    monkeypatch.setattr(launch, "CPU_ENVIRONMENT", tmp_path)
    answer = run("serve", tiny_llama, "--port", 65000)
    assert answer.code == 2
    assert "make serve-cpu" in answer.err
    assert "pip install vllm" in answer.err


def test_what_is_no_model_is_said(tmp_path: Path, tiny_llama: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "config.json").write_text("{}")
    adapter = tiny_llama.with_name("adapter")
    cases = {
        tmp_path / "nothing": "There is no such folder",
        tmp_path / "empty": "holds no config.json",
        tmp_path / "half": "holds no weights",
        adapter: "--adapter NAME=FOLDER",
    }
    for folder, said in cases.items():
        with pytest.raises(InputError, match=said):
            ServedModel(folder)
    with pytest.raises(InputError, match="no LoRA adapter"):
        ServedModel(tiny_llama, adapters={"x": tiny_llama})
    with pytest.raises(InputError, match="Give it another"):
        ServedModel(tiny_llama, name="x", adapters={"x": adapter})


def test_the_command_keeps_patients_on_this_machine_and_shares_what_they_have_in_common(
    standing_in: Path, tiny_llama: Path
) -> None:
    adapter = tiny_llama.with_name("adapter")
    command = serve_command(ServedModel(tiny_llama, name="m", adapters={"a": adapter}, context=512), 8123)
    given = dict(itertools.pairwise(command))
    assert given["--host"] == "127.0.0.1"
    assert given["--max-model-len"] == "512"
    assert given["--served-model-name"] == "m"
    assert given["--lora-modules"] == f"a={adapter.resolve()}"
    assert given["--max-lora-rank"] == "8"
    assert "--enable-prefix-caching" in command
    assert json.loads(given["--structured-outputs-config"])["disable_any_whitespace"] is True
    assert "--enable-log-requests" not in command
    told = server_environment(ServedModel(tiny_llama, threads=1))
    assert (told["VLLM_NO_USAGE_STATS"], told["HF_HUB_OFFLINE"], told["OMP_NUM_THREADS"]) == ("1", "1", "1")


def test_a_model_without_a_form_of_conversations_is_given_one(
    standing_in: Path, tiny_llama: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in tiny_llama.iterdir():
        if path.name != "chat_template.jinja":
            (bare / path.name).write_bytes(path.read_bytes())
    assert "--chat-template" in serve_command(ServedModel(bare), 8123)
    assert "--chat-template" not in serve_command(ServedModel(tiny_llama), 8123)


@pytest.mark.server
def test_vllm_serves_a_model_without_a_form_of_conversations_and_is_started_again(
    vllm_there: None, tiny_llama: Path, tmp_path: Path
) -> None:
    """Real: ready, asked, killed, started again at the same address under the same name, ended."""
    from tests.llm.test_client import asks

    (python, *_), _ = find_vllm()
    assert Path(python).is_file()
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in tiny_llama.iterdir():
        if path.name != "chat_template.jinja":
            (bare / path.name).write_bytes(path.read_bytes())
    with ServerProcess(ServedModel(bare, context=CONTEXT, threads=1)) as server:
        engine = ServerEngine(server.url)
        first = engine.complete([asks(str(i)) for i in range(8)])
        name = engine.name
        kill_server(server.port)
        server.start()
        server.wait_ready()
        assert engine.complete([asks(str(i)) for i in range(8)]) == first
        engine.close()
        again = ServerEngine(server.url)
        assert again.name == name
        again.close()
    assert are_gone(server.port)
