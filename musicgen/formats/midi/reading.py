"""MIDI file → `Music`."""

from __future__ import annotations

import warnings
from collections import defaultdict, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from musicgen.errors import FormatError, FormatWarning
from musicgen.formats.midi.chunks import split
from musicgen.formats.midi.events import KEY, METRE, NAME, TEMPO, Event, events, last_tick
from musicgen.formats.midi.repairs import Repairs
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

__all__ = ["decode", "read"]

DRUM_CHANNEL = 9
LARGEST_FILE = 2**25
BLOCK = 2**16
SMPTE = 0x8000
# What the header calls frames a second: how many frames last how many microseconds.
FRAME_RATES = {24: (24, 10**6), 25: (25, 10**6), 29: (30, 1_001_000), 30: (30, 10**6)}
SIMULTANEOUS, INDEPENDENT = 1, 2
# White space becomes a space, other control characters nothing.
CONTROLS = dict.fromkeys([*range(32), *range(127, 160)]) | dict.fromkeys(b"\t\n\v\f\r", " ")


def read(path: str | os.PathLike[str]) -> list[Music]:
    """Read a file: one piece, or a piece a track for the rare files of type 2.

    A track of the file gives one `Track` for each channel and program with which it plays notes:
    a program change starts a new one. A program holds for the channel, also in later tracks that
    set none. A note-off ends the earliest sounding note of its pitch; notes still sounding at the
    end of their track end there; a note without length gets one tick. Tempo, metre and key count
    for the whole piece in whichever track they stand; of several at one tick the last one holds.
    Names are read as UTF-8, or else as Latin-1, without control characters. A first track without
    notes names the piece.

    A file that counts SMPTE frames knows seconds, not quarter notes: its quarter note is a second
    long, and its tempos and metres do not count.

    Of a damaged file we keep what can be told: each track up to the place where it breaks off.

    Parameters
    ----------
    path
        The file, of up to 32 MiB.

    Returns
    -------
    list of Music
        Its pieces, in the file's resolution.

    Raises
    ------
    FormatError
        When the file is not MIDI, or so damaged that no note is left.
    OSError
        When the file cannot be read.

    Warns
    -----
    FormatWarning
        When something was repaired, ignored or lost: once for each kind of fault.
    """
    path = Path(path)
    repairs = Repairs()
    try:
        pieces = decode(_bytes(path), repairs)
    except FormatError as error:
        error.path = path
        raise
    for text in repairs.texts():
        warnings.warn(f"{path}: {text}", FormatWarning, stacklevel=2)
    return pieces


def _bytes(path: Path) -> bytes:
    """Read a file block by block: devices and pipes have no size to ask for."""
    data = bytearray()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            data += block
            if len(data) > LARGEST_FILE:
                raise FormatError("the file is larger than 32 MiB, no MIDI file is")
    return bytes(data)


def decode(data: bytes, repairs: Repairs) -> list[Music]:
    """Read the bytes of a file, as `read` does.

    Parameters
    ----------
    data
        The file.
    repairs
        Takes what was amiss.

    Raises
    ------
    FormatError
        When `data` is not MIDI, or so damaged that no note is left.
    """
    start, layout, _, division, places = split(data, repairs)
    resolution, tempo = _time(division, start + 12)
    if layout > INDEPENDENT:
        repairs.add(f"found type {layout}, expected 0, 1 or 2; read as type 1", start + 8)
    elif layout < SIMULTANEOUS < len(places):
        repairs.add("found several tracks in a file of type 0, read as type 1", start + 8)
    last = last_tick(resolution)
    tracks = [events(data, begin, end, last, repairs) for begin, end in places]
    groups = [[track] for track in tracks] if layout == INDEPENDENT else [tracks]
    pieces = [_music(resolution, group, repairs) for group in groups]
    if tempo:
        for piece in pieces:
            if piece.tempos or piece.time_signatures:
                repairs.add("ignored tempos and metres, as time is counted in seconds", start + 12)
            piece.tempos, piece.time_signatures = [tempo], []
    if not any(piece.tracks for piece in pieces):
        repairs.refuse_if_lossy()
    return pieces


def _time(division: int, offset: int) -> tuple[int, Tempo | None]:
    """Return the resolution, and the tempo where the division word gives it."""
    if not division & SMPTE:
        if division == 0:
            raise FormatError("a quarter note has 0 ticks, expected at least 1", offset=offset)
        return division, None
    name, ticks = 256 - (division >> 8), division & 0xFF
    if name not in FRAME_RATES or ticks == 0:
        raise FormatError(
            f"found {name} SMPTE frames a second of {ticks} ticks, "
            "expected 24, 25, 29 or 30 of at least 1",
            offset=offset,
        )
    frames, microseconds = FRAME_RATES[name]
    return frames * ticks, Tempo(0, 60e6 / microseconds)


@dataclass(slots=True)
class _Content:
    """What one track of the file says; changes are kept by tick, the last one said stays."""

    name: str | None = None
    parts: dict[tuple[int, int], list[Note]] = field(default_factory=dict)
    tempos: dict[int, Tempo] = field(default_factory=dict)
    metres: dict[int, TimeSignature] = field(default_factory=dict)
    keys: dict[int, KeySignature] = field(default_factory=dict)


def _music(resolution: int, tracks: Sequence[Iterable[Event]], repairs: Repairs) -> Music:
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
        # Where tracks disagree about a tick, the last one holds, as in a player that goes through
        # them in turn: notation programs write 4/4 and C major first, then what the score says.
        tempos |= content.tempos
        metres |= content.metres
        keys |= content.keys
        for (channel, program), notes in sorted(content.parts.items(), key=_channel):
            is_drum = channel == DRUM_CHANNEL
            music.tracks.append(Track(program, is_drum, content.name or "", sorted(notes)))
    music.tempos = sorted(tempos.values())
    music.time_signatures = sorted(metres.values())
    music.key_signatures = sorted(keys.values())
    return music


def _channel(part: tuple[tuple[int, int], list[Note]]) -> int:
    return part[0][0]


def _content(track: Iterable[Event], programs: dict[int, int], repairs: Repairs) -> _Content:
    content = _Content()
    # The notes of a channel and pitch that have not ended: onset, velocity, part and offset.
    sounding: defaultdict[tuple[int, int], deque[tuple[int, int, list[Note], int]]]
    sounding = defaultdict(deque)
    time = 0
    for offset, time, status, data in track:
        channel = status & 0x0F
        if 0x80 <= status < 0xA0:
            pitch, velocity = data
            if status >= 0x90 and velocity:
                part = content.parts.setdefault((channel, programs.get(channel, 0)), [])
                sounding[channel, pitch].append((time, velocity, part, offset))
            elif notes := sounding[channel, pitch]:
                onset, velocity, part, _ = notes.popleft()
                part.append(Note(onset, pitch, max(time - onset, 1), velocity))
        elif 0xC0 <= status < 0xD0:
            programs[channel] = data[0]
        elif status == NAME and content.name is None:
            content.name = _text(data)
        elif status == TEMPO:
            if microseconds := int.from_bytes(data[:3]):
                content.tempos[time] = Tempo(time, 60e6 / microseconds)
            else:
                repairs.add("ignored a tempo of 0 microseconds a quarter note", offset)
        elif status == METRE:
            if len(data) >= 2 and data[0] and data[1] <= 7:
                content.metres[time] = TimeSignature(time, data[0], 2 ** data[1])
            else:
                repairs.add("ignored an impossible time signature", offset, _hex(data))
        elif status == KEY:
            fifths = int.from_bytes(data[:1], signed=True)
            if len(data) >= 2 and abs(fifths) <= 7 and data[1] <= 1:
                mode = "minor" if data[1] else "major"
                content.keys[time] = KeySignature(time, fifths, mode)
            else:
                repairs.add("ignored an impossible key signature", offset, _hex(data))
    for (_, pitch), notes in sounding.items():
        for onset, velocity, part, offset in notes:
            part.append(Note(onset, pitch, max(time - onset, 1), velocity))
            repairs.add("a note without an end, stopped with its track", offset)
    return content


def _hex(data: bytes) -> str:
    return f"bytes {data[:8].hex(' ')}"


def _text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.translate(CONTROLS)
