"""A table filled through a server, the fake and vLLM alike: two layers of random weights read nothing, and say so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from generator.llm.settings import LlmSettings
from rag.generators import Generation, GeneratorName, style_named
from rag.pipeline import FillRequest, Mode, fill
from tests.llm.conftest import Served
from tests.pipeline.synthetic import write_documents
from tests.pipeline.test_fill import evidence, exported
from tests.pipeline.test_fill_llm import DICTIONARY, cohort, manifest


@pytest.mark.parametrize("generator", [GeneratorName.LLM, GeneratorName.BOTH])
def test_a_table_is_filled_twice_alike_and_never_by_what_no_document_says(
    served: Served, generator: GeneratorName, tmp_path: Path
) -> None:
    (tmp_path / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    documents = write_documents(tmp_path / "documents.jsonl", cohort(2))
    settings = LlmSettings(style=style_named("brief"), max_tokens=48)
    generation = Generation(generator, server=served.url, served=served.model, settings=settings)
    request = FillRequest(documents, tmp_path / "dictionary.csv", tmp_path / "once", generation=generation)
    assert fill(request).failed == ()
    assert fill(replace(request, out=tmp_path / "twice", workers=2)).failed == ()
    assert exported(tmp_path / "once") == exported(tmp_path / "twice")
    assert served.model in manifest(tmp_path / "once").arguments["generator"]
    read = evidence(tmp_path / "once")
    assert len(read) == 2 * 3
    texts = dict(cohort(2))
    for (patient, _), cell in read.items():
        assert cell["status"] not in ("server_error", "failed")
        assert all(quote["quote"] in texts[patient] for quote in cell["evidence"])
        if generator is GeneratorName.BOTH:  # what the rules alone read stays
            assert cell["value"] is not None
    assert fill(replace(request, mode=Mode.RESUME)).failed == ()


def test_an_adapter_is_another_reader(served: Served, tmp_path: Path) -> None:
    (tmp_path / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    documents = write_documents(tmp_path / "documents.jsonl", cohort(1))
    settings = LlmSettings(style=style_named("brief"), max_tokens=48)
    for name in (served.model, served.adapter):
        generation = Generation(GeneratorName.LLM, server=served.url, served=name, settings=settings)
        fill(FillRequest(documents, tmp_path / "dictionary.csv", tmp_path / name, generation=generation))
    model, adapter = (manifest(tmp_path / name).fingerprint.generator for name in (served.model, served.adapter))
    assert model != adapter
