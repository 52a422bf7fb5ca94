"""Reading bar lines, and what stands beside them, character by character."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musicgen.formats.abc.fields import parse_meter
from musicgen.formats.abc.grammar.body import FIELDS, Body, Place, Signs
from musicgen.formats.abc.grammar.filling import TICKS
from musicgen.formats.abc.grammar.form import Repeat
from musicgen.formats.abc.grammar.words import BARS, ENDINGS

if TYPE_CHECKING:
    from musicgen.formats.abc.grammar.bar_time import BarTime
    from musicgen.formats.abc.grammar.form import Form
    from musicgen.formats.abc.grammar.sounds import SoundReader

__all__ = ["BarReader"]


class BarReader:
    """Reads bar lines, endings and fields in brackets, and the start of a bar.

    Parameters
    ----------
    time
        Tells what fits into a bar.
    sounds
        Reads what a bar starts with.
    """

    def __init__(self, time: BarTime, sounds: SoundReader) -> None:
        self._time, self._lexicon, self._sounds = time, time.lexicon, sounds
        self.steps = {
            Place.FRESH: self._fresh, Place.BRACKET: self._bracket, Place.BAR: self._bar,
            Place.FIELD: self._field,
        }  # fmt: skip

    def _fresh(self, body: Body, character: str) -> Body | None:
        form, word = body.form, body.word
        has_field = body.signs & (Signs.METRE | Signs.KEY | Signs.TEMPO)
        if character == "\n":
            can = word in ("", " ") and not has_field
            return body._replace(word="\n") if can else None
        if form.is_over:
            return None
        if character == " ":
            return None if word or has_field else body._replace(word=" ")
        if character == "[":
            return body._replace(place=Place.BRACKET, word="[")
        if form.repeat == Repeat.DUE:
            return None
        if character == "|" and body.signs & Signs.START:
            return body._replace(place=Place.BAR, word="|")
        return self._sounds.before_sound(body._replace(signs=Signs.NONE, word=""), character)

    def _bar(self, body: Body, character: str) -> Body | None:
        word = body.word + character
        if self._lexicon.bars.begins(word):
            return body._replace(word=word)
        if word[-2] == "[":
            fresh = self.settled(body, body.word[:-1])
            bracket = self._fresh(fresh, "[") if fresh is not None else None
            return self._bracket(bracket, character) if bracket is not None else None
        fresh = self.settled(body, body.word)
        return self._fresh(fresh, character) if fresh is not None else None

    def settled(self, body: Body, word: str) -> Body | None:
        """Return the state after a bar line; None where it cannot stand."""
        if word not in BARS:
            return None
        kind, ending = BARS[word]
        before, lack = body.form, body.left
        if body.signs & Signs.START:
            opened = before.opened()
            can = kind == "|:" and self._time.can_close(opened)
            return self._started(body, opened, before.whole) if can else None
        after = before.after(kind, lack, ending)
        is_plain = kind == "|" and not ending
        if not is_plain and (body.tie or body.slur):
            return None
        last = not ending and not body.tie and not body.slur and before.may_end(kind, lack)
        if after is None:
            return self._started(body, before._replace(measures=0), 0) if last else None
        if not self._time.can_close(after):
            return None
        splits = lack and not before.is_first and not ending and after.repeat != Repeat.DUE
        signs = Signs.PLAIN * is_plain | Signs.LAST * last
        return self._started(body, after, lack if splits else after.whole, signs)

    @staticmethod
    def _started(body: Body, form: Form, left: int, signs: int = Signs.NONE) -> Body:
        return body._replace(
            form=form, left=left, place=Place.FRESH, word="", pitch="", signs=signs
        )

    def _bracket(self, body: Body, character: str) -> Body | None:
        if body.word:
            if character in "12":
                return self._ending(body, ENDINGS["[" + character])
            if character in FIELDS:
                return body._replace(place=Place.FIELD, word="[" + character)
            if body.form.repeat == Repeat.DUE:
                return None
            body = body._replace(signs=Signs.NONE)
        can = not body.tie and not body.signs & Signs.TRILLED
        if not can or not self._lexicon.pitches.begins(character):
            return None
        return body._replace(place=Place.CHORD, word=character, notes=())

    def _ending(self, body: Body, number: int) -> Body | None:
        if body.tie or body.slur or (number == 1 and not body.signs & Signs.PLAIN):
            return None
        if body.left != body.form.whole or body.form.is_first:
            return None
        form = body.form.enter(number)
        if form is None or not self._time.can_close(form):
            return None
        return self._started(body, form, body.left)._replace(word="[")

    def _field(self, body: Body, character: str) -> Body | None:
        fields = self._lexicon.fields
        word = body.word + character
        if not fields.begins(word):
            return None
        return self.with_field(body, word) if character == "]" else body._replace(word=word)

    @staticmethod
    def takes_field(body: Body, letter: str) -> bool:
        """Whether a field in brackets can stand, as far as its letter tells."""
        is_free = not (body.tie or body.slur or body.signs & FIELDS[letter])
        return is_free and body.left == body.form.whole and body.form.repeat != Repeat.DUE

    def with_field(self, body: Body, word: str) -> Body | None:
        """Return the state after a field in brackets; None where it cannot stand."""
        sign, form = FIELDS[word[1]], body.form
        if not self.takes_field(body, word[1]):
            return None
        signs = body.signs & ~(Signs.PLAIN | Signs.LAST | Signs.START) | sign
        body = body._replace(place=Place.FRESH, word="]", signs=signs)
        if sign != Signs.METRE:
            return body
        metre = parse_meter(word[3:-1])
        if metre is None or form.is_first or (form.early and form.pickup):
            return None
        whole, rest = divmod(TICKS * metre.numerator, metre.denominator)
        fills = self._time.filling(body).fills
        lengths = (whole, whole - form.pickup, form.pickup)
        if rest or form.pickup >= whole or not all(map(fills, lengths)):
            return None
        form = form._replace(whole=whole)
        return body._replace(form=form, left=whole, compound=metre.is_compound)
