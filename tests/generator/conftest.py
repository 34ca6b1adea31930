"""The generator of the stroke study, made once."""

import pytest

from generator.rules.reader import RulesGenerator
from tests.generator.closed_questions import stroke_generator


@pytest.fixture(scope="session")
def stroke() -> RulesGenerator:
    return stroke_generator()
