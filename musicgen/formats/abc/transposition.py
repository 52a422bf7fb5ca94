"""By how much a voice sounds above or below what is written."""

from __future__ import annotations

import re

from musicgen.formats.abc.fields import parse_key

__all__ = ["Transposition", "key_text"]

_PROPERTY = re.compile(r"\b(octave|transpose)=([+-]?\d{1,2})(?!\d)")
_TEXT = re.compile(r'(?<!clef=)"[^"]*"')
_NAMES = "treble|bass|alto|tenor|perc"
_CLEF = re.compile(
    rf'(?:\bclef="?(?:{_NAMES}|[GFC])|(?<![\w=])(?:{_NAMES}))\d?([+-](?:8|15))?(?!\w)'
)
_DIRECTIVE = re.compile(r"MIDI[ \t]+transpose[ \t]+([+-]?\d{1,2})(?!\d)")
_OCTAVES = {"8": 1, "15": 2}


_WRITTEN = re.compile(
    r"\b(?:octave|transpose)=[+-]?\d{1,2}(?!\d)"
    rf"|(?:\bclef=(?:{_NAMES}|[GFC])|(?<![\w=])(?:{_NAMES}))\d?(?:[+-]\d{{1,2}})?(?!\w)"
)


def key_text(value: str) -> str:
    """Write the value of ``K:`` in its usual spelling, with clef and transposition.

    Examples
    --------
    >>> key_text("D dorian clef=bass middle=d octave=-1")
    'Ddor clef=bass octave=-1'
    >>> key_text("bass"), key_text("")
    ('bass', 'none')
    """
    return " ".join([parse_key(value).text, *_WRITTEN.findall(value)]).strip()


class Transposition:
    """The transposition of one voice.

    Each of ``octave=``, ``transpose=``, a clef such as ``treble-8`` and the directive
    ``%%MIDI transpose`` holds until the same is said again.

    Examples
    --------
    >>> transposition = Transposition()
    >>> transposition.read("clef=treble-8 transpose=-2")
    >>> transposition.semitones
    -14
    """

    def __init__(self) -> None:
        self.semitones = 0
        self._said: dict[str, int] = {}

    def read(self, value: str) -> None:
        """Take the value of a ``K:`` field, or that of a ``V:`` field after the voice's name."""
        value = _TEXT.sub("", value)
        for name, number in _PROPERTY.findall(value):
            self._said[name] = int(number) * (12 if name == "octave" else 1)
        clef = _CLEF.search(value)
        if clef is not None:
            sign = clef[1] or "+8"
            octaves = _OCTAVES[sign[1:]] if clef[1] else 0
            self._said["clef"] = 12 * (octaves if sign[0] == "+" else -octaves)
        self.semitones = sum(self._said.values())

    def read_directive(self, value: str) -> None:
        """Take the text of a directive."""
        match = _DIRECTIVE.match(value)
        if match is not None:
            self._said["directive"] = int(match[1])
            self.semitones = sum(self._said.values())
