"""Known collections: of music, from packages that are installed anyway; of digits, downloaded."""

from musicgen.datasets.digits import Digits, load_digits
from musicgen.datasets.download import download
from musicgen.datasets.music21_corpus import COLLECTIONS, Collection, export
from musicgen.datasets.polyphonic import Polyphonic, load_polyphonic
from musicgen.datasets.shakespeare import load_shakespeare

__all__ = [
    "COLLECTIONS",
    "Collection",
    "Digits",
    "Polyphonic",
    "download",
    "export",
    "load_digits",
    "load_polyphonic",
    "load_shakespeare",
]
