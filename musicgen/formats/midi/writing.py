"""`Music` → MIDI file, by way of mido."""

from __future__ import annotations

from io import BytesIO
from itertools import cycle
from operator import itemgetter
from typing import TYPE_CHECKING

import mido

from musicgen.errors import FormatError
from musicgen.files import write_atomically
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write"]

RESOLUTION = 480
DRUM_CHANNEL = 9
MELODIC_CHANNELS = [channel for channel in range(16) if channel != DRUM_CHANNEL]
LONGEST_DELTA = 2**28 - 1
LONGEST_TEMPO = 2**24 - 1
DENOMINATORS = [2**power for power in range(8)]
MAJOR = ["Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"]
MINOR = ["Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#"]


def write(piece: Music, path: Path) -> None:
    """Write a piece as a type 1 file of 480 ticks a quarter note, replacing it in one step.

    The first track holds title, tempos, metres and keys; each `Track` follows as a track with its
    name and program. Drums play on channel 10, the others take the remaining channels in turn,
    the sixteenth the first one again, so that a player gives both the later program. Names are
    written as UTF-8. The same piece always gives the same bytes.

    Parameters
    ----------
    piece
        The music.
    path
        The file.

    Raises
    ------
    FormatError
        When MIDI has no number for something in the piece.
    OSError
        When the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from musicgen.formats import midi
    >>> scale = Music(24, title="Scale", tracks=[Track(notes=[Note(0, 60, 24), Note(24, 62, 24)])])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     midi.write(scale, Path(folder) / "scale.mid")
    ...     again = midi.read(Path(folder) / "scale.mid")[0]
    >>> again.title, again.tracks[0].notes[1]
    ('Scale', Note(time=480, pitch=62, duration=480, velocity=64))
    """
    try:
        file = mido.MidiFile(type=1, ticks_per_beat=RESOLUTION)
        end = _scaled(piece.end, piece.resolution)
        file.tracks.append(_conductor(piece, end))
        channels = cycle(MELODIC_CHANNELS)
        for track in piece.tracks:
            channel = DRUM_CHANNEL if track.is_drum else next(channels)
            file.tracks.append(_track(track, channel, piece.resolution))
    except FormatError as error:
        error.path = path
        raise
    stream = BytesIO()
    file.save(file=stream)
    write_atomically(path, stream.getvalue())


def _scaled(time: int, resolution: int) -> int:
    """Round to the nearest tick, halves up; integers, so that no long piece drifts."""
    return (2 * time * RESOLUTION + resolution) // (2 * resolution)


def _conductor(piece: Music, end: int) -> mido.MidiTrack:
    changes = [
        *((metre.time, _metre(metre)) for metre in piece.time_signatures),
        *((key.time, _key(key)) for key in piece.key_signatures),
        *((tempo.time, _tempo(tempo)) for tempo in piece.tempos),
    ]
    timed = [(_scaled(time, piece.resolution), message) for time, message in changes]
    timed.sort(key=itemgetter(0))
    end = max([end, *(time for time, _ in timed)])
    timed.append((end, mido.MetaMessage("end_of_track")))
    return mido.MidiTrack(_name(piece.title) + _spaced(timed))


def _track(track: Track, channel: int, resolution: int) -> mido.MidiTrack:
    if not 0 <= track.program <= 127:
        raise FormatError(f"program {track.program} is not one of 0 to 127")
    timed = []
    for note in sorted(_scaled_note(note, resolution) for note in track.notes):
        on = mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)
        off = mido.Message("note_off", channel=channel, note=note.pitch)
        timed += [(note.time, 1, on), (note.end, 0, off)]
    # Ends before onsets, or a repeated note would end the moment it starts.
    timed.sort(key=itemgetter(0, 1))
    program = mido.Message("program_change", channel=channel, program=track.program)
    messages = _spaced([(time, message) for time, _, message in timed])
    return mido.MidiTrack([*_name(track.name), program, *messages])


def _scaled_note(note: Note, resolution: int) -> Note:
    if not (note.time >= 0 and 0 <= note.pitch <= 127 and 1 <= note.velocity <= 127):
        raise FormatError(
            f"found {note}, expected a time from 0, a pitch to 127, a velocity from 1 to 127"
        )
    onset, end = _scaled(note.time, resolution), _scaled(note.end, resolution)
    return Note(onset, note.pitch, max(end - onset, 1), note.velocity)


def _name(name: str) -> list[mido.MetaMessage]:
    # mido writes text as Latin-1; this makes it write the bytes of UTF-8.
    encoded = name.encode("utf-8", "replace").decode("latin-1")
    return [mido.MetaMessage("track_name", name=encoded)] if name else []


def _tempo(tempo: Tempo) -> mido.MetaMessage:
    microseconds = round(60e6 / tempo.qpm) if tempo.qpm > 0 else 0
    if not 1 <= microseconds <= LONGEST_TEMPO:
        raise FormatError(f"MIDI has no tempo of {tempo.qpm} quarter notes a minute")
    return mido.MetaMessage("set_tempo", tempo=microseconds)


def _metre(metre: TimeSignature) -> mido.MetaMessage:
    _, numerator, denominator = metre
    if not 1 <= numerator <= 255 or denominator not in DENOMINATORS:
        raise FormatError(f"MIDI has no time signature {numerator}/{denominator}")
    return mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)


def _key(key: KeySignature) -> mido.MetaMessage:
    if not -7 <= key.fifths <= 7:
        raise FormatError(f"MIDI has no key signature of {key.fifths} fifths")
    name = MINOR[key.fifths + 7] + "m" if key.mode == "minor" else MAJOR[key.fifths + 7]
    return mido.MetaMessage("key_signature", key=name)


def _spaced(timed: list[tuple[int, mido.Message]]) -> list[mido.Message]:
    """Set the time of each message to the ticks since the one before."""
    previous = 0
    for time, message in timed:
        if not 0 <= time - previous <= LONGEST_DELTA:
            raise FormatError(
                f"found {time - previous} ticks between events, expected 0 to 2²⁸ − 1"
            )
        message.time, previous = time - previous, time
    return [message for _, message in timed]
