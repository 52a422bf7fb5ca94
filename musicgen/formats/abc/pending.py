"""What one voice has yet to finish while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.formats.abc.score import Sound

if TYPE_CHECKING:
    from musicgen.formats.abc.rhythm import Rhythm

__all__ = ["Pending", "nothing"]

ONE = Fraction(1)


def nothing() -> Sound:
    """Make a sound that nothing is known of yet."""
    return Sound(0, 0, (), ONE)


@dataclass(slots=True)
class Pending:
    """What one voice has yet to finish.

    Attributes
    ----------
    rhythm
        Its tuplet and broken rhythm.
    before
        Holds what is written before a sound and belongs to it, until that sound comes.
    last
        The sound before, which slurs and ties lead from.
    in_bar
        Whether `last` stands in the bar that goes on.
    slurs
        Sounds at which slurs start that have not ended.
    """

    rhythm: Rhythm
    before: Sound = field(default_factory=nothing)
    last: Sound | None = None
    in_bar: bool = False
    slurs: list[Sound] = field(default_factory=list)
