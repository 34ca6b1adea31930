"""Write a cohort as files: documents, dictionary, table, evidence, manifest."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from rag.synth.config import SynthConfig
from rag.synth.dictionary import write_dictionary
from rag.synth.generate import SyntheticPatient, generate, variables_of

_FORMAT = 1


def write_cohort(config: SynthConfig, out: Path, on_patient: Callable[[], object] = lambda: None) -> dict[str, int]:
    """Write the cohort into ``out``, made if missing; return the counts of the manifest."""
    out.mkdir(parents=True, exist_ok=True)
    asked = variables_of(config)
    write_dictionary(out / "dictionary.csv", asked)
    names = ["record_id", *(variable.name for variable in asked)]
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        documents, evidence, table = (
            stack.enter_context((out / name).open("w", encoding="utf-8", newline=""))
            for name in ("documents.jsonl", "evidence.jsonl", "table.csv")
        )
        rows = csv.DictWriter(table, names, restval="", lineterminator="\n")
        rows.writeheader()
        for patient in generate(config):
            for line in document_rows(patient):
                documents.write(json.dumps(line, ensure_ascii=False) + "\n")
            for cell in evidence_rows(patient):
                evidence.write(json.dumps(cell, ensure_ascii=False) + "\n")
            rows.writerow({"record_id": patient.patient_id, **patient.row()})
            counts.update(["patients"])
            counts.update({"documents": len(patient.documents), "cells": len(patient.answers)})
            counts.update(answer.kind for answer in patient.answers)
            on_patient()
    manifest = {"format": _FORMAT, "config": config.model_dump(mode="json"), "counts": dict(sorted(counts.items()))}
    (out / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return dict(counts)


def document_rows(patient: SyntheticPatient) -> list[dict[str, str]]:
    """The patient's rows of documents.jsonl."""
    names = ("patient_id", "document_id", "date", "type", "title", "text")
    return [{name: getattr(document, name) for name in names} for document in patient.documents]


def evidence_rows(patient: SyntheticPatient) -> list[dict[str, object]]:
    """The patient's rows of evidence.jsonl."""
    return [
        {
            "patient_id": patient.patient_id,
            "variable": answer.variable,
            "value": answer.value,
            "evidence": [{"document_id": told.document_id, "quote": told.quote} for told in answer.evidence],
            "kind": answer.kind,
        }
        for answer in patient.answers
    ]
