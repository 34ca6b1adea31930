"""The main path of the rules: a patient's documents -> one value per variable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schema.document import PatientRecord
from schema.passage import Passage
from schema.study import Study
from schema.value import ExtractedValue, Status
from schema.variable import Variable


class RulesGenerator:
    """Rules that read typed values, with their evidence."""

    name = "rules"

    def __init__(self, variables: Sequence[Variable], study: Study | None = None) -> None:
        self._variables = tuple(variables)
        self._study = study or Study()

    def fill(
        self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None = None
    ) -> list[ExtractedValue]:
        """See `generator.protocol.Generator.fill`."""
        return [ExtractedValue(record.patient_id, v.name, Status.NOT_MENTIONED) for v in self._variables]
