"""What every generator does: read the variables of one patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from schema.document import PatientRecord
from schema.passage import Passage
from schema.value import ExtractedValue


class Generator(Protocol):
    """Reads one patient at a time. Built once with its variables, then called for every patient."""

    name: str

    def fill(
        self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None = None
    ) -> list[ExtractedValue]:
        """One `ExtractedValue` for each of the generator's variables, in their order.

        Args:
            record: the patient's documents, oldest first.
            passages: by variable name, the only passages that may be read for it; None: the whole record.
        """
        ...
