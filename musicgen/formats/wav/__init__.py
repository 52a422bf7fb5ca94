"""Sound files through libsndfile: WAV, and FLAC, Ogg, AIFF and MP3.

Which container a file is of, `containers` knows; what a WAV header says, and what it should have
said, `riff`; the samples come out of libsndfile in `decoding`, change their rate in `resampling`
and leave in `reading`; the way back is in `writing`.

References
----------
.. [1] "Multimedia Programming Interface and Data Specifications 1.0", IBM and Microsoft, 1991.
.. [2] "Multiple Channel Audio Data and WAVE Files", Microsoft, 2007.
.. [3] EBU Tech 3306, "MBWF / RF64: an extended file format for audio", 2009.
"""

from musicgen.formats.wav.containers import ENDINGS, container
from musicgen.formats.wav.reading import blocks, read
from musicgen.formats.wav.writing import write
from musicgen.music import Audio

__all__ = ["blocks", "extensions", "kind", "losses", "name", "read", "sniff", "write"]

name = "wav"
extensions = tuple(ENDINGS)
kind = Audio
losses = (
    "what lies between two steps of 16 bits, unless more bits are asked for",
    "samples beyond ±1, which are clipped",
    "in .ogg and .mp3, what the encoder thinks nobody hears",
)


def sniff(head: bytes) -> bool:
    """Whether a file that starts with `head` holds sound.

    Examples
    --------
    >>> sniff(b"RIFF....WAVEfmt "), sniff(b"fLaC"), sniff(b"RIFF....RMIDdata")
    (True, True, False)
    """
    return container(head) is not None
