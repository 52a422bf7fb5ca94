"""The bytes of a MIDI file as chunks, and of a track as events at absolute ticks.

mido writes our files but does not read them: it forgets the delta time before a meta event that
it does not know [1]_, which moves all later notes, and gives up a file for one impossible key.

References
----------
.. [1] mido 1.3.3, ``mido.midifiles.meta.build_meta_message``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Literal, NamedTuple

from musicgen.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["END_OF_TRACK", "KEY", "METRE", "NAME", "TEMPO", "Event", "MidiBytes", "events", "split"]

META = 0xFF00
NAME, END_OF_TRACK, TEMPO, METRE, KEY = (META | kind for kind in (0x03, 0x2F, 0x51, 0x58, 0x59))

CHUNK_HEADER = 8
LONGEST_NUMBER = 4

# How many data bytes follow a system message; such messages do not belong in files, but occur.
SYSTEM_DATA = {0xF1: 1, 0xF2: 2, 0xF3: 1}

CLIPPED = bytes(min(byte, 127) for byte in range(256))


class MidiBytes(NamedTuple):
    """A MIDI file, cut into tracks.

    Attributes
    ----------
    layout
        The header's format word: 0, 1 or 2.
    division
        The header's division word: ticks a quarter note, or SMPTE time when its top bit is set.
    declared
        How many tracks the header announces.
    tracks
        Where the events of each track that is there start and end: byte offsets.
    """

    layout: int
    division: int
    declared: int
    tracks: list[tuple[int, int]]


class Event(NamedTuple):
    """One event of a track.

    Attributes
    ----------
    time
        Ticks since the start of the track.
    status
        The status byte; `META` plus the type for a meta event.
    data
        The bytes after it; those of a channel message are clipped to 127.
    """

    time: int
    status: int
    data: bytes


def split(data: bytes) -> MidiBytes:
    """Find the tracks of a file, with or without a RIFF wrapper; unknown chunks are skipped.

    Raises
    ------
    FormatError
        When `data` is not a MIDI file, or ends before a chunk does.
    """
    start, end = 0, len(data)
    if data.startswith(b"RIFF"):
        inside = (chunk for chunk in _chunks(data, 12, "little") if chunk[0] == b"data")
        _, start, size = next(inside, (b"", end, 0))
        end = min(start + size, end)
    if data[start : start + 4] != b"MThd":
        raise FormatError(
            f"found {data[start : start + 4]!r}, expected 'MThd': this is not a MIDI file",
            offset=start,
        )
    if end < start + CHUNK_HEADER + 6:
        raise FormatError("truncated: the file ends inside its header", offset=end)
    layout, declared, division = struct.unpack_from(">HHH", data, start + CHUNK_HEADER)
    tracks = []
    for name, begin, size in _chunks(data[:end], start, "big"):
        if name == b"MTrk":
            if begin + size > end:
                raise FormatError(
                    f"truncated: the track at byte {begin} should have {size} bytes, "
                    f"the file ends after {end - begin}",
                    offset=end,
                )
            tracks.append((begin, begin + size))
    if declared and not tracks:
        raise FormatError(
            f"truncated: the header announces {declared} tracks, none is there", offset=end
        )
    return MidiBytes(layout, division, declared, tracks)


def _chunks(
    data: bytes, at: int, order: Literal["big", "little"]
) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, start and size of each chunk."""
    while at + CHUNK_HEADER <= len(data):
        name = data[at : at + 4]
        size = int.from_bytes(data[at + 4 : at + CHUNK_HEADER], order)
        at += CHUNK_HEADER
        yield name, at, size
        at += size
        if order == "little":
            at += size % 2  # RIFF pads its chunks to even sizes, MIDI does not


def events(data: bytes, start: int, end: int) -> Iterator[Event]:
    """Yield the events of the track between two byte offsets, up to its end-of-track event.

    A running status survives meta and system events, as many files expect.

    Raises
    ------
    FormatError
        When an event cannot be told or runs past the end of the track.
    """
    track = memoryview(data)[:end]
    at, time, running = start, 0, 0
    try:
        while at < end:
            delta, at = _number(track, at)
            time += delta
            status = track[at]
            if status >= 0x80:
                at += 1
            elif running:
                status = running
            else:
                raise FormatError(f"found 0x{status:02x}, expected a status byte", offset=at)
            if status < 0xF0:
                running = status
                size = 1 if 0xC0 <= status < 0xE0 else 2
            elif status == 0xFF:
                status = META | track[at]
                size, at = _number(track, at + 1)
            elif status in (0xF0, 0xF7):
                size, at = _number(track, at)
            else:
                size = SYSTEM_DATA.get(status, 0)
            content = track[at : at + size].tobytes()
            at += size
            if at > end:
                raise IndexError(at)
            yield Event(time, status, content.translate(CLIPPED) if status < 0xF0 else content)
            if status == END_OF_TRACK:
                break
    except IndexError:
        raise FormatError("the track ends in the middle of an event", offset=end) from None


def _number(track: memoryview, at: int) -> tuple[int, int]:
    """Read a variable-length number; return it and the offset after it."""
    value = 0
    for place in range(at, at + LONGEST_NUMBER):
        byte = track[place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + 1
    raise FormatError(f"found a number of more than {LONGEST_NUMBER} bytes", offset=at)
