"""The tables of general names: identifiers well formed, one meaning for each name and each identifier."""

import csv
import re
from collections import defaultdict

from rag.terminology.loaders.bundled import DATA
from rag.terminology.tokens import key

TABLES = sorted((DATA / "general").glob("*.csv"))
GROUPS = {"ANAT", "CHEM", "DEVI", "DISO", "GEOG", "LIVB", "OBJC", "PHEN", "PHYS", "PROC"}
ROWS = [row for table in TABLES for row in csv.DictReader(table.open(encoding="utf-8", newline=""))]


def test_there_are_thousands_of_concepts() -> None:
    assert len({row["cui"] for row in ROWS}) >= 6000


def test_rows_are_well_formed() -> None:
    for row in ROWS:
        assert re.fullmatch(r"C\d{7}", row["cui"]), row
        assert row["semantic_type"] in GROUPS, row
        assert key(row["term"]), row
        assert None not in row, row  # a comma too many


def test_an_identifier_is_of_one_group() -> None:
    groups = defaultdict(set)
    for row in ROWS:
        groups[row["cui"]].add(row["semantic_type"])
    assert [cui for cui, found in groups.items() if len(found) > 1] == []


def test_a_name_is_of_one_concept() -> None:
    concepts = defaultdict(set)
    for row in ROWS:
        for name in filter(None, [row["term"], *row["synonyms"].split("|")]):
            concepts[name.casefold()].add(row["cui"])
    assert [name for name, found in concepts.items() if len(found) > 1] == []
