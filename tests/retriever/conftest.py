"""Small fictitious documents, and no network."""

import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from schema.document import Document, PartialDate, PatientRecord, Section
from tests.retriever.camembert import make_camembert

MakeDocument = Callable[..., Document]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the retriever opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def make_document(
    text: str, *, patient: str = "P1", name: str = "P1-01", date: str | None = "2021-06-14", kind: str = "crh"
) -> Document:
    """A document whose lines "# Title" open sections and whose sentences end with a stop or a line end."""
    heads = list(re.finditer(r"^(# .+)\n", text, re.M))
    ends = [*(head.start() for head in heads[1:]), len(text)][: len(heads)]
    return Document(
        patient_id=patient,
        document_id=name,
        type=kind,
        title="",
        written_on=PartialDate.parse(date) if date else None,
        text=text,
        source_text=text,
        sections=tuple(
            Section(head[1], "", head.start(), head.end(), end) for head, end in zip(heads, ends, strict=True)
        ),
        sentences=tuple(match.span() for match in re.finditer(r"\S[^.\n]*\.?", text)),
    )


@pytest.fixture
def document() -> MakeDocument:
    return make_document


@pytest.fixture
def record() -> PatientRecord:
    """Three dated documents and an undated one; only the last dated one speaks of three months."""
    return PatientRecord.of(
        "P1",
        [
            make_document(
                "# Antécédents\nHypertension artérielle traitée. Pas de diabète.\n"
                "# Traitement\nBisoprolol 2,5 mg le matin.\n",
                name="P1-01",
                date="2021-02-09",
                kind="courrier",
            ),
            make_document(
                "# Histoire\nAphasie brutale. NIHSS à 14 à l'arrivée.\n"
                "# Prise en charge\nThrombolyse par ténectéplase à 12h05. Thrombectomie non indiquée.\n",
                name="P1-02",
                date="2021-06-14",
            ),
            make_document("Vu à trois mois, Rankin à 1, pas de récidive.\n", name="P1-03", date="2021-09-20"),
            make_document("Échographie : FEVG 55 %.\n", name="P1-04", date=None, kind="imagerie"),
        ],
    )


@pytest.fixture(scope="session")
def camembert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CamemBERT of 2 layers and 768 hidden units, random weights, laid out as the hub lays out camembert-bio-base."""
    folder = tmp_path_factory.mktemp("models") / "camembert-bio-base"
    make_camembert(folder, layers=2, width=768)
    return folder
