from pathlib import Path

import pytest

from rag.brat import BratEntity, read_brat
from schema.problem import InputError, Problem


def write(folder: Path, name: str, text: str, ann: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_bytes(text.encode())
    (folder / f"{name}.ann").write_bytes(ann.encode())


def test_discontinuous_entities_and_notes(tmp_path: Path) -> None:
    write(
        tmp_path / "a",
        "n1",
        "œdème des jambes gauche et droite\r\nfin",
        "T1\tDISO 0 16;27 33\tœdème des jambes droite\n"
        "#1\tAnnotatorNotes T1\tC0013604 C0239340\nR1\tr Arg1:T1 Arg2:T1\n",
    )
    (document,) = read_brat(tmp_path, pytest.fail)
    assert document.document_id == "a/n1"
    assert document.text.endswith("\r\nfin")
    assert document.entities == (BratEntity("T1", "DISO", ((0, 16), (27, 33)), ("C0013604 C0239340",)),)
    assert [document.text[start:end] for start, end in document.entities[0].fragments] == ["œdème des jambes", "droite"]


def test_bad_lines_are_named_and_good_ones_kept(tmp_path: Path) -> None:
    ann = "T1\tDISO 0 4\tmain\nT2\tDISO zero 4\tmain\nT3\tDISO 2 40\tmain\nT1\tDISO 0 2\tma\nT4\tDISO 5 7\tdr\n"
    write(tmp_path, "n1", "main droite", ann)
    problems: list[Problem] = []
    (document,) = read_brat(tmp_path, problems.append)
    assert [entity.identifier for entity in document.entities] == ["T1", "T4"]
    assert [problem.where.rpartition(" ")[2] for problem in problems] == ["2", "3", "4"]
    assert not any("main" in str(problem) for problem in problems)


def test_what_is_not_utf8_is_left_out_and_said(tmp_path: Path) -> None:
    write(tmp_path, "n2", "bien", "")
    (tmp_path / "n1.txt").write_bytes("décès".encode("latin-1"))
    problems: list[Problem] = []
    assert [document.document_id for document in read_brat(tmp_path, problems.append)] == ["n2"]
    assert len(problems) == 1
    assert "n1.txt" in problems[0].where


def test_a_folder_without_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no \.txt"):
        list(read_brat(tmp_path, pytest.fail))
    with pytest.raises(InputError, match="not a folder"):
        list(read_brat(tmp_path / "absent", pytest.fail))
