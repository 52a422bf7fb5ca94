"""MusicXML, the exchange format of notation programs, as text or packed (``.mxl``) [1]_.

The XML is in `document`, what it means in `reading`, and the way back in `writing`. music21 has no
part in it: it does not read scores ordered by time, lets parts drift apart where one of them has a
measure too short, leaves tied notes in chords apart, and does not end on a metre of ten million
beats.

References
----------
.. [1] "MusicXML 4.0", W3C Music Notation Community Group, 2021.
"""

from __future__ import annotations

import re

from musicgen.formats.musicxml.container import ARCHIVE, read_text
from musicgen.formats.musicxml.reading import read
from musicgen.formats.musicxml.writing import to_text, write
from musicgen.music import Music

__all__ = [
    "extensions",
    "kind",
    "losses",
    "name",
    "read",
    "read_text",
    "sniff",
    "to_text",
    "write",
]

name = "musicxml"
extensions = (".musicxml", ".mxl", ".xml")
kind = Music
losses = (
    "times off the grid of notation: they are rounded as the choice of grid says",
    "a change of metre inside a bar: the bar before it gets a metre of its own length",
    "changes of metre, key and tempo off the grid: they move to the nearest 128th note",
    "one of two changes of metre, key or tempo at the same time: the later in the list stays",
    "a change of metre or key that changes nothing",
    "fermatas where no note or rest starts as it is written",
    "the absence of a metre: 4/4 is written",
    "the resolution: 480 ticks a quarter note, or the least multiple in which all notes are exact",
    "an empty list of tracks: one track without notes is written",
    "the order of notes that start together: they come back from the lowest to the highest",
    "characters in names that XML has no place for, and runs of white space",
)

_ROOT = re.compile(r"<(?:!DOCTYPE\s+)?score-(?:partwise|timewise)[\s>/]")


def sniff(head: bytes) -> bool:
    r"""Whether a file that starts with `head` is MusicXML, as text or packed.

    Examples
    --------
    >>> sniff(b"<?xml version='1.0'?>\n<!-- a song -->\n<score-partwise>"), sniff(b"<html>")
    (True, False)
    """
    if head.startswith(ARCHIVE):
        first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
        is_score = first.endswith((b".xml", b".musicxml")) and not first.startswith(b"[")
        is_other = b"application/epub+zip" in head
        return (is_score or b"META-INF/container.xml" in head) and not is_other
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    text = head.decode(encoding, "replace").lstrip()
    return text.startswith("<") and _ROOT.search(text) is not None
