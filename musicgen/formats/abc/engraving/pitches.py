"""Pitches → MEI: letter, octave and accidental, written and sounding."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from musicgen.formats.abc.engraving.signature import KEY_ACCIDENTALS
from musicgen.formats.abc.fields import ACCIDENTALS
from musicgen.formats.abc.interpretation import MIDDLE_C
from musicgen.notation.spelling import SEMITONES

if TYPE_CHECKING:
    from musicgen.formats.abc.engraving.signature import Signature
    from musicgen.formats.abc.events import Event
    from musicgen.formats.abc.score import Note, Sound

__all__ = ["altered", "grace_group", "pitch_of"]

MIDDLE_OCTAVE = 4
MAX_OCTAVE = 9


def altered(note: Note, pitch: int, signature: Signature) -> int:
    """Find by how many semitones the key or the bar so far alters a note.

    Parameters
    ----------
    note
        As written.
    pitch
        MIDI number that it sounds at.
    signature
        Of its staff, for the transposition.
    """
    natural = MIDDLE_C + SEMITONES[note.letter] + 12 * (note.octave + signature.octaves)
    return min(max(pitch - natural - signature.semitones, -2), 2)


def pitch_of(
    note: Note, alteration: int, signature: Signature, *, written: bool = True
) -> dict[str, str]:
    """Make the attributes of a note's pitch.

    Parameters
    ----------
    note
        As written.
    alteration
        In semitones.
    signature
        Of its staff.
    written
        Whether its accidental is printed, which it is not where a tie leads to the note.
    """
    octave = min(max(MIDDLE_OCTAVE + note.octave + signature.octaves, 0), MAX_OCTAVE)
    pitch = {"pname": note.letter.lower(), "oct": str(octave)}
    if note.accidental and written:
        pitch["accid"] = KEY_ACCIDENTALS[ACCIDENTALS[note.accidental]]
    elif alteration:
        # A double sharp has two names: that of its sign and that of its sound.
        pitch["accid.ges"] = KEY_ACCIDENTALS[alteration].replace("x", "ss")
    return pitch


def grace_group(event: Event, sound: Sound, signature: Signature) -> ET.Element:
    """Write the grace notes before a sound."""
    group = ET.Element("graceGrp")
    # One note has a flag of its own, several share two beams.
    several = len(sound.grace) > 1
    parent = ET.SubElement(group, "beam") if several else group
    in_key = event.key.alterations if event.key else {}
    for note in sound.grace:
        attributes = {"grace": "unacc" if sound.slashed else "acc", "dur": "16" if several else "8"}
        if sound.slashed and not several:
            attributes["stem.mod"] = "1slash"
        attributes |= pitch_of(note, in_key.get(note.letter, 0), signature)
        ET.SubElement(parent, "note", attributes)
    return group
