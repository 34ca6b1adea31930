"""cohort-rag retriever index: made, updated, pruned, made again; fill reads what it holds."""

import json

import pytest

from tests.cli.commands import refused, run, write
from tests.retriever.camembert import make_camembert

NOTE = "Consultation.\n\nPoids : 71 kg ce jour.\n\nVa bien, reverra son médecin dans un mois."


@pytest.fixture
def corpus(tmp_path):
    """Write rows of documents, P1-0 with the first text and so on."""

    def write_rows(*texts):
        rows = [
            {"patient_id": f"P{i}", "document_id": f"P{i}-0", "date": "2024-03-05", "type": "note", "text": text}
            for i, text in enumerate(texts)
        ]
        return write(tmp_path / "notes.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

    return write_rows


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    make_camembert(folder, layers=1, width=64)
    return folder


def figures(answer):
    assert answer.code == 0, answer
    (line,) = [line for line in answer.out.splitlines() if "passages encoded" in line]
    return [int(part.split()[-1]) for part in line.partition(": passages ")[2].split(",")]


def test_made_updated_pruned(corpus, tmp_path):
    index = ["--index", tmp_path / "index"]
    first = ["retriever", "index", "--documents", corpus(NOTE, NOTE, "Admis ce jour."), *index]
    whole, _, _ = figures(run(*first))
    assert whole >= 3
    assert figures(run(*first)) == [0, whole, 0]
    changed = ["retriever", "index", "--documents", corpus(NOTE, NOTE, "Sorti ce jour.", "Vu ce jour."), *index]
    assert figures(run(*changed)) == [2, whole - 1, 1]
    fewer = ["retriever", "index", "--documents", corpus(NOTE), *index]
    assert figures(run(*fewer)) == [0, whole + 1, 0]
    encoded, kept, removed = figures(run(*fewer, "--prune"))
    assert (encoded, kept + removed) == (0, whole + 1)
    assert figures(run(*fewer, "--prune")) == [0, kept, 0]


def test_another_encoder_is_refused_until_rebuild(corpus, tmp_path, encoder):
    command = ["retriever", "index", "--documents", corpus(NOTE), "--index", tmp_path / "index"]
    whole, _, _ = figures(run(*command))
    said = refused(*command, "--encoder", encoder)
    assert "--rebuild" in said and "encoder" in said
    assert figures(run(*command, "--encoder", encoder, "--rebuild")) == [whole, 0, 0]
    assert "--rebuild" in refused(*command)


def test_documents_that_cannot_be_used_are_said_and_the_others_indexed(tmp_path):
    good = {"patient_id": "P1", "document_id": "D", "text": NOTE}
    lines = [json.dumps(good), "{", json.dumps({**good, "text": ""}), json.dumps({**good, "text": "Autre."})]
    notes = write(tmp_path / "notes.jsonl", "\n".join(lines))
    answer = run("retriever", "index", "--documents", notes, "--index", tmp_path / "index")
    encoded, kept, removed = figures(answer)
    assert encoded >= 1 and (kept, removed) == (0, 0)
    assert answer.err.count("warning: ") == 3


def test_a_damaged_index_is_made_again_whole(corpus, tmp_path):
    command = ["retriever", "index", "--documents", corpus(NOTE, NOTE), "--index", tmp_path / "index"]
    whole, _, _ = figures(run(*command))
    (tmp_path / "index" / "chroma.sqlite3").write_bytes(b"not a database" * 1000)
    answer = run(*command)
    assert figures(answer) == [whole, 0, 0]
    assert "damaged" in answer.err


def test_damage_that_is_found_on_the_way_loses_nothing(corpus, tmp_path, monkeypatch):
    from rag import index_cohort
    from retriever import rows

    monkeypatch.setattr(index_cohort, "_TOGETHER", 1)
    monkeypatch.setattr("retriever.index._SHARDS", 1)
    command = ["retriever", "index", "--documents", corpus(NOTE, NOTE, NOTE), "--index", tmp_path / "index"]
    whole, _, _ = figures(run(*command))
    right = rows._checksum
    calls = []

    def wrong_once(vector):
        calls.append(vector)
        return right(vector) + (len(calls) == whole)  # of the last document

    monkeypatch.setattr(rows, "_checksum", wrong_once)
    answer = run(*command)
    assert figures(answer) == [whole, 0, whole]
    assert "damaged" in answer.err
    monkeypatch.setattr(rows, "_checksum", right)
    assert figures(run(*command)) == [0, whole, 0]


def test_what_cannot_be_indexed_is_refused(corpus, tmp_path):
    (tmp_path / "empty").mkdir()
    command = ["retriever", "index", "--documents"]
    assert "no document" in refused(*command, tmp_path / "empty", "--index", tmp_path / "index")
    assert "another machine" in refused(*command, corpus(NOTE), "--index", "http://192.0.2.1:8000")
    assert "other files" in refused(*command, corpus(NOTE), "--index", tmp_path)
