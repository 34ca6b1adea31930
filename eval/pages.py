"""What the pages of every evaluation share: where templates lie, and how they are rendered."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from eval.summary import percent


def page_templates() -> Environment:
    """The templates of this package. Every value is escaped: pages quote documents that anyone may have written."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(percent=percent)
    return templates
