from pathlib import Path

import pytest

from rag.pipeline import FillRequest, Mode
from tests.pipeline.synthetic import write_dictionary, write_documents


class Study:
    """A study in a folder: write documents, get the request that fills them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dictionary = write_dictionary(folder)
        self.out = folder / "run"

    def request(self, texts: list[tuple[str, str]], mode: Mode = Mode.NEW, workers: int = 1) -> FillRequest:
        documents = write_documents(self.folder / "documents.jsonl", texts)
        return FillRequest(documents, self.dictionary, self.out, workers=workers, mode=mode)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)
