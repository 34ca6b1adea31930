"""A candidate of a merge is judged by the table that it fills."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rag.merge_search import TableJudge
from schema.problem import InputError
from tests.llm.fake_server import Body, FakeServer, Say
from tests.pipeline.synthetic import write_documents

DICTIONARY = """\
Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",\
Field Note,Text Validation Type OR Show Slider Number,Text Validation Min,Text Validation Max,Identifier?,\
Branching Logic (Show field only if...),Required Field?
record_id,f,,text,Patient,,,,,,y,,
poids,f,,text,Poids (kg),,,integer,1,300,,,
"""


def _reads(wrong_from: int) -> object:
    """A model that reads a weight as it is written, and does not answer on patients who weigh more than some."""

    def answer(body: Body) -> Say:
        shown = " ".join(message["content"] for message in body["messages"])
        weight = re.findall(r"Poids : (\d+) kg", shown)[-1]
        content = {"citations": [], "raison": "", "statut": "non documenté", "valeur": None}
        if int(weight) < wrong_from:
            quote = [{"passage": 1, "texte": f"Poids : {weight} kg"}]
            content |= {"citations": quote, "statut": "documenté", "valeur": int(weight), "unité": "kg"}
        return Say(json.dumps(content, ensure_ascii=False))

    return answer


@pytest.fixture
def judge(tmp_path: Path) -> TableJudge:
    """Eight patients of 60 to 67 kg; the models called ``half`` and ``whole`` read those under 64 kg, and all."""
    (tmp_path / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    documents = write_documents(
        tmp_path / "documents.jsonl", [(f"P{i}", f"Consultation. Poids : {60 + i} kg. Bon état.") for i in range(8)]
    )
    table = "record_id,poids\n" + "".join(f"P{i},{60 + i}\n" for i in range(8)) + "P99,70\n"
    (tmp_path / "table.csv").write_text(table, encoding="utf-8")

    @contextmanager
    def serve(model: Path) -> Iterator[str]:
        script = _reads(64 if model.name == "half" else 1000)
        with FakeServer(script, served={model.name: None}) as server:  # type: ignore[arg-type]
            yield server.url

    files = (documents, tmp_path / "dictionary.csv", tmp_path / "table.csv")
    return TableJudge(*files, work=tmp_path / "work", serve=serve)


def test_the_score_is_the_f1_of_the_filled_cells(judge: TableJudge, tmp_path: Path) -> None:
    judge.check([4, 8])
    assert judge(tmp_path / "whole", 8) == 1.0
    # Four of eight read, all rightly: precision 1, recall 1/2.
    assert judge(tmp_path / "half", 8) == pytest.approx(2 / 3)
    assert list((tmp_path / "work").iterdir()) == []


def test_each_rung_holds_the_patients_of_the_one_before(judge: TableJudge, tmp_path: Path) -> None:
    rungs = (2, 4, 7)
    # F1 is 2r/(n + r) with r of n cells read: what was read of a rung is read of the next, with some of the new ones.
    read = [round(f1 * n / (2 - f1)) for n in rungs if (f1 := judge(tmp_path / "half", n)) is not None]
    assert 3 <= read[-1] <= 4
    for (n, r), (more, s) in itertools.pairwise(zip(rungs, read, strict=True)):
        assert 0 <= s - r <= more - n


def test_too_few_patients_are_said_before_anything_is_merged(judge: TableJudge) -> None:
    with pytest.raises(InputError, match="8 of its patients have documents; the search asks for 9"):
        judge.check([2, 9])
