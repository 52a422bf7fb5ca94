"""Pieces moved up or down."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from musicgen.errors import FormatError
from musicgen.formats import abc
from musicgen.formats.abc.transposing import signature_shift, transposed
from musicgen.music import Audio, Note, Piece, Tune

__all__ = ["transpose"]

P = TypeVar("P", bound=Piece)


def transpose(piece: P, semitones: int) -> P:
    r"""Move a piece up, key signatures included; percussion stays.

    A signature moves to the one with the fewest sharps or flats. A tune is read, repaired where
    players do so, and written again, its letters all moved by the same number of steps; chord
    symbols move with it.

    Parameters
    ----------
    piece
        A `Tune` or a `Music`; it comes back itself when it moves by nothing.
    semitones
        How far it moves; negative is down.

    Raises
    ------
    FormatError
        For sound; and when a pitch leaves 0 to 127, or a tune cannot be read or spelled.

    Examples
    --------
    >>> transpose(Tune("X:1\nK:D\n\"D\"F=F^G2|"), 1).text
    'X:1\nK:Eb\n"Eb"G_G=A2|'
    """
    if isinstance(piece, Audio):
        raise FormatError("sound cannot be transposed", hint="transpose the notes it is made from")
    if semitones == 0:
        return piece
    if isinstance(piece, Tune):
        try:
            score = transposed(abc.parse(piece), semitones)
        except FormatError as error:
            error.path = piece.path
            raise
        return replace(piece, text=abc.print_score(score))
    return replace(
        piece,
        key_signatures=[
            key._replace(fifths=key.fifths + signature_shift(key.fifths, semitones))
            for key in piece.key_signatures
        ],
        tracks=[
            track
            if track.is_drum
            else replace(track, notes=[_moved(note, semitones) for note in track.notes])
            for track in piece.tracks
        ],
    )


def _moved(note: Note, semitones: int) -> Note:
    pitch = note.pitch + semitones
    if not 0 <= pitch <= 127:
        raise FormatError(
            f"pitch {note.pitch} moved by {semitones} semitones is outside 0 to 127",
            hint="transpose by less",
        )
    return note._replace(pitch=pitch)
