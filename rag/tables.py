"""What a run gives to its user: the table in three forms, the evidence of every cell, the problems, the manifest."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import wording
from rag.redcap.dictionary import Dictionary
from rag.redcap.export import write_table
from rag.store import PatientResult, replacing
from rag.workbook import Results, write_workbook
from schema.problem import Problem
from schema.run import RunManifest
from schema.value import ExtractedValue, Value
from schema.variable import Variable, VariableKind

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_PER_GROUP = 2_000


def export(
    out: Path, dictionary: Dictionary, results: Results, problems: Sequence[Problem], manifest: RunManifest
) -> None:
    """Write every export of a run in the folder ``out``; each file appears whole or not at all."""
    variables = dictionary.variables
    with replacing(out / "table.csv") as path:
        write_table(path, dictionary, ((result.patient_id, _typed_row(result)) for result in results()))
    with replacing(out / "evidence.jsonl") as path:
        _write_evidence(path, variables, results())
    with replacing(out / "table.parquet") as path:
        _write_parquet(path, dictionary, results())
    with replacing(out / "table.xlsx") as path:
        write_workbook(path, dictionary, results)
    with replacing(out / "problems.csv") as path, path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("where", "what", "remedy", "lost"))
        writer.writerows((p.where, p.what, p.remedy, int(p.lost)) for p in problems)
    with replacing(out / "manifest.json") as path:
        path.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _typed_row(result: PatientResult) -> dict[str, Value | None]:
    return {value.variable: value.value for value in result.values}


def _write_evidence(path: Path, variables: Sequence[Variable], results: Iterable[PatientResult]) -> None:
    by_name = {variable.name: variable for variable in variables}
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for result in results:
            for value in result.values:
                stream.write(json.dumps(_evidence_line(by_name[value.variable], value), ensure_ascii=False) + "\n")


def _evidence_line(variable: Variable, value: ExtractedValue) -> dict[str, object]:
    return {
        "patient_id": value.patient_id,
        "variable": value.variable,
        "value": wording.coded(variable, value.value),
        "status": value.status.value,
        "confidence": round(value.confidence, 4),
        "evidence": [
            {"document_id": e.document_id, "start": e.start, "end": e.end, "quote": e.quote} for e in value.evidence
        ],
    }


def _write_parquet(path: Path, dictionary: Dictionary, results: Iterable[PatientResult]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [pa.field(dictionary.record_id, pa.string())]
    fields += [pa.field(variable.name, _arrow_type(variable)) for variable in dictionary.variables]
    schema = pa.schema(fields)
    with pq.ParquetWriter(path, schema) as writer:
        group: list[dict[str, Any]] = []
        for result in results:
            group.append({dictionary.record_id: result.patient_id, **_typed_row(result)})
            if len(group) == _ROWS_PER_GROUP:
                writer.write_table(pa.Table.from_pylist(group, schema))
                group.clear()
        writer.write_table(pa.Table.from_pylist(group, schema))


def _arrow_type(variable: Variable) -> pa.DataType:
    import pyarrow as pa

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
