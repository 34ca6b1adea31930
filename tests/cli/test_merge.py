"""`cohort-rag merge` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.cli import main
from tests.merging.tiny import TEXTS, write_model

RECIPE = """\
name: mixed
method: ties
seed: 1
base: {model: base, licence: mine}
parents:
  - {name: medical, model: medical, licence: mine, weight: 0.5, density: 0.5}
  - {name: french, model: french, licence: mine, weight: 0.5, density: 0.5}
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    base = write_model(folder / "base", 0)
    for seed, name in enumerate(("medical", "french"), start=1):
        write_model(folder / name, seed, tuned_from=base)
    write_model(folder / "wide", 4, hidden_size=64)
    (folder / "recipe.yml").write_text(RECIPE, encoding="utf-8")
    return folder


def test_check_then_run(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [str(models / "recipe.yml"), "--models", str(models)]
    assert main(["merge", "check", *given]) == 0
    assert "ok    rope: theta 10000" in capsys.readouterr().out
    (tmp_path / "notes.txt").write_text("\n\n".join(TEXTS), encoding="utf-8")
    text = ["--text", f"notes={tmp_path / 'notes.txt'}"]
    assert main(["merge", "run", *given, *text, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    assert "ok    perplexity of notes" in said.out
    assert f"model  {tmp_path / 'out'}" in said.out
    assert "ties of 2 models" in said.err
    assert main(["merge", "run", *given, "--quiet", "--out", str(tmp_path / "out")]) == 2
    assert "exists already" in capsys.readouterr().err


def test_models_that_do_not_fit(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "recipe.yml"
    recipe.write_text(RECIPE.replace("model: french", "model: wide"), encoding="utf-8")
    assert main(["merge", "check", str(recipe), "--models", str(models)]) == 2
    assert "fail  sizes: base: hidden_size 32" in capsys.readouterr().out
    assert main(["merge", "run", str(recipe), "--models", str(models), "--out", str(tmp_path / "out")]) == 2
    assert "error: mixed, sizes:" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_shipped_recipes_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", "list"]) == 0
    listed = capsys.readouterr().out
    assert "dare_ties" in listed
    assert "meditron-vigogne-7b.search" in listed
    assert main(["merge", "check", "meditron-vigogne-7b", "--models", str(tmp_path)]) == 2
    assert "meditron: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["merge", "run", "absent.yml", "--out", "x"], "absent.yml: cannot be read"),
        (
            ["merge", "search", "absent.yml", "--documents", "d", "--dictionary", "d", "--table", "t", "--out", "x"],
            "absent",
        ),
    ],
)
def test_files_that_are_missing(given: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(given) == 2
    assert said in capsys.readouterr().err


def test_texts_that_cannot_be_used(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.txt").write_text("\n\n", encoding="utf-8")
    given = ["merge", "run", str(models / "recipe.yml"), "--models", str(models), "--out", str(tmp_path / "out")]
    for text, said in (("absent.txt", "cannot be read"), ("empty.txt", "has no text")):
        assert main([*given, "--text", f"a={tmp_path / text}"]) == 2
        assert said in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*given, "--text", "nothing"])
