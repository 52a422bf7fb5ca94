"""The elements of a voice together with what they mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from musicgen.formats.abc.fields import Key, Meter
    from musicgen.formats.abc.score import Element

__all__ = ["Event", "Part"]


@dataclass(slots=True)
class Event:
    """One element of a voice, and what it means.

    Attributes
    ----------
    element
        A sound, bar line, field or overlay.
    duration
        Of a sound, in quarter notes.
    pitches
        MIDI numbers of a sound, each with its own length in quarter notes and whether it is tied.
    meter, key, qpm
        What is in force; None where the tune does not say.
    """

    element: Element
    duration: Fraction = Fraction(0)
    pitches: tuple[tuple[int, Fraction, bool], ...] = ()
    meter: Meter | None = None
    key: Key | None = None
    qpm: float | None = None


@dataclass(slots=True)
class Part:
    """The events of one voice.

    Attributes
    ----------
    name
        What the voice is called, or its number.
    program
        General MIDI program.
    events
        In the order of the text.
    """

    name: str = ""
    program: int = 0
    events: list[Event] = field(default_factory=list)
