"""What the tests of merging share."""

from __future__ import annotations

import pytest

from tests.merging.tiny import Family, make_family


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Family:
    """Made once; tests that change a model copy it first."""
    return make_family(tmp_path_factory.mktemp("models"))
