import pytest

from eval.align import Table, align
from eval.evidence import EvidenceRow, by_cell
from schema.problem import InputError
from schema.value import Status
from schema.variable import Variable, VariableKind


def test_every_cell_of_the_common_records_is_paired_in_order(
    variables: list[Variable], predictions: Table, gold: Table
) -> None:
    cells = align(variables, predictions, gold).cells

    assert [(cell.record, cell.variable.name) for cell in cells] == [
        (record, variable.name) for record in ("P1", "P2", "P3") for variable in variables
    ]
    assert sum(cell.agrees for cell in cells) == 11
    assert sum(cell.correct for cell in cells) == 8


def test_what_has_no_counterpart_is_reported_and_not_measured(variables: list[Variable]) -> None:
    alignment = align(
        variables,
        {"P1": {"diabete": "1"}, "P8": {"diabete": "1"}},
        {"P1": {"diabete": "1", "ville": "Sète"}, "P9": {"diabete": "0", "ville": None}},
    )

    assert alignment.records == ("P1",)
    assert alignment.records_only_predicted == ("P8",)
    assert alignment.records_only_gold == ("P9",)
    assert alignment.variables_not_in_gold == ("score_entree", "score_sortie", "glycemie", "arrivee")
    assert alignment.variables_not_predicted == ("ville",)
    assert [(cell.variable.name, cell.predicted, cell.agrees) for cell in alignment.cells] == [
        ("diabete", "1", True),
        ("ville", None, False),
    ]


@pytest.mark.parametrize(
    ("predictions", "gold", "missing"),
    [
        ({"1": {"diabete": "1"}}, {"01": {"diabete": "1"}}, "no record is common"),
        ({"1": {"diabete": "1"}}, {"1": {"ville": "Sète"}}, "no variable is common"),
        ({}, {}, "no record is common"),
    ],
)
def test_tables_with_nothing_in_common_stop_with_a_remedy(
    variables: list[Variable], predictions: Table, gold: Table, missing: str
) -> None:
    with pytest.raises(InputError, match=missing) as raised:
        align(variables, predictions, gold)
    assert "Check that both tables" in str(raised.value)


def test_no_box_ticked_and_blank_text_count_as_empty() -> None:
    boxes = Variable("risques", "Risques", VariableKind.CHECKBOX)
    text = Variable("ville", "Ville", VariableKind.TEXT)

    cells = align([boxes, text], {"P1": {"risques": (), "ville": " "}}, {"P1": {"risques": None, "ville": None}}).cells

    assert [(cell.predicted, cell.gold, cell.agrees, cell.correct) for cell in cells] == [(None, None, True, False)] * 2


def test_cells_carry_what_the_evidence_file_says_of_them(
    variables: list[Variable], predictions: Table, gold: Table
) -> None:
    row = EvidenceRow(patient_id="P2", variable="diabete", status=Status.FOUND, confidence=0.7)

    cells = align(variables, predictions, gold, by_cell([row])).cells

    assert [cell.reading for cell in cells if cell.reading] == [row]
