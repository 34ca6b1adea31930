from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rag.corpus.build import build_document, write_corpus
from rag.corpus.read import read_documents
from schema.document import Document, PartialDate, RawDocument
from schema.problem import Problem

REPORT = """\
CHU de la Vallée – Neurologie vasculaire

COMPTE RENDU D'HOSPITALISATION
Mme Martin, née le 03/11/1939
Hospitalisée du 14/06/2021 au 25/06/2021

MOTIF
Aphasie brutale le 14/06 à 09h10.

CONCLUSION
Infarctus sylvien.
"""


def built(raw: RawDocument) -> tuple[Document, list[Problem]]:
    problems: list[Problem] = []
    return build_document(raw, problems.append), problems


RAW = RawDocument("p1", "d1", REPORT, "2021-06-25", "crh", "Compte rendu", "notes.csv, row 2")


def test_a_document_has_its_parts() -> None:
    document, problems = built(RAW)
    assert problems == []
    assert (document.type, document.written_on, document.inferred) == ("crh", PartialDate(2021, 6, 25), ())
    assert [section.kind for section in document.sections] == ["", "motif", "conclusion"]
    assert "Aphasie brutale le 14/06 à 09h10." in [document.text[a:b] for a, b in document.sentences]
    assert PartialDate(2021, 6, 14) in [mention.date for mention in document.dates]
    assert document.origins is None
    assert document.source_text == REPORT


def test_what_is_missing_is_inferred_and_said() -> None:
    document, problems = built(replace(RAW, date=None, type=" ", title=None))
    assert problems == []
    assert (document.type, document.written_on) == ("crh", PartialDate(2021, 6, 25))
    assert document.inferred == ("date", "type")


@pytest.mark.parametrize(
    ("title", "name", "kind"),
    [
        ("CR de thrombectomie mécanique", "x", "thrombectomie"),
        ("IRM cérébrale de contrôle", "x", "imagerie"),
        ("Lettre de sortie", "x", "crh"),
        ("Fiche de régulation SAMU", "x", "samu"),
        ("Transmissions ciblées", "x", "soins"),
        (None, "2021-06-14_scanner_cerebral", "imagerie"),
        (None, "CRO_hanche", "bloc"),
        ("Consultation d'anesthésie", "x", "anesthesie"),
        ("Zzz", "x", ""),
    ],
)
def test_types_are_read_in_the_title_then_in_the_name(title: str | None, name: str, kind: str) -> None:
    document, _ = built(RawDocument("p", name, "Rien de particulier.", "2021", None, title))
    assert document.type == kind
    assert ("type" in document.inferred) == (kind != "")


@pytest.mark.parametrize(
    ("given", "date"),
    [
        ("2021-06-14", PartialDate(2021, 6, 14)),
        ("2021-06-14 09:10:00", PartialDate(2021, 6, 14)),
        ("2021-06-14T09:10:00.000Z", PartialDate(2021, 6, 14)),
        ("14/06/2021", PartialDate(2021, 6, 14)),
        ("14/06/2021 09:10", PartialDate(2021, 6, 14)),
        ("14.06.21", PartialDate(2021, 6, 14)),
        ("14-06-2021", PartialDate(2021, 6, 14)),
        ("lundi 14 juin 2021", PartialDate(2021, 6, 14)),
        ("20210614", PartialDate(2021, 6, 14)),
        ("06/2021", PartialDate(2021, 6)),
        ("2021-06", PartialDate(2021, 6)),
        ("2021", PartialDate(2021)),
        ("2021-??-??", PartialDate(2021)),
    ],
)
def test_forms_of_the_given_date(given: str, date: PartialDate) -> None:
    document, problems = built(RawDocument("p", "d", "Il va bien.", given, "crh"))
    assert (document.written_on, problems) == (date, [])


@pytest.mark.parametrize(
    "given", ["30/02/2021", "2021-13-01", "06/14/2021", "hier", "44361", "0001-01-01", "9999-12-31"]
)
def test_an_impossible_date_is_a_doubt_and_the_document_is_kept(given: str) -> None:
    document, (problem,) = built(replace(RAW, date=given))
    assert document.written_on == PartialDate(2021, 6, 25)
    assert document.inferred == ("date",)
    assert problem.where == "notes.csv, row 2"
    assert not problem.lost
    undated, (problem,) = built(RawDocument("p", "d", "Il va bien.", given, "crh", origin="x"))
    assert (undated.written_on, undated.inferred) == (None, ())
    assert "undated" in problem.remedy


def test_a_date_years_away_from_the_one_the_note_gives_itself_is_a_doubt() -> None:
    document, (problem,) = built(replace(RAW, date="2031-06-25"))
    assert document.written_on == PartialDate(2021, 6, 25)
    assert "2031" in problem.what
    assert "Martin" not in str(problem)


def test_old_dates_told_in_a_recent_note_are_no_doubt() -> None:
    text = (
        "Cher confrère,\n\nJe revois M. Petit, opéré le 12/03/2014 d'une prothèse de hanche.\n\n- AVC le 03/02/2012\n"
    )
    document, problems = built(RawDocument("p", "d", text, "2022-05-01", "courrier"))
    assert (document.written_on, problems) == (PartialDate(2022, 5, 1), [])


@pytest.mark.parametrize(
    ("name", "text", "date"),
    [
        ("2021-06-14_crh", "Il va bien.", PartialDate(2021, 6, 14)),
        ("CRH 14062021", "Il va bien.", PartialDate(2021, 6, 14)),
        ("crh", "Riom, le 9 février 2021\n\nM. Petit, né le 02/03/1950, va bien.", PartialDate(2021, 2, 9)),
        ("crh", "M. Petit 02/03/1950\nExamen du 12/05/2020 à 10h52\nNormal.", PartialDate(2020, 5, 12)),
        ("crh", "Il va bien.\n" * 90 + "Signé le 12/05/2020\nDr Martin", PartialDate(2020, 5, 12)),
        ("crh", "M. Petit, né le 02/03/1950, va bien.", None),
        ("crh-1-12", "Le 14/06 il allait bien.", None),
    ],
)
def test_a_missing_date_is_looked_for(name: str, text: str, date: PartialDate | None) -> None:
    document, problems = built(RawDocument("p", name, text, None, "crh"))
    assert (document.written_on, problems) == (date, [])
    assert document.inferred == (("date",) if date else ())


def test_yearless_dates_take_the_inferred_year() -> None:
    document, _ = built(replace(RAW, date="2031-06-25"))
    assert PartialDate(2021, 6, 14) in [m.date for m in document.dates if m.clock]


def test_a_written_corpus_reads_back(tmp_path: Path) -> None:
    raws = [
        RAW,
        RawDocument("p/../2", "d=1;\n«x»", "l’in\ufb01ltration\r\nest\u00a0stable\x00.", None, None, None),
        RawDocument("p3", "d", "Un texte\u2028coupé\x85ici.", "06/2021"),
    ]
    out = tmp_path / "corpus.jsonl"
    assert write_corpus((built(raw)[0] for raw in raws), out) == 3
    problems: list[Problem] = []
    again = list(read_documents(out, problems.append))
    assert problems == []
    assert [(r.patient_id, r.document_id, r.text) for r in again] == [
        (r.patient_id, r.document_id, r.text) for r in raws
    ]
    assert [built(r)[0].written_on for r in again] == [built(r)[0].written_on for r in raws]
    line = json.loads(out.read_text("utf-8").splitlines()[0])
    assert [section["kind"] for section in line["sections"]] == ["", "motif", "conclusion"]
    assert line["text"][line["sections"][1]["start"] :].startswith("MOTIF")


def test_an_empty_text_still_makes_a_document() -> None:
    document, _ = built(RawDocument("p", "d", "\ufeff"))
    assert (document.text, document.sections, document.sentences, document.dates) == ("", (), (), ())
