"""What every test may use."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_cohort() -> Path:
    """The folder of the cohort kept beside the repository; for tests marked ``shared``."""
    folder = Path(__file__).parents[2] / "shared" / "cohort"
    if not folder.is_dir():
        pytest.skip("the cohort is not beside the repository")
    return folder
