"""What was computed once and is asked for again, at the price of a look in a dict."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")


class Remembered(dict[Asked, Given]):
    """``make(asked)`` for every ``asked``; all is forgotten when there are ``most``.

    Unlike `functools.lru_cache` it keeps no order of use, which costs as much as most of what is asked for here.
    """

    def __init__(self, make: Callable[[Asked], Given], most: int) -> None:
        super().__init__()
        self._make = make
        self._most = most

    def __missing__(self, asked: Asked) -> Given:
        if len(self) >= self._most:
            self.clear()
        given = self[asked] = self._make(asked)
        return given
