"""The words that change what a mention means: negation, hypothesis, family, plan, time.

The lists come from two places: edsnlp's published cues (the package that French hospitals use), read as the data
they are, and ``lexicon/cues.yml`` where those lists fall short. edsnlp's files are loaded by path because importing
the package imports torch, which costs seconds that a rule has no use for.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from types import ModuleType

from generator.rules.lexicon import load_lexicon

#: Concept names of cues start with this, so that no clinical concept can be mistaken for one.
PREFIX = "cue:"


def _edsnlp_patterns(qualifier: str) -> ModuleType:
    package = importlib.util.find_spec("edsnlp")
    if package is None or package.origin is None:
        raise ImportError("edsnlp is not installed; run: pip install edsnlp")
    path = Path(package.origin).parent / "pipes" / "qualifiers" / qualifier / "patterns.py"
    spec = importlib.util.spec_from_file_location(f"_edsnlp_{qualifier}_patterns", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"edsnlp {qualifier} patterns are not where edsnlp 0.23 keeps them; expected {path.name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def cue_forms() -> dict[str, tuple[str, ...]]:
    """Cue name (with `PREFIX`) → forms for `generator.rules.matcher.Matcher`."""
    negation, hypothesis = _edsnlp_patterns("negation"), _edsnlp_patterns("hypothesis")
    family = _edsnlp_patterns("family")
    published: dict[str, list[str]] = {
        "negation.before": negation.preceding,
        "negation.after": negation.following,
        "negation.none": negation.pseudo,
        "hypothesis.before": hypothesis.preceding,
        "hypothesis.after": hypothesis.following,
        "hypothesis.none": hypothesis.pseudo,
        "family": family.family,
    }
    ours = load_lexicon("cues")
    forms: dict[str, tuple[str, ...]] = {}
    for name in {**published, **ours}:
        entry = ours.get(name, {})
        removed = set(entry.get("without", ()))
        kept = [form for form in published.get(name, ()) if form not in removed and any(c.isalnum() for c in form)]
        forms[PREFIX + name] = tuple(dict.fromkeys([*kept, *entry.get("forms", ())]))
    return forms
