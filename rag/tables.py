"""What a run gives to its user: the table in three forms, the evidence of every cell, the problems, the manifest."""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rag import wording
from rag.redcap.dictionary import Dictionary
from rag.redcap.export import TableWriter
from rag.store import PatientResult
from rag.workbook import WorkbookWriter
from schema.problem import Problem
from schema.run import RunManifest
from schema.value import ExtractedValue
from schema.variable import Variable, VariableKind

_ROWS_PER_GROUP = 200  # of parquet, held in memory


class Exports:
    """The exports of a run under way: patients are added in the table's order, then `publish` shows all the files.

    Until then everything lies in ``drafts``, so that nobody takes half a table for a whole one.

    Args:
        drafts: an empty folder on the same disk as the run's.
    """

    def __init__(self, dictionary: Dictionary, drafts: Path) -> None:
        self._drafts = drafts
        self._variables = dictionary.variables
        self._record_id = dictionary.record_id
        self._table = (drafts / "table.csv").open("w", encoding="utf-8", newline="")
        self._rows = TableWriter(self._table, dictionary)
        self._evidence = (drafts / "evidence.jsonl").open("w", encoding="utf-8", newline="\n")
        self._workbook = WorkbookWriter(dictionary, drafts / "table.xlsx")
        self._schema = _arrow_schema(dictionary)
        self._parquet = pq.ParquetWriter(drafts / "table.parquet", self._schema)
        self._group: list[dict[str, Any]] = []

    def add(self, result: PatientResult) -> None:
        """Write one patient in every export."""
        row = {found.variable: found.value for found in result.values}
        self._rows.add(result.patient_id, row)
        for variable, found in zip(self._variables, result.values, strict=True):
            self._evidence.write(json.dumps(_evidence_line(variable, found), ensure_ascii=False) + "\n")
        self._workbook.add(result)
        self._group.append({self._record_id: result.patient_id, **row})
        if len(self._group) == _ROWS_PER_GROUP:
            self._flush_group()

    def publish(self, out: Path, problems: Sequence[Problem], manifest: RunManifest) -> None:
        """Complete every file, then put each at its name in ``out`` in one step."""
        self._flush_group()
        for stream in (self._table, self._evidence, self._parquet):
            stream.close()
        self._workbook.close(dt.datetime.fromisoformat(manifest.created_at))
        with (self._drafts / "problems.csv").open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("where", "what", "remedy", "lost"))
            writer.writerows((p.where, p.what, p.remedy, int(p.lost)) for p in problems)
        (self._drafts / "manifest.json").write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        names = ("table.csv", "table.xlsx", "table.parquet", "evidence.jsonl", "problems.csv", "manifest.json")
        for name in names:
            (self._drafts / name).replace(out / name)
        shutil.rmtree(self._drafts)

    def _flush_group(self) -> None:
        self._parquet.write_table(pa.Table.from_pylist(self._group, self._schema))
        self._group.clear()


def _evidence_line(variable: Variable, found: ExtractedValue) -> dict[str, object]:
    return {
        "patient_id": found.patient_id,
        "variable": found.variable,
        "value": wording.coded(variable, found.value),
        "status": found.status.value,
        "confidence": round(found.confidence, 4),
        "candidates": [wording.coded(variable, candidate) for candidate in found.candidates],
        "codes": wording.by_system(found.codes),
        "evidence": [
            {"document_id": e.document_id, "start": e.start, "end": e.end, "quote": e.quote} for e in found.evidence
        ],
    }


def _arrow_schema(dictionary: Dictionary) -> pa.Schema:
    fields = [pa.field(dictionary.record_id, pa.string())]
    return pa.schema([*fields, *(pa.field(variable.name, _arrow_type(variable)) for variable in dictionary.variables)])


def _arrow_type(variable: Variable) -> pa.DataType:
    match variable.kind:
        case VariableKind.INTEGER:
            return pa.int64()
        case VariableKind.NUMBER:
            return pa.float64()
        case VariableKind.DATE:
            return pa.date32()
        case VariableKind.DATETIME:
            return pa.timestamp("s")
        case VariableKind.TIME:
            return pa.time32("s")
        case VariableKind.CHECKBOX:
            return pa.list_(pa.string())
    return pa.string()
