"""Replacing attributes of other people's modules and classes, and putting them back."""

import functools
from collections.abc import Callable
from typing import Any

_ABSENT = object()  # inherited: to be deleted again


class Patches:
    """A pile of replacements, undone in reverse."""

    def __init__(self) -> None:
        self._done: list[tuple[Any, str, Any]] = []

    def set(self, owner: Any, name: str, value: Any) -> Any:
        """Replace `owner.name`; gives what was there."""
        original = vars(owner).get(name, _ABSENT)
        self._done.append((owner, name, original))
        setattr(owner, name, value)
        return original

    def method(self, owner: type, name: str, replacement: Callable[..., Any]) -> None:
        """Replace a method by `replacement(original, self, …)`."""
        original = vars(owner)[name]

        @functools.wraps(original)
        def call(*arguments: Any, **named: Any) -> Any:
            return replacement(original, *arguments, **named)

        self.set(owner, name, call)

    def undo(self) -> None:
        """Put everything back."""
        while self._done:
            owner, name, original = self._done.pop()
            if original is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, original)
