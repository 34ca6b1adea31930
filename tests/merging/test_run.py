"""A merge, whole: what it leaves, what it refuses to leave, what a kill or a full disk leaves."""

from __future__ import annotations

import errno
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import merging.run
from merging.atomic import appearing, need_room
from merging.check import Level
from merging.folder import hash_weights
from merging.recipe import read_recipe
from merging.run import merge
from schema.problem import InputError
from tests.merging.tiny import SPECIALS, TEXTS, Family, edit_json, load, recipe, write_model

TIES = {name: {"weight": 0.5, "density": 0.5} for name in ("medical", "french")}
ROOT = Path(__file__).parents[2]


def _copied(family: Family, models: Path, *names: str) -> Path:
    for name in names:
        shutil.copytree(family.models / name, models / name)
    return models


def test_what_a_merge_leaves(family: Family, tmp_path: Path) -> None:
    said: list[str] = []
    given = recipe("ties", TIES, note="Pour un essai.")
    report = merge(given, tmp_path / "out", family.models, texts={"notes": TEXTS}, say=said.append)
    names = {path.name for path in report.out.iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "generation_config.json"} <= names
    assert {"README.md", "manifest.json", "recipe.yml", "chat_template.jinja"} <= names
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert said == ["ties of 2 models", "checks"]
    assert not [check for check in (*report.before, *report.after) if check.level is Level.FAIL]
    named = {check.name for check in report.after}
    assert {"files", "tensors", "finite", "mixed", "loads", "generates", "perplexity of notes"} == named
    assert set(report.perplexity[0].of) == {"merge", "base", "medical", "french"}

    manifest = json.loads((report.out / "manifest.json").read_text())
    assert manifest["weights_sha256"] == hash_weights(report.out)
    assert [model["sha256"] for model in manifest["models"]] == [
        hash_weights(family.models / name) for name in ("base", "medical", "french")
    ]
    assert manifest["versions"]["mergekit"]
    assert manifest["recipe_sha256"] == read_recipe(report.out / "recipe.yml").fingerprint()
    card = (report.out / "README.md").read_text()
    for part in ("Yadav et al. 2023", "Pour un essai.", "not named for medical", hash_weights(family.french)[:16]):
        assert part in card


def test_a_merge_made_again_from_its_own_recipe(family: Family, tmp_path: Path) -> None:
    merge(recipe("dare_ties", TIES), tmp_path / "first", family.models)
    merge(read_recipe(tmp_path / "first" / "recipe.yml"), tmp_path / "second", family.models)
    assert hash_weights(tmp_path / "first") == hash_weights(tmp_path / "second")


def test_a_vocabulary_that_has_grown(family: Family, tmp_path: Path) -> None:
    """The tokens that one parent has more are kept, with its own embeddings; the others keep their numbers."""
    models = _copied(family, tmp_path, "base", "french")
    write_model(models / "medical", 1, tuned_from=family.base, added=["[table]", "[/table]"])
    numbers = {name: {"weight": 0.5} for name in ("medical", "french")}
    with pytest.raises(InputError, match=r"medical has 2 tokens more than base \(\[table\], \[/table\]\)"):
        merge(recipe("task_arithmetic", numbers), tmp_path / "exact", models)
    given = recipe("task_arithmetic", numbers, chat="french", vocabulary="union")
    out = merge(given, tmp_path / "out", models).out
    merged, medical, french = load(out), load(models / "medical"), load(models / "french")
    base, name = load(models / "base"), "model.embed_tokens.weight"
    assert merged[name].shape[0] == 302
    assert json.loads((out / "config.json").read_text())["vocab_size"] == 302
    assert torch.equal(merged[name][300:], medical[name][300:])
    expected = base[name] + 0.5 * (medical[name][:300] - base[name]) + 0.5 * (french[name] - base[name])
    assert torch.allclose(merged[name][:300], expected, atol=1e-6)
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(out)
    assert tokenizer.convert_tokens_to_ids(["[table]", "[/table]", *SPECIALS]) == [300, 301, 0, 1, 2]
    assert tokenizer.chat_template


def test_tokens_that_two_parents_add_at_the_same_number(family: Family, tmp_path: Path) -> None:
    models = _copied(family, tmp_path, "base")
    write_model(models / "medical", 1, tuned_from=family.base, added=["[table]"])
    write_model(models / "french", 2, tuned_from=family.base, added=["<|tour|>"])
    numbers = {name: {"weight": 0.5} for name in ("medical", "french")}
    out = merge(recipe("task_arithmetic", numbers, vocabulary="union"), tmp_path / "out", models).out
    merged, name = load(out), "model.embed_tokens.weight"
    assert torch.equal(merged[name][300], load(models / "medical")[name][300])
    assert torch.equal(merged[name][301], load(models / "french")[name][300])


def test_the_speaker_gives_template_and_ends_the_reference_the_rest(family: Family, tmp_path: Path) -> None:
    models = _copied(family, tmp_path, "base", "medical")
    write_model(models / "french", 2, tuned_from=family.base, template="{{ 'tour' }}", max_position_embeddings=64)
    edit_json(models / "french" / "config.json", eos_token_id=7)
    edit_json(models / "french" / "generation_config.json", eos_token_id=[2, 7])
    out = merge(recipe("ties", TIES, chat="french"), tmp_path / "out", models).out
    config = json.loads((out / "config.json").read_text())
    assert (config["eos_token_id"], config["max_position_embeddings"], config["dtype"]) == (7, 64, "float32")
    assert json.loads((out / "generation_config.json").read_text())["eos_token_id"] == [2, 7]
    assert (out / "chat_template.jinja").read_text() == "{{ 'tour' }}"


def test_tied_embeddings_stay_tied(tmp_path: Path) -> None:
    base = write_model(tmp_path / "base", 0, tie_word_embeddings=True)
    for seed, name in enumerate(TIES, start=1):
        write_model(tmp_path / name, seed, tuned_from=base, tie_word_embeddings=True)
    report = merge(recipe("ties", TIES), tmp_path / "out", tmp_path)
    assert "lm_head.weight" not in load(report.out)
    assert {check.name: check.level for check in report.after}["tied embeddings"] is Level.OK


def test_licences_of_the_parents_travel(family: Family, tmp_path: Path) -> None:
    models = _copied(family, tmp_path, "base", "medical", "french")
    (models / "french" / "LICENSE.txt").write_text("terms")
    out = merge(recipe("ties", TIES), tmp_path / "out", models).out
    assert (out / "licences" / "french-LICENSE.txt").read_text() == "terms"


def _spoil(change: Callable[[dict[str, Any]], None]) -> Callable[..., list[str]]:
    """A mergekit whose result is changed before it is checked."""
    real = merging.run.run_mergekit

    def spoiled(*arguments: Any, **named: Any) -> list[str]:
        heard = real(*arguments, **named)
        file = arguments[2] / "model.safetensors"
        tensors = load_file(file)
        change(tensors)
        save_file(tensors, file, metadata={"format": "pt"})
        return heard

    return spoiled


def _nan(tensors: dict[str, Any]) -> None:
    tensors["model.norm.weight"][3] = float("nan")


def _lost(tensors: dict[str, Any]) -> None:
    del tensors["model.layers.1.mlp.up_proj.weight"]


def _large(tensors: dict[str, Any]) -> None:
    for name in tensors:
        if "lm_head" in name:
            tensors[name] *= 1e4


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_nan, "finite: NaN or infinite numbers in model.norm.weight"),
        (_lost, "tensors: missing"),
        (_large, "far worse"),
    ],
)
def test_a_spoiled_merge_is_not_kept(
    family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, reason: str
) -> None:
    monkeypatch.setattr(merging.run, "run_mergekit", _spoil(change))
    with pytest.raises(InputError, match=reason):
        merge(recipe("ties", TIES), tmp_path / "out", family.models, texts={"notes": TEXTS})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("twin", ["base", "medical", "french"])
def test_a_tensor_left_unmerged_is_found(
    family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, twin: str
) -> None:
    name = "model.layers.0.self_attn.q_proj.weight"
    of_twin = load_file(family.models / twin / "model.safetensors")[name]
    monkeypatch.setattr(merging.run, "run_mergekit", _spoil(lambda tensors: tensors.update({name: of_twin})))
    with pytest.raises(InputError, match=f"equal to the tensor of one model alone: {name} .that of {twin}."):
        merge(recipe("ties", TIES), tmp_path / "out", family.models)


def test_a_parent_with_no_weight_leaves_the_other_alone(family: Family, tmp_path: Path) -> None:
    numbers = {"medical": {"weight": 1.0}, "french": {"weight": 0.0}}
    out = merge(recipe("linear", numbers), tmp_path / "out", family.models).out
    merged, medical = load(out), load(family.medical)
    assert all(torch.equal(merged[name], medical[name]) for name in medical)


def test_a_folder_that_holds_something_is_left_alone(family: Family, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        merge(recipe("ties", TIES), tmp_path / "out", family.models)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_two_merges_into_one_folder(tmp_path: Path) -> None:
    with appearing(tmp_path / "out"), pytest.raises(InputError, match="another process"), appearing(tmp_path / "out"):
        pass
    assert (tmp_path / "out").is_dir()


_KILLED = """\
import sys, time
from pathlib import Path
import merging.run
from tests.merging.tiny import recipe
def wait(*_):
    print("written", flush=True)
    time.sleep(60)
merging.run.check_after = wait
numbers = {name: {"weight": 0.5, "density": 0.5} for name in ("medical", "french")}
merging.run.merge(recipe("ties", numbers), Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_killed_it_leaves_nothing_that_passes_for_a_model(family: Family, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", _KILLED, str(out), str(family.models)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        assert process.stdout.readline() == b"written\n"
        assert not out.exists()
        assert (tmp_path / ".out.unfinished" / "model" / "model.safetensors").is_file()
        process.send_signal(signal.SIGKILL)
    assert not out.exists()
    merge(recipe("ties", TIES), out, family.models)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_disk_without_room_is_said_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    need_room(tmp_path, 900_000_000)
    with pytest.raises(OSError, match=r"14.0 GB are needed, 1.0 GB are free") as caught:
        need_room(tmp_path, 14_000_000_000)
    assert caught.value.errno == errno.ENOSPC


_FULL = """\
import resource, signal, sys
from pathlib import Path
from merging.run import merge
from tests.merging.tiny import recipe
import mergekit.merge, peft, transformers
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
numbers = {name: {"weight": 0.5, "density": 0.5} for name in ("medical", "french")}
try:
    merge(recipe("ties", numbers), Path(sys.argv[1]), Path(sys.argv[2]))
except OSError as error:
    print(error.strerror, flush=True)
"""


def test_a_disk_that_fills_up_is_an_os_error(family: Family, tmp_path: Path) -> None:
    """The limit of a file's size stands for the disk's: the same failure, at the same place."""
    command = [sys.executable, "-c", _FULL, str(tmp_path / "out"), str(family.models)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "could not be written whole" in done.stdout, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_models_that_changed_in_their_folder_are_read_again(family: Family, tmp_path: Path) -> None:
    """mergekit keeps the files of a folder open: the second merge must not be made of the first one's parents."""
    models = _copied(family, tmp_path, "base", "medical", "french")
    merge(recipe("ties", TIES), tmp_path / "first", models)
    shutil.rmtree(models / "french")
    shutil.copytree(family.third, models / "french")
    merge(recipe("ties", TIES), tmp_path / "second", models)
    shutil.copytree(family.third, tmp_path / "other" / "french")
    for name in ("base", "medical"):
        (tmp_path / "other" / name).symlink_to(family.models / name)
    merge(recipe("ties", TIES), tmp_path / "expected", tmp_path / "other")
    assert hash_weights(tmp_path / "second") == hash_weights(tmp_path / "expected")
    assert hash_weights(tmp_path / "second") != hash_weights(tmp_path / "first")
