"""Check the evidence: is every quote the text of its document, and do right values rest on the right documents?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from eval.align import Cell
from eval.evidence import EvidenceByCell, EvidenceRow, Quote
from schema.report import EvidenceFigures, Violation

#: Source text of a document, by (patient, document); None when the patient has no such document.
TextLookup = Callable[[str, str], str | None]


def check_evidence(
    cells: Sequence[Cell],
    readings: EvidenceByCell,
    documents: TextLookup | None = None,
    gold_evidence: EvidenceByCell | None = None,
) -> EvidenceFigures:
    """Compare quotes with the documents as the user gave them, and cited documents with those of the manual evidence.

    Args:
        cells: the measured cells; quotes of other cells are checked too, wherever the evidence file has them.
        documents: None leaves the quotes unchecked.
    """
    gold_evidence = gold_evidence or {}
    filled = [cell for cell in cells if cell.predicted is not None]
    bare = [cell for cell in filled if cell.reading is None or not cell.reading.evidence]
    violations = [
        _violation(cell.record, cell.variable.name, "no_evidence", detail="filled without a quote") for cell in bare
    ]
    violations += [
        _violation(cell.record, cell.variable.name, "filled_against_status", detail=f"status {cell.reading.status}")
        for cell in filled
        if cell.reading is not None and cell.reading.status is not None and not cell.reading.status.fills
    ]
    checked = unknown = 0
    quotes = [(row, quote) for row in readings.values() for quote in row.evidence]
    wrong_quotes: list[Violation] = []
    for row, quote in quotes if documents else ():
        assert documents is not None
        text = documents(row.patient_id, quote.document_id)
        unknown += text is None
        checked += text is not None
        if defect := _defect(row, quote, text):
            wrong_quotes.append(defect)
    return EvidenceFigures(
        filled_cells=len(filled),
        without_evidence=len(bare),
        quotes=len(quotes),
        quotes_checked=checked,
        quotes_exact=checked + unknown - len(wrong_quotes),
        unknown_documents=unknown,
        violations=(*violations, *wrong_quotes),
        **_shared_documents(cells, gold_evidence),
    )


def _violation(patient: str, variable: str, kind: str, document: str = "", detail: str = "") -> Violation:
    return Violation(patient_id=patient, variable=variable, kind=kind, document_id=document, detail=detail)


def _defect(row: EvidenceRow, quote: Quote, text: str | None) -> Violation | None:
    """What is wrong with a quote whose document reads ``text``; None when it stands where it says."""
    if text is None:
        kind, detail = "unknown_document", "this patient has no such document"
    elif quote.start is None or quote.end is None:
        kind, detail = "no_position", "the quote has no start or no end"
    elif quote.quote and 0 <= quote.start < quote.end and text[quote.start : quote.end] == quote.quote:
        return None
    elif quote.quote and quote.quote in text:
        kind, detail = "wrong_position", f"positions {quote.start} to {quote.end}; the quote stands elsewhere"
    else:
        kind, detail = (
            "not_in_document",
            f"positions {quote.start} to {quote.end} do not hold the quote, nor does the rest",
        )
    return _violation(row.patient_id, row.variable, kind, quote.document_id, detail)


def _shared_documents(cells: Sequence[Cell], gold_evidence: EvidenceByCell) -> dict[str, int]:
    """Correct cells whose manual evidence names a document, and those that cite one of the documents it names."""
    named = shared = 0
    for cell in cells:
        gold = gold_evidence.get((cell.record, cell.variable.name))
        if cell.correct and gold is not None and gold.evidence:
            cited = {quote.document_id for quote in cell.reading.evidence} if cell.reading else set()
            named += 1
            shared += not cited.isdisjoint(quote.document_id for quote in gold.evidence)
    return {"correct_with_gold_evidence": named, "same_document": shared}
