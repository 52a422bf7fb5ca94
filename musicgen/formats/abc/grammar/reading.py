"""Reading the music of a tune, character by character."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musicgen.formats.abc.grammar.bar_lines import BarReader
from musicgen.formats.abc.grammar.bar_time import BarTime
from musicgen.formats.abc.grammar.sounds import SoundReader

if TYPE_CHECKING:
    from musicgen.formats.abc.grammar.body import Body
    from musicgen.formats.abc.grammar.lexicon import Lexicon

__all__ = ["Reader"]


class Reader:
    """Reads music, and refuses what breaks its grammar.

    What it reads may still be impossible to complete; that is for `Liveness` to say.

    Parameters
    ----------
    lexicon
        The words that can be spelled.

    Attributes
    ----------
    time, sounds, bars
        What it is made of.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.time = BarTime(lexicon)
        self.sounds = SoundReader(self.time)
        self.bars = BarReader(self.time, self.sounds)
        self._steps = self.sounds.steps | self.bars.steps

    def read(self, body: Body, character: str) -> Body | None:
        """Return the state after one more character; None where it cannot stand."""
        return self._steps[body.place](body, character)

    def read_all(self, body: Body, text: str) -> Body | None:
        """Return the state after all of a text; None where it cannot stand."""
        for character in text:
            after = self._steps[body.place](body, character)
            if after is None:
                return None
            body = after
        return body
