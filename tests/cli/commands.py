"""The command as a user runs it, and what it answers."""

import csv
import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from rag.cli import main


@dataclass(frozen=True)
class Answer:
    """An exit code and what was printed."""

    code: int
    out: str
    err: str

    def said_of(self, where: str) -> str:
        """The one message about a place."""
        (line,) = [line for line in self.err.splitlines() if line.partition(": ")[2].startswith(f"{where}: ")]
        return line


def run(*arguments: object) -> Answer:
    """Run the command in this process. A second or more is saved on every test."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as exit_:  # argparse: help, or an option that does not exist
            code = int(exit_.code or 0)
    assert "Traceback" not in err.getvalue()
    return Answer(code, out.getvalue(), err.getvalue())


def refused(*arguments: object) -> str:
    """The message of a command that cannot go on."""
    answer = run(*arguments)
    assert answer.code == 2, answer
    assert all(line.startswith(("error: ", "warning: ")) for line in answer.err.splitlines())
    return answer.err


def rows(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    """A table that a command wrote."""
    with path.open(encoding=encoding, newline="") as stream:
        return list(csv.DictReader(stream))


def write(path: Path, content: str | bytes) -> Path:
    """A file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
