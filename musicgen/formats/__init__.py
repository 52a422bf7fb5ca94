"""Files ↔ pieces: one module or package a format, usable without the rest of the project.

>>> from musicgen.formats import midi
>>> midi.kind.__name__, midi.extensions
('Music', ('.mid', '.midi'))
"""

from musicgen.formats.base import Format
from musicgen.formats.registry import detect, for_extension, get, names

__all__ = ["Format", "detect", "for_extension", "get", "names"]
