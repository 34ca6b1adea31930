from pathlib import Path

import pytest

from rag.redcap.dictionary import read_dictionary
from rag.settings import load_study
from schema.problem import InputError, Problem
from schema.study import Study
from schema.variable import Choice, Variable, VariableKind

VARIABLES = [
    Variable("hta", "HTA", VariableKind.YESNO, choices=(Choice("1", "Oui"), Choice("0", "Non"))),
    Variable("nihss_admission", "NIHSS à l'entrée", VariableKind.INTEGER),
    Variable("nihss_sortie", "NIHSS de sortie", VariableKind.INTEGER),
]


def load(folder: Path, text: str) -> tuple[Study, list[Problem]]:
    path = folder / "study.yml"
    path.write_text(text, encoding="utf-8")
    problems: list[Problem] = []
    return load_study(path, VARIABLES, problems.append), problems


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        load(folder, text)
    return str(caught.value)


def test_hints_are_read_by_variable(tmp_path: Path) -> None:
    study, problems = load(tmp_path, "name: essai\nvariables:\n  hta:\n    synonyms: [hypertendu]\n")
    assert study.name == "essai"
    assert study.variables["hta"].synonyms == ("hypertendu",)
    assert problems == []


def test_no_file_and_an_empty_file_are_the_empty_study(tmp_path: Path) -> None:
    assert load_study(None, VARIABLES, print) == Study()
    assert load(tmp_path, "# rien\n")[0] == Study()


def test_a_variable_that_the_dictionary_lacks_is_said_with_the_nearest_name(tmp_path: Path) -> None:
    study, (problem,) = load(tmp_path, "variables:\n  hta: {}\n  nihss_admision: {synonyms: [NIHSS]}\n")
    assert list(study.variables) == ["hta"]
    assert "nihss_admision" in problem.where
    assert "nihss_admission" in problem.remedy


def test_forms_of_a_choice_that_the_variable_lacks_are_said_and_left_out(tmp_path: Path) -> None:
    text = 'variables:\n  hta: {choices: {"1": [hypertendu], "9": [nsp]}}\n  nihss_sortie: {choices: {"1": [a]}}\n'
    study, (problem,) = load(tmp_path, text)
    assert study.variables["hta"].choices == {"1": ("hypertendu",)}
    assert study.variables["nihss_sortie"].choices == {"1": ("a",)}  # a value of a number may have forms
    assert problem.where.endswith("variables.hta.choices.9")
    assert "0, 1" in problem.remedy


def test_the_bundled_study_fits_its_dictionary() -> None:
    folder = Path(__file__).parents[2] / "configs" / "studies" / "stroke"
    problems: list[Problem] = []
    load_study(folder / "study.yml", read_dictionary(folder / "dictionary.csv").variables, problems.append)
    assert problems == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "variables:\n  hta:\n    synonymes: [a]\n",
            "variables.hta.synonymes: is not a key of a study file. Did you mean synonyms?",
        ),
        ("variable: {}\n", "Did you mean variables?"),
        ("variables:\n  hta: {xyz: 1}\n", "docs/your-dictionary.md"),
        ("variables:\n  hta: 3\n", "docs/your-dictionary.md"),
        ("variables:\n  hta: {synonyms: hypertendu}\n", "should be a list"),
        ("variables:\n  hta: {omission: jamais}\n", "variables.hta.omission"),
        ("- a\n- b\n", "study.yml: should be a block of keys"),
        ("variables:\n  hta: {synonyms: [a\n", "line"),
    ],
)
def test_a_mistake_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    message = refusal(tmp_path, text)
    assert "study.yml" in message
    assert said in message


def test_a_missing_file_and_one_that_is_not_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_study(tmp_path / "absent.yml", VARIABLES, print)
    (tmp_path / "study.yml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        load_study(tmp_path / "study.yml", VARIABLES, print)


def test_the_page_that_the_messages_name_exists() -> None:
    page = Path(__file__).parents[2] / "docs" / "your-dictionary.md"
    assert "## A study file" in page.read_text(encoding="utf-8")
