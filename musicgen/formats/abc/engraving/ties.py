"""Ties between the notes of one voice, whether the text writes them or a length demands them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree import ElementTree as ET

__all__ = ["Ties"]


class Ties:
    """The ties that lead on from the sound before."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, str | None], list[ET.Element]] = {}

    def take(self, pitches: Sequence[int], heads: Sequence[ET.Element], tied: list[bool]) -> None:
        """End the ties that lead here, and start new ones.

        Parameters
        ----------
        pitches
            MIDI numbers.
        heads
            The MEI note of each.
        tied
            Whether a tie starts at each.
        """
        following: dict[tuple[int, str | None], list[ET.Element]] = {}
        for pitch, head, goes_on in zip(pitches, heads, tied, strict=True):
            place = (pitch, head.get("pname"))
            held = bool(self._open.get(place))
            if held:
                self._open[place].pop()
                head.set("tie", "t")
            if goes_on:
                head.set("tie", "m" if held else "i")
                following.setdefault(place, []).append(head)
        self.drop()
        self._open = following

    def drop(self) -> None:
        """Take back the ties that lead to no note here: one may lead to the start of a repeat."""
        for head in (head for heads in self._open.values() for head in heads):
            if head.get("tie") == "m":
                head.set("tie", "t")
            else:
                del head.attrib["tie"]
        self._open = {}
