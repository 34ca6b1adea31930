"""An answer about one patient, as lines for a terminal or as JSON."""

from __future__ import annotations

import json
import textwrap

from rag import wording
from rag.ask import Answer, Citation
from schema.value import Status, Value
from schema.variable import Variable

_WIDTH = 110
_BOLD, _MARK, _PLAIN = "\033[1m", "\033[30;43m", "\033[0m"

_SAID = {
    Status.FOUND: "found",
    Status.STATED_ABSENT: "stated absent",
    Status.ABSENT_BY_OMISSION: "absent: a list that would name it does not",
    Status.NOT_MENTIONED: "not mentioned in the documents",
    Status.NOT_APPLICABLE: "not applicable (branching logic)",
    Status.CONFLICTING: "the documents disagree",
    Status.INVALID: "read, but the dictionary does not allow it",
    Status.TO_REVIEW: "read, but not sure enough: look at it",
    Status.TRUNCATED: "the model's answer was cut",
    Status.REFUSED: "the model declined to answer",
    Status.SERVER_ERROR: "the model could not be asked",
}


def to_json(answer: Answer) -> str:
    """The answer as one JSON object. ``evidence[i].quote`` is the document's text, as given, at [start, end)."""
    found, variable = answer.found, answer.variable
    return json.dumps(
        {
            "patient_id": answer.patient_id,
            "question": answer.question,
            "variable": variable.name if variable else None,
            "label": variable.label if variable else None,
            "value": wording.coded(variable, found.value) if variable and found else None,
            "meaning": wording.meaning(variable, found.value) if variable and found else None,
            "status": found.status.value if found else None,
            "confidence": round(found.confidence, 4) if found else None,
            "candidates": [wording.coded(variable, value) for value in found.candidates] if variable and found else [],
            "explanation": found.explanation if found else None,
            "codes": wording.by_system(found.codes) if found else {},
            "evidence": [_cited(citation) for citation in answer.citations],
            "other_variables": [other.name for other in answer.others],
            "passages": [_cited(citation) for citation in answer.passages],
        },
        ensure_ascii=False,
        indent=2,
    )


def to_text(answer: Answer, colour: bool) -> str:
    """The answer for a person. ``colour``: quotes are marked with terminal colours, otherwise with « »."""
    lines: list[str] = []
    if answer.question and answer.variable:
        lines.append(f"understood as {answer.variable.name} ({answer.variable.label})")
        if answer.others:
            lines.append(f"or was it {', '.join(other.name for other in answer.others)}? Ask with --variable NAME.")
    elif answer.question:
        lines.append("no variable of the dictionary fits this question; these passages are the nearest")
    if answer.variable and answer.found:
        lines += _value_lines(answer, answer.variable, colour)
    marks = (_MARK, _PLAIN) if colour else ("«", "»")
    for citation in answer.citations:
        lines += ["", *_citation_lines(citation, *marks)]
    for passage in answer.passages:
        lines += ["", *_citation_lines(passage, "", "")]
    return "\n".join(lines)


def _value_lines(answer: Answer, variable: Variable, colour: bool) -> list[str]:
    found = answer.found
    assert found is not None
    value = _readable(variable, found.value) or "(empty)"
    lines = [f"{variable.label}: {_BOLD + value + _PLAIN if colour else value}"]
    certainty = f", confidence {found.confidence:.2f}" if found.status.fills else ""
    lines.append(f"{_SAID.get(found.status, found.status.value)}{certainty}")
    if found.codes:
        named = wording.by_system(found.codes).items()
        lines.append(", ".join(f"{system} {' '.join(codes)}" for system, codes in named))
    if found.candidates:
        lines.append(f"read: {'; '.join(_readable(variable, value) for value in found.candidates)}")
    return [*lines, found.explanation] if found.explanation else lines


def _readable(variable: Variable, value: Value | None) -> str:
    coded = wording.coded(variable, value)
    text = ",".join(coded) if isinstance(coded, list) else coded or ""
    meaning = wording.meaning(variable, value)
    unit = f" {variable.unit}" if variable.unit and text else ""
    return f"{text} ({meaning})" if meaning else text + unit


def _citation_lines(citation: Citation, left: str, right: str) -> list[str]:
    start, end = citation.start - citation.offset, citation.end - citation.offset
    before, quote, after = citation.context[:start], citation.context[start:end], citation.context[end:]
    heading = " · ".join(part for part in (citation.date or "undated", citation.document_id, citation.type) if part)
    words = " ".join(f"{_clean(before)}{left}{_clean(quote)}{right}{_clean(after)}".split())
    body = textwrap.wrap(words, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [_clean(heading), *(f"  {line}" for line in body)]


def _clean(text: str) -> str:
    """Without the control codes that a document may hold for a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def _cited(citation: Citation) -> dict[str, object]:
    start = citation.start - citation.offset
    return {
        "document_id": citation.document_id,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.context[start : citation.end - citation.offset],
        "date": citation.date or None,
        "type": citation.type,
        "context": citation.context,
    }
