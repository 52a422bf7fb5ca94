"""Signs that lead from one note to another: slurs, and the wedges of crescendo and diminuendo."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from musicgen.formats.abc.score import Sound

__all__ = ["Curves"]

WEDGES = {"crescendo(": "cres", "<(": "cres", "diminuendo(": "dim", ">(": "dim"}
WEDGE_ENDS = ("crescendo)", "<)", "diminuendo)", ">)")


class Curves:
    """The slurs and wedges of one voice.

    Parameters
    ----------
    staff
        Number of its staff.
    """

    def __init__(self, staff: int) -> None:
        self._staff = str(staff)
        self._slurs: list[ET.Element] = []
        self._wedge: ET.Element | None = None

    def take(self, sound: Sound, first: str, last: str) -> list[ET.Element]:
        """Start and end what starts and ends at a sound; return what starts.

        A wedge that never ends has no ``endid``.

        Parameters
        ----------
        sound
            The sound.
        first, last
            Identifiers of its first and last note, which differ where it is written as several.
        """
        # ``(c(d)e)`` is two slurs that meet: what closes is older than what opens.
        left = sound.closes
        while left and self._slurs:
            self._slurs.pop().set("endid", f"#{last}")
            left -= 1
        slurs = [self._start("slur", first) for _ in range(sound.opens - left)]
        self._slurs += slurs
        return slurs + self._wedges(sound, first, last)

    def _wedges(self, sound: Sound, first: str, last: str) -> list[ET.Element]:
        found = []
        for name in sound.decorations:
            if name in WEDGE_ENDS and self._wedge is not None:
                self._wedge.set("endid", f"#{last}")
                self._wedge = None
            elif name in WEDGES:
                self._wedge = self._start("hairpin", first)
                self._wedge.set("form", WEDGES[name])
                found.append(self._wedge)
        return found

    def _start(self, tag: str, first: str) -> ET.Element:
        return ET.Element(tag, {"staff": self._staff, "startid": f"#{first}"})
