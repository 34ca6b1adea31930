"""Files in, files out: documents without identities, spans on the original texts, a key that is kept apart."""

import argparse
import csv
import datetime as dt
import json
import re
import sqlite3
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.commands.deidentify import add
from rag.corpus.build import build_document
from rag.corpus.read import read_documents
from rag.deid.keys import Secret, read_key, write_key
from rag.deidentify import DeidentifyReport, DeidentifyRequest, deidentify
from schema.document import RawDocument
from schema.problem import InputError
from tests.deid.marked import MarkedDetector

COHORT = {
    "P1": [
        (
            "P1-01",
            "2021-06-14",
            "Lettre du Dr [NOM Ferval]",
            "Le [DATE 14/06/2021]\r\nMme [NOM Maubert] [PRENOM Yvonne], née le [DATE_NAISSANCE 03/11/1939] 🙂\r\n"
            "IPP [IPP 8004417290], [VILLE Ornans]. NIHSS 14, vue au [HOPITAL CHU de Mervans].",
        ),
        ("P1-02", None, None, "Suivi du [DATE 20 septembre 2021] : [NOM MAUBERT] Y., mRS 2."),
    ],
    "P2": [("P2-01", "2020-01-05", "Scanner", "[NOM Sarlin] : scanner du [DATE 05/01/2020] normal.")],
    "P3": [("P3-01", "2020-??-??", "", "Rien à signaler, TA 165/90.")],
}


class Corpus:
    """A cohort in a folder, and the files that its de-identification writes."""

    def __init__(self, folder: Path, cohort: dict[str, list[tuple[str, str | None, str | None, str]]]) -> None:
        self.folder = folder
        self.detector = MarkedDetector()
        rows = []
        for patient, documents in cohort.items():
            for name, date, title, text in documents:
                row = {"patient_id": patient, "document_id": name, "date": date, "type": "crh", "title": title}
                row["title"] = self.detector.add(title) if title else title
                rows.append({**row, "text": self.detector.add(text)})
        rows.sort(key=lambda row: row["document_id"][-2:])  # patients are not side by side
        self.source = folder / "notes.jsonl"
        self.source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        self.rows = rows
        write_key(self.request().key_file, Secret(b"d" * 32), ())  # so that a test gives the same each time

    def request(self, out: str = "out/notes.jsonl", **others: object) -> DeidentifyRequest:
        private = self.folder / "private"
        private.mkdir(exist_ok=True)
        return DeidentifyRequest(self.source, self.folder / out, private / "spans.jsonl", **others)

    def run(self, out: str = "out/notes.jsonl", **others: object) -> DeidentifyReport:
        return deidentify(self.request(out, **others), self.detector)

    def written(self, out: str = "out/notes.jsonl") -> list[RawDocument]:
        return [*read_documents(self.folder / out, pytest.fail)]

    def spans(self) -> list[dict[str, object]]:
        return [*map(json.loads, (self.folder / "private" / "spans.jsonl").read_text("utf-8").splitlines())]


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path, COHORT)


def test_the_documents_are_read_again_by_the_corpus_package(corpus: Corpus) -> None:
    report = corpus.run()
    assert (report.patients, report.documents, report.failed) == (3, 4, ())
    assert report.spans["NOM"] == 3
    read = corpus.written()
    assert [(one.patient_id, one.document_id, one.type) for one in read] == [
        (patient, document[0], "crh") for patient, documents in COHORT.items() for document in documents
    ]
    every = " ".join(f"{one.title} {one.text}" for one in read)
    for secret in (
        "Ferval",
        "Maubert",
        "MAUBERT",
        "Yvonne",
        "8004417290",
        "Mervans",
        "Ornans",
        "2021",
        "1939",
        "Sarlin",
    ):
        assert secret not in every
    for kept in ("\r\n", "🙂", "NIHSS 14", "CHU de ", "mRS 2", "TA 165/90", "Lettre du Dr "):
        assert kept in every


def test_dates_of_the_documents_move_with_those_of_the_texts(corpus: Corpus) -> None:
    corpus.run()
    first, second, third, fourth = corpus.written()
    assert first.date and second.date and third.date
    assert first.text.startswith(f"Le {first.date[8:]}/{first.date[5:7]}/{first.date[:4]}")
    assert second.date[:4] in second.text  # no date was given: the one of the text is
    assert fourth.date and fourth.date.endswith("-??-??") and fourth.date[:4] != "2020"


def test_spans_are_those_of_the_original_texts(corpus: Corpus) -> None:
    corpus.run()
    originals = {row["document_id"]: row["text"] for row in corpus.rows}
    lines = corpus.spans()
    assert [line["document_id"] for line in lines] == ["P1-01", "P1-02", "P2-01", "P3-01"]
    for line in lines:
        for span in line["entities"]:
            assert originals[line["document_id"]][span["start"] : span["end"]] == span["text"]
    assert [span["label"] for span in lines[2]["entities"]] == ["NOM", "DATE"]
    assert lines[3]["entities"] == []


def test_what_names_the_patients_is_for_its_owner_alone(corpus: Corpus) -> None:
    corpus.run()
    private = corpus.folder / "private"
    assert sorted(path.name for path in private.iterdir()) == ["spans.jsonl", "spans.key.jsonl"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private.iterdir()} == {0o600}
    assert [path.name for path in (corpus.folder / "out").iterdir()] == ["notes.jsonl"]
    key = read_key(private / "spans.key.jsonl")
    assert list(key.patients) == ["P1", "P2", "P3"]
    assert ("NOM", "Maubert") in {one[:2] for one in key.patients["P1"].replaced}


def test_dates_that_no_span_told_move_all_the_same(tmp_path: Path) -> None:
    text = "Séjour du 22 au 29 octobre 2019. AIT en 2016. TA 16/9, contrôle le 04/11."
    corpus = Corpus(tmp_path, {"P1": [("P1-01", "2019-11-02", None, text)]})
    corpus.run()
    (done,) = corpus.written()
    stay = r"Séjour du \d+(er)?( [a-zéû]+)?( \d{4})? au \d+(er)? [a-zéû]+ 20\d\d"
    assert re.fullmatch(rf"{stay}. AIT en 20\d\d. TA 16/9, contrôle le \d\d/\d\d.", done.text)
    for old in ("22 au 29", "octobre 2019", "en 2016", "04/11"):
        assert old not in done.text
    assert [span["text"] for span in corpus.spans()[0]["entities"]] == ["22", "29 octobre 2019", "2016", "04/11"]


@pytest.mark.parametrize("number", range(12))
def test_a_date_that_could_be_a_score_is_moved_to_one_that_could_not(tmp_path: Path, number: int) -> None:
    exams = [("ETT", 14, 9), ("IRM", 25, 11), ("EEG", 8, 3), ("Holter", 30, 6)]
    text = "Bilan.\n" + "\n".join(f"{exam} {day:02d}/{month:02d} : normal." for exam, day, month in exams)
    corpus = Corpus(tmp_path, {"P1": [("P1-01", "2021-12-20", None, text)]})
    write_key(corpus.request().key_file, Secret(bytes([number]) * 32), ())
    corpus.run()
    (moved,) = corpus.written()
    step = dt.timedelta(days=read_key(corpus.request().key_file).patients["P1"].shift_days)
    read = [mention.date.to_date() for mention in build_document(moved, pytest.fail).dates if mention.date]
    assert read == [dt.date(2021, month, day) + step for _, day, month in exams]


@pytest.mark.parametrize("extension", ["csv", "parquet"])
def test_other_formats_hold_the_same(corpus: Corpus, extension: str) -> None:
    corpus.run()
    corpus.run(f"out/notes.{extension}")
    first, second = corpus.written(), corpus.written(f"out/notes.{extension}")
    assert [(o.document_id, o.text, o.title, o.date) for o in first] == [
        (o.document_id, o.text, o.title, o.date) for o in second
    ]


def test_mask(corpus: Corpus) -> None:
    corpus.run(policy="mask")
    first, *_ = corpus.written()
    assert first.title == "Lettre du Dr <NOM>"
    assert first.text.startswith("Le <DATE>\r\nMme <NOM> <PRENOM>, née le <DATE_NAISSANCE> 🙂")
    assert first.date is None


def test_a_policy_that_keeps_dates_keeps_those_of_the_documents(corpus: Corpus) -> None:
    policy = corpus.folder / "ours.yml"
    policy.write_text("otherwise: mask\nactions: {DATE: keep}\n")
    corpus.run(policy=str(policy))
    assert [one.date for one in corpus.written()] == ["2021-06-14", None, "2020-01-05", "2020-??-??"]
    assert "14/06/2021" in corpus.written()[0].text


def test_the_key_is_followed(corpus: Corpus) -> None:
    corpus.run()
    first = (corpus.folder / "out" / "notes.jsonl").read_bytes()
    corpus.run("again/notes.jsonl")
    assert (corpus.folder / "again" / "notes.jsonl").read_bytes() == first
    corpus.run("other/notes.jsonl", key=corpus.folder / "other.key")
    assert (corpus.folder / "other" / "notes.jsonl").read_bytes() != first


def test_a_key_keeps_the_patients_of_earlier_runs(corpus: Corpus) -> None:
    corpus.run()
    (corpus.folder / "more").mkdir()
    more = Corpus(corpus.folder / "more", {"P9": [("P9-01", None, None, "Dr [NOM Ferval]")]})
    more.run(key=corpus.request().key_file)
    assert list(read_key(corpus.request().key_file).patients) == ["P9", "P1", "P2", "P3"]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_workers_changes_nothing(corpus: Corpus, workers: int) -> None:
    corpus.run()
    expected = {path: path.read_bytes() for path in corpus.folder.rglob("*.jsonl")}
    corpus.run(workers=workers)
    assert {path: path.read_bytes() for path in corpus.folder.rglob("*.jsonl")} == expected


def test_identities_reach_the_detector_and_strangers_are_said(corpus: Corpus) -> None:
    seen = {}

    class Watching(MarkedDetector):
        def detect(self, documents, known):
            seen[documents[0].patient_id] = known and [value for _, value in known.values]
            return super().detect(documents, known)

    table = corpus.folder / "known.csv"
    table.write_bytes("patient_id;prénom\nP1;Noémie\nP7;Zoé\n;x\n".encode("cp1252"))
    detector = Watching(corpus.detector.spans)
    report = deidentify(corpus.request(identities=table), detector)
    assert seen == {"P1": ["Noémie"], "P2": None, "P3": None}
    said = [str(problem) for problem in report.problems]
    assert said[0].startswith("known.csv, row 4: it has no patient_id.")
    assert any("1 of its 2 patients have no document" in one for one in said)


def test_study_identifiers_that_identify_are_said(tmp_path: Path) -> None:
    cohort = {
        "8004417290": [("lettre Maubert.txt", None, None, "Mme [NOM Maubert], IPP [IPP 8004417290]")],
        "P2": [("2021-06-14 urgences", None, None, "[NOM Sarlin]"), ("CRH", None, None, "Bien.")],
    }
    report = Corpus(tmp_path, cohort).run()
    first, second = report.problems
    assert first.where == "patient '8004417290'"
    assert "stands in the documents as an identifier (IPP)" in first.what
    assert second.what.startswith("2 document_id (or file names) hold a date or a name and are kept")
    assert second.what.endswith("'2021-06-14 urgences', 'lettre Maubert.txt'.")
    assert not first.lost and not second.lost


def test_what_lies_beside_the_documents_is_said(corpus: Corpus) -> None:
    request = DeidentifyRequest(corpus.source, corpus.folder / "out.jsonl", corpus.folder / "spans.jsonl")
    said = [problem.where for problem in deidentify(request, corpus.detector).problems]
    assert said == [str(corpus.folder / "spans.jsonl"), str(corpus.folder / "spans.key.jsonl")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"out": "out"}, "cannot be written as a folder"),
        ({"out": "out.docx"}, "cannot be written as .docx"),
        ({"out": "notes.jsonl"}, "is given to --documents and to --out"),
        ({"out": "private/spans.jsonl"}, "is given to --out and to --spans"),
        ({"key": "out/notes.jsonl"}, "is given to --out and to --key"),
        ({"key": "private"}, "is a folder"),
        ({"key": "notes.jsonl"}, "is given to --documents and to --key"),
        ({"key": "table.csv"}, "is not a"),
        ({"identities": "none.csv"}, "Check the path given to --identities"),
        ({"policy": "none.yml"}, "mask or surrogate"),
    ],
)
def test_what_cannot_be_done_is_refused(corpus: Corpus, changes: dict[str, str], said: str) -> None:
    (corpus.folder / "table.csv").write_text("patient_id;nom\n")
    others = {name: value if name in ("out", "policy") else corpus.folder / value for name, value in changes.items()}
    with pytest.raises(InputError, match=said):
        corpus.run(**others)
    assert corpus.source.read_text("utf-8").count("\n") == 4
    assert not (corpus.folder / "out" / "notes.jsonl").exists()


@pytest.mark.parametrize("content", [None, "", "{}\n"])
def test_a_run_that_cannot_begin_leaves_nothing(tmp_path: Path, content: str | None) -> None:
    source = tmp_path / "notes.jsonl"
    if content is not None:
        source.write_text(content)
    with pytest.raises((InputError, FileNotFoundError)):
        deidentify(DeidentifyRequest(source, tmp_path / "out.jsonl", tmp_path / "private" / "spans.jsonl"))
    assert not [*(tmp_path / "private").iterdir()]


def test_a_full_disk_is_said(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("rag.store._fill_spool", full)
    with pytest.raises(InputError, match=r"disk is full.*room left"):
        corpus.run()
    assert [path.name for path in (corpus.folder / "private").iterdir()] == ["spans.key.jsonl"]  # which was there


def test_medical_words_after_a_function_are_not_names(tmp_path: Path) -> None:
    text = (
        "Biologiste : HbA1c 9,1 %.\nBiologiste : Troponine négative.\n"
        "Médecin : Céphalées.\nInterne : Hémiparésie gauche.\nBiologiste : Ferval."
    )
    source = tmp_path / "notes.jsonl"
    source.write_text(json.dumps({"patient_id": "P1", "document_id": "1", "text": text}), encoding="utf-8")
    spans = tmp_path / "private" / "spans.jsonl"
    deidentify(DeidentifyRequest(source, tmp_path / "out.jsonl", spans, "mask", ner="none"))
    (line,) = map(json.loads, spans.read_text("utf-8").splitlines())
    assert [entity["text"] for entity in line["entities"]] == ["Ferval"]


def test_outputs_inside_the_folder_of_documents_are_refused(tmp_path: Path) -> None:
    (tmp_path / "P1").mkdir()
    (tmp_path / "P1" / "lettre.txt").write_text("Bonjour")
    request = DeidentifyRequest(tmp_path, tmp_path / "P1" / "out.jsonl", tmp_path.parent / "spans.jsonl")
    with pytest.raises(InputError, match="inside the folder of the documents"):
        deidentify(request, MarkedDetector())


def test_a_patient_on_whom_the_program_breaks_is_left_out_and_tried_again(corpus: Corpus) -> None:
    class Breaking(MarkedDetector):
        def detect(self, documents, known):
            if documents[0].patient_id == "P1":
                raise ValueError(documents[0].text)
            return super().detect(documents, known)

    report = deidentify(corpus.request(), Breaking(corpus.detector.spans))
    assert [one.patient_id for one in corpus.written()] == ["P2", "P3"]
    (failed,) = report.failed
    assert "the documents are left out" in failed.what
    assert "Maubert" not in str(failed)
    again = corpus.run(resume=True)
    assert again.failed == ()
    assert [one.patient_id for one in corpus.written()] == ["P1", "P1", "P2", "P3"]
    assert not corpus.request().work.exists()


def test_an_interrupted_run_of_something_else_does_not_go_on(corpus: Corpus) -> None:
    class Breaking(MarkedDetector):
        def detect(self, documents, known):
            raise ValueError

    deidentify(corpus.request(), Breaking())
    with pytest.raises(InputError, match="changed since it was started: policy"):
        corpus.run(policy="mask", resume=True)
    corpus.run(policy="mask")


PIECES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[]"), max_size=12),
    st.sampled_from(
        ["[NOM Maubert]", "[PRENOM Y.]", "[DATE 14/06/2021]", "[IPP 8004 417 290]", "[VILLE Ornans]", "\r\n"]
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(st.lists(PIECES, max_size=8), min_size=1, max_size=4), st.sampled_from(["mask", "surrogate"]))
def test_any_text_comes_through(tmp_path_factory: pytest.TempPathFactory, texts: list[list[str]], policy: str) -> None:
    cohort = {"P1": [(f"P1-{n:02d}", "2021-06-14", None, "x" + "".join(text)) for n, text in enumerate(texts)]}
    corpus = Corpus(tmp_path_factory.mktemp("any"), cohort)
    report = corpus.run(policy=policy)
    assert report.failed == ()
    assert len(corpus.written()) == len(texts)
    assert not any("Maubert" in one.text for one in corpus.written())


def test_the_command(corpus: Corpus, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers())
    paths = {
        "documents": corpus.source,
        "out": corpus.folder / "out.csv",
        "spans": corpus.folder / "private" / "s.jsonl",
    }
    typed = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    arguments = parser.parse_args(["deidentify", *typed, "--policy", "mask"])
    assert arguments.command(arguments) == 0
    printed = capsys.readouterr()
    assert "3 patients, 4 documents" in printed.out
    assert str(corpus.folder / "private" / "s.key.jsonl") in printed.out
    with (corpus.folder / "out.csv").open(encoding="utf-8", newline="") as stream:
        assert "Maubert" not in "".join(row["text"] for row in csv.DictReader(stream))
