"""What libsndfile writes differently each time: the time into PEAK chunks, a random Ogg serial."""

from __future__ import annotations

import io
import struct
import zlib

from musicgen.formats.wav.riff import chunks

__all__ = ["without_stamps"]

MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
PAGE_HEADER = 27


def without_stamps(stream: io.BytesIO, container: str) -> bytes:
    """Return the bytes of a file that was just written, the stamps in it set to 0.

    Parameters
    ----------
    stream
        The file.
    container
        ``"WAV"``, ``"AIFF"``, ``"OGG"``, or one without stamps.
    """
    if container in ("WAV", "AIFF"):
        for chunk in chunks(stream, big=container == "AIFF"):
            if chunk.name == b"PEAK":
                stream.seek(chunk.start + 4)
                stream.write(bytes(4))
    elif container == "OGG":
        return _with_serial_0(stream.getvalue())
    return stream.getvalue()


def _with_serial_0(data: bytes) -> bytes:
    """Set the serial number in the header of every Ogg page, and its checksum (RFC 3533)."""
    pages = bytearray(data)
    place = 0
    while place < len(pages):
        segments = pages[place + PAGE_HEADER - 1]
        sizes = pages[place + PAGE_HEADER : place + PAGE_HEADER + segments]
        end = place + PAGE_HEADER + segments + sum(sizes)
        pages[place + 14 : place + 18] = bytes(4)
        pages[place + 22 : place + 26] = bytes(4)
        checksum = _checksum(pages[place:end])
        pages[place + 22 : place + 26] = struct.pack("<I", checksum)
        place = end
    return bytes(pages)


def _checksum(page: bytearray) -> int:
    """Return Ogg's CRC-32: zlib's polynomial, but bits in the other order and no inversion.

    Examples
    --------
    >>> hex(_checksum(bytearray(b"123456789")))
    '0x89a1897f'
    """
    mirrored = zlib.crc32(page.translate(MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
