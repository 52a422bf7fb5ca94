"""Written pitches, and which MIDI note numbers they sound at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musicgen.notation.spelling import SEMITONES

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from musicgen.formats.musicxml.document import Element

__all__ = ["sounding_pitch"]

# Where percussion stands that has no place of its own.
MIDDLE_LINE = 71


def sounding_pitch(
    note: Element, transposition: int, percussion: Mapping[str, int], repairs: Counter[str]
) -> int | None:
    """Find the MIDI note number of a note.

    Parameters
    ----------
    note
        The element.
    transposition
        Semitones from written to sounding pitch.
    percussion
        MIDI note numbers of the percussion instruments of the part, by their id.
    repairs
        What was repaired or left out is counted here.

    Returns
    -------
    int or None
        0–127; None for a note without a pitch, or too high or low.

    Raises
    ------
    FormatError
        When its letter or octave is none.
    """
    if (written := note.find("pitch")) is not None:
        alteration = written.number("alter") or 0
        if alteration % 1:
            repairs["microtones rounded to semitones"] += 1
        pitch = _height(written, "") + round(alteration) + transposition
    elif (written := note.find("unpitched")) is not None:
        instrument = note.find("instrument")
        name = "" if instrument is None else instrument.attributes.get("id", "")
        if name not in percussion and len(percussion) == 1:
            name = next(iter(percussion))
        if name in percussion:
            pitch = percussion[name]
        else:
            repairs["percussion without a MIDI number, taken by its line"] += 1
            pitch = _height(written, "display-")
    else:
        repairs["notes without a pitch left out"] += 1
        return None
    if not 0 <= pitch <= 127:
        repairs["notes outside the range of MIDI left out"] += 1
        return None
    return pitch


def _height(written: Element, prefix: str) -> int:
    letter, octave = written.words(f"{prefix}step"), written.number(f"{prefix}octave")
    if octave is None and prefix:
        return MIDDLE_LINE
    if letter not in SEMITONES or octave is None:
        raise written.error(f"found the pitch {letter[:10]!r} in octave {octave}")
    return SEMITONES[letter] + 12 * (int(octave) + 1)
