"""The checks of a merge: `check_before` looks at its models, `check_after` at what was made of them."""

from merging.check_after import Spoken, check_after
from merging.check_before import check_before
from merging.result import Check, Level

__all__ = ["Check", "Level", "Spoken", "check_after", "check_before"]
