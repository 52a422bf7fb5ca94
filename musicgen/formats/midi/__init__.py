"""Standard MIDI files: types 0, 1 and 2, and MIDI wrapped in RIFF.

The bytes are in `chunks` and `events`, what they mean in `reading`, and the way back in `writing`.

References
----------
.. [1] "Standard MIDI Files 1.0", RP-001, MIDI Manufacturers Association, 1996.
"""

from musicgen.formats.midi.reading import read
from musicgen.formats.midi.writing import write
from musicgen.music import Music

__all__ = ["extensions", "kind", "losses", "name", "read", "sniff", "write"]

name = "midi"
extensions = (".mid", ".midi")
kind = Music
losses = (
    "a resolution above 32,767 ticks a quarter note: times are scaled to 30,240 ticks",
    "notes shorter than a tick: they last one",
    "the tempo, beyond a whole number of microseconds a quarter note, from 1 to 16,777,215",
    "modes other than major and minor: only their signature is kept, as a major key",
    "fermatas",
    "tracks without notes",
    "control characters in names: white space becomes a space, the others go",
    "one of two changes of tempo, metre or key at the same tick: the later in the list stays",
    "the order of notes that start together: they come back from the lowest to the highest",
    "which of two overlapping notes of one pitch in one track ends first: the earlier one does",
)


def sniff(head: bytes) -> bool:
    """Whether a file that starts with `head` is MIDI.

    Examples
    --------
    >>> sniff(b"MThd"), sniff(b"RIFF....RMIDdata"), sniff(b"RIFF....WAVEfmt ")
    (True, True, False)
    """
    return head.startswith(b"MThd") or (head.startswith(b"RIFF") and head[8:12] == b"RMID")
