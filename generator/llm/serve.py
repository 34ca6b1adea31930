"""A server of language models on this machine: started, waited for, and ended with all its processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO

import httpx

from generator.llm.launch import ServedModel, serve_command, server_environment
from schema.problem import InputError, Problem

_HOST = "127.0.0.1"
_WATCH = Path(__file__).with_name("watch.py")
#: Seconds between two looks at a server that starts, and that it is given to end.
_BETWEEN = 0.2
_END = 30.0
#: What is shown of a log: of its last bytes the last lines, and of each no more than this many letters.
_END_OF_LOG = 2**15
_LINES = 12
_LETTERS = 240


class ServerProcess:
    """vLLM's server, as a context manager: ready when it is entered, ended when it is left.

    It answers on 127.0.0.1 alone, and ends with this process, however that ends. `start`, `wait_ready` and `stop` do
    the same by hand; it can be started again, at the same address.

    Args:
        model: what is served.
        port: where; 0: a free one.
        patience: seconds that it may take to be ready.

    Raises:
        InputError: there is no vLLM, the port is taken, or the server ended before it was ready.
    """

    def __init__(self, model: ServedModel, port: int = 0, patience: float = 1800.0) -> None:
        self.model = model
        self.port = port or _free_port()
        self._patience = patience
        self._watcher: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of its OpenAI-compatible interface."""
        return f"http://{_HOST}:{self.port}/v1"

    @property
    def name(self) -> str:
        """Name by which the model is asked for."""
        return self.model.served_name

    @property
    def is_running(self) -> bool:
        """Whether its processes are there."""
        return self._watcher is not None and self._watcher.poll() is None

    def start(self) -> None:
        """Start the server, without waiting."""
        self.stop()
        command = serve_command(self.model, self.port)
        _check_port(self.port)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (without a name: it is gone with us)
        self._watcher = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", str(_WATCH), str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=server_environment(self.model),
            start_new_session=True,  # Ctrl-C reaches us; we end it
        )

    def wait_ready(self) -> None:
        """Wait until the server answers."""
        end = time.monotonic() + self._patience
        with httpx.Client(trust_env=False, timeout=5.0) as client:
            while not self._answers(client):
                if not self.is_running:
                    raise self._failure("ended before it was ready")
                if time.monotonic() > end:
                    failure = self._failure(f"was not ready after {self._patience:.0f} s")
                    self.stop()
                    raise failure
                time.sleep(_BETWEEN)

    def wait(self) -> None:
        """Wait until the server ends by itself, which it should not.

        Raises:
            InputError: always, with the last lines of its log.
        """
        if self._watcher is not None:
            self._watcher.wait()
        raise self._failure("ended")

    def stop(self) -> None:
        """End the server and all its processes; nothing is done where there is none."""
        if self._watcher is not None:
            if self._watcher.poll() is None:
                self._watcher.send_signal(signal.SIGTERM)
            try:
                self._watcher.wait(_END)
            except subprocess.TimeoutExpired:
                self._watcher.kill()
                self._watcher.wait()
            self._watcher = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def __enter__(self) -> ServerProcess:
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _answers(self, client: httpx.Client) -> bool:
        try:
            return client.get(f"http://{_HOST}:{self.port}/health").is_success
        except httpx.HTTPError:
            return False

    def _failure(self, what: str) -> InputError:
        said = "\n".join(f"  {line}" for line in self._last_lines())
        remedy = f"Its last words:\n{said}" if said else "It said nothing."
        return InputError(Problem(f"The server of {self.name}", f"{what}.", remedy))

    def _last_lines(self) -> list[str]:
        """The end of its log; lines that speak of a prompt, which may quote it, are left out."""
        if self._log is None:
            return []
        handle = self._log.fileno()
        end = os.pread(handle, _END_OF_LOG, max(0, os.fstat(handle).st_size - _END_OF_LOG))  # leaves its position
        lines = end.decode("utf-8", "replace").splitlines()
        kept = [line[:_LETTERS] for line in lines if line.strip() and "prompt" not in line.lower()]
        return kept[-_LINES:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server that has just ended holds it no more
        try:
            probe.bind((_HOST, port))
        except OSError:
            what, remedy = "Another program uses it.", "Stop that one, or give another --port."
            raise InputError(Problem(f"Port {port}", what, remedy)) from None
