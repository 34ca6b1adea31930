"""How a language model is asked. All that is here decides the answers, so that all of it names a run."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from generator.llm.prompt import TEMPLATES


class Context(StrEnum):
    """Which passages a question shows."""

    AUTO = "auto"  # as PATIENT where the model's context holds them, as VARIABLE where it does not
    PATIENT = "patient"  # those found for any variable: one record for all questions, which the server reads once
    VARIABLE = "variable"  # those found for the variables asked for, alone: shorter, and read again for each question


class LlmSettings(BaseModel):
    """How variables are asked for.

    Args:
        style: folder of the templates of the prompt; those of `TEMPLATES` come with the program.
        context: which passages are shown.
        group: variables in one question, at most. An answer that is cut or faulty is asked for again in parts.
        samples: answers to each question; from two on, the value that most of them give is taken.
        examples: solved questions shown before each question; None: as many as the style wants.
        concepts: name the concepts of each passage, with their codes, where they were looked for.
        max_tokens: tokens of an answer about one variable, at most; four times as many are allowed to one that was cut.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    style: Path = TEMPLATES / "full"
    context: Context = Context.AUTO
    group: int = Field(default=1, ge=1)
    samples: int = Field(default=1, ge=1)
    examples: int | None = Field(default=None, ge=0)
    concepts: bool = True
    max_tokens: int = Field(default=512, ge=16)
