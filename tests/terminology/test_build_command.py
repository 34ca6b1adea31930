"""`cohort-rag terminology` as a user runs it."""

from pathlib import Path

import pytest

from rag.terminology.store import TermStore
from tests.cli.commands import refused, run, write

TABLE = "code;libelle;langue\nX1;toux;fr\nX1;cough;en\nX2;;fr\n"
OTHER = "code;libelle\nX9;toux\n"


def test_build_then_info(tmp_path: Path) -> None:
    table, out = write(tmp_path / "table.csv", TABLE), tmp_path / "t.terms"
    answer = run("terminology", "build", "--table", table, "--version", "essai 1", "--out", out)
    assert answer.code == 0
    assert f"terminology   {out}" in answer.out
    assert "table.csv, line 4" in answer.err
    assert out.with_name("t.terms.index").is_dir()  # so that the first use has nothing to wait for
    info = run("terminology", "info", out)
    assert info.code == 0
    for line in (
        "version       essai 1",
        "concepts      1",
        "names         2",
        "languages     en 1, fr 1",
        "codes         LOCAL 1",
    ):
        assert line in info.out


def test_sources_come_in_the_order_of_the_command(tmp_path: Path) -> None:
    table, other = write(tmp_path / "table.csv", TABLE), write(tmp_path / "other.csv", OTHER)
    annotated = tmp_path / "brat"
    write(annotated / "a.txt", "toux")
    write(annotated / "a.ann", "T1\tDISO 0 4\ttoux\n#1\tAnnotatorNotes T1\tC0000001\n")
    out = tmp_path / "t.terms"
    for order, first in (
        (("--brat", annotated, "--table", table, "--table", other), "C0000001"),
        (("--table", other, table, "--brat", annotated), "X9"),
    ):
        assert run("terminology", "build", *order, "--out", out).code == 0
        store = TermStore.open(out)
        numbers = [number for number, text in store.texts() if text == "toux"]
        assert store.terms_at(numbers)[0].concept_id == first


def test_general_names_complete_annotated_texts_unless_they_are_not_wanted(tmp_path: Path) -> None:
    write(tmp_path / "brat" / "a.txt", "toux")
    write(tmp_path / "brat" / "a.ann", "T1\tDISO 0 4\ttoux\n#1\tAnnotatorNotes T1\tC0010200\n")
    build = ("terminology", "build", "--brat", tmp_path / "brat", "--out")
    assert run(*build, tmp_path / "all.terms").code == 0
    everything = TermStore.open(tmp_path / "all.terms")
    assert "asthme" in {term.text for term in everything.terms() if term.concept_id == "C0004096"}
    assert run(*build, tmp_path / "alone.terms", "--no-general").code == 0
    assert [term.text for term in TermStore.open(tmp_path / "alone.terms").terms()] == ["toux"]


def test_languages_choose_names_and_labels(tmp_path: Path) -> None:
    table, out = write(tmp_path / "table.csv", TABLE), tmp_path / "t.terms"
    assert run("terminology", "build", "--table", table, "--languages", "ENG,fr", "--out", out).code == 0
    assert TermStore.open(out).concept("X1").label == "cough"
    assert run("terminology", "build", "--table", table, "--languages", "fr", "--out", out).code == 0
    assert [term.text for term in TermStore.open(out).terms()] == ["toux"]


def test_what_cannot_be_built_is_said(tmp_path: Path) -> None:
    out = tmp_path / "t.terms"
    nothing = run("terminology", "build", "--out", out)
    assert nothing.code == 2
    assert "at least one source" in nothing.err
    for flag in ("--rf2", "--rrf", "--icd10", "--table", "--brat"):
        assert "missing" in refused("terminology", "build", flag, tmp_path / "missing", "--out", out)
    assert not list(tmp_path.iterdir())
    empty = refused(
        "terminology", "build", "--table", write(tmp_path / "empty.csv", "code;libelle\nX2;\n"), "--out", out
    )
    assert "empty.csv, line 2" in empty  # why there is nothing
    table = write(tmp_path / "table.csv", TABLE)
    assert "is not a terminology file" in refused("terminology", "build", "--table", table, "--out", table)
    assert "is not a terminology file" in refused("terminology", "info", table)


@pytest.mark.parametrize("command", ["terminology", "terminology build", "terminology info"])
def test_help(command: str) -> None:
    answer = run(*command.split(), "--help")
    assert answer.code == 0
    assert "terminology" in answer.out
