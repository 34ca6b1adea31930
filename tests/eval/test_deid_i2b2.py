"""Files written here in the format of i2b2/UTHealth 2014; the corpus itself is not ours to show."""

from pathlib import Path

import pytest

from eval.i2b2 import I2b2Document, as_i2b2, read_i2b2
from schema.phi import PhiEntity, PhiLabel
from schema.problem import InputError, Problem

TEXT = "\nRecord date: 2071-03-14\nMr. Abel Quint, 93 y.o. carpenter, MRN 55-81,\nseen by O'Dea at Elm Creek\nHospital."


def tag(element: str, kind: str, words: str, start: int | None = None) -> str:
    place = TEXT.index(words) if start is None else start
    quoted = words.replace("\n", " ").replace("'", "&apos;")
    return f'<{element} id="P0" start="{place}" end="{place + len(words)}" text="{quoted}" TYPE="{kind}" comment="" />'


def write(folder: Path, name: str, *tags: str) -> None:
    head = '<?xml version="1.0" encoding="UTF-8" ?>\n<deIdi2b2>\n'
    body = "\n".join(tags)
    page = f"{head}<TEXT><![CDATA[{TEXT}]]></TEXT>\n<TAGS>\n{body}\n</TAGS>\n</deIdi2b2>\n"
    (folder / name).write_text(page, encoding="utf-8")


def read(folder: Path) -> tuple[list[I2b2Document], list[Problem]]:
    problems: list[Problem] = []
    return list(read_i2b2(folder, problems.append)), problems


def test_categories_become_our_labels_and_the_others_are_neutral(tmp_path: Path) -> None:
    write(
        tmp_path,
        "221-04.xml",
        tag("NAME", "DOCTOR", "O'Dea"),
        tag("DATE", "DATE", "2071-03-14"),
        tag("NAME", "PATIENT", "Abel Quint"),
        tag("AGE", "AGE", "93"),
        tag("PROFESSION", "PROFESSION", "carpenter"),
        tag("ID", "MEDICALRECORD", "55-81"),
        tag("LOCATION", "HOSPITAL", "Elm Creek\nHospital"),
    )
    (document,), problems = read(tmp_path)
    assert problems == []
    assert (document.patient_id, document.document_id, document.text) == ("221", "221-04", TEXT)
    assert [(entity.label, TEXT[entity.start : entity.end]) for entity in document.entities] == [
        (PhiLabel.DATE, "2071-03-14"),
        (PhiLabel.NOM, "Abel Quint"),
        (PhiLabel.IPP, "55-81"),
        (PhiLabel.NOM, "O'Dea"),
        (PhiLabel.HOPITAL, "Elm Creek\nHospital"),
    ]
    assert [TEXT[start:end] for start, end in document.neutral] == ["93", "carpenter"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<deIdi2b2><TEXT>cut",
        b"<other><TEXT>a</TEXT><TAGS/></other>",
        b"<deIdi2b2><TAGS/></deIdi2b2>",
        b"<deIdi2b2><TEXT>text</TEXT></deIdi2b2>",
        b'<?xml version="1.0" encoding="klingon"?><deIdi2b2><TEXT>a</TEXT><TAGS/></deIdi2b2>',
        b'<!DOCTYPE x [<!ENTITY e "ee">]><deIdi2b2><TEXT>&e;</TEXT><TAGS/></deIdi2b2>',
        b"\xff\xfe<\x00",
    ],
)
def test_a_malformed_file_is_named_and_the_others_are_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.xml").write_bytes(content)
    write(tmp_path, "good.xml", tag("NAME", "PATIENT", "Abel Quint"))
    documents, problems = read(tmp_path)
    assert [document.document_id for document in documents] == ["good"]
    assert documents[0].patient_id == "good"
    (problem,) = problems
    assert problem.lost
    assert problem.where.endswith("bad.xml")


def test_a_tag_that_marks_other_words_is_left_out_and_an_unknown_category_is_neutral(tmp_path: Path) -> None:
    write(
        tmp_path,
        "7-01.xml",
        tag("NAME", "PATIENT", "Abel Quint", start=3),
        '<NAME id="P1" start="x" end="4" text="a" TYPE="PATIENT"/>',
        '<NAME id="P2" start="5" end="9999" text="a" TYPE="PATIENT"/>',
        tag("NAME", "ALIAS", "Abel"),
        tag("CONTACT", "phone", "55-81"),
    )
    (document,), problems = read(tmp_path)
    assert [entity.label for entity in document.entities] == [PhiLabel.TEL]
    assert [TEXT[start:end] for start, end in document.neutral] == ["Abel"]
    assert [problem.lost for problem in problems] == [True, True, True, False]
    assert "ALIAS" in problems[-1].what
    assert not any("Quint" in str(problem) for problem in problems)


def test_records_of_the_same_name_in_two_folders_are_not_mixed(tmp_path: Path) -> None:
    for name in ("set1", "set2"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "1-01.xml")
    documents, problems = read(tmp_path)
    assert len(documents) == len(problems) == 1


def test_a_folder_without_records_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.xml"):
        read(tmp_path)
    with pytest.raises(InputError, match="not a folder"):
        read(tmp_path / "absent")


@pytest.mark.parametrize(
    ("text", "marks", "expected"),
    [
        ("M. Jean-Luc AUBRY revu", [("Jean-Luc", "PRENOM"), ("AUBRY", "NOM")], ["Jean-Luc AUBRY"]),
        ("AUBRY, Jean revu", [("AUBRY", "NOM"), ("Jean", "PRENOM")], ["AUBRY, Jean"]),
        ("Drs AUBRY, SOREL", [("AUBRY", "NOM"), ("SOREL", "NOM")], ["AUBRY", "SOREL"]),
        (
            "Jean AUBRY, Rose SOREL",
            [("Jean", "PRENOM"), ("AUBRY", "NOM"), ("Rose", "PRENOM"), ("SOREL", "NOM")],
            ["Jean AUBRY", "Rose SOREL"],
        ),
        ("J. AUBRY et Rose", [("J.", "PRENOM"), ("AUBRY", "NOM"), ("Rose", "PRENOM")], ["J. AUBRY", "Rose"]),
        ("Aubry Vichy", [("Aubry", "NOM"), ("Vichy", "VILLE")], ["Aubry", "Vichy"]),
    ],
)
def test_names_are_joined_as_the_corpus_writes_them(
    text: str, marks: list[tuple[str, str]], expected: list[str]
) -> None:
    entities = [PhiEntity(text.index(w), text.index(w) + len(w), PhiLabel(label)) for w, label in marks]
    joined = as_i2b2(reversed(entities), text)
    assert [text[entity.start : entity.end] for entity in joined] == expected
    assert PhiLabel.PRENOM not in {entity.label for entity in joined}


def test_a_date_of_birth_is_a_date_there() -> None:
    assert as_i2b2([PhiEntity(3, 7, PhiLabel.DATE_NAISSANCE)], "né 1931") == (PhiEntity(3, 7, PhiLabel.DATE),)
