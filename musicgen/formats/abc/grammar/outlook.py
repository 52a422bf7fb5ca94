"""What decides which texts can follow in the music."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musicgen.formats.abc.grammar.body import Body, Place
from musicgen.formats.abc.grammar.sounds import CHORD, MAX_ANNOTATION, PLACES, REST
from musicgen.formats.abc.grammar.words import BARS

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable

    from musicgen.formats.abc.grammar.liveness import Liveness
    from musicgen.formats.abc.grammar.reading import Reader

__all__ = ["APART", "FAR", "Outlook"]

APART = frozenset({Place.PITCH, Place.CHORD, Place.GRACE, Place.QUOTE, Place.NAME, Place.FIELD})
"""Where notes differ in what they can be."""

FAR = 4
"""The end of the tune is out of sight from so many measures before it: a text brings one bar line,
and what can follow that is decided by whether one or two measures are left."""


class Outlook:
    """Sums up states: two with the same digest can be followed by the same texts.

    What can follow within a bar hangs on time only by whether a sound still fits, which tuplets
    and lengths do, and whether the bar may end; not on the form of the tune.

    Parameters
    ----------
    reader
        What reads the music.
    liveness
        What tells whether it can be completed.
    texts
        What may be written.
    """

    def __init__(self, reader: Reader, liveness: Liveness, texts: Collection[str]) -> None:
        self._reader, self._liveness = reader, liveness
        self._lexicon = reader.lexicon
        self._in_words = all(map(reader.lexicon.is_word, texts))
        self._longest = max(map(len, texts), default=1)
        bars = max((text.count("|") + text.count("::") for text in texts), default=1)
        self.reach = max(bars, 1)
        self.far = FAR - 1 + self.reach

    def digest(self, body: Body) -> Hashable:
        """Return what decides which texts can follow."""
        match body.place:
            case Place.NOTE:
                after = self._reader.sounds.committed(body)
                return self.of_length(body), after and self.digest(after)
            case Place.AFTER | Place.MIDDLE:
                pitch = body.pitch.lstrip("^_=")
                ties = pitch in self._lexicon.plain_pitches and bool(pitch)
                return ties, self._of_end(body), self._of_sound(body)
            case Place.FRESH:
                return self._of_start(body)
            case Place.BRACKET | Place.FIELD:
                return self._of_start(body) if body.word else self._of_sound(body)
            case Place.BAR:
                word = body.word.removesuffix("[")
                fresh = self._reader.bars.settled(body, word) if word in BARS else None
                settling, ends = self._liveness.settling(body), self._liveness.may_end(body)
                return body.word, body.tie, settling, ends, fresh and self._of_start(fresh)
            case Place.BROKEN:
                started = self._reader.sounds.in_broken(body)
                twice = self._reader.read(body, body.word[-1])
                can = twice is not None and self._liveness.lives(twice)
                return "broken", body.word[-1], can, started and self._of_sound(started)
            case Place.TUPLET:
                started = self._reader.sounds.in_tuplet(body)
                fitting = self._liveness.tuplets(body)
                return body.word, fitting, started and self._of_sound(started)
            case Place.QUOTE if body.word[1:2] in PLACES:
                length = len(body.word)
                room = min(MAX_ANNOTATION - length, self._longest)
                return body.word[1], min(length, 3), room, self._of_sound(body)
            case Place.PITCH:
                return body.pitch, self._of_sound(body)
        return body.word, body.notes, self._of_sound(body)

    def of_length(self, body: Body) -> Hashable:
        """Return what decides how a sound can go on that has been begun."""
        pitch = body.pitch.lstrip("^_=")
        if body.word or body.pitch in (REST, CHORD):
            pitch = "]"
        elif not body.tie:
            pitch = ("c" if pitch.islower() else "C") + pitch[1:]
        return (
            pitch, body.word, self._reader.time.lefts(body), body.unit, body.tuplet, body.broken,
            body.signs, body.tie,
        )  # fmt: skip

    def _of_sound(self, body: Body) -> Hashable:
        """Return what decides which sounds can be begun."""
        liveness = self._liveness
        lefts = () if self._in_words and not body.tie else self._reader.time.lefts(body)
        rest = (
            () if self._in_words else (body.form, body.unit, body.tuplet, body.broken, body.pitch)
        )
        return (
            body.place, body.signs, liveness.has_room(body), liveness.tuplets(body),
            bool(body.tuplet[0]), bool(body.broken), body.form.is_first, body.slur, body.tie,
            body.swings, lefts, rest,
        )  # fmt: skip

    def _of_end(self, body: Body) -> Hashable:
        """Return what decides which bar lines can come."""
        if body.broken or body.tuplet[0] or not self._reader.time.ends_here(body):
            return None
        return self._liveness.settling(body), body.form.after("|", body.left) is not None

    def _of_start(self, body: Body) -> Hashable:
        """Return what decides what can stand at the start of a bar."""
        form = body.form
        is_whole = body.left == form.whole
        form = form._replace(whole=0, measures=min(form.measures, self.far))
        return body.word, form, is_whole, body.unit, self._of_sound(body)
