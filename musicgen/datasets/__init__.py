"""Known collections of music, ready to train on, from packages that are installed anyway."""

from musicgen.datasets.music21_corpus import COLLECTIONS, Collection, export

__all__ = ["COLLECTIONS", "Collection", "export"]
