"""What can be merged and what cannot, on the figures of real models."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from merging.check import Check, Level, check_before
from merging.plan import make_plan
from merging.recipe import Recipe, read_recipe
from merging.run import merge
from merging.space import read_space
from rag.merge_files import SHIPPED
from schema.problem import InputError
from tests.merging.real import MEDITRON_TOKENS, REAL, write_real
from tests.merging.tiny import Family, edit_json, recipe, write_model


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("real")
    for name in REAL:
        write_real(models, name)
    return models


def _linear(*models: str, **other: Any) -> Recipe:
    parents = tuple({"name": f"m{place}", "model": model, "weight": 1.0} for place, model in enumerate(models))
    content = {"name": "mix", "method": "linear", "seed": 1, "parents": parents}
    return Recipe.model_validate({**content, **other})


def _of(checks: tuple[Check, ...], level: Level) -> dict[str, str]:
    return {check.name: check.reason for check in checks if check.level is level}


def test_llama_2_with_llama_3_is_refused_for_each_of_its_reasons(real: Path) -> None:
    failed = _of(check_before(make_plan(_linear("vigogne-2-7b-chat", "Llama3-Med42-8B"), real)), Level.FAIL)
    assert "intermediate_size 11008" in failed["sizes"]
    assert "num_key_value_heads 32" in failed["sizes"]
    assert "num_key_value_heads 8" in failed["sizes"]
    assert "theta 10000" in failed["rope"]
    assert "theta 500000" in failed["rope"]
    assert "m1 has 128256 tokens and m0 32000" in failed["vocabulary"]
    assert "is 4096 x 14336 in m1, 4096 x 11008 in m0" in failed["tensors"]
    assert "architecture" not in failed  # both are called Llama: the name says nothing


def test_a_refused_merge_writes_nothing(real: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="another vocabulary, whose embeddings cannot be mixed"):
        merge(_linear("vigogne-2-7b-chat", "Llama3-Med42-8B"), tmp_path / "out", real)
    assert list(tmp_path.iterdir()) == []


def test_llama_31_with_llama_3_is_refused_for_its_positions_alone(real: Path) -> None:
    failed = _of(check_before(make_plan(_linear("Llama3-Med42-8B", "Llama-3.1-8B"), real)), Level.FAIL)
    assert list(failed) == ["rope"]
    assert "scaling llama3" in failed["rope"]
    assert "'factor': 8.0" in failed["rope"]


def test_the_tokens_that_meditron_adds_are_refused_or_kept(real: Path) -> None:
    models = ("vigogne-2-7b-chat", "meditron-7b")
    failed = _of(check_before(make_plan(_linear(*models), real)), Level.FAIL)
    assert list(failed) == ["vocabulary"]
    assert "m1 has 17 tokens more than m0 (<CLS>, <SEP>, <EOD>, <MASK>, …)" in failed["vocabulary"]
    assert "vocabulary: union" in failed["vocabulary"]
    checks = check_before(make_plan(_linear(*models, vocabulary="union"), real))
    assert not _of(checks, Level.FAIL)
    said = _of(checks, Level.WARN)
    assert "reconciled" in said["vocabulary"]
    assert "m0: 4096; m1: 2048; the merge promises 2048" in said["context"]
    assert "F16; m1: BF16" in said["dtype"]
    assert len(MEDITRON_TOKENS) == 17


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.yml")), ids=lambda file: file.stem)
def test_shipped_recipes_fit_the_models_they_are_for(real: Path, file: Path) -> None:
    recipes = list(read_space(file).draws()) if ".search" in file.name else [read_recipe(file)]
    assert len(recipes) == (18 if ".search" in file.name else 1)
    for one in {one.method: one for one in recipes}.values():
        checks = check_before(make_plan(one, real))
        assert not _of(checks, Level.FAIL)
        assert all(check.level is Level.OK for check in checks if check.name == "licences")


def test_shipped_recipes_are_refused_on_the_other_family(real: Path, tmp_path: Path) -> None:
    for mine, others in (("meditron-vigogne-7b", "Llama3-Med42-8B"), ("med42-french-alpaca-8b", "vigogne-2-7b-chat")):
        given = read_recipe(SHIPPED / f"{mine}.yml")
        models = tmp_path / mine
        models.mkdir()
        for one in (given.base, *given.parents):
            assert one
            (models / one.model).symlink_to(real / one.model)
        wrong = models / given.parents[1].model
        wrong.unlink()
        wrong.symlink_to(real / others)
        failed = _of(check_before(make_plan(given, models)), Level.FAIL)
        assert {"sizes", "tensors", "rope", "vocabulary"} <= failed.keys()


def test_special_tokens_and_ends_that_differ_are_said(real: Path) -> None:
    checks = check_before(make_plan(_linear("Llama3-Med42-8B", "Meta-Llama-3-8B-Instruct"), real))
    assert not _of(checks, Level.FAIL)
    assert _of(checks, Level.WARN)["generation"] == "answers end with m0: 128001; m1: 128009; those of m0 are taken"


REFUSALS: dict[str, tuple[dict[str, Any], str, str]] = {
    "tied": ({"tie_word_embeddings": True}, "tied embeddings", "m1: tied"),
    "quantized": ({"quantization_config": {"bits": 4}}, "architecture", "m1 is quantized"),
    "kind": ({"model_type": "mistral"}, "architecture", "mistral"),
    "activation": ({"hidden_act": "gelu"}, "activation", "gelu"),
    "theta": ({"rope_theta": 20000.0}, "rope", "theta 20000"),
}


@pytest.mark.parametrize("case", list(REFUSALS))
def test_what_cannot_be_mixed(tmp_path: Path, case: str) -> None:
    changes, name, reason = REFUSALS[case]
    write_real(tmp_path, "Llama-2-7b-hf")
    write_real(tmp_path, "vigogne-2-7b-chat", **changes)
    failed = _of(check_before(make_plan(_linear("Llama-2-7b-hf", "vigogne-2-7b-chat"), tmp_path)), Level.FAIL)
    assert reason in failed[name]


def test_the_same_tokens_at_other_numbers_are_refused(tmp_path: Path) -> None:
    write_real(tmp_path, "Llama-2-7b-hf")
    other = write_real(tmp_path, "vigogne-2-7b-chat")
    content = json.loads((other / "tokenizer.json").read_text())
    tokens = list(content["model"]["vocab"])
    shifted = [*tokens[:3], *reversed(tokens[3:])]
    content["model"]["vocab"] = {token: place for place, token in enumerate(shifted)}
    (other / "tokenizer.json").write_text(json.dumps(content))
    plan = make_plan(_linear("Llama-2-7b-hf", "vigogne-2-7b-chat", vocabulary="union"), tmp_path)
    assert "have other numbers" in _of(check_before(plan), Level.FAIL)["vocabulary"]


def _cut(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-10])


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (shutil.rmtree, "french: .*no such folder"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "holds no weights"),
    "cut weights": (_cut, "model.safetensors: is cut short"),
    "no configuration": (lambda folder: (folder / "config.json").unlink(), r"config.json: cannot be read"),
    "no JSON": (lambda folder: (folder / "config.json").write_text("{"), r"config.json: is not JSON"),
    "shards": (
        lambda folder: (folder / "model.safetensors.index.json").write_text(
            json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors"}})
        ),
        "lacks model-00001-of-00002.safetensors",
    ),
}


@pytest.mark.parametrize("case", list(BROKEN))
def test_a_parent_that_is_missing_or_broken_is_named(family: Family, tmp_path: Path, case: str) -> None:
    shutil.copytree(family.french, tmp_path / "french")
    (tmp_path / "medical").symlink_to(family.medical)
    breaks, reason = BROKEN[case]
    breaks(tmp_path / "french")
    with pytest.raises(InputError, match=reason):
        make_plan(recipe("linear", {"medical": {"weight": 1.0}, "french": {"weight": 1.0}}), tmp_path)


def test_an_adapter_is_no_model(family: Family) -> None:
    parents = ({"name": "a", "model": "lora_a", "weight": 1.0}, {"name": "b", "model": "french", "weight": 1.0})
    given = Recipe.model_validate({"name": "mix", "method": "linear", "seed": 1, "parents": parents})
    with pytest.raises(InputError, match="is an adapter, not a model"):
        make_plan(given, family.models)


def test_twice_the_same_model_is_refused(family: Family) -> None:
    parents = ({"name": "a", "model": "french", "weight": 1.0}, {"name": "b", "model": "french", "weight": 1.0})
    given = Recipe.model_validate({"name": "mix", "method": "linear", "seed": 1, "parents": parents})
    failed = _of(check_before(make_plan(given, family.models)), Level.FAIL)
    assert failed["different models"] == "a and b are the same folder"


def test_chat_templates_and_tokenizers_that_are_missing(family: Family, tmp_path: Path) -> None:
    (tmp_path / "medical").symlink_to(family.medical)
    write_model(tmp_path / "french", 2, tuned_from=family.base, template="")
    numbers = {"medical": {"weight": 1.0}, "french": {"weight": 1.0}}
    said = _of(check_before(make_plan(recipe("linear", numbers, chat="french"), tmp_path)), Level.WARN)
    assert "french has none" in said["chat template"]
    assert "give chat: medical" in said["chat template"]
    (tmp_path / "french" / "tokenizer.json").unlink()
    checks = check_before(make_plan(recipe("linear", numbers), tmp_path))
    assert "nothing shows that the tokens are the same" in _of(checks, Level.WARN)["vocabulary"]
    checks = check_before(make_plan(recipe("linear", numbers, chat="french"), tmp_path))
    assert "has none" in _of(checks, Level.FAIL)["vocabulary"]


def test_an_adapter_that_names_another_base_is_doubted(family: Family, tmp_path: Path) -> None:
    shutil.copytree(family.lora_a, tmp_path / "lora_a")
    (tmp_path / "base").symlink_to(family.base)
    edit_json(tmp_path / "lora_a" / "adapter_config.json", base_model_name_or_path="/srv/another")
    checks = check_before(make_plan(recipe("lora", {"lora_a": {}}), tmp_path))
    assert _of(checks, Level.WARN)["adapters"] == "lora_a says that its base is another, and is put on base"
    edit_json(tmp_path / "lora_a" / "adapter_config.json", peft_type="IA3")
    checks = check_before(make_plan(recipe("lora", {"lora_a": {}}), tmp_path))
    assert "IA3" in _of(checks, Level.FAIL)["adapters"]
