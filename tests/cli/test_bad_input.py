"""Bad input through the command: a message that names file, row and remedy; good rows kept; the right exit code."""

import io
import json
import os
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from tests.cli.commands import Answer, refused, rows, run, write
from tests.pipeline.synthetic import DICTIONARY, plain_cohort, write_dictionary, write_documents

GOOD = "Poids : 71 kg."


def pdf(*lines: str) -> bytes:
    stream = io.BytesIO()
    canvas = Canvas(stream)
    for line in lines:
        canvas.drawString(50, 700, line)
    canvas.showPage()
    canvas.save()
    return stream.getvalue()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dictionary and documents that are as they should be."""
    folder = tmp_path_factory.mktemp("study")
    write_dictionary(folder)
    write_documents(folder / "documents.jsonl", plain_cohort(3))
    return folder


def fill(folder: Path, documents: Path, dictionary: Path, *more: object) -> Answer:
    return run("fill", "--documents", documents, "--dictionary", dictionary, "--out", folder / "run", *more)


def kept_problems(folder: Path) -> list[str]:
    return [row["where"] for row in rows(folder / "run" / "problems.csv", "utf-8-sig")]


# Files


FILES = {
    "P1/bon.txt": f"Né le 3 mai, opéré d'une hernie étranglée. {GOOD}".encode("cp1252"),
    "P1/binaire.txt": bytes(range(256)) * 20,
    "P1/image.txt": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "P1/coupe.pdf": pdf(GOOD)[:-200],
    "P1/scan.pdf": pdf(),
    "P1/note.doc": b"\xd0\xcf\x11\xe0" + bytes(100),
    "P1/note.docx": b"PK\x03\x04" + bytes(100),
    "P1/vide.txt": " \n",
    "P1/2031-03-01 suivi.txt": "Va bien.",
    "P1/2021-02-30 avis.txt": "Va bien.",
    "P3/seul.pdf": pdf(GOOD)[:300],
    "P4/bon.pdf": pdf("Poids : 64 kg."),
    "egare.txt": GOOD,
}


@pytest.fixture(scope="module")
def of_files(study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    folder = tmp_path_factory.mktemp("files")
    for name, content in FILES.items():
        write(folder / "notes" / name, content)
    (folder / "notes" / "P2").mkdir()
    return folder, fill(folder, folder / "notes", study / "dictionary.csv")


@pytest.mark.parametrize(
    ("where", "what", "remedy"),
    [
        ("P1/binaire.txt", "does not hold text", "true extension"),
        ("P1/image.txt", "does not hold text", "true extension"),
        ("P1/coupe.pdf", "not a readable PDF", "Export it again"),
        ("P1/scan.pdf", "images and no text", "OCR"),
        ("P1/note.doc", "files .doc are not read", "Save it as"),
        ("P1/note.docx", "not a readable Word document", "save it again"),
        ("P1/vide.txt", "empty", "export its text again"),
        ("P1/2031-03-01 suivi.txt", "2031-03-01, after the day", "Correct it"),
        ("P1/2021-02-30 avis.txt", "not in the calendar", "Correct it"),
        ("P2/", "holds no file", "Put the patient's documents"),
        ("P3/", "no row in the table", "Mend or replace"),
        ("egare.txt", "belongs to no patient", "named after its patient"),
    ],
)
def test_a_bad_file_is_said(of_files: tuple[Path, Answer], where: str, what: str, remedy: str) -> None:
    folder, answer = of_files
    message = answer.said_of(where)
    assert what in message
    assert remedy in message
    assert where in kept_problems(folder)


def test_the_good_files_are_read_and_nothing_else_is_said(of_files: tuple[Path, Answer]) -> None:
    folder, answer = of_files
    assert answer.code == 0
    assert [(row["record_id"], row["poids"]) for row in rows(folder / "run" / "table.csv")] == [
        ("P1", "71"),
        ("P4", "64"),
    ]
    assert len(answer.err.splitlines()) == len(kept_problems(folder))
    inferred = [line for line in answer.err.splitlines() if "document(s) without a" in line]
    assert {line.split(": ")[1] for line in inferred} == {"patient 'P1'", "patient 'P4'"}
    assert len(answer.err.splitlines()) - len(inferred) == 13  # P3/seul.pdf beside the twelve above


def test_a_folder_without_documents_is_refused(study: Path, tmp_path: Path) -> None:
    for name in ("empty", "hollow/P1"):
        (tmp_path / name).mkdir(parents=True)
    inputs = ("--dictionary", study / "dictionary.csv", "--out", tmp_path / "run")
    assert "empty: it holds no document. Give a folder" in refused("fill", "--documents", tmp_path / "empty", *inputs)
    assert "P1/: this folder holds no file." in refused("fill", "--documents", tmp_path / "hollow", *inputs)


# Rows


def line(patient: object, text: object = GOOD, **more: object) -> str:
    return json.dumps({"patient_id": patient, "document_id": "d1", "date": "2024-03-05", "text": text} | more)


ODD = ["../../x", "=1+1", '"a"', "l1\nerror: l2", "a'b;c,d", "\x1b[2J"]
ROWS = [
    line("P1"),
    line("P1", "Poids : 80 kg."),
    line("P1"),
    line("P2", f"CHU, le 14/06/2021\n\n{GOOD}", date="2031-06-14"),
    line("P3", date="30/02/2021"),
    line("P4", date="2031-01-01"),
    '{"patient_id": "P5", ',
    "[1]",
    line(""),
    line("P6", ""),
    line("P7", 12),
    *(line(name) for name in ODD),
    *(line(name, "Autre.", document_id="d1") for name in ODD),
    line("P8", document_id="../../../etc/passwd"),
]


@pytest.fixture(scope="module")
def of_rows(study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    folder = tmp_path_factory.mktemp("rows")
    documents = write(folder / "documents.jsonl", "\n".join(ROWS) + "\n")
    return folder, fill(folder, documents, study / "dictionary.csv")


@pytest.mark.parametrize(
    ("number", "what", "remedy"),
    [
        (2, "already has a document 'd1', with another text; the first is kept", "Give each its own document_id"),
        (3, "with the same text", "Nothing is lost"),
        (4, "dated 2031-06-14", "2021-06-14, read in the text, is used"),
        (5, "not in the calendar", "left undated"),
        (6, "dated 2031-01-01, after the day", "Correct it"),
        (7, "not valid JSON", "one complete JSON object per line"),
        (8, "not an object", "Write patient_id"),
        (9, "patient_id is empty", "Say whose"),
        (10, "empty (patient 'P6')", "export its text again"),
        (11, "text was expected", "as strings"),
    ],
)
def test_a_bad_row_is_said(of_rows: tuple[Path, Answer], number: int, what: str, remedy: str) -> None:
    message = of_rows[1].said_of(f"documents.jsonl, line {number}")
    assert what in message
    assert remedy in message


def test_the_good_rows_are_filled_whatever_their_identifiers_hold(of_rows: tuple[Path, Answer]) -> None:
    folder, answer = of_rows
    assert answer.code == 0
    table = rows(folder / "run" / "table.csv")
    assert [row["record_id"] for row in table] == ["P1", "P2", "P3", "P4", *ODD, "P8"]
    assert {row["poids"] for row in table} == {"71"}
    assert sorted(path.name for path in folder.iterdir()) == ["documents.jsonl", "run"]
    of_rows_said = [line for line in answer.err.splitlines() if "document(s) without a" not in line]
    assert all(message.startswith("warning: documents.jsonl, line ") for message in of_rows_said)
    assert "\x1b" not in answer.err


def test_odd_identifiers_are_asked_about_and_measured(of_rows: tuple[Path, Answer], study: Path) -> None:
    folder, _ = of_rows
    documents, table = folder / "documents.jsonl", folder / "run" / "table.csv"
    for patient in ODD:
        inputs = ("--documents", documents, "--dictionary", study / "dictionary.csv", "--patient", patient)
        answer = run("ask", *inputs, "--variable", "poids", "--json")
        assert (answer.code, json.loads(answer.out)["value"]) == (0, "71")
    inputs = ("--predictions", table, "--gold", table, "--dictionary", study / "dictionary.csv")
    answer = run("evaluate", *inputs, "--out", folder / "run" / "report")
    assert answer.code == 0
    assert f"{len(rows(table))} records" in answer.out


def test_an_identifier_cannot_forge_a_line_of_ours(study: Path) -> None:
    inputs = ("--documents", study / "documents.jsonl", "--dictionary", study / "dictionary.csv")
    message = refused("ask", *inputs, "--patient", "x\nerror: all is lost\x1b[2J", "--variable", "poids")
    assert len(message.splitlines()) == 1
    assert "\x1b" not in message


# Dictionaries


FIELDS = """\
poids,f,,text,Poids encore,,,,,,,,
bras,f,,radio,Bras,,,,,,,,
main,f,,radio,Main,"1 droite | 2, gauche | 2, autre",,,,,,,
secu,f,,text,Numéro,,,ssn,,,,,
taille,f,,text,Taille,,,integer,haute,300,,,
duree,f,,text,Durée,,,integer,9,1,,,
ouvert,f,,text,Ouvert,,,integer,,,,[fume = 1,
inconnu,f,,text,Inconnu,,,integer,,,,[absent] = '1',
curseur,f,,reglette,Curseur,,,,,,,,
,f,,text,Sans nom,,,,,,,,
de,f,,text,trop,,,,,,,,,de cellules
"""


@pytest.fixture(scope="module")
def of_fields(study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    folder = tmp_path_factory.mktemp("fields")
    dictionary = write(folder / "dico.csv", (DICTIONARY + FIELDS).encode("cp1252"))
    return folder, fill(folder, study / "documents.jsonl", dictionary)


@pytest.mark.parametrize(
    ("where", "what", "remedy"),
    [
        ("row 10, variable 'poids'", "declared twice; the first one is kept", "Rename"),
        ("row 11, variable 'bras'", "no choice that can be read", "1, Homme | 2, Femme"),
        ("row 13, variable 'secu'", "validation 'ssn'", "check its values by hand"),
        ("row 14, variable 'taille'", "minimum 'haute'", "Mend it"),
        ("row 15, variable 'duree'", "minimum (9) above its maximum (1)", "Mend them"),
        ("row 16, variable 'ouvert'", "branching logic that cannot be read", "Mend the logic"),
        ("row 17, variable 'inconnu'", "names 'absent'", "Mend the logic"),
        ("row 18, variable 'curseur'", "'reglette', which is not one of REDCap's", "Use text"),
        ("row 19", "no variable name", "Name it"),
        ("row 20", "14 cells under 13 headings", "quotes"),
    ],
)
def test_a_bad_field_is_said(of_fields: tuple[Path, Answer], where: str, what: str, remedy: str) -> None:
    message = of_fields[1].said_of(f"dico.csv, {where}")
    assert what in message
    assert remedy in message


def test_the_good_fields_are_filled(of_fields: tuple[Path, Answer]) -> None:
    folder, answer = of_fields
    assert answer.code == 0
    table = rows(folder / "run" / "table.csv")
    assert [row["poids"] for row in table] == ["50", "51", "52"]
    assert list(table[0])[-6:] == ["main", "secu", "taille", "duree", "ouvert", "inconnu"]
    assert "choice 1 ('1 droite') has no code" in answer.err
    assert "choice 3 has the code '2'" in answer.err


@pytest.mark.parametrize(
    ("content", "what", "remedy"),
    [
        (DICTIONARY.replace("Field Type", "Kind"), "no column 'Field Type'", "Export the data dictionary"),
        (DICTIONARY.splitlines()[0], "no variable that can be filled", "Add text"),
        ("", "is empty", "heading row"),
        (b"PK\x03\x04" + bytes(100), "Excel", "CSV UTF-8"),
        (bytes(range(256)), "not a text", "CSV UTF-8"),
    ],
)
def test_a_dictionary_that_cannot_be_used_is_refused(
    study: Path, tmp_path: Path, content: str | bytes, what: str, remedy: str
) -> None:
    dictionary = write(tmp_path / "dico.csv", content)
    inputs = ("--documents", study / "documents.jsonl", "--dictionary", dictionary)
    message = refused("fill", *inputs, "--out", tmp_path / "run")
    assert message.startswith("error: dico.csv: ")
    assert what in message
    assert remedy in message
    assert not (tmp_path / "run").exists()


# Study files and paths


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("variables:\n  poids: {synonymes: [a]}\n", "variables.poids.synonymes: is not a key"),
        ("variables:\n\tpoids: x\n", "study.yml, line 2: is not YAML"),
        (b"\xff\xfe\x00", "UTF-8"),
        ("variables: {poids: {policy: jamais}}", "variables.poids.policy"),
        ("variables: {poids: {reader: jamais}}", "variable 'poids': no reader is named 'jamais'"),
        ("variables: {poids: {concepts: [jamais]}}", "variable 'poids': the lexicon has no concept 'jamais'"),
    ],
)
def test_a_malformed_study_file_is_refused(study: Path, tmp_path: Path, content: str | bytes, what: str) -> None:
    path = write(tmp_path / "study.yml", content)
    inputs = ("--documents", study / "documents.jsonl", "--dictionary", study / "dictionary.csv", "--study", path)
    message = refused("fill", *inputs, "--out", tmp_path / "run")
    assert "study.yml" in message
    assert what in message
    assert what in refused("ask", *inputs, "--patient", "P001", "--variable", "poids")


@pytest.mark.parametrize("option", ["--documents", "--dictionary", "--study"])
def test_a_missing_file_is_named(study: Path, tmp_path: Path, option: str) -> None:
    inputs = ("--documents", study / "documents.jsonl", "--dictionary", study / "dictionary.csv")
    missing = tmp_path / "absent.csv"
    assert str(missing.name) in refused("fill", *inputs, "--out", tmp_path / "run", option, missing)


def out_below_a_file(folder: Path) -> Path:
    return write(folder / "file", "") / "out"


def out_below_a_closed_folder(folder: Path) -> Path:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    (folder / "closed").mkdir(mode=0o500)
    return folder / "closed" / "out"


@pytest.mark.parametrize("unwritable", [out_below_a_file, out_below_a_closed_folder])
def test_an_output_that_cannot_be_written_is_refused(study: Path, tmp_path: Path, unwritable) -> None:  # type: ignore[no-untyped-def]
    out = unwritable(tmp_path)
    documents, dictionary = study / "documents.jsonl", study / "dictionary.csv"
    table = write(tmp_path / "table.csv", "record_id,poids\nP001,51\n")
    for command in (
        ("fill", "--documents", documents, "--dictionary", dictionary),
        ("evaluate", "--predictions", table, "--gold", table, "--dictionary", dictionary),
        ("corpus", "build", documents),
    ):
        message = refused(*command, "--out", out)
        assert str(out) in message
        assert "Check the path" in message


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--patient", "P0011", "--variable", "poids"), "P001"),
        (("--patient", "P001", "--variable", "poid"), "poids"),
        (("--patient", "Z", "Quel est le poids ?"), "P000"),
    ],
)
def test_unknown_names_are_refused_with_near_ones(study: Path, asked: tuple[str, ...], said: str) -> None:
    inputs = ("--documents", study / "documents.jsonl", "--dictionary", study / "dictionary.csv")
    assert said in refused("ask", *inputs, *asked)


@pytest.mark.parametrize(
    ("option", "content", "what"),
    [
        ("--gold", "id,poids\nP001,51\n", "no column 'record_id'"),
        ("--gold", "record_id,poids\nZ9,51\n", "no record is common"),
        ("--predictions", "", "is empty"),
    ],
)
def test_tables_that_cannot_be_compared_are_refused(
    study: Path, tmp_path: Path, option: str, content: str, what: str
) -> None:
    table, bad = write(tmp_path / "table.csv", "record_id,poids\nP001,51\n"), write(tmp_path / "bad.csv", content)
    inputs = ("--predictions", table, "--gold", table, "--dictionary", study / "dictionary.csv")
    assert what in refused("evaluate", *inputs, "--out", tmp_path / "report", option, bad)


def test_bad_lines_of_evidence_and_bad_cells_are_said_and_the_rest_is_measured(study: Path, tmp_path: Path) -> None:
    table = write(tmp_path / "table.csv", "record_id,poids,taille\nP001,51,\nP002,lourd,\n")
    evidence = write(tmp_path / "evidence.jsonl", '{"patient_id": "P001"}\nnot JSON\n')
    inputs = ("--predictions", table, "--gold", table, "--dictionary", study / "dictionary.csv")
    answer = run("evaluate", *inputs, "--evidence", evidence, "--out", tmp_path / "report")
    assert answer.code == 0
    assert "2 records" in answer.out
    for where in ("evidence.jsonl, line 1", "evidence.jsonl, line 2", "table.csv, row 3, variable 'poids'", "'taille'"):
        assert where in answer.err, where
