"""The table of known identities, as warehouses export it."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.deid.identities import parse_identities
from schema.phi import PhiLabel as L
from schema.problem import InputError, Problem


def read(text: str) -> tuple[dict[str, tuple[tuple[L, str], ...]], list[Problem]]:
    problems: list[Problem] = []
    found = parse_identities("known.csv", text, problems.append)
    return {patient: identity.values for patient, identity in found.items()}, problems


def test_a_table() -> None:
    found, problems = read(
        "patient_id,nom,nom_naissance,prenom,date_naissance,adresse,zip,ville,tel,mail,ipp,nda,secu,hopital\n"
        "P1,Maubert,Sarlin,Yvonne,1939-11-03,3 rue du Cloître,63200,Riom,0473001842,y@m.fr,8004,2106,264,CHU\n"
    )
    assert problems == []
    assert [label for label, _ in found["P1"]] == [
        L.NOM, L.NOM, L.PRENOM, L.DATE_NAISSANCE, L.ADRESSE, L.ZIP, L.VILLE,
        L.TEL, L.MAIL, L.IPP, L.NDA, L.SECU, L.HOPITAL,
    ]  # fmt: skip
    assert found["P1"][5] == (L.ZIP, "63200")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_french_headings_delimiters_and_order(delimiter: str) -> None:
    rows = [["Prénom", "N° IPP ?", "Patient ID", "Nom de naissance", "Date de naissance", "Code postal", "Téléphone"]]
    rows += [["Yvonne", "x", "P1", "Sarlin", "03/11/1939", "63200", ""]]
    found, problems = read("\ufeff" + "\r\n".join(delimiter.join(row) for row in rows))
    assert found["P1"] == ((L.PRENOM, "Yvonne"), (L.NOM, "Sarlin"), (L.DATE_NAISSANCE, "03/11/1939"), (L.ZIP, "63200"))
    (problem,) = problems
    assert "'N° IPP ?'" in problem.what
    assert not problem.lost


def test_several_rows_of_a_patient_and_excel_s_own_first_line() -> None:
    found, problems = read("sep=;\npatient;nom;prenom\nP1;Maubert;Yvonne\nP2;Lorrin;\n\nP1;Sarlin;Yvonne\n")
    assert problems == []
    assert found == {"P1": ((L.NOM, "Maubert"), (L.PRENOM, "Yvonne"), (L.NOM, "Sarlin")), "P2": ((L.NOM, "Lorrin"),)}


def test_bad_rows_are_named_and_the_others_kept() -> None:
    found, problems = read('patient_id;nom\n;Maubert\nP2;\nP3;"Lorrin\nP4;Sarlin')
    assert [problem.where for problem in problems] == ["known.csv, row 2", "known.csv, row 3", "known.csv, row 4"]
    assert found == {}
    found, problems = read("patient_id;nom\nP1;Maubert;75012\nP2;Lorrin;;\n")
    assert [problem.where for problem in problems] == ["known.csv, row 2"]
    assert found == {"P2": ((L.NOM, "Lorrin"),)}
    assert not any("Maubert" in str(problem) for problem in problems)


def test_a_birth_date_that_is_none_is_said_and_kept() -> None:
    found, problems = read(
        "patient_id;nom;ddn\nP1;Maubert;32/13/1939\nP2;Lorrin;3/11/1939\nP3;Sarlin;1939-11-03T00:00\n"
    )
    (problem,) = problems
    assert (problem.where, problem.lost) == ("known.csv, row 2", False)
    assert "1939" not in problem.what
    assert found["P1"] == ((L.NOM, "Maubert"), (L.DATE_NAISSANCE, "32/13/1939"))


@pytest.mark.parametrize("text", ["", "\n", "nom,prenom\nMaubert,Yvonne", "patient_id\nP1", "patient_id,age\nP1,81"])
def test_a_table_without_its_columns_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="patient_id"):
        read(text)


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=6))
def test_what_any_table_holds_is_read(rows: list[tuple[str, str, str]]) -> None:
    file = io.StringIO()
    csv.writer(file, delimiter=";").writerows([("patient_id", "nom", "ville"), *rows])
    found, problems = read(file.getvalue())
    kept = {row[0].strip() for row in rows if row[0].strip() and (row[1].strip() or row[2].strip())}
    assert found.keys() == kept
    blank = sum(not any(cell.strip() for cell in row) for row in rows)
    assert len(problems) == sum(not (r[0].strip() and (r[1].strip() or r[2].strip())) for r in rows) - blank
