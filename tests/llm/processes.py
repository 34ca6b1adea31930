"""The processes of a server, found by its port."""

import os
import signal
from pathlib import Path


def processes_of(port: int) -> list[int]:
    """Those that live: the one that watches it, the server, and the worker of one that stands in for vLLM."""
    return [pid for pid, words in _commands() if f"worker-of-{port}" in words or _serves(words, port)]


def kill_server(port: int) -> None:
    """Kill the server itself, as the system does when memory runs out."""
    for pid, words in _commands():
        if _serves(words, port) and not any(word.endswith("watch.py") for word in words):
            os.kill(pid, signal.SIGKILL)


def _serves(words: list[str], port: int) -> bool:
    return "--port" in words and str(port) in words and "serve" not in words


def _commands() -> list[tuple[int, list[str]]]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append((int(path.parent.name), path.read_text(errors="replace").split("\0")))
        except OSError:
            continue
    return found
