"""Which event may follow which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FAMILIES", "EventGrammar"]

FAMILIES = ("shift", "metre", "key", "tempo", "program", "velocity", "pitch", "duration")
"""The families of events, in the order in which those of one step are written."""

_AFTER = {
    "boundary": {"shift", "metre", "key", "tempo", "program", "boundary"},
    "shift": {"metre", "key", "tempo", "program", "velocity", "pitch"},
    "metre": {"shift", "key", "tempo", "program", "velocity", "pitch", "boundary"},
    "key": {"shift", "tempo", "program", "velocity", "pitch", "boundary"},
    "tempo": {"shift", "program", "velocity", "pitch", "boundary"},
    "program": {"velocity", "pitch"},
    "velocity": {"pitch"},
    "pitch": {"duration"},
    "duration": {"shift", "program", "velocity", "pitch", "boundary"},
}


class EventGrammar:
    """The events that `MidiEvents.encode` may write next; a constraint for sampling.

    What may follow an event is a row of a table of families. Of these are left out: changes to what
    already holds; within a step, notes and programs that are not above the last; and what would
    leave nothing to follow it. A copy (`copy.copy`) goes its own way.

    Parameters
    ----------
    families
        Family of each symbol, ``"boundary"`` first; symbols of a family follow one another, the
        longest shift and the longest duration last of theirs.

    Examples
    --------
    >>> grammar = EventGrammar(["boundary", "program", "velocity", "pitch", "pitch", "duration"])
    >>> for symbol in (1, 2, 3, 5):
    ...     grammar.advance(symbol)
    >>> grammar.allowed()
    array([ True, False, False, False,  True,  True])
    """

    def __init__(self, families: Sequence[str]) -> None:
        self._families = families
        self._first = {family: families.index(family) for family in {*families}}
        self._last = {family: i for i, family in enumerate(families)}
        rows = {
            family: np.array([after in _AFTER[family] for after in families]) for family in _AFTER
        }
        # Only the longest shift or duration is followed by another part of the same.
        for family in {"shift", "duration"} & {*families}:
            rows[f"longest {family}"] = rows[family] | (np.array(families) == family)
        self._rows = rows
        self._state = "boundary"
        # Replaced and never changed, so that copies may share it.
        self._held: dict[str, int] = {}
        self._pitch: int | None = None

    def allowed(self) -> npt.NDArray[np.bool_]:
        """Return which symbols may be next, ``(V,)``."""
        mask = self._rows[self._state].copy()
        held, pitch = self._held, self._pitch
        if "velocity" not in held or "program" not in held:
            self._forbid(mask, "pitch")
        if "program" not in held:
            self._forbid(mask, "velocity")
        for symbol in held.values():
            mask[symbol] = False
        if pitch is not None:
            mask[self._first["pitch"] : pitch + 1] = False
            mask[self._first["program"] : held["program"]] = False
            if pitch == self._last["pitch"]:
                self._forbid(mask, "velocity")
        return mask

    def advance(self, symbol: int) -> None:
        """Go on to the next event."""
        family = self._families[symbol]
        longest = family in ("shift", "duration") and symbol == self._last[family]
        self._state = f"longest {family}" if longest else family
        if family == "pitch":
            self._pitch = symbol
        elif family in ("shift", "program", "boundary"):
            self._pitch = None
        if family == "boundary":
            self._held = {}
        elif family in _HELD:
            self._held = {**self._held, family: symbol}

    def _forbid(self, mask: npt.NDArray[Any], family: str) -> None:
        if family in self._first:
            mask[self._first[family] : self._last[family] + 1] = False


_HELD = {"metre", "key", "tempo", "program", "velocity"}
