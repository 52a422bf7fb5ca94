"""The elements of a MusicXML document as text, in the order that its schema wants."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

from musicgen.errors import FormatError
from musicgen.formats.musicxml.directions import FORTE, LENGTHS, MODES
from musicgen.formats.musicxml.percussion import line_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from musicgen.music import KeySignature, Tempo, Track
    from musicgen.notation.metre import Metre
    from musicgen.notation.segments import Piece
    from musicgen.notation.spelling import Spelling
    from musicgen.notation.voices import Pitched

__all__ = [
    "Position",
    "clef",
    "drum",
    "key",
    "note",
    "rest",
    "score_part",
    "step",
    "tempo",
    "text",
]

MEZZO_FORTE = 80
DRUM_CHANNEL = 10
ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
MELODIC_CHANNELS = [channel for channel in range(1, 17) if channel != DRUM_CHANNEL]

# By their length in whole notes: name and dots.
VALUES = {
    length / 4 * (1 + Fraction(dots, 2)): (name, dots)
    for name, length in LENGTHS.items()
    for dots in (0, 1)
}

# The pitches on the lines of each clef: its sign, line and shift in octaves.
CLEFS = {
    ("G", 2, 0): (64, 77),
    ("F", 4, 0): (43, 57),
    ("G", 2, 1): (76, 89),
    ("F", 4, -1): (31, 45),
}

# XML has no place for these, escaped or not.
_FORBIDDEN = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


class Position(NamedTuple):
    """What surrounds a note.

    Attributes
    ----------
    divisions
        Those of a quarter note.
    voice, staff
        Their numbers.
    beams
        What the beams of its chord do.
    is_held
        Whether it has a fermata.
    """

    divisions: int
    voice: int
    staff: int
    beams: Sequence[str] = ()
    is_held: bool = False


def text(content: str) -> str:
    r"""Escape free text; what XML cannot hold becomes a question mark.

    Examples
    --------
    >>> text("Bread & \x00 butter")
    'Bread &amp; ? butter'
    """
    return escape(" ".join(_FORBIDDEN.sub("?", content).split()))


def score_part(number: int, track: Track) -> str:
    """Write a part's name and how it sounds; a set of drums has one instrument a drum."""
    part = f"P{number + 1}"
    name = text(track.name)
    if track.is_drum:
        pitches = sorted({note.pitch for note in track.notes})
        drums = [(f"{part}-D{pitch}", f"Drum {pitch}", pitch + 1) for pitch in pitches]
        channel = DRUM_CHANNEL
    else:
        drums = []
        channel = MELODIC_CHANNELS[number % len(MELODIC_CHANNELS)]
    instruments = drums or [(f"{part}-I1", name or "Instrument", 0)]
    lines = [f'  <score-part id="{part}">', f"   <part-name>{name}</part-name>"]
    lines += [
        f'   <score-instrument id="{id_}"><instrument-name>{label}</instrument-name>'
        "</score-instrument>"
        for id_, label, _ in instruments
    ]
    for id_, _, unpitched in instruments:
        drum = f"<midi-unpitched>{unpitched}</midi-unpitched>" if unpitched else ""
        lines.append(
            f'   <midi-instrument id="{id_}"><midi-channel>{channel}</midi-channel>'
            f"<midi-program>{track.program + 1}</midi-program>{drum}</midi-instrument>"
        )
    return "\n".join([*lines, "  </score-part>"])


def clef(pitches: Sequence[int], number: int, *, is_drum: bool) -> str:
    """Choose the clef of a staff that puts its notes the least outside the lines.

    Examples
    --------
    >>> clef([40, 45], 1, is_drum=False)
    '<clef number="1"><sign>F</sign><line>4</line></clef>'
    """
    if is_drum:
        return f'<clef number="{number}"><sign>percussion</sign></clef>'

    def outside(choice: tuple[str, int, int]) -> int:
        lowest, highest = CLEFS[choice]
        far = sum(max(lowest - pitch, pitch - highest, 0) for pitch in pitches)
        return far + 4 * len(pitches) * (choice[2] != 0)

    sign, line, octave = min(CLEFS, key=outside)
    change = f"<clef-octave-change>{octave}</clef-octave-change>" if octave else ""
    return f'<clef number="{number}"><sign>{sign}</sign><line>{line}</line>{change}</clef>'


def key(signature: KeySignature) -> str:
    """Write a key signature.

    Raises
    ------
    FormatError
        When it has more than seven sharps or flats.
    """
    if not -7 <= signature.fifths <= 7:
        raise FormatError(f"MusicXML has no key signature of {signature.fifths} fifths")
    mode = signature.mode if signature.mode in MODES else "major"
    return f"<key><fifths>{signature.fifths}</fifths><mode>{mode}</mode></key>"


def tempo(change: Tempo, offset: int, metre: Metre, *, is_shown: bool) -> str:
    """Write a tempo, as a metronome mark or only to be heard.

    Raises
    ------
    FormatError
        When there is no such tempo.
    """
    if not 0 < change.qpm <= 100_000:
        raise FormatError(f"MusicXML has no tempo of {change.qpm} quarter notes a minute")
    heard = f"{change.qpm:.12f}".rstrip("0").rstrip(".")
    if not is_shown:
        return f'   <sound tempo="{heard}"><offset>{offset}</offset></sound>'
    is_dotted = metre.is_compound and metre.denominator >= 8
    unit = "<beat-unit>quarter</beat-unit>" + "<beat-unit-dot/>" * is_dotted
    shown = f"{change.qpm / (1.5 if is_dotted else 1):.2f}".rstrip("0").rstrip(".")
    place = f'<offset sound="yes">{offset}</offset>' if offset else ""
    return (
        f'   <direction placement="above"><direction-type><metronome>{unit}'
        f"<per-minute>{shown}</per-minute></metronome></direction-type>{place}"
        f'<sound tempo="{heard}"/></direction>'
    )


def step(tag: str, length: Fraction, divisions: int) -> str:
    """Write a ``backup`` or ``forward``."""
    return f"   <{tag}><duration>{4 * length * divisions}</duration></{tag}>"


def rest(piece: Piece, position: Position, *, is_hidden: bool, is_whole: bool) -> str:
    """Write a rest: of a whole measure, or hidden where it only fills that of a second voice."""
    head = '<rest measure="yes"/>' if is_whole else "<rest/>"
    opening = '   <note print-object="no">' if is_hidden else "   <note>"
    return f"{opening}{head}{_body(piece, position, 0, is_whole=is_whole)}</note>"


def drum(piece: Piece, position: Position, rank: int, hit: Pitched, part: str) -> str:
    """Write a note for a drum of the part with the given id."""
    letter, octave, is_cross = line_of(hit.pitch)
    head = (
        f"<unpitched><display-step>{letter}</display-step>"
        f"<display-octave>{octave}</display-octave></unpitched>"
    )
    body = _body(
        piece,
        position,
        rank,
        instrument=f'<instrument id="{part}-D{hit.pitch}"/>',
        notehead="<notehead>x</notehead>" * is_cross,
    )
    return f"{_opening(hit, rank)}{head}{body}</note>"


def note(
    piece: Piece,
    position: Position,
    rank: int,
    pitched: Pitched,
    spelling: Spelling,
    *,
    is_signed: bool,
) -> str:
    """Write one note of a chord.

    Parameters
    ----------
    piece
        The chord.
    position
        Where it stands.
    rank
        Its place in the chord, from 0.
    pitched
        The note.
    spelling
        Its written pitch.
    is_signed
        Whether to print its accidental.
    """
    alter = f"<alter>{spelling.alter}</alter>" if spelling.alter else ""
    head = f"<pitch><step>{spelling.letter}</step>{alter}<octave>{spelling.octave}</octave></pitch>"
    sign = f"<accidental>{ACCIDENTALS[spelling.alter]}</accidental>" * is_signed
    body = _body(piece, position, rank, accidental=sign)
    return f"{_opening(pitched, rank)}{head}{body}</note>"


def _opening(pitched: Pitched, rank: int) -> str:
    loudness = ""
    if pitched.velocity != MEZZO_FORTE:
        loudness = f' dynamics="{pitched.velocity * 100 / FORTE:.2f}"'
    return f"   <note{loudness}>" + "<chord/>" * (rank > 0)


def _body(
    piece: Piece,
    position: Position,
    rank: int,
    *,
    instrument: str = "",
    accidental: str = "",
    notehead: str = "",
    is_whole: bool = False,
) -> str:
    """Write what follows the pitch of a note; beams and brackets belong to the first of a chord."""
    out = [f"<duration>{4 * (piece.end - piece.start) * position.divisions}</duration>"]
    tied = ["stop"] * (not piece.is_start) + ["start"] * piece.is_tied
    out += [f'<tie type="{kind}"/>' for kind in tied]
    out.append(f"{instrument}<voice>{position.voice}</voice>")
    if not is_whole:
        name, dots = VALUES[piece.length]
        out.append(f"<type>{name}</type>" + "<dot/>" * dots)
    out.append(accidental)
    brackets = []
    if piece.tuplet is not None:
        actual, normal = piece.tuplet
        out.append(
            f"<time-modification><actual-notes>{actual}</actual-notes>"
            f"<normal-notes>{normal}</normal-notes></time-modification>"
        )
        brackets += ["start"] * (piece.place == 0) + ["stop"] * (piece.place == piece.size - 1)
    out.append(f"{notehead}<staff>{position.staff}</staff>")
    marks = [f'<tied type="{kind}"/>' for kind in tied]
    if rank == 0:
        out += [
            f'<beam number="{level}">{beam}</beam>' for level, beam in enumerate(position.beams, 1)
        ]
        marks += [f'<tuplet type="{kind}"/>' for kind in brackets]
        marks += ["<fermata/>"] * position.is_held
    if marks:
        out.append(f"<notations>{''.join(marks)}</notations>")
    return "".join(out)
