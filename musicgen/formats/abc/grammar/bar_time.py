"""The time that a bar has left, and what can fill it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musicgen.formats.abc.grammar.filling import NO_TUPLET, Filling, Tuplet
from musicgen.formats.abc.grammar.form import Repeat
from musicgen.formats.abc.grammar.words import BARS

if TYPE_CHECKING:
    from musicgen.formats.abc.grammar.body import Body
    from musicgen.formats.abc.grammar.form import Form
    from musicgen.formats.abc.grammar.lexicon import Lexicon

__all__ = ["BarTime"]


class BarTime:
    """Tells which sounds and bar lines fit into the time that a bar has left.

    Parameters
    ----------
    lexicon
        The words that can be spelled.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._targets: dict[Form, tuple[int, ...]] = {}
        self._bar_lines: dict[tuple[Form, int], frozenset[str]] = {}

    def filling(self, body: Body) -> Filling:
        """Return what can be filled with the lengths at hand."""
        return self.lexicon.filling(body.unit)

    def lefts(self, body: Body) -> tuple[int, ...]:
        """Return the ticks that can be left to fill, for each place where the bar may end."""
        return tuple([body.left - lack for lack in self.targets(body)])

    def targets(self, body: Body) -> tuple[int, ...]:
        """Return what the measure may lack when a bar line comes; a first pickup apart."""
        form = body.form
        found = self._targets.get(form)
        if found is None:
            lacks = (0,) if form.is_first else form.targets()
            found = tuple(lack for lack in lacks if self.bar_lines(form, lack))
            self._targets[form] = found
        return found

    def bar_lines(self, form: Form, lack: int) -> frozenset[str]:
        """Return the bar lines that the vocabulary has and that can stand there."""
        key = form, lack
        found = self._bar_lines.get(key)
        if found is None:
            words = self.lexicon.bars.reachable("")
            found = frozenset(word for word in words if self._can_stand(form, lack, word))
            self._bar_lines[key] = found
        return found

    def _can_stand(self, form: Form, lack: int, word: str) -> bool:
        kind, ending = BARS[word]
        if not ending and form.may_end(kind, lack):
            return True
        after = form.after(kind, lack, ending)
        return after is not None and self.can_close(after)

    def takes(self, body: Body, time: int) -> bool:
        """Whether the next sound can be written with a length in ticks, and the bar completed."""
        if body.broken:
            return time == body.broken[0] and self.fits(body, body.left - body.broken[1], NO_TUPLET)
        left, q, p = body.tuplet
        tuplet = (left - 1, q, p) if left > 1 else NO_TUPLET
        taken = Filling.scaled(time, body.tuplet)
        return taken > 0 and self.fits(body, body.left - taken, tuplet)

    def fits(self, body: Body, left: int, tuplet: Tuplet) -> bool:
        """Whether a measure can be completed that lacks so much and the rest of a tuplet."""
        filling = self.filling(body)
        return any(filling.fills(left - lack, tuplet) for lack in self.targets(body))

    def ends_here(self, body: Body) -> bool:
        """Whether a bar line can come as far as time is concerned."""
        form, left = body.form, body.left
        if form.is_first and left:
            fills = self.filling(body).fills
            return left < form.whole and fills(left) and fills(form.whole - left)
        return left in self.targets(body)

    def can_close(self, form: Form) -> bool:
        """Whether the vocabulary can close what the form has open."""
        match form.repeat:
            case Repeat.OPEN:
                return self.lexicon.repeats
            case Repeat.FIRST:
                return self.lexicon.second_endings
            case Repeat.DUE:
                return "[2" in self.lexicon.endings.reachable("")
        return True
