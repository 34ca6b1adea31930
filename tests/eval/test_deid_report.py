"""The files of a de-identification report, read back."""

import csv
import re
import stat
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from eval.deid import AnnotatedDocument, DeidFigures, ScoredDocument, measure, score
from eval.deid_report import SHOWN, format_summary, write_report
from eval.medical_terms import MedicalTerms
from schema.phi import PhiEntity, PhiLabel

TEXT = "=Mme Aubry-Sorel <script>alert(1)</script> vit à Dax, Rankin 2."


def spans(*marks: tuple[str, PhiLabel]) -> tuple[PhiEntity, ...]:
    return tuple(PhiEntity(TEXT.index(words), TEXT.index(words) + len(words), label) for words, label in marks)


@pytest.fixture
def scored() -> list[ScoredDocument]:
    gold = spans(("Aubry-Sorel", PhiLabel.NOM), ("Dax", PhiLabel.VILLE))
    predicted = spans(("Aubry", PhiLabel.NOM), ("Rankin", PhiLabel.NOM))
    leaking = AnnotatedDocument("P1", "D1", TEXT, gold, predicted)
    clean = AnnotatedDocument("P2", "D1", TEXT, gold, gold)
    return [score(document, terms=MedicalTerms(["Rankin"])) for document in (clean, leaking)]


def written(scored: Sequence[ScoredDocument], out: Path) -> DeidFigures:
    figures = measure(scored, replicates=20)
    write_report(figures, scored, out, ["1 document without predictions"])
    return figures


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


class Tags(HTMLParser):
    """What the page asks a browser for, and its marks."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.asked += [
            value or "" for name, value in attrs if name in ("src", "href") and not (value or "").startswith("#")
        ]


def test_the_page_shows_leaks_in_context_escaped_and_asks_nothing_of_a_network(
    scored: list[ScoredDocument], tmp_path: Path
) -> None:
    written(scored, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert tags.asked == []
    assert "script" not in tags.names
    assert "@import" not in page and "url(" not in page
    assert '<mark class="hidden">Aubry</mark><mark>-Sorel</mark> &lt;script&gt;' in page
    assert "<mark>Dax</mark>" in page
    assert "in clear" in page
    assert "1 document without predictions" in page
    table = re.search(r"Those that leak most first.*?</tbody>", page, re.DOTALL)
    assert table and table[0].index("<td>P1</td>") < table[0].index("<td>P2</td>")


def test_tables_hold_what_the_page_shows(scored: list[ScoredDocument], tmp_path: Path) -> None:
    figures = written(scored, tmp_path)
    errors = rows(tmp_path / "errors.csv")
    assert [(e["kind"], e["label"], e["words"], e["readable"]) for e in errors] == [
        ("leak (part)", "NOM", "Aubry-Sorel", "'-Sorel"),
        ("leak (whole)", "VILLE", "Dax", "Dax"),
        ("false alarm", "NOM", "Rankin", ""),
        ("medical term masked", "", "Rankin", ""),
    ]
    assert errors[0]["before"] == "'=Mme "  # no spreadsheet runs it
    documents = rows(tmp_path / "documents.csv")
    assert [(d["patient"], d["leaks_whole"], d["leaks_in_part"]) for d in documents] == [
        ("P1", "1", "1"),
        ("P2", "0", "0"),
    ]
    metrics = {row["figure"]: row for row in rows(tmp_path / "metrics.csv")}
    assert float(metrics["NOM exact f1"]["value"]) == pytest.approx(2 / 5)  # one of two found, three predicted
    assert metrics["(all) exact recall"]["by_hand"] == str(figures.overall.gold) == "4"
    assert float(metrics["redaction recall, characters"]["value"]) == pytest.approx(18 / 26, abs=1e-4)


def test_what_quotes_patients_is_for_its_owner_alone(scored: list[ScoredDocument], tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old", encoding="utf-8")
    (tmp_path / "report.html").chmod(0o644)
    written(scored, tmp_path)
    for name in ("report.html", "errors.csv"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert "Aubry" not in (tmp_path / "documents.csv").read_text(encoding="utf-8")


def test_the_summary_quotes_no_document(scored: list[ScoredDocument], tmp_path: Path) -> None:
    summary = format_summary(written(scored, tmp_path))
    assert "69.2 %" in summary
    assert "50.0 % [0.0 to 100.0] of documents" in summary
    assert "Aubry" not in summary and "Dax" not in summary


def test_a_long_list_is_cut_on_the_page_and_whole_in_the_table(tmp_path: Path) -> None:
    text = "Dax " * (SHOWN + 5)
    gold = tuple(PhiEntity(4 * n, 4 * n + 3, PhiLabel.VILLE) for n in range(SHOWN + 5))
    written([score(AnnotatedDocument("P1", "D1", text, gold, ()))], tmp_path)
    assert len(rows(tmp_path / "errors.csv")) == SHOWN + 5
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count("leak (whole)") == SHOWN


def test_a_perfect_corpus_has_a_page_too(tmp_path: Path) -> None:
    figures = written([score(AnnotatedDocument("P1", "D1", "rien", (), ()))], tmp_path)
    assert figures.recall_characters.value is None
    assert "None." in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "–" in format_summary(figures)
