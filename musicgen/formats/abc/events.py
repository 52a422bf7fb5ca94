"""The elements of a voice together with what they mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from musicgen.formats.abc.fields import Key
    from musicgen.formats.abc.score import Element
    from musicgen.notation.metre import Metre

__all__ = ["NOTHING", "Event", "Instrument", "Part"]

NOTHING = Fraction(0)


class Instrument(NamedTuple):
    """What plays.

    Attributes
    ----------
    program
        General MIDI program.
    is_drum
        Whether pitches name percussion sounds.
    """

    program: int = 0
    is_drum: bool = False


PIANO = Instrument()


@dataclass(slots=True)
class Event:
    """One element of a voice, and what it means.

    Attributes
    ----------
    element
        A sound, bar line, field or overlay.
    scale
        Quarter notes in one unit of the lengths of a sound; 0 for what takes no time.
    pitches
        MIDI numbers of the notes of a sound.
    meter, key, qpm
        What is in force; None where the tune does not say.
    instrument
        What plays from here on.
    """

    element: Element
    scale: Fraction = NOTHING
    pitches: tuple[int, ...] = ()
    meter: Metre | None = None
    key: Key | None = None
    qpm: float | None = None
    instrument: Instrument = PIANO


@dataclass(slots=True)
class Part:
    """The events of one voice.

    Attributes
    ----------
    name
        What the voice is called, or its number.
    events
        In the order of the text.
    """

    name: str = ""
    events: list[Event] = field(default_factory=list)
