"""What the README, the docs and the help say to type works as written, on the sample cohort."""

import csv
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.cli import make_parser
from tests.cli.commands import Answer, run, write
from tests.llm.fake_server import FakeServer

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "configs" / "studies" / "stroke"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PATIENTS = {"S01": "P01", "S02": "P02"}  # the docs ask about P01


def commands(text: str) -> list[str]:
    """Every line that begins with the command, and the lines that continue it."""
    joined = re.sub(r"\\\n\s*", "", text)
    return re.findall(r"^ *cohort-rag (.+?)(?: +#.*)?$", joined, re.MULTILINE)


def of_page(path: Path, kind: str = "bash") -> list[str]:
    blocks = re.findall(rf"^```{kind}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [command for block in blocks for command in commands(block)]


def of_help() -> list[str]:
    pages = [
        (),
        ("fill",),
        ("ask",),
        ("evaluate",),
        ("corpus",),
        ("corpus", "build"),
        ("deidentify",),
        ("deid", "synth"),
        ("synth",),
    ]
    helps = [run(*page, "--help").out for page in pages]
    return [command for text in helps for command in commands(text)]


COMMANDS = {path.name: of_page(path) for path in PAGES} | {"--help": of_help()}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the files of which the docs speak, under their names."""
    folder = tmp_path_factory.mktemp("desk")
    with (STUDY / "sample" / "documents.jsonl").open(encoding="utf-8") as lines:
        documents = [row for row in map(json.loads, lines) if row["patient_id"] in PATIENTS]
    for row in documents:
        row["patient_id"] = PATIENTS[row["patient_id"]]
        write(folder / "notes" / row["patient_id"] / f"{row['date']} {row['document_id']}.txt", row["text"])
    write(folder / "notes.jsonl", "".join(json.dumps(row) + "\n" for row in documents))
    with (STUDY / "sample" / "evidence.jsonl").open(encoding="utf-8") as lines:
        known = [row for row in map(json.loads, lines) if row["patient_id"] in PATIENTS]
    known = [{**row, "patient_id": PATIENTS[row["patient_id"]]} for row in known]
    write(folder / "evidence.jsonl", "".join(json.dumps(row) + "\n" for row in known))
    with (STUDY / "sample" / "table.csv").open(encoding="utf-8", newline="") as stream:
        header, *table = csv.reader(stream)
    with (folder / "manual.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = [[PATIENTS[row[0]], *row[1:]] for row in table if row[0] in PATIENTS]
        csv.writer(stream).writerows([header, *rows])
    shutil.copy(STUDY / "dictionary.csv", folder / "dictionary.csv")
    page = (ROOT / "docs" / "your-dictionary.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    write(folder / "study.yml", example)
    page = (ROOT / "docs" / "deidentification.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    write(folder / "ours.yml", example)
    write(folder / "known.csv", "patient_id;nom;prénom\nP01;Darbois;Lucien\nP02;Vernholles;Odette\n")
    write(folder / "manual.jsonl", "".join(json.dumps(surnames(row)) + "\n" for row in documents))
    inputs = ("--documents", folder / "notes", "--dictionary", folder / "dictionary.csv")
    assert run("fill", *inputs, "--out", folder / "runs" / "first").code == 0
    return folder


def surnames(document: dict[str, str]) -> dict[str, object]:
    """The two surnames of the desk, marked as by hand."""
    found = re.finditer("Darbois|Vernholles", document["text"], re.IGNORECASE)
    entities = [{"label": "NOM", "start": match.start(), "end": match.end()} for match in found]
    return {"patient_id": document["patient_id"], "document_id": document["document_id"], "entities": entities}


@pytest.fixture(scope="module")
def model() -> Iterator[FakeServer]:
    """A server that says anything: the pages ask the one at the usual address."""
    with FakeServer(context=100_000) as server:
        yield server


def typed(desk: Path, command: str, model: FakeServer) -> Answer:
    arguments = shlex.split(command)
    if "--generator" in arguments:
        arguments += ["--server", model.url]
    if arguments[0] == "fill":  # the pages do not follow one another: each may make the same run
        shutil.rmtree(desk / arguments[arguments.index("--out") + 1], ignore_errors=True)
    return run(*arguments)


@pytest.mark.parametrize("page", [page for page, found in COMMANDS.items() if found])
def test_the_commands_of_a_page_run_as_written(
    page: str, desk: Path, model: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    for command in COMMANDS[page]:
        answer = typed(desk, command, model)
        assert answer.code == 0, (command, answer.err)
        assert answer.out.strip(), command


def test_commands_that_would_take_hours_are_at_least_commands() -> None:
    shown = [command for path in PAGES for command in of_page(path, "text")]
    assert shown
    for command in shown:
        make_parser().parse_args(shlex.split(command))


def test_the_pages_teach_every_command() -> None:
    assert {command.split()[0] for page in PAGES for command in COMMANDS[page.name]} >= {
        *("fill", "ask", "evaluate", "deidentify", "deid", "normalize", "terminology", "retriever", "synth")
    }
    assert {command.split()[0] for command in COMMANDS["--help"]} >= {"fill", "ask", "evaluate", "corpus", "deidentify"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
