"""The chunks of a WAV file: where its samples stand, and what they are.

The samples of a file whose header is wrong are mostly whole: a recorder that lost its power leaves
the length open, a download stops early. This reads the header for what can be saved.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from musicgen.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FASTEST_RATE", "MOST_CHANNELS", "Chunk", "Layout", "chunks", "layout"]

FASTEST_RATE = 768_000
MOST_CHANNELS = 256

PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
SUBTYPES = {
    (PCM, 1): "PCM_U8", (PCM, 2): "PCM_16", (PCM, 3): "PCM_24", (PCM, 4): "PCM_32",
    (FLOAT, 4): "FLOAT", (FLOAT, 8): "DOUBLE", (A_LAW, 1): "ALAW", (MU_LAW, 1): "ULAW",
}  # fmt: skip
UNKNOWN_LENGTH = 0xFFFFFFFF
SHORTEST_FMT = 14


class Chunk(NamedTuple):
    """One chunk: its four letters, where its content starts, the length that it claims."""

    name: bytes
    start: int
    length: int


class Layout(NamedTuple):
    """Where the samples of a file stand, and how they are stored.

    Attributes
    ----------
    subtype
        libsndfile's word for a stored sample, as ``"PCM_16"``; None for a compressed one, which
        libsndfile must find by itself.
    endian
        ``"LITTLE"`` or ``"BIG"``.
    channels, rate
        As the header says, or as its other fields imply.
    start, stop
        Byte offsets of the samples.
    """

    subtype: str | None
    endian: str
    channels: int
    rate: int
    start: int
    stop: int


def chunks(stream: BinaryIO, big: bool = False) -> Iterator[Chunk]:
    """Walk over the chunks that follow the twelve bytes of the file's own header.

    A chunk of odd length is padded with one byte; where that byte is missing, as some programs
    have it, the next chunk is found all the same.
    """
    size = stream.seek(0, os.SEEK_END)
    place = 12
    while place + 8 <= size:
        stream.seek(place)
        name, length = struct.unpack(">4sI" if big else "<4sI", stream.read(8))
        yield Chunk(name, place + 8, length)
        place += 8 + length
        if length % 2:
            stream.seek(place)
            around = stream.read(5)
            place += _is_name(around[1:]) or not _is_name(around[:4])


def _is_name(letters: bytes) -> bool:
    return len(letters) == 4 and all(32 <= letter < 127 for letter in letters)


def layout(stream: BinaryIO, repairs: list[str]) -> Layout:
    """Read the header of a WAV file.

    Parameters
    ----------
    stream
        The file, known to start as RIFF, RIFX, RF64 or BW64.
    repairs
        Where what was repaired is noted.

    Raises
    ------
    FormatError
        When the samples cannot be found, or not understood.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(12)
    big = head.startswith(b"RIFX")
    found: dict[bytes, Chunk] = {}
    for chunk in chunks(stream, big):
        found.setdefault(chunk.name, chunk)
        # What follows the samples is seldom needed, and nothing but noise if their length is wrong.
        if b"fmt " in found and b"data" in found:
            break
    if b"fmt " not in found:
        raise FormatError("no 'fmt ' chunk, which says what the samples are", offset=12)
    samples = found.get(b"data")
    if samples is None:
        raise FormatError("no 'data' chunk, which holds the samples", offset=12)
    subtype, channels, rate, width = _format(stream, found[b"fmt "], big, repairs)
    length = samples.length
    if length == UNKNOWN_LENGTH and b"ds64" in found:
        stream.seek(found[b"ds64"].start + 8)
        length = int.from_bytes(stream.read(8), "little")
    declared = struct.unpack(">I" if big else "<I", head[4:8])[0] + 8
    stop = _stop(stream, samples.start, length, min(declared, size), size, big, repairs)
    stop -= (stop - samples.start) % width
    if length and stop == samples.start:
        raise FormatError("the file ends before its first whole sample", offset=stop)
    return Layout(subtype, "BIG" if big else "LITTLE", channels, rate, samples.start, stop)


def _stop(
    stream: BinaryIO, start: int, length: int, end: int, size: int, big: bool, repairs: list[str]
) -> int:
    """Return where the samples end, which the header may not know."""
    there = size - start
    if length > there:
        claim = "no length" if length == UNKNOWN_LENGTH else f"{length} bytes"
        repairs.append(f"the header announces {claim} of samples, {there} bytes are there")
        return size
    rest = start + length
    if length == 0 or rest < end:
        stream.seek(rest)
        around = stream.read(4 + length % 2)
        named = _is_name(around[:4]) or _is_name(around[-4:])
        if len(around) >= 4 and not named and (around.strip(b"\0") or length == 0):
            repairs.append(f"the header announces {length} bytes of samples, read all {there}")
            return size
    return rest


def _format(
    stream: BinaryIO, chunk: Chunk, big: bool, repairs: list[str]
) -> tuple[str | None, int, int, int]:
    """Return subtype, channels, rate, and bytes of a sample of all channels."""
    stream.seek(chunk.start)
    content = stream.read(min(chunk.length, 40))
    if len(content) < SHORTEST_FMT:
        raise FormatError(
            f"a 'fmt ' chunk of {len(content)} bytes, expected at least {SHORTEST_FMT}",
            offset=chunk.start,
        )
    order = ">" if big else "<"
    tag, channels, rate, byte_rate, align = struct.unpack(order + "HHIIH", content[:14])
    bits = int.from_bytes(content[14:16], "big" if big else "little")
    if tag == EXTENSIBLE:
        if len(content) >= 26:
            tag = int.from_bytes(content[24:26], "big" if big else "little")
        else:
            tag = PCM
            repairs.append("an extensible header without its extension, taken for integers")
    if align and not 1 <= rate <= FASTEST_RATE and 1 <= byte_rate // align <= FASTEST_RATE:
        repairs.append(f"a rate of {rate} Hz, taken for {byte_rate // align} Hz")
        rate = byte_rate // align
    if not 1 <= rate <= FASTEST_RATE:
        raise FormatError(
            f"{rate} samples a second, expected 1 to {FASTEST_RATE}", offset=chunk.start + 4
        )
    if tag not in (PCM, FLOAT, A_LAW, MU_LAW):
        return None, channels, rate, 1
    channels, width = _shape(tag, channels, align, bits, chunk, repairs)
    return SUBTYPES[tag, width], channels, rate, channels * width


def _shape(
    tag: int, channels: int, align: int, bits: int, chunk: Chunk, repairs: list[str]
) -> tuple[int, int]:
    """Return channels, and bytes of a sample of one channel; three fields of the header say it."""
    width = -(-bits // 8)
    if not channels or align != channels * width:
        if channels and align % channels == 0 and (tag, align // channels) in SUBTYPES:
            # Samples in wider containers than they need fill them from the top.
            container = align // channels
            if bits == 0 or container < width:
                repairs.append(f"{bits} bits a sample, taken for {8 * container}")
            width = container
        elif (tag, width) in SUBTYPES and align and align % width == 0:
            repairs.append(f"{channels} channels, taken for {align // width}")
            channels = align // width
        elif align != channels * width:
            repairs.append(f"{align} bytes for all channels, taken for {channels * width}")
    if not 1 <= channels <= MOST_CHANNELS:
        raise FormatError(
            f"{channels} channels, expected 1 to {MOST_CHANNELS}", offset=chunk.start + 2
        )
    if (tag, width) not in SUBTYPES:
        kind = {PCM: "integer", FLOAT: "floating-point"}.get(tag, "companded")
        raise FormatError(
            f"{kind} samples of {bits} bits are not known",
            offset=chunk.start + 14,
            hint="save the file again with 16, 24 or 32 bits",
        )
    return channels, width
