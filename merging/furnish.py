"""All that a merged model needs beside its weights: configuration, tokenizer, generation settings, licences."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from merging.plan import Plan
from merging.prepare import TOKENIZER_FILES

#: Parts of the configuration that go with the chat template, and come from the same model.
_SPOKEN = ("bos_token_id", "eos_token_id", "pad_token_id")
_LICENCES = ("LICENSE*", "LICENCE*", "USE_POLICY*", "NOTICE*", "Notice*")


def union_tokenizer(plan: Plan, folders: Mapping[str, Path], out: Path) -> Path:
    """Write in ``out`` the speaker's tokenizer with the tokens that other models have more, in the order of the recipe.

    mergekit would make one too, in an order that changes from run to run.
    """
    from transformers import AddedToken, AutoTokenizer

    speaker = plan.speaker
    tokenizer = AutoTokenizer.from_pretrained(folders[speaker.name], local_files_only=True)
    known = set(tokenizer.get_vocab())
    for one in plan.all:
        if one.name == speaker.name or not one.folder.vocabulary:
            continue
        added = AutoTokenizer.from_pretrained(folders[one.name], local_files_only=True).added_tokens_decoder
        mine = one.folder.embedded
        for token in sorted(mine.keys() - known, key=mine.__getitem__):
            tokenizer.add_tokens([added.get(mine[token], AddedToken(token, normalized=False))])
            known.add(token)
    tokenizer.save_pretrained(out)
    return out


def furnish(plan: Plan, out: Path, tokenizer: Path | None) -> None:
    """Write all but the weights in ``out``.

    The configuration is the reference's, word for word, so that whatever reads the parents reads the merge; what goes
    with the conversation comes from the speaker.

    Args:
        tokenizer: folder of the tokenizer, where the models have not all the same.
    """
    speaker = plan.speaker
    spoken = tokenizer or speaker.folder.path
    for name in TOKENIZER_FILES:
        (out / name).unlink(missing_ok=True)
        if (spoken / name).is_file():
            shutil.copyfile(spoken / name, out / name)
    _write(out / "config.json", _configuration(plan, tokenizer))
    (out / "generation_config.json").unlink(missing_ok=True)
    if speaker.folder.generation:
        _write(out / "generation_config.json", speaker.folder.generation)
    for one in plan.all:
        for source in {one.folder.path, *([one.adapter.path] if one.adapter else [])}:
            for file in sorted({file for pattern in _LICENCES for file in source.glob(pattern) if file.is_file()}):
                (out / "licences").mkdir(exist_ok=True)
                shutil.copyfile(file, out / "licences" / f"{one.name}-{file.name}")


def _configuration(plan: Plan, tokenizer: Path | None) -> dict[str, Any]:
    content = dict(plan.reference.folder.config)
    content.pop("_name_or_path", None)
    key = "torch_dtype" if "torch_dtype" in content else "dtype"
    content[key] = plan.recipe.dtype
    for name in _SPOKEN:
        if name in plan.speaker.folder.config:
            content[name] = plan.speaker.folder.config[name]
    lengths = [one.folder.config.get("max_position_embeddings") for one in plan.all]
    if known := [length for length in lengths if isinstance(length, int)]:
        content["max_position_embeddings"] = min(known)
    if tokenizer:
        from transformers import AutoTokenizer

        content["vocab_size"] = len(AutoTokenizer.from_pretrained(tokenizer, local_files_only=True).get_vocab())
    return content


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
