from pathlib import Path

import pytest

from rag.concepts import ConceptReader
from rag.terminology.build import build_terminology
from rag.terminology.bundled import open_terminology
from rag.terminology.index import StoredIndex
from rag.terminology.loaders.bundled import DATA, BundledSource
from rag.terminology.loaders.table import TableSource
from schema.problem import Problem

TRAPS = Path(__file__).with_name("traps.csv")


def no_problem(problem: Problem) -> None:
    raise AssertionError(str(problem))


@pytest.fixture(scope="session")
def reader() -> ConceptReader:
    """Reads with the bundled terminology."""
    return ConceptReader(open_terminology())


@pytest.fixture(scope="session")
def trapped_reader(tmp_path_factory: pytest.TempPathFactory) -> ConceptReader:
    """Reads with the bundled terminology and names that no note should be read with ("A15", "165", "g")."""
    path = tmp_path_factory.mktemp("traps") / "trapped.terms"
    build_terminology([BundledSource(DATA / "stroke"), TableSource(TRAPS)], path, no_problem)
    return ConceptReader(StoredIndex.open(path))
