"""Which summaries tell how the patient left the index stay, where a later unit wrote one of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from generator.rules.annotate import Annotated
from generator.rules.reading import PatientView
from generator.rules.stay import written_day

#: A summary is often typed a few days after the patient has left.
_TYPED_LATE = dt.timedelta(days=3)


def leaving_summaries(view: PatientView) -> Sequence[Annotated]:
    """The summaries of the index stay, without those that tell of days after it; all of them when none is left."""
    return view.once("leaving_summaries", _find)


def _find(view: PatientView) -> Sequence[Annotated]:
    summaries = [document for document in view.documents if view.timeline.is_discharge(document)]
    return [document for document in summaries if not _is_of_later_unit(view, document)] or summaries


def _is_of_later_unit(view: PatientView, document: Annotated) -> bool:
    """Whether it was written well after the discharge and tells of days in between: a late typist tells of none."""
    discharge, written = view.timeline.episode.discharge, written_day(document)
    if discharge is None or written is None or written <= discharge + _TYPED_LATE:
        return False
    days = (view.timeline.day_of(mention) for mention in document.document.dates)
    return any(day is not None and discharge + dt.timedelta(days=1) < day < written for day in days)
