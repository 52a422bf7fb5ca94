"""The containers of sound: how their files start, and how their names end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["container", "container_of_name"]

ENDINGS = {".flac": "FLAC", ".ogg": "OGG", ".aiff": "AIFF", ".aif": "AIFF", ".mp3": "MP3"}
RIFF = (b"RIFF", b"RIFX", b"RF64", b"BW64")


def container(head: bytes) -> str | None:
    """Return the container of a file that starts with `head`, in libsndfile's words.

    Examples
    --------
    >>> container(b"OggS"), container(b"FORM....AIFC"), container(b"MThd")
    ('OGG', 'AIFF', None)
    """
    form = head[8:12]
    if head[:4] in RIFF:
        return "WAV" if form == b"WAVE" else None
    if head[:4] == b"FORM":
        return "AIFF" if form in (b"AIFF", b"AIFC") else None
    if head[:4] == b"fLaC":
        return "FLAC"
    if head[:4] == b"OggS":
        return "OGG"
    return "MP3" if head[:3] == b"ID3" or _starts_mpeg_frame(head) else None


def container_of_name(path: Path) -> str:
    """Return the container that the ending of a name asks for; WAV where it asks for none."""
    return ENDINGS.get(path.suffix.lower(), "WAV")


def _starts_mpeg_frame(head: bytes) -> bool:
    """Whether the 32 bits of a layer III header are there: sync, version, bit rate, sample rate.

    Any two bytes of text in UTF-16 could pass for the sync alone.
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return False
    version, bit_rate, sample_rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and 0 < bit_rate < 15 and sample_rate != 3
