"""`Music` → MIDI file, by way of mido."""

from __future__ import annotations

import math
import warnings
from io import BytesIO
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import mido

from musicgen.errors import FormatError, FormatWarning
from musicgen.files import write_atomically
from musicgen.formats.midi.events import last_tick
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track

if TYPE_CHECKING:
    import os

__all__ = ["encode", "write"]

FINEST_RESOLUTION = 2**15 - 1
# For what is finer: 480 times 63, so that triplets of triplets, quintuplets and septuplets fit.
DIVISIBLE_RESOLUTION = 30_240
DRUM_CHANNEL = 9
MELODIC_CHANNELS = [channel for channel in range(16) if channel != DRUM_CHANNEL]
PORTS = 128
MOST_TRACKS = 2**16 - 1
LONGEST_QUARTER = 2**24 - 1
MICROSECONDS = 60_000_000
DENOMINATORS = [2**power for power in range(8)]
MAJOR = ["Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"]
MINOR = ["Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#"]


def write(piece: Music, path: str | os.PathLike[str]) -> None:
    """Write a piece as a type 1 file in its own resolution, replacing the file in one step.

    The first track holds title, tempos, metres and keys; each `Track` follows as a track with its
    name and program. Drums play on channel 10, the others on the remaining channels in turn. From
    the sixteenth on they use the same channels at a second port, and so forth: what knows no ports
    still plays every note, but gives tracks that share a channel one program. Names are written as
    UTF-8. The same piece always gives the same bytes.

    Parameters
    ----------
    piece
        The music.
    path
        The file.

    Raises
    ------
    FormatError
        When MIDI has no number for something in the piece, or it lasts more than 65,536 quarter
        notes.
    OSError
        When the file cannot be written.

    Warns
    -----
    FormatWarning
        When a tempo is slower than 3.58 or faster than 60,000,000 quarter notes a minute, and is
        written as the nearest one that MIDI has.

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
    ('Scale', Note(time=24, pitch=62, duration=24, velocity=64))
    """
    path = Path(path)
    try:
        data = encode(piece)
    except FormatError as error:
        error.path = path
        raise
    if any(_microseconds(tempo) != _held(tempo) for tempo in piece.tempos):
        warnings.warn(
            f"{path}: a tempo outside 3.58 to 60,000,000 quarter notes a minute, brought inside",
            FormatWarning,
            stacklevel=2,
        )
    write_atomically(path, data)


def encode(piece: Music) -> bytes:
    """Return the bytes that `write` writes.

    Raises
    ------
    FormatError
        When MIDI has no number for something in the piece, or it is too long.
    """
    if len(piece.tracks) >= MOST_TRACKS:
        raise FormatError(f"found {len(piece.tracks)} tracks, expected at most {MOST_TRACKS - 1}")
    clock = _Clock(piece.resolution)
    file = mido.MidiFile(type=1, ticks_per_beat=clock.new)
    file.tracks.append(_conductor(piece, clock))
    melodic = 0
    for track in piece.tracks:
        port, channel = 0, DRUM_CHANNEL
        if not track.is_drum:
            port, place = divmod(melodic, len(MELODIC_CHANNELS))
            channel = MELODIC_CHANNELS[place]
            melodic += 1
        file.tracks.append(_track(track, port % PORTS, channel, clock))
    stream = BytesIO()
    file.save(file=stream)
    return stream.getvalue()


class _Clock:
    """Turns the ticks of a piece into those of its file."""

    def __init__(self, resolution: int) -> None:
        if resolution < 1:
            raise FormatError(f"found {resolution} ticks a quarter note, expected at least 1")
        self.old = resolution
        self.new = resolution if resolution <= FINEST_RESOLUTION else DIVISIBLE_RESOLUTION
        self.last = last_tick(self.new)

    def ticks(self, time: int) -> int:
        """Round to the nearest tick, halves up; integers, so that no long piece drifts."""
        tick = (2 * time * self.new + self.old) // (2 * self.old)
        if not 0 <= tick <= self.last:
            raise FormatError(f"found something at tick {tick}, expected 0 to {self.last}")
        return tick

    def note(self, note: Note) -> Note:
        if not (0 <= note.pitch <= 127 and 1 <= note.velocity <= 127):
            raise FormatError(f"found {note}, expected a pitch to 127, a velocity from 1 to 127")
        onset, end = self.ticks(note.time), self.ticks(note.end)
        return Note(onset, note.pitch, max(end - onset, 1), note.velocity)


def _conductor(piece: Music, clock: _Clock) -> mido.MidiTrack:
    changes = [
        *((metre.time, _metre(metre)) for metre in piece.time_signatures),
        *((key.time, _key(key)) for key in piece.key_signatures),
        *((tempo.time, _tempo(tempo)) for tempo in piece.tempos),
    ]
    timed = [(clock.ticks(time), message) for time, message in changes]
    timed.sort(key=itemgetter(0))
    end = max([clock.ticks(piece.end), *(time for time, _ in timed)])
    timed.append((end, mido.MetaMessage("end_of_track")))
    return mido.MidiTrack(_name(piece.title) + _spaced(timed))


def _track(track: Track, port: int, channel: int, clock: _Clock) -> mido.MidiTrack:
    if not 0 <= track.program <= 127:
        raise FormatError(f"program {track.program} is not one of 0 to 127")
    timed = []
    for note in sorted(map(clock.note, track.notes)):
        on = mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)
        off = mido.Message("note_off", channel=channel, note=note.pitch)
        timed += [(note.time, 1, on), (note.end, 0, off)]
    # Ends before onsets, or a repeated note would end the moment it starts.
    timed.sort(key=itemgetter(0, 1))
    head = _name(track.name)
    if port:
        head.append(mido.MetaMessage("midi_port", port=port))
    head.append(mido.Message("program_change", channel=channel, program=track.program))
    return mido.MidiTrack(head + _spaced([(time, message) for time, _, message in timed]))


def _name(name: str) -> list[mido.MetaMessage]:
    # mido writes text as Latin-1; this makes it write the bytes of UTF-8.
    encoded = name.encode("utf-8", "replace").decode("latin-1")
    return [mido.MetaMessage("track_name", name=encoded)] if name else []


def _tempo(tempo: Tempo) -> mido.MetaMessage:
    if not (tempo.qpm > 0 and math.isfinite(tempo.qpm)):
        raise FormatError(f"MIDI has no tempo of {tempo.qpm} quarter notes a minute")
    return mido.MetaMessage("set_tempo", tempo=_held(tempo))


def _microseconds(tempo: Tempo) -> int:
    return round(min(MICROSECONDS / tempo.qpm, 2 * LONGEST_QUARTER))


def _held(tempo: Tempo) -> int:
    """Return the nearest number of microseconds a quarter note that a file can hold."""
    return min(max(_microseconds(tempo), 1), LONGEST_QUARTER)


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
        message.time, previous = time - previous, time
    return [message for _, message in timed]
