from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.corpus.decode import decode
from rag.corpus.read import read_documents
from schema.document import RawDocument
from schema.problem import InputError, Problem

HEADER = "patient_id,document_id,date,type,title,text"


def read(path: Path) -> tuple[list[RawDocument], list[Problem]]:
    problems: list[Problem] = []
    return list(read_documents(path, problems.append)), problems


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def texts(documents: list[RawDocument]) -> list[str]:
    return [document.text for document in documents]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    row = ["p1", "d1", "2021-06-14", "crh", "CR", '"HTA, FA ; NIHSS 9\t| oui\nsuite ""citée"""']
    path = write(tmp_path / "notes.csv", HEADER.replace(",", delimiter) + "\n" + delimiter.join(row) + "\n")
    (document,), problems = read(path)
    assert problems == []
    assert document == RawDocument(
        "p1", "d1", 'HTA, FA ; NIHSS 9\t| oui\nsuite "citée"', "2021-06-14", "crh", "CR", "notes.csv, row 2"
    )


def test_optional_columns_any_case_any_order(tmp_path: Path) -> None:
    path = write(tmp_path / "n.CSV", " Text ,PATIENT_ID,document_id\nHTA,p1,d1\n")
    (document,), problems = read(path)
    assert (document.patient_id, document.text, document.date, document.type, problems) == ("p1", "HTA", None, None, [])


def test_excel_says_its_delimiter_first(tmp_path: Path) -> None:
    path = write(tmp_path / "n.csv", "sep=;\r\npatient_id;document_id;text\r\np1;d1;HTA\r\n")
    assert texts(read(path)[0]) == ["HTA"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1", "mac_roman", "cp850"])
@pytest.mark.parametrize("word", ["opérée", "à l'été, fièvre", "Né à Nîmes", "douleur au genou"])
def test_encodings(tmp_path: Path, encoding: str, word: str) -> None:
    csv = write(tmp_path / "n.csv", f"patient_id;document_id;text\np1;d1;{word}\n", encoding)
    line = json.dumps({"patient_id": "p1", "document_id": "d1", "text": word}, ensure_ascii=False)
    jsonl = write(tmp_path / "n.jsonl", line + "\n", encoding)
    assert texts(read(csv)[0]) == texts(read(jsonl)[0]) == [word]


@given(st.text(alphabet="abc éèàçùôêîïüœ’«»€\n0123456789", max_size=60))
def test_french_text_is_decoded_right(text: str) -> None:
    text = "opéré, " + text
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        assert decode(text.encode(encoding))[0] == text


def test_a_few_bad_bytes_do_not_change_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_bytes(b"patient_id;document_id;text\np1;d1;" + "é à è ç ê ".encode() * 3 + b"\xff fin\n")
    (document,), (problem,) = read(path)
    assert document.text == "é à è ç ê " * 3 + "\ufffd fin"
    assert not problem.lost


def test_rows_that_cannot_be_used_are_named_and_the_others_kept(tmp_path: Path) -> None:
    rows = [
        HEADER,
        "p1,d1,2021-06-14,crh,,bon",
        ",d2,,,,sans patient",
        "p1,d3,,,,   ",
        "p1,d4,,,,texte, coupé, par des virgules",
        "p1,d5",
        "",
        "p1,,,,,sans identifiant",
        "p1,d1,,,,bon",
        "p1,d1,,,,autre",
        "p2,d1,,,,un autre patient",
        'p1,d9,,,,"jamais fermé',
    ]
    documents, problems = read(write(tmp_path / "n.csv", "\n".join(rows)))
    assert [(d.patient_id, d.document_id) for d in documents] == [("p1", "d1"), ("p1", "row 8"), ("p2", "d1")]
    assert [(p.where, p.lost) for p in problems] == [
        ("n.csv, row 3", True),
        ("n.csv, row 4", True),
        ("n.csv, row 5", True),
        ("n.csv, row 6", True),
        ("n.csv, row 8", False),
        ("n.csv, row 9", False),
        ("n.csv, row 10", True),
        ("n.csv, row 12", True),
    ]
    assert "coupé" not in "".join(map(str, problems))
    assert all(p.remedy for p in problems)


def test_identifiers_are_data(tmp_path: Path) -> None:
    ids = ["../../etc", "a=b", "d'un «autre»", "deux\nlignes", "nul\x00ici", '"', "C:\\x", "é", "=1+1"]
    path = tmp_path / "n.jsonl"
    lines = [json.dumps({"patient_id": i, "document_id": i, "text": "HTA"}) for i in ids]
    path.write_text("\n".join(lines), "utf-8")
    documents, problems = read(path)
    assert [d.patient_id for d in documents] == [d.document_id for d in documents] == ids
    assert problems == []
    assert list(tmp_path.iterdir()) == [path]


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        '{"patient_id": 12, "document_id": 3.0, "date": null, "text": "bon", "extra": [1]}',
        '{"patient_id": "p1", "document_id": "d1", "text": "coup',
        '["pas", "un", "objet"]',
        '{"patient_id": "p1", "texte": "x"}',
        '{"patient_id": "p1", "document_id": "d2", "text": 12}',
        '{"patient_id": "p1", "document_id": "d3", "text": null}',
        '{"patient_id": "p1", "document_id": {"a": 1}, "text": "x"}',
        "   ",
        '{"patient_id": "p1", "document_id": "d4", "text": "moiti\\u00e9 \\ud83d ici"}',
        "[" * 100_000,
    ]
    documents, problems = read(write(tmp_path / "n.jsonl", "\r\n".join(lines)))
    assert [(d.patient_id, d.document_id, d.text) for d in documents] == [
        ("12", "3", "bon"),
        ("p1", "d4", "moitié ? ici"),
    ]
    assert [p.where for p in problems] == [f"n.jsonl, line {n}" for n in (2, 3, 4, 5, 6, 7, 9, 10)]


def test_parquet(tmp_path: Path) -> None:
    table = pa.table(
        {
            "patient_id": [1, 2, None],
            "document_id": ["a", "b", "c"],
            "date": [dt.date(2021, 6, 14), None, None],
            "text": ["HTA", "FA", "perdu"],
            "other": [b"x", b"y", b"z"],
        }
    )
    pq.write_table(table, tmp_path / "n.parquet")
    documents, (problem,) = read(tmp_path / "n.parquet")
    assert [(d.patient_id, d.document_id, d.date, d.text) for d in documents] == [
        ("1", "a", "2021-06-14", "HTA"),
        ("2", "b", None, "FA"),
    ]
    assert problem.where == "n.parquet, row 3"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_note_table_of_omop(tmp_path: Path, suffix: str) -> None:
    rows = {
        "NOTE_ID": ["10", "11", "12"],
        "PERSON_ID": ["1", "1", "2"],
        "NOTE_DATE": ["2021-06-14", "2021-06-15", ""],
        "NOTE_DATETIME": ["2021-06-14 09:10:00", "", ""],
        "NOTE_TYPE_CONCEPT_ID": ["32817", "32817", "32817"],
        "NOTE_TITLE": ["IRM cérébrale", "CRH", ""],
        "NOTE_TEXT": ["normale", "va bien", "stable"],
        "NOTE_SOURCE_VALUE": ["", "crh", "706391"],
    }
    path = tmp_path / f"note.{suffix}"
    if suffix == "csv":
        lines = [";".join(rows), *(";".join(cells) for cells in zip(*rows.values(), strict=True))]
        path.write_text("\n".join(lines), "utf-8")
    else:
        pq.write_table(pa.table(rows), path)
    documents, problems = read(path)
    assert problems == []
    assert [(d.patient_id, d.document_id, d.date, d.type, d.title or None) for d in documents] == [
        ("1", "10", "2021-06-14 09:10:00", None, "IRM cérébrale"),
        ("1", "11", "2021-06-15", "crh", "CRH"),
        ("2", "12", None, None, None),
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("n.csv", b"a;b\n1;2\n", "patient_id"),
        ("n.csv", b"", "patient_id"),
        ("n.csv", b"patient_id;document_id;text\n", "no document"),
        ("n.csv", b"patient_id;text\n;\n", "no document"),
        ("n.jsonl", b"", "no document"),
        ("n.jsonl", b"{\n", "no document"),
        ("n.parquet", b"not parquet", "Parquet"),
        ("n.xlsx", b"", ".xlsx"),
        ("notes", b"", "extension"),
    ],
)
def test_when_nothing_can_go_on(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as raised:
        read(path)
    assert raised.value.problems[0].remedy


def test_a_source_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_documents(tmp_path / "absent.csv", lambda problem: None)


def test_a_parquet_file_without_our_columns(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "n.parquet")
    with pytest.raises(InputError, match="patient_id"):
        read(tmp_path / "n.parquet")


def test_rows_are_given_before_the_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path / "n.csv", "patient_id,document_id,text\np1,d1,HTA\n,,\n")
    problems: list[Problem] = []
    documents = read_documents(path, problems.append)
    assert next(documents).text == "HTA"
    assert problems == []
    assert list(documents) == []
    assert len(problems) == 1
