"""From concepts.jsonl to OMOP: a mention is a term of its note; affirmed diagnoses and measured values have a row."""

from __future__ import annotations

from typing import Any

from rag.omop import OmopWriter, Term, source_value
from rag.terminology.kinds import Kind, kind_of
from schema.concept import Code, CodeSystem, Concept
from schema.document import PartialDate

#: Characters shown on each side of a term.
_AROUND = 60


def add_document(omop: OmopWriter, line: dict[str, Any], text: str) -> None:
    """Add a line of concepts.jsonl; ``text`` is the document as given.

    A diagnosis told several times by a document is one condition. A document without a day gives terms alone.
    """
    patient_id = line["patient_id"]
    day = PartialDate.parse(line["date"]).to_date() if line["date"] else None
    note = omop.add_note(patient_id, line["document_id"], day, line["title"], text)
    conditions: dict[str, tuple[tuple[Code, ...], bool]] = {}
    for mention in line["concepts"]:
        codes = tuple(Code(CodeSystem(system), code) for system, code in mention["codes"].items())
        omop.add_term(note, _term(mention, codes, text))
        if mention["negated"] or mention["hypothetical"] or mention["family"] or day is None:
            continue
        kind = kind_of(Concept(mention["concept_id"], mention["label"], tuple(mention["types"]), codes))
        if kind is Kind.DIAGNOSIS and codes:
            _, past = conditions.get(mention["concept_id"], (codes, True))
            conditions[mention["concept_id"]] = codes, past and mention["history"]
        elif "value" in mention:
            source = source_value(codes) or mention["concept_id"]
            omop.add_measurement(patient_id, day, source, mention["value"], mention["unit"])
    if day is not None:
        for codes, past in conditions.values():
            omop.add_condition(patient_id, day, codes, "history" if past else "")


def _term(mention: dict[str, Any], codes: tuple[Code, ...], text: str) -> Term:
    start, end = mention["start"], mention["end"]
    said = {name: "true" for name in ("negated", "hypothetical", "family") if mention[name]}
    side = {"side": mention["side"]} if mention["side"] else {}
    fragments = {"fragments": str(mention["fragments"])} if len(mention["fragments"]) > 1 else {}
    return Term(
        start=start,
        text=mention["text"],
        snippet=" ".join(text[max(0, start - _AROUND) : end + _AROUND].split()),
        codes=codes,
        exists=not said,
        past=mention["history"],
        modifiers={"concept": mention["concept_id"], **said, **side, **fragments},
    )
