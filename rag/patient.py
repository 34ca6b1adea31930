"""One patient: documents -> values of the generator -> values that the dictionary accepts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from generator.protocol import Generator
from rag.calibration import Calibration, held_back
from rag.corpus.build import build_document
from rag.deid.restore import restored
from rag.redcap import branching, values
from rag.terminology.bundled import open_terminology
from rag.variable_codes import ExactNames, VariableCodes
from schema.document import PatientRecord, RawDocument
from schema.passage import Passage
from schema.problem import InputError, Problem
from schema.study import Study
from schema.value import ExtractedValue, Status, Value
from schema.variable import Variable

#: Builds a generator from the dictionary's variables and the study; ValueError when it cannot do what the study asks.
MakeGenerator = Callable[[Sequence[Variable], Study], Generator]


def build_generator(
    make_generator: MakeGenerator, variables: Sequence[Variable], study: Study, study_file: Path | None
) -> Generator:
    """Make the generator of a run.

    Raises:
        InputError: the study file asks for something that the generator does not have.
    """
    try:
        return make_generator(variables, study)
    except ValueError as error:
        if study_file is None:
            raise
        raise InputError(Problem(str(study_file), f"{error}.", "Correct or remove that entry.")) from error


def codes_of(variables: Sequence[Variable], study: Study) -> VariableCodes:
    """What gives the values of a dictionary their codes, by the bundled terminology.

    It reads a file: made in the process that uses it.
    """
    return VariableCodes(variables, study, ExactNames(open_terminology()))


#: Documents named in one message.
_NAMES_SHOWN = 5


def build_record(
    raw_documents: Sequence[RawDocument], on_problem: Callable[[Problem], None], today: dt.date | None = None
) -> PatientRecord:
    """Read the documents of one patient (at least one); those dated after ``today`` are said."""
    documents = [build_document(raw, on_problem, today) for raw in raw_documents]
    return PatientRecord.of(raw_documents[0].patient_id, documents)


def inferences(record: PatientRecord) -> Iterator[Problem]:
    """What a patient's documents did not say and was inferred, or stayed unknown; one `Problem` for each field."""
    for field in ("date", "type"):
        inferred = [d.document_id for d in record.documents if field in d.inferred]
        if inferred:
            count, names = len(inferred), _listed(inferred)
            what = f"{count} document(s) without a {field}; it was read in their text or name: {names}."
            yield Problem(f"patient {record.patient_id!r}", what, f"Give the {field} if it is wrong.", lost=False)
    undated = [d.document_id for d in record.documents if d.written_on is None]
    if undated:
        what = f"{len(undated)} document(s) without a date, in the source as in the text: {_listed(undated)}."
        yield Problem(f"patient {record.patient_id!r}", what, "Give it: it tells an arrival from a visit.", lost=False)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_NAMES_SHOWN])
    return shown if len(names) <= _NAMES_SHOWN else f"{shown}…"


class PatientReader:
    """Reads one patient at a time into values ready for the table.

    Args:
        codes: gives the values their codes; without it they have none.
        calibration: makes the generator's confidences probabilities; None: they stay as they are.
        above: a value of less confidence is not sure enough for the table: it goes to review.
    """

    def __init__(
        self,
        variables: Sequence[Variable],
        generator: Generator,
        codes: VariableCodes | None = None,
        calibration: Calibration | None = None,
        above: float = 0.0,
    ) -> None:
        self._variables = tuple(variables)
        self._generator = generator
        self._codes = codes
        self._calibration = calibration
        self._above = above
        self._conditions = {v.name: branching.parse(v.branching) for v in variables if v.branching}

    def read(
        self,
        record: PatientRecord,
        passages: Mapping[str, Sequence[Passage]] | None = None,
        shift_days: int = 0,
    ) -> tuple[ExtractedValue, ...]:
        """One value per variable, in the dictionary's order; dates as they were before they moved by ``shift_days``.

        Args:
            passages: by variable name, all that may be read for it; None: the whole record.
        """
        read = self._generator.fill(record, passages)
        if self._calibration is not None:
            read = [self._calibration.apply(value) for value in read]
        if passages is not None:
            read = [_in_part(value) for value in read]
        found = [restored(variable, value, shift_days) for variable, value in zip(self._variables, read, strict=True)]
        texts = {document.document_id: document.source_text for document in record.documents}
        checked = [_check(variable, value, texts) for variable, value in zip(self._variables, found, strict=True)]
        closed = close_branches(self._conditions, checked)
        # After the branches: what hangs on a value that goes to review is not "not applicable".
        taken = tuple(held_back(value, self._above) for value in closed)
        codes = self._codes
        return taken if codes is None else tuple(replace(value, codes=codes.of(value)) for value in taken)


def _in_part(value: ExtractedValue) -> ExtractedValue:
    """Says of a silence that it is that of the passages, not of the record."""
    if value.status is not Status.NOT_MENTIONED or value.explanation:
        return value
    return replace(value, explanation="Rien n'en est dit dans les passages lus.")


def _check(variable: Variable, found: ExtractedValue, texts: Mapping[str, str]) -> ExtractedValue:
    """Turn a value that breaks the dictionary's rules, or cites what is not written, into an invalid one."""
    for evidence in found.evidence:
        text = texts.get(evidence.document_id, "")
        if not evidence.quote or text[evidence.start : evidence.end] != evidence.quote:
            emptied = _empty(found, Status.INVALID, "La citation donnée ne figure pas dans le document.")
            return replace(emptied, evidence=())
    if found.value is None:
        return found
    try:
        return replace(found, value=values.validate(variable, found.value))
    except values.InvalidValue:
        return _empty(found, Status.INVALID, "La valeur lue n'est pas admise par le dictionnaire.")


def close_branches(
    conditions: Mapping[str, branching.Branching], found: Sequence[ExtractedValue]
) -> tuple[ExtractedValue, ...]:
    """Empty the cells whose branching logic is not fulfilled, until no emptied cell closes another one."""
    cells = {value.variable: value for value in found}
    open_conditions = dict(conditions)
    while True:
        row = {name: cell.value for name, cell in cells.items()}
        closed = [name for name, condition in open_conditions.items() if not condition.applies(row)]
        if not closed:
            return tuple(cells.values())
        for name in closed:
            reason = f"Sans objet : la condition {open_conditions.pop(name).text} n'est pas remplie."
            cells[name] = _empty(cells[name], Status.NOT_APPLICABLE, reason)


def _empty(found: ExtractedValue, status: Status, explanation: str) -> ExtractedValue:
    """The cell without its value, which is kept as a candidate."""
    candidates: tuple[Value, ...] = found.candidates if found.value is None else (found.value,)
    return replace(found, status=status, value=None, confidence=0.0, candidates=candidates, explanation=explanation)
