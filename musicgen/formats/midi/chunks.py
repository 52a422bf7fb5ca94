"""The bytes of a MIDI file as chunks: where its header is, and where each of its tracks."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from musicgen.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from musicgen.formats.midi.repairs import Repairs

__all__ = ["Chunks", "split"]

CHUNK_HEADER = 8
HEADER_SIZE = 6
HEADER = b"MThd" + struct.pack(">I", HEADER_SIZE)
TRACK = b"MTrk"
# A track that ends and is followed by another, whatever its length says.
SEAM = b"\xff\x2f\x00" + TRACK


class Chunks(NamedTuple):
    """A MIDI file, cut into tracks.

    Attributes
    ----------
    start
        Byte offset of the header.
    layout
        The header's format word: 0, 1 or 2.
    declared
        How many tracks the header announces.
    division
        The header's division word: ticks a quarter note, or SMPTE time when its top bit is set.
    tracks
        Where the events of each track that is there start and end: byte offsets.
    """

    start: int
    layout: int
    declared: int
    division: int
    tracks: list[tuple[int, int]]


def split(data: bytes, repairs: Repairs) -> Chunks:
    r"""Find the tracks of a file, with or without a RIFF wrapper; unknown chunks are skipped.

    A wrong length is told by what follows: a track ends where the next one plainly begins, and
    at the end of the file at the latest. Where two files are joined, the first one counts.

    Parameters
    ----------
    data
        The file.
    repairs
        Takes what was amiss.

    Raises
    ------
    FormatError
        When there is no header, or no track.

    Examples
    --------
    >>> from musicgen.formats.midi.repairs import Repairs
    >>> header = b"MThd\0\0\0\6" + bytes([0, 0, 0, 1, 0, 96])
    >>> split(header + b"MTrk\0\0\0\4\0\xff\x2f\0", Repairs())
    Chunks(start=0, layout=0, declared=1, division=96, tracks=[(22, 26)])
    """
    start, end = _place(data, repairs)
    second = data.find(HEADER, start + 1, end)
    if second >= 0:
        repairs.lose("a second file in the file, ignored", second)
        end = second
    if end < start + len(HEADER) + HEADER_SIZE:
        raise FormatError("truncated: the file ends inside its header", offset=end)
    size, layout, declared, division = struct.unpack_from(">IHHH", data, start + 4)
    at = start + CHUNK_HEADER + size
    if size != HEADER_SIZE:
        usual = start + CHUNK_HEADER + HEADER_SIZE
        repairs.add("the header has another length", start + 4, f"{size} bytes, expected 6")
        if size < HEADER_SIZE or at > end or data.startswith(TRACK, usual):
            at = usual
    tracks = list(_tracks(data, at, end, repairs))
    if not tracks:
        raise FormatError(
            f"no track is there, the header announces {declared}", offset=min(at, end)
        )
    if declared > len(tracks):
        repairs.lose(f"the header announces {declared} tracks, found {len(tracks)}", start + 10)
    elif declared < len(tracks):
        repairs.add(f"the header announces {declared} tracks, found {len(tracks)}", start + 10)
    return Chunks(start, layout, declared, division, tracks)


def _place(data: bytes, repairs: Repairs) -> tuple[int, int]:
    """Find where in `data` the MIDI file starts and ends."""
    start, end = 0, len(data)
    if data.startswith(b"RIFF") and data[8:12] == b"RMID":
        for name, begin, size in _riff_chunks(data):
            if name == b"data":
                start, end = begin, min(begin + size, end)
                break
    if data.startswith(b"MThd", start):
        return start, end
    found = data.find(HEADER, start)
    if found < 0 or data.find(HEADER, found + 1) >= 0:
        raise FormatError(
            f"found {data[start : start + 4]!r}, expected 'MThd': this is not a MIDI file",
            offset=start,
        )
    repairs.add("something else before the header, skipped", start, f"{found - start} bytes")
    return found, len(data)


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, start and size of each chunk of a RIFF file."""
    at = 12
    while at + CHUNK_HEADER <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        at += CHUNK_HEADER
        yield name, at, size
        at += size
        # Odd sizes are padded, but some writers forget it; no name starts with a zero.
        at += size % 2 and data[at : at + 1] == b"\0"


def _tracks(data: bytes, at: int, end: int, repairs: Repairs) -> Iterator[tuple[int, int]]:
    """Yield where the events of each track start and end."""
    while at + CHUNK_HEADER <= end:
        name, size = struct.unpack_from(">4sI", data, at)
        begin = at + CHUNK_HEADER
        stop = begin + size
        if name == TRACK:
            seam = data.find(SEAM, begin, min(stop + len(TRACK), end))
            if seam >= 0 and seam + 3 < stop:
                repairs.add("a track is shorter than it says", at, f"{size} bytes")
                stop = seam + 3
            elif stop > end:
                detail = f"the track should have {size} bytes, the file ends after {end - begin}"
                repairs.lose("truncated", end, detail)
                stop = end
            yield begin, stop
            at = stop
        elif stop <= end and name.isascii() and name.decode().isprintable():
            at = stop
        else:
            following = data.find(TRACK, at + 1, end)
            if following < 0:
                break
            repairs.lose("no chunk, skipped to the next track", at, repr(name))
            at = following
    if at < end:
        repairs.add("something else after the last track, ignored", at)
