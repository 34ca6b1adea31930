"""`cohort-rag deid evaluate` and `deid texts`, on files written here."""

import argparse
import csv
import json
from pathlib import Path
from typing import Any

import pytest

from rag.commands import deid
from schema.problem import InputError

NOTE = "Vue par le Dr Aubry à Dax. Rankin 2."


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    deid.add(parser.add_subparsers())
    parsed = parser.parse_args([str(argument) for argument in arguments])
    code: int = parsed.command(parsed)
    return code


def entity(words: str, label: str, text: str = NOTE) -> dict[str, Any]:
    return {"label": label, "start": text.index(words), "end": text.index(words) + len(words), "text": words}


def write(path: Path, *rows: object) -> Path:
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def value_of(report: Path, figure: str) -> str:
    with (report / "metrics.csv").open(encoding="utf-8-sig", newline="") as file:
        return next(row["value"] for row in csv.DictReader(file) if row["figure"] == figure)


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """Two patients with a note of the same name, and a third note."""
    return write(
        tmp_path / "notes.jsonl",
        *({"patient_id": p, "document_id": d, "text": NOTE} for p, d in (("P1", "a"), ("P2", "a"), ("P2", "b"))),
    )


def test_spans_are_matched_by_patient_and_document(
    documents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = [entity("Aubry", "NOM"), entity("Dax", "VILLE")]
    gold = write(
        tmp_path / "gold.jsonl",
        {"patient_id": "P1", "document_id": "a", "entities": right},
        {"patient_id": "P2", "document_id": "a", "entities": right},
    )
    found = write(
        tmp_path / "spans.jsonl",
        {"patient_id": "P2", "document_id": "a", "entities": [entity("Rankin", "NOM")]},
        {"patient_id": "P1", "document_id": "a", "entities": right},
        {"document_id": "b", "entities": right},  # a document that was not annotated
    )
    out = tmp_path / "report"
    command = ("deid", "evaluate", "--predictions", found, "--gold", gold, "--documents", documents, "--out", out)
    assert run(*command) == 0
    assert value_of(out, "redaction recall, characters") == "0.5000"
    assert value_of(out, "patients without a leak") == "0.5000"
    said = capsys.readouterr()
    assert "2 documents of 2 patients" in said.out
    assert "1 masked without need" in said.out
    assert "Aubry" not in said.out + said.err
    assert said.err == ""

    write(tmp_path / "terms.txt", "Glasgow")
    assert run(*command, "--ignore", "VILLE", "--ignore", "NOM", "--terms", tmp_path / "terms.txt") == 0
    said = capsys.readouterr()
    assert "left out: NOM, VILLE" in said.out
    assert "0 masked without need" in said.out


def test_rows_and_spans_that_cannot_be_used_are_named_and_the_others_count(
    documents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = write(tmp_path / "gold.jsonl", {"document_id": "b", "entities": [entity("Aubry", "NOM")]})
    found = write(
        tmp_path / "spans.jsonl",
        "{",
        [1],
        {"document_id": "a", "entities": []},  # whose?
        {"document_id": "z", "entities": []},
        {
            "document_id": "b",
            "entities": [
                entity("Aubry", "NOM"),
                entity("Dax", "TOWN"),
                {"label": "NOM", "start": 5, "end": 5000},
                {"label": "NOM", "start": 0, "end": 3, "text": "Aubry"},
                {"label": "NOM"},
            ],
        },
        {"document_id": "b", "entities": []},
    )
    out = tmp_path / "report"
    assert run("deid", "evaluate", "--predictions", found, "--gold", gold, "--documents", documents, "--out", out) == 0
    said = capsys.readouterr().err
    for row in range(1, 7):
        assert f"spans.jsonl, row {row}:" in said
    assert said.count("row 5") == 4
    assert "Aubry" not in said
    assert value_of(out, "(all) exact f1") == "1.0000"


def test_documents_without_predictions_count_as_leaks_and_are_said(
    documents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"patient_id": "P1", "document_id": "a", "entities": [entity("Dax", "VILLE")]}
    gold = write(tmp_path / "gold.jsonl", row, {"document_id": "b", "entities": [entity("Dax", "VILLE")]})
    found = write(tmp_path / "spans.jsonl", row)
    out = tmp_path / "report"
    assert run("deid", "evaluate", "--predictions", found, "--gold", gold, "--documents", documents, "--out", out) == 0
    assert "counted as if nothing was found: 1" in capsys.readouterr().out
    assert value_of(out, "documents without a leak") == "0.5000"


def test_brat_texts_become_documents_and_their_annotation_a_reference(tmp_path: Path) -> None:
    corpus = tmp_path / "brat"
    (corpus / "P1").mkdir(parents=True)
    (corpus / "P1" / "n.txt").write_bytes((NOTE + "\r\nDr Sorel").encode())
    (corpus / "P1" / "n.ann").write_text(f"T1\tNOM {NOTE.index('Aubry')} {NOTE.index('Aubry') + 5}\tAubry\n")
    (corpus / "alone.txt").write_text("rien")
    notes = tmp_path / "notes.jsonl"
    assert run("deid", "texts", "--gold", "brat", corpus, "--out", notes) == 0
    rows = [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]
    assert [(row["patient_id"], row["document_id"]) for row in rows] == [("P1", "P1/n"), ("alone", "alone")]
    assert rows[0]["text"] == NOTE + "\r\nDr Sorel"
    found = write(tmp_path / "spans.jsonl", {**rows[0], "entities": [entity("Aubry", "NOM")]})
    assert run("deid", "evaluate", "--predictions", found, "--gold", "brat", corpus, "--out", tmp_path / "r") == 0
    assert value_of(tmp_path / "r", "(all) exact f1") == "1.0000"


def test_i2b2_names_are_compared_whole(tmp_path: Path) -> None:
    text = "Seen by Abel Quint, 93 years old"
    corpus = tmp_path / "i2b2"
    corpus.mkdir()
    name = '<NAME id="P0" start="8" end="18" text="Abel Quint" TYPE="DOCTOR" comment=""/>'
    age = '<AGE id="P1" start="20" end="22" text="93" TYPE="AGE" comment=""/>'
    (corpus / "3-01.xml").write_text(f"<deIdi2b2><TEXT>{text}</TEXT><TAGS>{name}{age}</TAGS></deIdi2b2>")
    spans = [entity("Abel", "PRENOM", text), entity("Quint", "NOM", text), entity("93", "DATE", text)]
    found = write(tmp_path / "spans.jsonl", {"patient_id": "3", "document_id": "3-01", "entities": spans})
    out = tmp_path / "report"
    assert run("deid", "evaluate", "--predictions", found, "--gold", "i2b2", corpus, "--out", out) == 0
    assert value_of(out, "(all) exact f1") == "1.0000"
    assert value_of(out, "redaction precision, characters") == "1.0000"


@pytest.mark.parametrize(
    ("gold", "reason"),
    [
        (["gold.jsonl"], "--documents"),
        (["conll", "folder"], "conll folder"),
        (["brat", "absent"], "not a folder"),
        (["i2b2", "absent"], "not a folder"),
    ],
)
def test_a_reference_that_cannot_be_used_is_said(tmp_path: Path, gold: list[str], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        run("deid", "evaluate", "--predictions", "p.jsonl", "--gold", *gold, "--out", tmp_path / "r")


def test_when_nothing_fits_what_was_met_on_the_way_is_said(documents: Path, tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.jsonl", "{", {"document_id": "z", "entities": []})
    with pytest.raises(InputError) as caught:
        run(
            "deid", "evaluate", "--predictions", gold, "--gold", gold, "--documents", documents, "--out", tmp_path / "r"
        )
    assert [problem.where.rpartition("/")[2] for problem in caught.value.problems] == [
        "gold.jsonl, row 1",
        "gold.jsonl, row 2",
        "gold.jsonl",
    ]
