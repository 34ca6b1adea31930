"""What a rehearsal is made of: its cohorts, and the conversations that its base learns from."""

import csv
import json
from dataclasses import replace
from pathlib import Path

from generator.llm.prompt import TEMPLATES
from generator.llm.settings import Context, LlmSettings
from rag.rehearsal.cohorts import write_cohorts
from rag.rehearsal.conversations import Asking, conversations_of
from rag.rehearsal.plan import BIOMEDICAL, INSTRUCTIONS, quick
from rag.retrieval import Retrieval, RetrieverName

SMALL = replace(quick(), taught=3, apart=2, development=2, test=2)


def _column(path: Path, name: str) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def test_each_cohort_asks_for_its_own_variables_of_its_own_patients(tmp_path: Path) -> None:
    write_cohorts(tmp_path, SMALL)
    asked = {f.name: set(_column(f / "dictionary.csv", "Variable / Field Name")) for f in tmp_path.iterdir()}
    assert asked["biomedical"] == {"record_id", *BIOMEDICAL, *SMALL.kept}
    assert asked["instructions"] == {"record_id", *INSTRUCTIONS, *SMALL.kept}
    assert asked["development"] == asked["test"] == {"record_id", *BIOMEDICAL, *INSTRUCTIONS}
    assert asked["taught"] > asked["test"] | set(SMALL.kept)
    texts = [(f / "documents.jsonl").read_text(encoding="utf-8") for f in tmp_path.iterdir()]
    lines = [line for text in texts for line in text.splitlines()]
    assert len({json.loads(line)["text"] for line in lines}) == len(lines)


def test_a_conversation_shows_its_passages_once_and_answers_with_what_they_say(tmp_path: Path) -> None:
    write_cohorts(tmp_path, SMALL)
    settings = LlmSettings(style=TEMPLATES / "brief", context=Context.VARIABLE, concepts=False)
    retrieval = Retrieval(RetrieverName.BM25, passages=2)
    asking = Asking(contexts=4, seldom=frozenset(BIOMEDICAL), share=0.0, seed=0)
    made = conversations_of(tmp_path / "taught", retrieval, settings, asking, workers=1)
    told = 0
    for turns in [one for patient in made for one in patient]:
        assert [turn.role for turn in turns] == ["system", *(["user", "assistant"] * (len(turns) // 2))]
        shown, *later = [turn.content for turn in turns if turn.role == "user"]
        assert shown.startswith("[1]") and all(question.startswith("? ") for question in later)
        assert not any("Tabagisme" in question for question in [shown.rpartition("\n? ")[2], *later])
        for answer in (json.loads(turn.content) for turn in turns if turn.role == "assistant"):
            told += answer["valeur"] is not None
            assert all(quote["texte"].split()[0] in shown for quote in answer["citations"])
    assert told > 5
