"""How far the music of a tune has been written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from musicgen.formats.abc.grammar.filling import NO_TUPLET, Tuplet

if TYPE_CHECKING:
    from musicgen.formats.abc.grammar.form import Form

__all__ = ["BEFORE_NOTES", "FIELDS", "Body", "Place", "Signs"]


class Place:
    """What the text stopped in: numbers, which are compared often."""

    FRESH = 0
    """After a bar line, where nothing of the bar has come."""
    SIGNED = 1
    """After signs that stand before a sound."""
    PITCH = 2
    """After an accidental."""
    NOTE = 3
    """In a note, rest or chord, whose length may go on."""
    AFTER = 4
    """Right after a sound."""
    MIDDLE = 5
    """After a blank between sounds."""
    BROKEN = 6
    """After the sign of a broken rhythm."""
    PAREN = 7
    """After ``(``."""
    TUPLET = 8
    """In the sign of a tuplet."""
    BRACKET = 9
    """After ``[``."""
    CHORD = 10
    """Between the brackets of a chord."""
    BAR = 11
    """In a bar line."""
    FIELD = 12
    """In a field in brackets."""
    QUOTE = 13
    """Between quotation marks."""
    NAME = 14
    """In the name of a decoration."""
    GRACE = 15
    """Between the braces of grace notes."""


class Signs:
    """What has been written before the sound that is to come, or since the bar line."""

    NONE = 0
    QUOTED = 1
    DECORATED = 2
    TWICE = 4
    GRACED = 8
    TRILLED = 4096
    """What players play on single notes only."""
    LETTERED = 16
    """After a decoration of one letter."""
    SHORT = 8192
    """What neither a tie nor a broken rhythm can follow."""
    OPENED = 32
    METRE = 64
    KEY = 128
    TEMPO = 256
    PLAIN = 512
    """The bar line was a plain one."""
    LAST = 1024
    """The tune may end at the bar line."""
    START = 2048
    """Nothing has been written."""


FIELDS = {"M": Signs.METRE, "K": Signs.KEY, "Q": Signs.TEMPO}
BEFORE_NOTES = Signs.DECORATED | Signs.TWICE | Signs.GRACED | Signs.OPENED
"""What no rest can follow."""


class Body(NamedTuple):
    """How far the music has been written.

    Attributes
    ----------
    form
        Measures, repeats and endings.
    unit
        Unit note length, in ticks.
    compound
        Whether the metre's beats divide into three.
    left
        Ticks to the end of the measure, for what has been read to its end.
    place, word
        What the text stopped in, and its characters so far.
    pitch
        The note that is read or was read last; ``"z"`` for a rest, ``"]"`` for a chord.
    notes
        Those of the chord or of the grace that is read.
    signs
        What has been written before the sound that is to come.
    tuplet
        The sounds that the tuplet lacks, and its ratio.
    broken
        Length that the sound after ``>`` must be written with, and the time it takes; or ``()``.
    tie
        The note that must follow; or ``""``.
    slur
        Whether a slur is open.
    swings
        Whether it is a hornpipe, which players dot by themselves.
    """

    form: Form
    unit: int
    compound: bool
    left: int
    place: int = Place.FRESH
    word: str = "\n"
    pitch: str = ""
    notes: tuple[str, ...] = ()
    signs: int = Signs.START
    tuplet: Tuplet = NO_TUPLET
    broken: tuple[int, ...] = ()
    tie: str = ""
    slur: bool = False
    swings: bool = False
