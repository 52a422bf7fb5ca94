"""MIDI file → `Music`."""

from __future__ import annotations

import warnings
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from musicgen.errors import FormatError, FormatWarning
from musicgen.formats.midi.events import KEY, METRE, NAME, TEMPO, Event, events, split
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = ["read"]

DRUM_CHANNEL = 9
SMPTE = 0x8000
INDEPENDENT_TRACKS = 2


def read(path: Path) -> list[Music]:
    """Read a file: one piece, or a piece a track for the rare files of type 2.

    A track of the file gives one `Track` for each channel on which it plays notes. A note-off ends
    the earliest sounding note of its pitch; notes still sounding at the end of their track end
    there; a note without length gets one tick. The program is the one in force at the first note.
    Names are read as UTF-8, or else as Latin-1. A first track without notes names the piece.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    list of Music
        Its pieces, in the file's resolution.

    Raises
    ------
    FormatError
        When the file is not MIDI, is damaged, or counts SMPTE frames instead of beats.
    OSError
        When the file cannot be read.

    Warns
    -----
    FormatWarning
        When something was repaired or ignored.
    """
    data = path.read_bytes()
    repairs: list[str] = []
    try:
        layout, division, declared, places = split(data)
        if division == 0:
            raise FormatError("a quarter note has 0 ticks, expected at least 1")
        if division & SMPTE:
            raise FormatError(
                "time is counted in SMPTE frames, expected ticks a quarter note",
                hint="save the file again in beats, with a sequencer",
            )
        if declared > len(places):
            repairs.append(f"the header announces {declared} tracks, found {len(places)}")
        tracks = [events(data, start, end) for start, end in places]
        pieces = [[track] for track in tracks] if layout == INDEPENDENT_TRACKS else [tracks]
        music = [_music(division, piece, repairs) for piece in pieces]
    except FormatError as error:
        error.path = path
        raise
    for repair in dict.fromkeys(repairs):
        warnings.warn(f"{path}: {repair}", FormatWarning, stacklevel=2)
    return music


@dataclass(slots=True)
class _Part:
    """The notes of one channel in one track of the file."""

    program: int
    notes: list[Note] = field(default_factory=list)
    sounding: dict[int, deque[tuple[int, int]]] = field(default_factory=lambda: defaultdict(deque))

    def start(self, time: int, pitch: int, velocity: int) -> None:
        self.sounding[pitch].append((time, velocity))

    def stop(self, time: int, pitch: int) -> None:
        if self.sounding[pitch]:
            onset, velocity = self.sounding[pitch].popleft()
            self.notes.append(Note(onset, pitch, max(time - onset, 1), velocity))

    def stop_all(self, time: int) -> int:
        hanging = [pitch for pitch, onsets in self.sounding.items() for _ in onsets]
        for pitch in hanging:
            self.stop(time, pitch)
        return len(hanging)


@dataclass(slots=True)
class _Content:
    """What one track of the file says; changes are kept by tick, the last one said stays."""

    name: str | None = None
    parts: dict[int, _Part] = field(default_factory=dict)
    tempos: dict[int, Tempo] = field(default_factory=dict)
    metres: dict[int, TimeSignature] = field(default_factory=dict)
    keys: dict[int, KeySignature] = field(default_factory=dict)


def _music(resolution: int, tracks: Sequence[Iterable[Event]], repairs: list[str]) -> Music:
    music = Music(resolution)
    tempos: dict[int, Tempo] = {}
    metres: dict[int, TimeSignature] = {}
    keys: dict[int, KeySignature] = {}
    # A program belongs to the channel, not to the track: some files set all programs in the first.
    programs: dict[int, int] = {}
    for number, track in enumerate(tracks):
        content = _content(track, programs, repairs)
        if number == 0 and not content.parts:
            music.title = content.name or ""
        # Where tracks disagree about a tick, the first one to speak is the conductor.
        tempos = content.tempos | tempos
        metres = content.metres | metres
        keys = content.keys | keys
        for channel, part in sorted(content.parts.items()):
            is_drum = channel == DRUM_CHANNEL
            notes = sorted(part.notes)
            music.tracks.append(Track(part.program, is_drum, content.name or "", notes))
    music.tempos = sorted(tempos.values())
    music.time_signatures = sorted(metres.values())
    music.key_signatures = sorted(keys.values())
    return music


def _content(track: Iterable[Event], programs: dict[int, int], repairs: list[str]) -> _Content:
    content = _Content()
    time = 0
    for time, status, data in track:
        channel = status & 0x0F
        if 0x80 <= status < 0xA0:
            pitch, velocity = data
            if status >= 0x90 and velocity:
                if channel not in content.parts:
                    content.parts[channel] = _Part(programs.get(channel, 0))
                content.parts[channel].start(time, pitch, velocity)
            elif channel in content.parts:
                content.parts[channel].stop(time, pitch)
        elif 0xC0 <= status < 0xD0:
            programs[channel] = data[0]
        elif status == NAME and content.name is None:
            content.name = _text(data)
        elif status == TEMPO:
            if microseconds := int.from_bytes(data[:3]):
                content.tempos[time] = Tempo(time, 60e6 / microseconds)
            else:
                repairs.append("ignored a tempo of 0 microseconds a quarter note")
        elif status == METRE:
            if len(data) >= 2 and data[0] and data[1] <= 7:
                content.metres[time] = TimeSignature(time, data[0], 2 ** data[1])
            else:
                repairs.append(f"ignored an impossible time signature, bytes {data.hex(' ')}")
        elif status == KEY:
            fifths = int.from_bytes(data[:1], signed=True)
            if len(data) >= 2 and abs(fifths) <= 7 and data[1] <= 1:
                mode = "minor" if data[1] else "major"
                content.keys[time] = KeySignature(time, fifths, mode)
            else:
                repairs.append(f"ignored an impossible key signature, bytes {data.hex(' ')}")
    hanging = sum(part.stop_all(time) for part in content.parts.values())
    if hanging:
        repairs.append(f"notes without an end, stopped with their track: {hanging}")
    return content


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
