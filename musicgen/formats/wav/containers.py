"""The containers of sound: how their files start, and how their names end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musicgen.errors import FormatError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ENDINGS", "container", "container_of_name"]

ENDINGS = {
    ".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".aiff": "AIFF", ".aif": "AIFF", ".mp3": "MP3",
}  # fmt: skip
# What players expect behind these names, we do not write.
FOREIGN = (
    ".aac", ".aifc", ".amr", ".au", ".caf", ".m4a", ".mka", ".oga", ".opus", ".raw", ".snd",
    ".spx", ".voc", ".w64", ".webm", ".wma",
)  # fmt: skip
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
    """Return the container that the ending of a name asks for; WAV where it asks for none.

    Raises
    ------
    FormatError
        When it asks for one that is not written here.
    """
    ending = path.suffix.lower()
    if ending in FOREIGN:
        raise FormatError(
            f"found the ending {ending}, expected that of a container that can be written",
            hint=f"one of {', '.join(ENDINGS)}",
        )
    return ENDINGS.get(ending, "WAV")


def _starts_mpeg_frame(head: bytes) -> bool:
    """Whether the 32 bits of a layer III header are there: sync, version, bit rate, sample rate.

    Any two bytes of text in UTF-16 could pass for the sync alone.
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return False
    version, bit_rate, sample_rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and 0 < bit_rate < 15 and sample_rate != 3
