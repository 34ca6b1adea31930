"""The whole evaluation: its four files and its summary."""

import csv
import datetime as dt
from html.parser import HTMLParser
from pathlib import Path

import pytest

from eval.align import Table
from eval.evidence import EvidenceRow, Quote
from eval.run import evaluate, format_summary
from schema.report import EvaluationReport
from schema.value import Status
from schema.variable import Choice, Variable, VariableKind


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def evidence() -> list[EvidenceRow]:
    quote = Quote(document_id="D1", quote="<script>alert('&')</script> pas de diabète", start=0, end=42)
    return [
        EvidenceRow(patient_id="P2", variable="diabete", status=Status.FOUND, confidence=0.8, evidence=(quote,)),
        EvidenceRow(patient_id="P1", variable="diabete", status=Status.FOUND, confidence=0.9),
    ]


def lookup(patient: str, document: str) -> str | None:
    return "<script>alert('&')</script> pas de diabète" if (patient, document) == ("P2", "D1") else None


def test_four_files_say_the_same(
    variables: list[Variable], predictions: Table, gold: Table, evidence: list[EvidenceRow], tmp_path: Path
) -> None:
    out = tmp_path / "new" / "evaluation"

    report = evaluate(variables, predictions, gold, out, evidence=evidence, documents=lookup)

    assert sorted(path.name for path in out.iterdir()) == ["errors.csv", "metrics.csv", "metrics.json", "report.html"]
    assert EvaluationReport.model_validate_json((out / "metrics.json").read_text(encoding="utf-8")) == report
    by_variable = {row["variable"]: row for row in rows(out / "metrics.csv")}
    assert list(by_variable) == ["(all)", *(variable.name for variable in variables)]
    assert float(by_variable["(all)"]["f1"]) == pytest.approx(16 / 28, abs=1e-4)
    assert by_variable["diabete"]["kappa"] == "0.0000"
    assert by_variable["ville"]["kappa"] == by_variable["ville"]["median_error"] == ""
    assert len(rows(out / "errors.csv")) == sum(report.disagreements.values()) == 7
    assert report.evidence is not None
    assert (report.evidence.quotes, report.evidence.quotes_exact) == (1, 1)
    assert report.calibration is not None


def test_the_same_input_and_seed_write_the_same_bytes(
    variables: list[Variable], predictions: Table, gold: Table, evidence: list[EvidenceRow], tmp_path: Path
) -> None:
    for name in ("one", "two"):
        evaluate(variables, predictions, gold, tmp_path / name, evidence=evidence, seed=7)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


class _Page(HTMLParser):
    """Elements that are open at the end, identifiers, and whatever would be fetched or run."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)
        if tag in ("script", "link", "img", "iframe", "object", "embed"):
            self.fetched.append(tag)
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name in ("href", "xlink:href") and value:
                self.links.append(value)
            if name == "src" or name.startswith("on"):
                self.fetched.append(f"{tag} {name}={value}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read_page(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def test_the_page_is_whole_opens_without_a_network_and_runs_nothing(
    variables: list[Variable], predictions: Table, gold: Table, evidence: list[EvidenceRow], tmp_path: Path
) -> None:
    evaluate(variables, predictions, gold, tmp_path, evidence=evidence, documents=lookup)
    page = read_page(tmp_path / "report.html")

    assert page.open == []
    assert page.fetched == []
    assert all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    source = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "@import" not in source
    assert "url(http" not in source
    assert "<script" not in source


def test_the_page_shows_labels_values_and_quotes_as_they_are(
    variables: list[Variable], predictions: Table, gold: Table, evidence: list[EvidenceRow], tmp_path: Path
) -> None:
    variables[0] = Variable("diabete", "Diabète <b>&", VariableKind.YESNO, choices=(Choice("1", "Oui <i>"),))

    evaluate(variables, predictions, gold, tmp_path, evidence=evidence)
    text = "".join(read_page(tmp_path / "report.html").text)

    for shown in ("Diabète <b>&", "1 (Oui <i>)", "[D1] <script>alert('&')</script> pas de diabète", "57.1 %"):
        assert shown in text


def test_variable_names_with_markup_do_not_break_the_plot(tmp_path: Path) -> None:
    odd = Variable("$a_b$ <x> & y", "Odd", VariableKind.TEXT)
    table: Table = {"P1": {odd.name: "v"}}

    evaluate([odd], table, table, tmp_path)

    assert read_page(tmp_path / "report.html").text.count("$a_b$ <x> & y") == 2  # in the plot and in the table


def test_words_of_a_document_do_not_become_formulas_in_a_spreadsheet(tmp_path: Path) -> None:
    text = Variable("note", "Note", VariableKind.TEXT)
    number = Variable("delta", "Delta", VariableKind.INTEGER)
    predictions: Table = {"P1": {"note": '=HYPERLINK("x")', "delta": -3}}

    evaluate([text, number], predictions, {"P1": {"note": "- rien", "delta": 3}}, tmp_path)

    note, delta = rows(tmp_path / "errors.csv")
    assert (note["predicted"], note["gold"]) == ('\'=HYPERLINK("x")', "'- rien")
    assert (delta["predicted"], delta["gold"]) == ("-3", "3")


def test_tables_that_are_empty_on_both_sides_still_give_a_page(variables: list[Variable], tmp_path: Path) -> None:
    empty: Table = {"P1": {variable.name: None for variable in variables}}

    report = evaluate(variables, empty, empty, tmp_path)

    assert (report.overall.f1.value, report.overall.accuracy.value, report.macro_f1.value) == (None, 1, None)
    assert read_page(tmp_path / "report.html").open == []
    assert "disagreements: none" in format_summary(report)


def test_the_summary_gives_figures_and_what_was_left_out_but_no_value(
    variables: list[Variable], predictions: Table, gold: Table, tmp_path: Path
) -> None:
    gold = {**{record: dict(row) for record, row in gold.items()}, "P9": {"ville": "Nantes"}}
    for row in gold.values():
        row.pop("arrivee", None)  # type: ignore[attr-defined]

    summary = format_summary(evaluate(variables, predictions, gold, tmp_path))

    assert "3 records, 5 variables" in summary
    assert "F1        54.5 %" in summary  # 6 right, 11 predicted, 11 to find
    assert "not measured: record P9" in summary
    assert "not measured: variable arrivee" in summary
    assert not any(value in summary for value in ("Nantes", "Sète", "Agde"))


def test_a_variable_never_filled_by_hand_is_said(tmp_path: Path) -> None:
    day = Variable("sortie", "Sortie", VariableKind.DATE)
    report = evaluate([day], {"P1": {"sortie": dt.date(2020, 1, 1)}}, {"P1": {"sortie": None}}, tmp_path)
    assert "every prediction counts as invented: variable sortie" in format_summary(report)
