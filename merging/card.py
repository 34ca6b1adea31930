"""What is kept beside a merged model: manifest.json for programs, README.md for people, the recipe itself."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from merging.folder import hash_weights

if TYPE_CHECKING:
    from merging.plan import Ingredient, Plan
    from merging.run import MergeReport

_PACKAGES = ("cohort-rag", "mergekit", "peft", "torch", "transformers", "safetensors", "tokenizers")


def write_card(report: MergeReport, plan: Plan, out: Path) -> None:
    """Write ``recipe.yml``, ``manifest.json`` and ``README.md`` in ``out``."""
    (out / "recipe.yml").write_text(recipe_text(report), encoding="utf-8")
    manifest = _manifest(report, plan, out)
    text = json.dumps(manifest, ensure_ascii=False, indent=2)
    (out / "manifest.json").write_text(text + "\n", encoding="utf-8")
    (out / "README.md").write_text(_card(report, plan, manifest), encoding="utf-8")


def recipe_text(report: MergeReport) -> str:
    """The recipe as YAML that `merging.recipe.read_recipe` reads back."""
    content = report.recipe.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)


def _manifest(report: MergeReport, plan: Plan, out: Path) -> dict[str, Any]:
    return {
        "name": report.recipe.name,
        "method": report.recipe.method,
        "seed": report.recipe.seed,
        "recipe_sha256": report.recipe.fingerprint(),
        "made_at": report.made_at,
        "seconds": round(report.seconds, 1),
        "versions": versions(),
        "models": [_ingredient(one) for one in plan.all],
        "weights_sha256": hash_weights(out),
        "checks_before": [_checked(check) for check in report.before],
        "checks_after": [_checked(check) for check in report.after],
        "perplexity": {spoken.text: dict(spoken.of) for spoken in report.perplexity},
    }


def versions() -> dict[str, str]:
    """Versions of the packages that decide what a merge gives, those that are installed."""
    found: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _ingredient(one: Ingredient) -> dict[str, str]:
    told = {
        "name": one.name,
        "folder": one.folder.path.name,
        "source": one.origin.source,
        "revision": one.origin.revision,
        "licence": one.origin.licence,
        "sha256": hash_weights(one.folder.path),
    }
    if one.adapter:
        told |= {"adapter": one.adapter.path.name, "adapter_sha256": hash_weights(one.adapter.path)}
    return told


def _checked(check: Any) -> dict[str, str]:
    return {"name": check.name, "level": check.level.value, "reason": check.reason}


def _card(report: MergeReport, plan: Plan, manifest: dict[str, Any]) -> str:
    recipe = report.recipe
    licences = sorted({one.origin.licence or f"not named for {one.name}" for one in plan.all})
    header = {"tags": ["merge", recipe.how.engine.value], "base_model": [one.origin.source for one in plan.all]}
    header["base_model"] = [source for source in header["base_model"] if source]
    parts = [
        f"---\n{yaml.safe_dump(header, allow_unicode=True, sort_keys=False)}---\n",
        f"# {recipe.name}\n",
        f"Made from other models by {recipe.method} ({recipe.how.about}; {recipe.how.paper}), seed {recipe.seed}.",
        "It has learned nothing by itself: whatever its parents get wrong, it may get wrong. Not a medical device.\n",
        *([recipe.note + "\n"] if recipe.note else []),
        "## Models\n",
        _table(
            ("name", "source", "licence", "adapter", "SHA-256 of the weights"),
            [
                (
                    one["name"],
                    " ".join(filter(None, (one["source"] or one["folder"], one["revision"]))),
                    one["licence"],
                    one.get("adapter", ""),
                    one["sha256"][:16] + ("… + " + one["adapter_sha256"][:16] if "adapter" in one else "") + "…",
                )
                for one in manifest["models"]
            ],
        ),
        f"## Licence\n\nThe terms of every model above bind this one: {'; '.join(licences)}.",
        "Texts of licences that came with them are in `licences/`.\n",
        f"## Recipe\n\n```yaml\n{recipe_text(report)}```\n",
        "## Checks\n",
        _table(
            ("check", "result", "reason"),
            [(check.name, check.level.value, check.reason) for check in (*report.before, *report.after)],
        ),
        "## Versions\n",
        ", ".join(f"{name} {number}" for name, number in manifest["versions"].items()) + f". Made {report.made_at}.\n",
    ]
    return "\n".join(parts)


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    cells = ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines]
    return "\n".join(cells) + "\n"
