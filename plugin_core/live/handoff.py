"""A place for one thing, between a thread that makes and one that takes."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Handoff(Generic[Item]):
    """Holds at most one item. Who waits is woken by the other side's end."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: Item | None = None
        self._error: BaseException | None = None
        self._failure: BaseException | None = None
        self._ended = False
        self._abandoned = False

    def put(self, item: Item, seconds: float | None = None) -> bool:
        """Put an item once there is room; False where nobody will take it any more.

        Raises:
            TimeoutError: there is no room after so many seconds.
            BaseException: what the other side ended with.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._item is None or self._abandoned, seconds):
                raise TimeoutError
            return self._set(item)

    def replace(self, item: Item) -> tuple[bool, Item | None]:
        """Put an item at once; returns whether somebody may take it, and what lay there untaken."""
        with self._changed:
            before = self._item
            return self._set(item), before

    def take(self, seconds: float | None = None) -> Item | None:
        """Take the item, waiting for one; None at the end, after the last.

        Raises:
            TimeoutError: none has come in so many seconds.
            BaseException: what the other side ended with.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._item is not None or self._ended, seconds):
                raise TimeoutError
            item, self._item = self._item, None
            if item is None and self._error is not None:
                raise self._error
            self._changed.notify_all()
            return item

    def end(self, error: BaseException | None = None) -> None:
        """Say that nothing more will be put; with an error, which the taker gets. The first call counts."""
        with self._changed:
            if not self._ended:
                self._ended, self._error = True, error
            self._changed.notify_all()

    def abandon(self, error: BaseException | None = None) -> None:
        """Say that nothing more will be taken; with an error, which the other side is raised."""
        with self._changed:
            self._abandoned, self._failure = True, error
            self._changed.notify_all()

    def _set(self, item: Item) -> bool:
        if self._failure is not None:
            raise self._failure
        if self._abandoned:
            return False
        self._item = item
        self._changed.notify_all()
        return True
