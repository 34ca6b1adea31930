"""French clinical vocabulary, as YAML files that a clinician can read and correct.

``cues``      words that change what a mention means (negation, plan, family, time)
``concepts``  conditions, procedures and measures with their synonyms and abbreviations
``drugs``     therapeutic classes and the names, generic and commercial, of their drugs
``units``     units of measure, their spellings and the conversions between them
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import yaml


@functools.cache
def load_lexicon(name: str) -> dict[str, Any]:
    """One vocabulary file, by its name without extension."""
    text = (Path(__file__).parent / f"{name}.yml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loaded = yaml.load(text, Loader=loader)  # noqa: S506 (a safe loader either way; the C one is ten times faster)
    if not isinstance(loaded, dict):
        raise TypeError(f"{name}.yml: expected a mapping at the top level")
    return loaded
