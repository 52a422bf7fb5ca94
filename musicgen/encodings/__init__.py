"""Pieces ↔ arrays."""

from musicgen.encodings.base import Encoding, Symbols
from musicgen.encodings.characters import Characters

__all__ = ["ENCODINGS", "Characters", "Encoding", "Symbols"]

ENCODINGS: dict[str, type[Encoding]] = {Characters.name: Characters}
