"""Main path of `normalize --evaluate`: annotated texts -> mentions -> agreement with the annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tqdm import tqdm

from eval.normalization import CodedSpan, Fragments, NormalizationReport, evaluate
from rag.brat import BratDocument, read_brat
from rag.terminology.bundled import open_terminology
from rag.terminology.counts import JOIN
from rag.terminology.linker import Normalizer, load_reranker
from rag.terminology.loaders.brat import concepts_of
from schema.problem import Problem


def evaluate_brat(
    folder: Path,
    terminology: Path | None,
    on_problem: Callable[[Problem], None],
    *,
    reranker: Path | None = None,
    progress: bool = False,
) -> NormalizationReport:
    """Read the texts of BRAT files with a dictionary and compare with their annotations, whose notes hold the codes.

    The texts are read as they are, so that positions are those of the annotations; every mention of the dictionary
    counts, whatever is said of it.

    Args:
        terminology: dictionary file; the bundled stroke terminology when None.
        reranker: folder of a model that `terminology train` wrote.

    Raises:
        InputError: the folder or the dictionary cannot be read.
    """
    documents = list(read_brat(folder, on_problem))
    dictionary = open_terminology(terminology, progress=progress)
    normalizer = Normalizer(dictionary, load_reranker(reranker))
    gold: list[CodedSpan] = []
    predicted: list[CodedSpan] = []
    for document in tqdm(documents, unit="document", disable=not progress):
        gold += _annotated(document)
        predicted += _found(document, normalizer)
    codes = {code for span in gold for code in span.codes}
    if gold and not codes:
        what = "no annotation holds a concept identifier in its notes: the codes cannot be compared."
        remedy = "Write them as notes: #1<tab>AnnotatorNotes T1<tab>C0020538."
        on_problem(Problem(str(folder), what, remedy, lost=False))
    elif codes and not codes & {term.concept_id for term in dictionary.store.terms()}:
        what = f"none of the {len(codes)} concepts that it names is in the dictionary."
        remedy = "Give with --terminology a dictionary of the same identifiers."
        on_problem(Problem(str(folder), what, remedy, lost=False))
    return evaluate([document.document_id for document in documents], gold, predicted)


def _annotated(document: BratDocument) -> Iterator[CodedSpan]:
    for entity in document.entities:
        codes = frozenset(concepts_of(entity))
        written = _written(document.text, entity.fragments)
        yield CodedSpan(document.document_id, entity.fragments, codes, entity.label, written)


def _found(document: BratDocument, normalizer: Normalizer) -> Iterator[CodedSpan]:
    for mention in normalizer.mentions(document.text):
        codes = frozenset(mention.concept.concept_id.split(JOIN))
        group = next(iter(mention.concept.semantic_types), "")
        written = _written(document.text, mention.fragments)
        yield CodedSpan(document.document_id, mention.fragments, codes, group, written)


def _written(text: str, fragments: Fragments) -> str:
    return " ".join(" ".join(text[start:end].split()) for start, end in fragments)
