"""Reads the vocabulary files of this package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where libyaml is there


def read_yaml(file: Path) -> dict[str, Any]:
    """The content of a YAML file; empty where the file is."""
    content: dict[str, Any] | None = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 (safe)
    return content or {}
