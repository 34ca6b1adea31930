"""The corpus package on the cohort kept beside the repository."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag.corpus.build import build_document
from rag.corpus.read import read_documents
from schema.document import Document, PartialDate, RawDocument
from schema.problem import Problem

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def raws(shared_cohort: Path) -> list[RawDocument]:
    problems: list[Problem] = []
    found = list(read_documents(shared_cohort / "documents.jsonl", problems.append))
    assert problems == []
    return found


def build(raw: RawDocument) -> tuple[Document, list[Problem]]:
    problems: list[Problem] = []
    return build_document(raw, problems.append), problems


def test_dates_given_are_kept_and_no_doubt_is_raised(raws: list[RawDocument]) -> None:
    for raw in raws:
        document, problems = build(raw)
        assert problems == []
        assert document.written_on == PartialDate.parse(raw.date or "")


def test_most_missing_dates_are_found_in_the_text(raws: list[RawDocument]) -> None:
    right = sum(build(replace(raw, date=None))[0].written_on == PartialDate.parse(raw.date or "") for raw in raws)
    assert right >= 0.9 * len(raws)


def test_hospital_reports_have_their_main_sections(raws: list[RawDocument]) -> None:
    titled = [raw for raw in raws if raw.type == "crh" and "\nANTÉCÉDENTS" in raw.text.upper()]
    assert titled
    for raw in titled:
        assert "antecedents" in {section.kind for section in build(raw)[0].sections}
