"""The events of a track at absolute ticks.

mido writes our files but does not read them: it forgets the delta time before a meta event that
it does not know [1]_, which moves all later notes, and gives up a file for one impossible key.

References
----------
.. [1] mido 1.3.3, ``mido.midifiles.meta.build_meta_message``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from musicgen.formats.midi.repairs import Repairs

__all__ = [
    "END_OF_TRACK",
    "KEY",
    "METRE",
    "NAME",
    "TEMPO",
    "Event",
    "events",
    "last_tick",
]

NOTE_ON = 0x9
META = 0xFF00
NAME, END_OF_TRACK, TEMPO, METRE, KEY = (META | kind for kind in (0x03, 0x2F, 0x51, 0x58, 0x59))

LONGEST_NUMBER = 4
LONGEST_DELTA = 2**28 - 1
LONGEST_PIECE = 2**16

# How many data bytes follow a system message; such messages do not belong in files, but occur.
SYSTEM_DATA = {0xF1: 1, 0xF2: 2, 0xF3: 1}

CLIPPED = bytes(min(byte, 127) for byte in range(256))


class Event(NamedTuple):
    """One event of a track.

    Attributes
    ----------
    offset
        Byte offset in the file of the delta time before it.
    time
        Ticks since the start of the track.
    status
        The status byte; `META` plus the type for a meta event.
    data
        The bytes after it; those of a channel message are clipped to 127.
    """

    offset: int
    time: int
    status: int
    data: bytes


def last_tick(resolution: int) -> int:
    """Return the last tick at which we let something end.

    A damaged delta time can reach 2²⁸ ticks, and what counts a piece in frames or samples would
    never end. A piece has 65,536 quarter notes at most, nine hours at 120 a minute, and no more
    ticks than one delta time can hold.

    Examples
    --------
    >>> last_tick(480)
    31457280
    """
    return min(LONGEST_PIECE * resolution, LONGEST_DELTA)


def events(data: bytes, start: int, end: int, last: int, repairs: Repairs) -> Iterator[Event]:
    """Yield the events of a track up to its end-of-track event, or as far as they can be told.

    A running status survives meta and system events, as many files expect.

    Parameters
    ----------
    data
        The file.
    start, end
        Byte offsets between which the track's events are.
    last
        Ticks; what comes later is left out, and so are notes that could only end later.
    repairs
        Takes what was amiss.
    """
    track = memoryview(data)[:end]
    at, time, running = start, 0, 0
    while at < end:
        offset = at
        try:
            delta, at = _number(track, at)
            status = track[at]
            if status >= 0x80:
                at += 1
            elif running:
                status = running
            else:
                detail = f"found 0x{status:02x}, expected a status byte"
                repairs.lose("the rest of a track cannot be read", at, detail)
                return
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
                repairs.add("a system message, which belongs in no file", offset)
            content = track[at : at + size].tobytes()
        except IndexError:
            repairs.lose("a track ends in the middle of an event", offset)
            return
        except OverflowError as error:
            repairs.lose("the rest of a track cannot be read", offset, str(error))
            return
        at += size
        time += delta
        if at > end:
            repairs.lose("a track ends in the middle of an event", offset)
            return
        if time >= last and (time > last or status >> 4 == NOTE_ON):
            repairs.lose("the rest of a track is too late to be true", offset, f"tick {time}")
            return
        if status < 0xF0 and not content.isascii():
            repairs.add("a data byte above 127, clipped", offset, f"bytes {content.hex(' ')}")
            content = content.translate(CLIPPED)
        yield Event(offset, time, status, content)
        if status == END_OF_TRACK:
            if at < end:
                repairs.add("something after the end of a track, ignored", at)
            return
    repairs.add("a track without an end-of-track event", end)


def _number(track: memoryview, at: int) -> tuple[int, int]:
    """Read a variable-length number; return it and the offset after it."""
    value = 0
    for place in range(at, at + LONGEST_NUMBER):
        byte = track[place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + 1
    raise OverflowError(f"found a number of more than {LONGEST_NUMBER} bytes")
