"""`cohort-rag normalize`: the concepts of a corpus, at their places in the text as given."""

import json
import multiprocessing
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from rag.concepts import ConceptReader
from rag.normalize import NormalizeRequest, normalize
from rag.terminology.bundled import open_terminology
from rag.terminology.linker import Normalizer
from schema.problem import InputError
from tests.cli.commands import refused, run, write
from tests.terminology.sentences import document_of

SAMPLE = Path(__file__).parents[2] / "configs" / "studies" / "stroke" / "sample" / "documents.jsonl"
FORK = "fork" in multiprocessing.get_all_start_methods()
FLAGS = ("negated", "hypothetical", "family", "history")

LETTER = (
    "Antécédents : HTA, pas de diabète.\n\nMère : AVC.\n\n"
    "Histoire :\nHémiparésie droite, fibrilla-\ntion atriale au scope."
    " NIHSS à 14, PA 165/90 mmHg à 15h02.\nŒdème des membres inférieurs gauche > droit.\n"
)


def corpus(folder: Path, *texts: tuple[str, str], date: str | None = "2023-05-10") -> Path:
    rows = [
        {"patient_id": patient, "document_id": f"d{i}", "date": date, "type": "note", "title": "Note", "text": text}
        for i, (patient, text) in enumerate(texts)
    ]
    return write(folder / "notes.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def test_a_line_per_document_with_positions_in_the_text_as_given(tmp_path: Path) -> None:
    documents = corpus(tmp_path, ("P1", LETTER), ("P2", "Rien à signaler."), ("P1", "HTA."))
    report = normalize(NormalizeRequest(documents, tmp_path / "concepts.jsonl"))
    lines = lines_of(tmp_path / "concepts.jsonl")
    assert [(line["patient_id"], line["document_id"]) for line in lines] == [("P1", "d0"), ("P1", "d2"), ("P2", "d1")]
    assert (report.patients, report.documents) == (2, 3)
    assert report.counts["mentions"] == sum(len(line["concepts"]) for line in lines)
    texts = {f"d{i}": text for i, text in enumerate((LETTER, "Rien à signaler.", "HTA."))}
    for line in lines:
        for concept in line["concepts"]:
            assert concept["text"] == " ".join(texts[line["document_id"]][a:b] for a, b in concept["fragments"])
            assert (concept["start"], concept["end"]) == (concept["fragments"][0][0], concept["fragments"][-1][1])
            assert concept["side"] in (None, "left", "right", "both")
            assert 0 < concept["score"] <= 1
            assert all(isinstance(concept[flag], bool) for flag in FLAGS)


def test_what_is_said_of_the_concepts(tmp_path: Path) -> None:
    normalize(NormalizeRequest(corpus(tmp_path, ("P1", LETTER)), tmp_path / "c.jsonl"))
    (line,) = lines_of(tmp_path / "c.jsonl")
    said = {c["text"]: {flag for flag in FLAGS if c[flag]} for c in line["concepts"]}
    assert said["HTA"] == {"history"}
    assert said["diabète"] == {"history", "negated"}
    assert "family" in said["AVC"]
    assert said["fibrilla-\ntion atriale"] == set()
    sides = {c["text"]: c["side"] for c in line["concepts"]}
    assert sides["Hémiparésie"] == "right"
    codes = {c["text"]: c["codes"] for c in line["concepts"]}
    assert codes["HTA"] == {"SNOMEDCT": "38341003", "ICD10": "I10"}
    values = {c["text"]: (c.get("value"), c.get("unit")) for c in line["concepts"]}
    assert values["NIHSS"] == (14.0, "")


def test_masks_are_no_concepts(tmp_path: Path) -> None:
    text = "Mme <NOM> <PRENOM>, née le <DATE_NAISSANCE>, suivie au <HOPITAL> pour une HTA. Tél. <TEL>, <VILLE> <ZIP>."
    normalize(NormalizeRequest(corpus(tmp_path, ("P1", text)), tmp_path / "c.jsonl"))
    (line,) = lines_of(tmp_path / "c.jsonl")
    assert {c["text"] for c in line["concepts"]} == {"HTA"}


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(tmp_path: Path, workers: int) -> None:
    normalize(NormalizeRequest(SAMPLE, tmp_path / "one.jsonl"))
    normalize(NormalizeRequest(SAMPLE, tmp_path / "other.jsonl", workers=workers))
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "other.jsonl").read_bytes()


def _normalize_until(request: NormalizeRequest, last_event: int) -> None:
    """Normalize, but die at the given operation on the run's files, as under ``kill -9``."""
    left = last_event

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in ("open", "os.rename", "os.mkdir", "sqlite3.connect") and str(request.work) in str(arguments[:1]):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    normalize(request)
    os._exit(0)


@pytest.mark.skipif(not FORK, reason="a killed copy of this process is needed")
def test_killed_at_each_operation_then_resumed(tmp_path: Path) -> None:
    documents = corpus(tmp_path, *((f"P{i}", f"HTA, FA. Pas de diabète. NIHSS à {i}.") for i in range(4)))
    normalize(NormalizeRequest(documents, tmp_path / "whole.jsonl", omop=tmp_path / "whole"))
    expected = (tmp_path / "whole.jsonl").read_bytes()
    kills = 0
    for last_event in range(1, 200, 3):  # a third of them: each is a run of its own
        request = NormalizeRequest(
            documents, tmp_path / f"{last_event}.jsonl", omop=tmp_path / str(last_event), resume=True
        )
        child = multiprocessing.get_context("fork").Process(target=_normalize_until, args=(request, last_event))
        child.start()
        child.join()
        if child.exitcode == 0:
            break
        kills += 1
        normalize(request)
        assert request.out.read_bytes() == expected, last_event
        assert not request.work.exists()
    assert kills > 5


def test_a_patient_on_whom_the_program_breaks_is_retried_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = corpus(tmp_path, ("P1", "HTA."), ("P2", "casse FA."), ("P3", "Diabète."))
    real = Normalizer.mentions
    read: list[str] = []

    def broken(self: Normalizer, text: str, *sections: Any) -> Any:
        read.append(text)
        if "casse" in text:
            raise RuntimeError(text)
        return real(self, text, *sections)

    monkeypatch.setattr(Normalizer, "mentions", broken)
    report = normalize(NormalizeRequest(documents, tmp_path / "c.jsonl"))
    assert [line["patient_id"] for line in lines_of(tmp_path / "c.jsonl")] == ["P1", "P3"]
    assert "'P2'" in str(report.failed[0])
    assert "casse" not in "".join(map(str, report.problems))
    monkeypatch.setattr(Normalizer, "mentions", real)
    read.clear()
    assert normalize(NormalizeRequest(documents, tmp_path / "c.jsonl", resume=True)).failed == ()
    assert [line["patient_id"] for line in lines_of(tmp_path / "c.jsonl")] == ["P1", "P2", "P3"]


def test_another_terminology_is_used(tmp_path: Path) -> None:
    table = write(tmp_path / "local.csv", "term,code\nsyndrome des doigts verts,X1\n15,X15\n")
    assert run("terminology", "build", "--table", table, "--out", tmp_path / "t.terms").code == 0
    documents = corpus(tmp_path, ("P1", "Syndrome des doigts verts, HTA, vu à 15h."))
    answer = run(
        "normalize", "--documents", documents, "--terminology", tmp_path / "t.terms", "--out", tmp_path / "c.jsonl"
    )
    assert answer.code == 0
    (line,) = lines_of(tmp_path / "c.jsonl")
    assert [c["text"] for c in line["concepts"]] == ["Syndrome des doigts verts"]


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    answer = run("normalize", "--documents", corpus(tmp_path, ("P1", LETTER)), "--out", tmp_path / "c.jsonl")
    assert answer.code == 0
    assert "1 patients, 1 documents" in answer.out
    assert "c.jsonl" in answer.out
    quiet = run("normalize", "--documents", tmp_path / "notes.jsonl", "--out", tmp_path / "c.jsonl", "--quiet")
    assert (quiet.code, quiet.out) == (0, "")


def test_bad_input_is_said(tmp_path: Path) -> None:
    documents = corpus(tmp_path, ("P1", "HTA."))
    out = tmp_path / "c.jsonl"
    assert "nowhere" in refused("normalize", "--documents", tmp_path / "nowhere", "--out", out)
    assert "missing.terms" in refused(
        "normalize", "--documents", documents, "--terminology", tmp_path / "missing.terms", "--out", out
    )
    corrupt = write(tmp_path / "corrupt.terms", b"SQLite format 3\x00" + bytes(range(256)) * 20)
    assert "corrupt.terms" in refused("normalize", "--documents", documents, "--terminology", corrupt, "--out", out)
    text = write(tmp_path / "text.terms", "not a dictionary")
    assert "text.terms" in refused("normalize", "--documents", documents, "--terminology", text, "--out", out)
    assert "is a folder" in refused("normalize", "--documents", documents, "--out", tmp_path)
    assert "is a file" in refused("normalize", "--documents", documents, "--out", out, "--omop", documents)
    empty = write(tmp_path / "empty.jsonl", "")
    assert "no document" in refused("normalize", "--documents", empty, "--out", out)
    assert not out.exists()


def test_outputs_among_the_documents_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "notes" / "P1" / "a.txt", "HTA.")
    for options in (
        ["--out", tmp_path / "notes" / "c.jsonl"],
        ["--out", tmp_path / "c.jsonl", "--omop", tmp_path / "notes"],
    ):
        assert "--o" in refused("normalize", "--documents", tmp_path / "notes", *options)


def test_bad_rows_are_left_out_and_said(tmp_path: Path) -> None:
    documents = corpus(tmp_path, ("P1", "HTA."), ("", "FA."), ("P2", " "))
    with documents.open("a", encoding="utf-8") as stream:
        stream.write("{not json\n")
    answer = run("normalize", "--documents", documents, "--out", tmp_path / "c.jsonl")
    assert answer.code == 0
    assert answer.err.count("warning:") >= 3
    assert len(lines_of(tmp_path / "c.jsonl")) == 1


def test_mixed_encodings(tmp_path: Path) -> None:
    write(tmp_path / "notes" / "P1" / "a.txt", "Pas de diabète, épilepsie.".encode("cp1252"))
    write(tmp_path / "notes" / "P1" / "b.txt", "Pas de diabète, épilepsie.".encode("utf-16"))
    write(tmp_path / "notes" / "P1" / "c.txt", "Pas de diabète, e\u0301pilepsie.".encode())
    assert run("normalize", "--documents", tmp_path / "notes", "--out", tmp_path / "c.jsonl").code == 0
    for line in lines_of(tmp_path / "c.jsonl"):
        found = {c["concept_id"]: c["negated"] for c in line["concepts"]}
        assert found["diabete"] is True, line["document_id"]
        assert found["epilepsie"] is False, line["document_id"]


def test_a_document_of_two_megabytes() -> None:
    padding = (
        "Le courrier est adressé en copie, avec les salutations du service et les horaires de la permanence. " * 19
    )
    text = ("Pas de diabète ni de fièvre, hypertendu. " + padding) * 1_100
    document = document_of(text[:2_000_000])
    found = ConceptReader(open_terminology()).mentions(document)
    assert sum(m.concept.concept_id == "diabete" and m.negated for m in found) >= 1_000


def test_a_changed_corpus_is_not_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = corpus(tmp_path, ("P1", "HTA."))
    monkeypatch.setattr(ConceptReader, "read", lambda *_: 1 / 0)
    request = NormalizeRequest(documents, tmp_path / "c.jsonl", resume=True)
    assert len(normalize(request).failed) == 1
    corpus(tmp_path, ("P1", "FA."))
    with pytest.raises(InputError, match="changed since it was started: documents"):
        normalize(request)


def test_annotated_texts_are_evaluated(tmp_path: Path) -> None:
    for folder, text in (("one", "HTA et phlébite."), ("two", "Pas d'HTA.")):
        start = text.index("HTA")
        write(tmp_path / folder / "a.txt", text)
        note = "#1\tAnnotatorNotes T1\tC0020538\n"
        write(tmp_path / folder / "a.ann", f"T1\tDISO {start} {start + 3}\tHTA\n{note}")
    terms = tmp_path / "t.terms"
    assert run("terminology", "build", "--brat", tmp_path / "one", "--out", terms).code == 0
    options = ("--terminology", terms, "--out", tmp_path / "report")
    answer = run("normalize", "--evaluate", "brat", tmp_path / "one", tmp_path / "two", *options)
    assert answer.code == 0
    assert answer.out.count("span + code") == 2
    assert (
        sorted(path.name for path in (tmp_path / "report").rglob("*.csv")) == ["errors.csv"] * 2 + ["metrics.csv"] * 2
    )
    bundled = run("normalize", "--evaluate", "brat", tmp_path / "one")
    assert "none of the 1 concepts that it names is in the dictionary" in bundled.err
    write(tmp_path / "one" / "a.ann", "T1\tDISO 0 3\tHTA\n")
    assert "no annotation holds a concept identifier" in run("normalize", "--evaluate", "brat", tmp_path / "one").err
    assert "brat DIR" in refused("normalize", "--evaluate", "xml", tmp_path / "one")
    assert "names no folder" in refused("normalize", "--evaluate", "brat")
    assert "nowhere" in refused("normalize", "--evaluate", "brat", tmp_path / "nowhere")
    assert "--out" in refused("normalize", "--documents", SAMPLE)


def test_the_example_of_the_docs_runs() -> None:
    page = (SAMPLE.parents[4] / "docs" / "normalization.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    assert names["found"].method == "concepts"
