"""Questions whose answer is known: an evidence file -> where each quote stands in the documents."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from eval.evidence import EvidenceFile, Quote
from eval.retrieval import UNLABELLED, Query
from rag.settings import nearest_hint
from schema.document import Span
from schema.problem import Problem
from schema.variable import Variable


def known_answers(
    evidence: EvidenceFile,
    file: str,
    variables: Sequence[Variable],
    texts: Mapping[tuple[str, str], str],
    on_problem: Callable[[Problem], None],
) -> tuple[dict[str, list[Query]], dict[str, int]]:
    """The questions by patient, and what was left out, counted by why. Rows of one cell are put together.

    Args:
        file: its name, for what is said of its lines.
        texts: documents as given, by (patient, document).
        on_problem: told of every row and quote that is left out. A row without any quote is not one of them.
    """
    left_out: Counter[str] = Counter({"lines that are not evidence": len(evidence.problems)})
    names = {variable.name for variable in variables}
    patients = {patient for patient, _ in texts}
    spans: defaultdict[tuple[str, str], list[Span]] = defaultdict(list)
    kinds: dict[tuple[str, str], str] = {}

    def leave_out(line: int, why: str, what: str, remedy: str) -> None:
        left_out[why] += 1
        on_problem(Problem(f"{file}, line {line}", what, remedy))

    for line, row in zip(evidence.lines, evidence.rows, strict=True):
        if row.variable not in names:
            what = f"variable {row.variable!r} is not in the dictionary."
            leave_out(line, "rows of unknown variables", what, nearest_hint(row.variable, names) or "Check its name.")
            continue
        if row.patient_id not in patients:
            what = f"patient {row.patient_id!r} has no document."
            leave_out(line, "rows of unknown patients", what, "Check the identifier, or give their documents.")
            continue
        cell = (row.patient_id, row.variable)
        for number, quote in enumerate(row.evidence, start=1):
            text = texts.get((row.patient_id, quote.document_id))
            if text is None:
                what = f"quote {number} is of document {quote.document_id!r}, which this patient does not have."
                leave_out(line, "quotes of unknown documents", what, "Check the identifier of the document.")
            elif (span := locate_quote(quote, text)) is None:
                what = f"quote {number} is not in document {quote.document_id!r} word for word."
                leave_out(line, "quotes not found", what, "Copy it from the document as it is.")
            elif span not in spans[cell]:
                spans[cell].append(span)
        if row.kind:
            kinds.setdefault(cell, row.kind)
    queries: defaultdict[str, list[Query]] = defaultdict(list)
    for (patient, variable), found in spans.items():
        if found:
            kind = kinds.get((patient, variable), UNLABELLED)
            queries[patient].append(Query(patient, variable, kind, tuple(found)))
    return dict(queries), {why: count for why, count in left_out.items() if count}


def locate_quote(quote: Quote, text: str) -> Span | None:
    """Where a quote stands in its document: at its own positions where they are right, else where its words come first.

    Line ends and runs of spaces count as one space.
    """
    if quote.start is not None and quote.end is not None and quote.quote == text[quote.start : quote.end] != "":
        return Span(quote.document_id, quote.start, quote.end)
    words = quote.quote.split()
    match = re.search(r"\s+".join(map(re.escape, words)), text) if words else None
    return Span(quote.document_id, *match.span()) if match else None
