"""Annotated texts, as BRAT folders and JSON lines give them."""

import json

import pytest

from rag.deid.examples import Example, hold_out, read_examples, write_examples
from schema.phi import PhiEntity, PhiLabel
from schema.problem import InputError

EXAMPLE = Example(
    "d1", "Vu Mme Ørsted\r\nà Épinal 🙂", (PhiEntity(7, 13, PhiLabel.NOM), PhiEntity(17, 23, PhiLabel.VILLE))
)


def read(path, texts=None):
    problems = []
    return list(read_examples(path, problems.append, texts)), problems


def lines(path, *rows):
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return path


def test_what_is_written_is_read_again(tmp_path):
    file = tmp_path / "e.jsonl"
    assert write_examples(file, [EXAMPLE, Example("d2", "Rien.", ())]) == 2
    assert read(file) == ([EXAMPLE, Example("d2", "Rien.", ())], [])


def test_a_brat_folder_is_read(tmp_path):
    (tmp_path / "d1.txt").write_bytes(EXAMPLE.text.encode())
    (tmp_path / "d1.ann").write_text("T1\tNOM 7 13\tØrsted\nT2\tVILLE 17 23\tÉpinal\n", "utf-8")
    assert read(tmp_path) == ([EXAMPLE], [])


def test_spans_alone_take_their_text_from_the_documents(tmp_path):
    file = lines(tmp_path / "s.jsonl", {"document_id": "d1", "entities": [{"label": "NOM", "start": 7, "end": 13}]})
    examples, problems = read(file, {"d1": EXAMPLE.text})
    assert examples == [Example("d1", EXAMPLE.text, EXAMPLE.entities[:1])]
    assert not problems


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{not json", "not JSON"),
        ([1, 2], "not an object"),
        ({"document_id": "d1", "entities": "none"}, "list 'entities'"),
        ({"document_id": "d9", "entities": []}, "no document 'd9'"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_others_are_kept(tmp_path, row, told):
    examples, [problem] = read(lines(tmp_path / "e.jsonl", row, {"document_id": "d2", "text": "Bien.", "entities": []}))
    assert [example.document_id for example in examples] == ["d2"]
    assert problem.lost and problem.where == "e.jsonl, row 1" and told in problem.what


@pytest.mark.parametrize(
    ("span", "told"),
    [
        ({"label": "PATIENT", "start": 0, "end": 2}, "PATIENT"),
        ({"label": "NOM", "start": 3, "end": 99}, "outside"),
        ({"label": "NOM", "start": 4, "end": 4}, "empty"),
        ({"label": "NOM", "start": -1, "end": 4}, "outside"),
        ({"label": "NOM", "start": "0", "end": 4}, "lacks"),
        ({"label": "NOM", "start": 4, "end": 9}, "overlaps"),
    ],
)
def test_a_span_that_cannot_be_used_is_left_out_and_the_text_is_kept(tmp_path, span, told):
    row = {"document_id": "d1", "text": "Vu Mme Ørsted", "entities": [{"label": "NOM", "start": 3, "end": 6}, span]}
    [example], [problem] = read(lines(tmp_path / "e.jsonl", row))
    assert example.entities == (PhiEntity(3, 6, PhiLabel.NOM),)
    assert not problem.lost and told in problem.what and "Ørsted" not in str(problem)


def test_files_that_cannot_be_read_are_said(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "none.jsonl")
    (tmp_path / "latin.jsonl").write_bytes('{"text": "né"}'.encode("latin-1"))
    with pytest.raises(InputError, match="UTF-8"):
        read(tmp_path / "latin.jsonl")


def test_a_tenth_is_held_out_and_nothing_is_lost():
    examples = [Example(str(number), "", ()) for number in range(25)]
    kept, apart = hold_out(examples, 3)
    assert len(apart) == 2
    assert sorted([*kept, *apart], key=lambda e: int(e.document_id)) == examples
    assert hold_out(examples, 3) == (kept, apart)
    assert len(hold_out(examples[:3], 0)[1]) == 1
