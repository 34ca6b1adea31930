"""Tables: read from what people and REDCap give, written for REDCap to import."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.redcap.dictionary import Dictionary, read_dictionary
from rag.redcap.export import TableWriter, guard, read_table, unguard
from schema.problem import InputError
from schema.value import Value
from schema.variable import Variable, VariableKind

DICTIONARY = """field_name,form_name,field_type,field_label,select_choices_or_calculations,text_validation_type
patient,inclusion,text,Numéro,,
poids,inclusion,text,Poids (kg),,number_1dp_comma_decimal
debut,inclusion,text,Début,,date_dmy
stade,inclusion,radio,Stade,"0, 0 | 2a, IIa",
effets,suivi,checkbox,Effets,"1, Nausées | -1, Inconnu",
total,suivi,calc,Total,[poids]*2,
avis,suivi,notes,Avis,,
"""
TABLE_HEADER = "patient,poids,debut,stade,effets___1,effets____1,avis"


@pytest.fixture
def dictionary(tmp_path: Path) -> Dictionary:
    path = tmp_path / "dico.csv"
    path.write_text(DICTIONARY, encoding="utf-8")
    return read_dictionary(path)


def table(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


def write_table(path: Path, dictionary: Dictionary, rows: Iterable[tuple[str, Mapping[str, Value | None]]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = TableWriter(file, dictionary)
        for record, row in rows:
            writer.add(record, row)


def test_table_is_written_for_import_and_read_back(tmp_path: Path, dictionary: Dictionary) -> None:
    rows = {
        "P2": {"poids": 61.0, "debut": dt.date(2021, 6, 14), "stade": "2a", "effets": ("-1",), "avis": "Bon, « sûr »"},
        "P1": {"poids": None, "effets": ()},
    }
    path = tmp_path / "table.csv"
    write_table(path, dictionary, rows.items())
    assert path.read_bytes().decode() == (f'{TABLE_HEADER}\nP2,"61,0",2021-06-14,2a,0,1,"Bon, « sûr »"\nP1,,,,0,0,\n')
    read, problems = read_table(path, dictionary)
    empty = dict.fromkeys(["poids", "debut", "stade", "effets", "avis"])
    assert read == {"P2": rows["P2"], "P1": empty | {"effets": ()}}
    assert problems == ()


def test_a_row_with_an_unknown_variable_is_a_mistake_of_the_caller(tmp_path: Path, dictionary: Dictionary) -> None:
    with pytest.raises(KeyError, match="taille"):
        write_table(tmp_path / "table.csv", dictionary, [("P1", {"taille": 1})])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_delimiters_and_encodings(tmp_path: Path, dictionary: Dictionary, delimiter: str, encoding: str) -> None:
    lines = [["PATIENT", "Poids", "avis"], ["P1", "61.25", "très bon"]]
    path = table(tmp_path, "\r\n".join(delimiter.join(line) for line in lines), encoding)
    read, problems = read_table(path, dictionary)
    assert read["P1"] == {"poids": 61.3, "avis": "très bon"}
    (absent,) = problems
    assert "debut, stade, effets" in absent.what
    assert not absent.lost


def test_bad_rows_and_cells_are_said_and_good_ones_kept(tmp_path: Path, dictionary: Dictionary) -> None:
    lines = [
        TABLE_HEADER + ",taille,poids,total,inclusion_complete,redcap_data_access_group",
        "P1,soixante,31/12/2020,IIa,1,,ok,,,9,2,chu",
        "",
        "P1,61,,,,,,,,,,",
        ",61,,,,,,,,,,",
        "P3,61,,,,,trop,de,cellules,a,b,c,d",
        "P4,61",
    ]
    read, problems = read_table(table(tmp_path, "\n".join(lines)), dictionary)
    assert list(read) == ["P1", "P4"]
    assert read["P1"] == {"poids": None, "debut": dt.date(2020, 12, 31), "stade": "2a", "effets": ("1",), "avis": "ok"}
    said = [f"{problem.where}: {problem.what}" for problem in problems]
    assert [line.partition(":")[0] for line in said] == [
        "table.csv",
        "table.csv",
        "table.csv, row 2, variable 'poids'",
        "table.csv, row 4",
        "table.csv, row 5",
        "table.csv, row 6",
    ]
    assert "'taille'" in said[0]
    assert "'poids'" in said[1]
    assert "soixante" not in "".join(said)
    assert all(problem.remedy for problem in problems)


def test_events_of_one_record_are_laid_over_one_another(tmp_path: Path, dictionary: Dictionary) -> None:
    lines = [
        "patient,redcap_event_name,poids,debut,stade,effets___1,effets____1,avis",
        "P1,inclusion_arm_1,61,2021-06-14,,,,",
        "P1,suivi_arm_1,62,,2a,0,1,",
    ]
    read, problems = read_table(table(tmp_path, "\n".join(lines)), dictionary)
    assert read["P1"] == {
        "poids": 61.0,
        "debut": dt.date(2021, 6, 14),
        "stade": "2a",
        "effets": ("-1",),
        "avis": None,
    }
    (problem,) = problems
    assert "row 3, variable 'poids'" in problem.where


def test_a_table_without_the_record_id_is_refused(tmp_path: Path, dictionary: Dictionary) -> None:
    with pytest.raises(InputError, match="'patient'"):
        read_table(table(tmp_path, "id,poids\nP1,61\n"), dictionary)


def test_formulas_cannot_run_and_figures_stay(tmp_path: Path, dictionary: Dictionary) -> None:
    texts = ["=1+1", "+cmd|' /C calc'!A0", "-2 kg", "@SUM(A1)", "a;=1+1\n-b", "-1", "+33 6 12 34", "'=x", "'ok'"]
    rows = {f"={i}": {"avis": text} for i, text in enumerate(texts)}
    path = tmp_path / "table.csv"
    write_table(path, dictionary, rows.items())
    with path.open(encoding="utf-8", newline="") as file:
        written = [(row["patient"], row["avis"]) for row in csv.DictReader(file)]
    assert [record for record, _ in written] == list(rows)
    assert [cell for _, cell in written] == [
        "'=1+1",
        "'+cmd|' /C calc'!A0",
        "'-2 kg",
        "'@SUM(A1)",
        "a;'=1+1\n'-b",
        "-1",
        "+33 6 12 34",
        "''=x",
        "'ok'",
    ]
    read, problems = read_table(path, dictionary)
    assert [row["avis"] for row in read.values()] == texts
    assert problems == ()


@settings(max_examples=300, deadline=None)
@given(st.text("=+-@';\t\n a1,"))
def test_guard_is_undone_and_leaves_nothing_to_run(text: str) -> None:
    notes = Variable("v", "Avis", VariableKind.NOTES)
    guarded = guard(notes, text)
    assert unguard(notes, guarded) == text
    if any(c in text for c in "a=@"):
        assert not any(part[:1] in tuple("=+-@") for part in guarded.replace("\n", ";").replace("\t", ";").split(";"))


texts = st.text(st.characters(codec="utf-8"), max_size=15)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(texts, max_size=8), max_size=5), st.sampled_from(",;\t"))
def test_wild_tables_give_rows_or_an_input_error(
    tmp_path: Path, dictionary: Dictionary, rows: list[list[str]], delimiter: str
) -> None:
    path = tmp_path / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([TABLE_HEADER.split(","), *rows])
    try:
        read, _ = read_table(path, dictionary)
    except InputError:
        return
    write_table(path, dictionary, read.items())
    again, problems = read_table(path, dictionary)
    assert (again, problems) == (read, ())


@pytest.mark.shared
def test_the_manual_table_of_the_stroke_cohort_is_read_whole(tmp_path: Path, shared_cohort: Path) -> None:
    manual = shared_cohort / "table.csv"
    stroke = read_dictionary(shared_cohort / "dictionary.csv")
    read, problems = read_table(manual, stroke)
    assert len(read) == 16
    assert problems == ()
    write_table(tmp_path / "table.csv", stroke, read.items())
    assert (tmp_path / "table.csv").read_text("utf-8").split() == manual.read_text("utf-8").split()
