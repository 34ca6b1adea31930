"""The tables of OMOP CDM 5.4: names and types of their columns, what is in them, and that they can be read."""

import csv
import datetime as dt
import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from rag.normalize import NormalizeRequest, normalize
from rag.omop import Format, OmopWriter, Term, numbered
from schema.concept import Code, CodeSystem
from tests.cli.commands import write

COLUMNS = list(csv.DictReader((Path(__file__).parents[2] / "rag" / "omop_cdm54.csv").open(encoding="utf-8")))
TABLES = list(dict.fromkeys(row["table"] for row in COLUMNS))
ARROW = {"integer": "int64", "float": "double", "date": "date32[day]", "datetime": "timestamp[us]", "text": "string"}
TEXT = "Antécédents : HTA, pas de diabète.\n\nMère : épilepsie.\n\nExamen :\nHémiparésie gauche, NIHSS à 14. FA, FA.\n"


def tables(tmp_path: Path, form: Format, date: str | None = "2023-05-10") -> Path:
    rows = [{"patient_id": "P1", "document_id": "d1", "date": date, "title": "Note", "text": TEXT}]
    documents = write(tmp_path / "notes.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    normalize(NormalizeRequest(documents, tmp_path / "c.jsonl", omop=tmp_path / "omop", omop_format=form))
    return tmp_path / "omop"


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("table", TABLES)
def test_csv_has_the_columns_of_the_model(tmp_path: Path, table: str) -> None:
    path = tables(tmp_path, Format.CSV) / f"{table}.csv"
    expected = [row for row in COLUMNS if row["table"] == table]
    frame = pd.read_csv(path, dtype=object)
    assert list(frame.columns) == [row["column"] for row in expected]
    assert len(frame) > 0
    for row in expected:
        if row["required"] == "1":
            assert frame[row["column"]].notna().all(), row["column"]
        if row["type"] == "integer":
            assert frame[row["column"]].dropna().str.fullmatch(r"\d+").all(), row["column"]
        if row["type"] == "date":
            pd.to_datetime(frame[row["column"]].dropna(), format="%Y-%m-%d")
        if row["type"].startswith("varchar"):
            assert (
                frame[row["column"]].dropna().str.len().max() <= int(row["type"][8:-1])
                or frame[row["column"]].isna().all()
            )


@pytest.mark.parametrize("table", TABLES)
def test_parquet_has_the_types_of_the_model(tmp_path: Path, table: str) -> None:
    found = pq.read_table(tables(tmp_path, Format.PARQUET) / f"{table}.parquet")
    expected = [(row["column"], ARROW.get(row["type"], "string")) for row in COLUMNS if row["table"] == table]
    assert [(field.name, str(field.type)) for field in found.schema] == expected
    assert found.num_rows > 0


def test_both_formats_hold_the_same(tmp_path: Path) -> None:
    as_csv, as_parquet = tables(tmp_path / "a", Format.CSV), tables(tmp_path / "b", Format.PARQUET)
    for table in TABLES:
        rows = pq.read_table(as_parquet / f"{table}.parquet").to_pylist()
        written = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
        assert written == read(as_csv / f"{table}.csv")


def test_conditions_are_those_said_of_the_patient(tmp_path: Path) -> None:
    rows = read(tables(tmp_path, Format.CSV) / "condition_occurrence.csv")
    told = {row["condition_source_value"]: row["condition_status_source_value"] for row in rows}
    assert told["I10"] == "history"
    assert told["I48"] == ""
    assert not any(code.startswith(("E1", "G40")) for code in told)
    assert [row["condition_source_value"] for row in rows].count("I48") == 1
    assert {row["condition_start_date"] for row in rows} == {"2023-05-10"}
    assert {row["condition_concept_id"] for row in rows} == {"0"}


def test_a_measured_value_has_its_number(tmp_path: Path) -> None:
    (row,) = read(tables(tmp_path, Format.CSV) / "measurement.csv")
    assert (row["value_as_number"], row["value_source_value"], row["measurement_date"]) == ("14.0", "14", "2023-05-10")


def test_terms_say_whether_they_exist_and_where_they_stand(tmp_path: Path) -> None:
    rows = {row["lexical_variant"]: row for row in read(tables(tmp_path, Format.CSV) / "note_nlp.csv")}
    assert {name: rows[name]["term_exists"] for name in ("HTA", "diabète", "épilepsie")} == {
        "HTA": "Y", "diabète": "N", "épilepsie": "N",
    }  # fmt: skip
    assert rows["HTA"]["term_temporal"] == "past"
    assert "negated=true" in rows["diabète"]["term_modifiers"]
    assert "side=left" in rows["Hémiparésie"]["term_modifiers"]
    assert "code_ICD10=I10" in rows["HTA"]["term_modifiers"]
    offset = int(rows["HTA"]["offset"])
    assert TEXT[offset : offset + 3] == "HTA"
    assert "HTA" in rows["HTA"]["snippet"]


def test_the_note_and_the_person_lead_back_to_the_source(tmp_path: Path) -> None:
    folder = tables(tmp_path, Format.CSV)
    (note,) = read(folder / "note.csv")
    assert (note["note_text"], note["note_source_value"], note["note_title"]) == (TEXT, "d1", "Note")
    assert read(folder / "person_id.csv") == [{"person_id": note["person_id"], "person_source_value": "P1"}]


def test_a_document_without_a_day_gives_terms_alone(tmp_path: Path) -> None:
    folder = tables(tmp_path, Format.CSV, date=None)
    assert len(read(folder / "note_nlp.csv")) > 0
    assert read(folder / "condition_occurrence.csv") == read(folder / "note.csv") == []


def test_long_texts_are_cut_to_the_columns(tmp_path: Path) -> None:
    writer = OmopWriter(tmp_path / "omop", tmp_path / "drafts", dt.date(2024, 1, 2), Format.CSV, ["P"], ["d"])
    codes = (Code(CodeSystem.LOCAL, "x" * 80),)
    note = writer.add_note("P", "d" * 80, dt.date(2024, 1, 1), "t" * 300, "texte")
    writer.add_term(note, Term(0, "a" * 300, "b" * 300, codes, exists=True, past=False, modifiers={"m": "c" * 3000}))
    writer.add_condition("P", dt.date(2024, 1, 1), codes)
    writer.publish()
    (term,) = read(tmp_path / "omop" / "note_nlp.csv")
    assert (len(term["lexical_variant"]), len(term["snippet"]), len(term["term_modifiers"])) == (250, 250, 2000)
    assert term["nlp_date"] == "2024-01-02"
    (condition,) = read(tmp_path / "omop" / "condition_occurrence.csv")
    assert len(condition["condition_source_value"]) == 50
    assert not (tmp_path / "drafts").exists()


def test_numbers_of_an_omop_source_are_kept() -> None:
    assert numbered(["12", "7"]) == [12, 7]
    assert numbered(["12", "12"]) == [1, 2]
    assert numbered(["P1", "7"]) == [1, 2]
    assert numbered(["007"]) == numbered(["0"]) == numbered(["9" * 30]) == [1]
    assert numbered([]) == []


def test_notes_of_an_omop_table_keep_their_numbers(tmp_path: Path) -> None:
    table = "note_id,person_id,note_date,note_title,note_text\n501,31,2023-05-10,CRH,HTA.\n498,8,2023-05-11,CRH,FA.\n"
    documents = write(tmp_path / "note.csv", table)
    normalize(NormalizeRequest(documents, tmp_path / "c.jsonl", omop=tmp_path / "omop"))
    found = {(row["note_id"], row["lexical_variant"]) for row in read(tmp_path / "omop" / "note_nlp.csv")}
    assert found == {("501", "HTA"), ("498", "FA")}
    assert {row["person_id"] for row in read(tmp_path / "omop" / "condition_occurrence.csv")} == {"31", "8"}
