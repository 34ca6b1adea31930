"""A list answers no for what it leaves out, and for nothing that it names of the patient."""

from __future__ import annotations

import pytest

from generator.llm.verify import Verdict
from tests.generator.closed_questions import urgent
from tests.llm.test_verify import verdict

HISTORY = urgent("Antécédents : HTA, cataracte. Ordonnance non fournie.\nPère : AVC à 70 ans ; sœur : diabète.")


@pytest.mark.parametrize("variable", ["dyslipidemie", "coronaropathie", "diabete"])
def test_what_a_list_leaves_out_is_absent(variable: str) -> None:
    assert verdict(variable, "0", "Antécédents : HTA, cataracte.", notes=(HISTORY,)) is Verdict.VERIFIED


def test_what_a_list_names_is_not() -> None:
    assert verdict("hta", "0", "Antécédents : HTA, cataracte.", notes=(HISTORY,)) is not Verdict.VERIFIED


def test_a_title_alone_is_no_list() -> None:
    assert verdict("dyslipidemie", "0", "Antécédents :", notes=(HISTORY,)) is not Verdict.VERIFIED
