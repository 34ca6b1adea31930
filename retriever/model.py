"""The temporal model: scorer, prior and the name of the encoder whose vectors it reads; kept in a folder.

| file | holds |
|---|---|
| ``config.json`` | `ScorerConfig`, the encoder's name, what the scorer was made for |
| ``model.safetensors`` | weights |
| ``prior.json`` | counts of `retriever.prior.Prior`, to be read by a person too |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from retriever.embed import Vectors
from retriever.features import MEASURES, PassageMeasures
from retriever.kinds import KINDS
from retriever.prior import PRIORS, Counts, Prior, Traits, traits_of
from retriever.query import FACETS, facets
from retriever.recurrent import TimelineTensors
from retriever.score import VALUE_KINDS, Asked, PassageScorer, ScorerConfig
from retriever.timeline import EncodedTimeline
from schema.problem import InputError, Problem
from schema.study import VariableHints
from schema.variable import Question

#: The vectors of some texts, shape (n, dimension).
Encode = Callable[[Sequence[str]], Vectors]

SHIPPED = Path(__file__).parent / "model" / "temporal"
_CONFIG, _WEIGHTS, _PRIOR = "config.json", "model.safetensors", "prior.json"
#: What the weights were made for: other measures, and they mean nothing.
_MADE_FOR = {"kinds": list(KINDS), "measures": list(MEASURES), "priors": list(PRIORS), "facets": list(FACETS)}


@dataclass(frozen=True, slots=True)
class ReadTimeline:
    """A timeline as a model has read it, before any question.

    Args:
        traits: of each passage, as the prior counts them.
        context: (N, hidden) contextual passages.
    """

    timeline: EncodedTimeline
    tensors: TimelineTensors
    traits: Sequence[Traits]
    measures: PassageMeasures
    context: torch.Tensor


class TemporalModel:
    """Ranks the passages of a patient's timeline. Not changed by use."""

    def __init__(self, scorer: PassageScorer, prior: Prior, encoder_name: str) -> None:
        self.scorer = scorer.eval()
        self.prior = prior
        self.encoder_name = encoder_name

    @property
    def name(self) -> str:
        """Changes whenever the scores would."""
        digest = hashlib.sha256(self.encoder_name.encode())
        for key, weight in sorted(self.scorer.state_dict().items()):
            digest.update(key.encode())
            digest.update(weight.contiguous().numpy().tobytes())
        digest.update(json.dumps([self.prior.counts, self.prior.everywhere], sort_keys=True).encode())
        return f"temporal-{self.scorer.config.temporal.cell}-{digest.hexdigest()[:12]}"

    @classmethod
    def load(cls, folder: Path | None = None) -> TemporalModel:
        """The model kept in a folder; the shipped one when None.

        Raises:
            InputError: the folder holds no such model, or one made for other measures.
        """
        folder = folder or SHIPPED
        try:
            config = json.loads((folder / _CONFIG).read_text("utf-8"))
            prior = json.loads((folder / _PRIOR).read_text("utf-8"))
            if config["made_for"] != _MADE_FOR:
                what = "was made by another version of the program."
                raise InputError(Problem(str(folder), what, "Train it again with `cohort-rag retriever train`."))
            scorer = PassageScorer(ScorerConfig.from_dict(config["scorer"]))
            scorer.load_state_dict({k: w.float() for k, w in load_file(folder / _WEIGHTS).items()})
            return cls(scorer, Prior(prior["counts"], prior["everywhere"]), config["encoder"])
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            what = f"is not a temporal model ({type(error).__name__})."
            remedy = "Give the folder that `cohort-rag retriever train` wrote."
            raise InputError(Problem(str(folder), what, remedy)) from error

    def save(self, folder: Path) -> None:
        """Write the model; weights in half precision, hence `load` may give scores that differ in the third digit."""
        folder.mkdir(parents=True, exist_ok=True)
        config = {"encoder": self.encoder_name, "scorer": self.scorer.config.to_dict(), "made_for": _MADE_FOR}
        (folder / _CONFIG).write_text(json.dumps(config, indent=1) + "\n", "utf-8")
        # One wording a line: thousands of them are to be looked through, and compared between two versions.
        lines = (
            f"  {json.dumps(wording, ensure_ascii=False)}: {json.dumps(of, ensure_ascii=False)}"
            for wording, of in sorted(_rounded(self.prior.counts).items())
        )
        everywhere = json.dumps(self.prior.everywhere, ensure_ascii=False, sort_keys=True)
        text = f'{{\n "everywhere": {everywhere},\n "counts": {{\n' + ",\n".join(lines) + "\n }\n}\n"
        (folder / _PRIOR).write_text(text, "utf-8")
        save_file({k: w.half().contiguous() for k, w in self.scorer.state_dict().items()}, folder / _WEIGHTS)

    def read(self, timeline: EncodedTimeline) -> ReadTimeline:
        """What all questions about the patient of a timeline have in common."""
        tensors = TimelineTensors.of(timeline)
        with torch.inference_mode():
            context: torch.Tensor = self.scorer.temporal(tensors).passages
        return ReadTimeline(timeline, tensors, traits_of(timeline), PassageMeasures(timeline.passages), context)

    def score(
        self,
        read: ReadTimeline,
        questions: Sequence[Question],
        hints: Sequence[VariableHints | None],
        encode: Encode,
    ) -> Vectors:
        """Scores of the passages for some questions about their patient, shape (Q, N).

        Args:
            hints: synonyms, one for each question.
            encode: the encoder's vectors of texts.
        """
        asked = read_questions(read.timeline, read.measures, questions, hints, encode)
        asked = with_prior(asked, self.prior, read.traits, questions)
        with torch.inference_mode():
            scores: torch.Tensor = self.scorer(read.tensors, read.context, asked)
        return np.asarray(scores.numpy(), dtype=np.float32)


def read_questions(
    timeline: EncodedTimeline,
    measures: PassageMeasures,
    questions: Sequence[Question],
    hints: Sequence[VariableHints | None],
    encode: Encode,
) -> Asked:
    """What the scorer reads of questions but for the columns of the prior, which are 0 (see `with_prior`)."""
    texts = [text for question, hint in zip(questions, hints, strict=True) for text in facets(question, hint)]
    dimension = timeline.vectors.shape[1]
    parts = np.zeros((len(texts), dimension), dtype=np.float32)
    said = [bool(text) for text in texts]
    if any(said):
        parts[said] = encode([text for text in texts if text])
    rows = [measures.of(question, hint) for question, hint in zip(questions, hints, strict=True)]
    table = np.zeros((len(questions), len(timeline.passages), len(MEASURES) + len(PRIORS)), dtype=np.float32)
    table[:, :, : len(MEASURES)] = rows
    kinds = [VALUE_KINDS.index(q.variable.kind if q.variable else "words") for q in questions]
    return Asked(
        torch.from_numpy(parts.reshape(len(questions), len(FACETS), dimension)),
        torch.tensor(kinds, dtype=torch.long),
        torch.from_numpy(table),
    )


def with_prior(
    asked: Asked,
    prior: Prior,
    traits: Sequence[Traits],
    questions: Sequence[Question],
    without: Mapping[str, Counts] | None = None,
) -> Asked:
    """The same questions with what a prior knows of them; ``without`` as in `Prior.of`."""
    known = np.stack([prior.of(question, traits, without) for question in questions])  # (Q, N, len(PRIORS))
    measures = torch.cat([asked.measures[..., : len(MEASURES)], torch.from_numpy(known)], dim=-1)
    return Asked(asked.facets, asked.value_kinds, measures)


def _rounded(counts: Mapping[str, Counts]) -> dict[str, dict[str, dict[str, float]]]:
    return {
        wording: {trait: {value: round(weight, 3) for value, weight in of.items()} for trait, of in by_trait.items()}
        for wording, by_trait in counts.items()
    }
