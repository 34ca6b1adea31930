"""The cohort kept beside the repository: what must be hidden is hidden."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from rag.deid.detect import Detector
from schema.document import RawDocument


@pytest.mark.shared
@pytest.mark.parametrize("half", ["D1", "D2"])
def test_the_cohort_keeps_its_secrets(shared_cohort: Path, half: str) -> None:
    record: defaultdict[str, list[RawDocument]] = defaultdict(list)
    for line in (shared_cohort / "documents.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["patient_id"].startswith(half):
            record[row["patient_id"]].append(RawDocument(row["patient_id"], row["document_id"], row["text"]))
    lines = (shared_cohort / "phi.jsonl").read_text(encoding="utf-8").splitlines()
    gold = {row["document_id"]: row["entities"] for row in map(json.loads, lines)}
    hidden = total = clean = documents = 0
    detector = Detector()
    for patient in record.values():
        for document, found in zip(patient, detector.detect(patient), strict=True):
            covered = {place for entity in found for place in range(entity.start, entity.end)}
            wanted = {place for e in gold.get(document.document_id, ()) for place in range(e["start"], e["end"])}
            wanted = {place for place in wanted if not document.text[place].isspace()}
            hidden += len(wanted & covered)
            total += len(wanted)
            clean += wanted <= covered
            documents += 1
    assert hidden / total >= 0.985
    assert clean / documents >= 0.85
