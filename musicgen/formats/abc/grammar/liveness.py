"""Whether what has been written can be completed."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from musicgen.formats.abc.grammar.body import FIELDS, Body, Place, Signs
from musicgen.formats.abc.grammar.form import Repeat
from musicgen.formats.abc.grammar.words import BARS

if TYPE_CHECKING:
    from musicgen.formats.abc.grammar.reading import Reader

__all__ = ["Liveness"]

NONE: frozenset[str] = frozenset()


class Liveness:
    """Tells whether music can go on from a state up to its end, with the words at hand.

    Parameters
    ----------
    reader
        What reads the music.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lexicon = reader.lexicon
        self._known: dict[Hashable, bool] = {}
        self._tuplets: dict[Hashable, frozenset[str]] = {}
        self._settling: dict[Hashable, frozenset[str]] = {}

    def lives(self, body: Body) -> bool:
        """Whether an end can be reached."""
        lexicon = self._lexicon
        match body.place:
            case Place.FRESH:
                return self._fresh(body)
            case Place.PITCH | Place.NOTE:
                return self._note(body)
            case Place.AFTER | Place.MIDDLE:
                return self._after(body)
            case Place.BROKEN:
                started = self._reader.sounds.in_broken(body)
                return started is not None and self.has_room(started)
            case Place.PAREN:
                opens = not body.slur and ")" in lexicon.texts
                return (opens and self.has_room(body)) or self._tuplet(body)
            case Place.TUPLET:
                return self._tuplet(body)
            case Place.BRACKET:
                return self._bracket(body)
            case Place.CHORD:
                return self._chord(body)
            case Place.BAR:
                return self._bar(body)
            case Place.FIELD:
                return self._field(body, body.word)
            case Place.QUOTE:
                return self._quote(body) and self.has_room(body)
            case Place.NAME:
                names, read = lexicon.names.spelled(body.word), self._reader.sounds.decorated
                can = any(read(body, name) is not None for name in names)
                return can and self.has_room(body)
            case Place.GRACE:
                closes = "}" in lexicon.texts and lexicon.pitches.leads(body.word)
                return closes and self.has_room(body)
        return self.has_room(body)

    def may_end(self, body: Body) -> bool:
        """Whether the tune may end here."""
        if body.place == Place.FRESH:
            return body.form.is_over or bool(body.signs & Signs.LAST)
        if body.place != Place.BAR or body.signs & Signs.START or body.word not in BARS:
            return False
        kind, ending = BARS[body.word]
        return not (ending or body.tie or body.slur) and body.form.may_end(kind, body.left)

    def _fresh(self, body: Body) -> bool:
        if body.form.repeat == Repeat.DUE:
            return "[2" in self._lexicon.endings.reachable("")
        return body.form.is_over or self.has_room(body)

    def has_room(self, body: Body) -> bool:
        """Whether a sound can come before the next bar line."""
        return self._completes(body, "")

    def tuplets(self, body: Body) -> frozenset[str]:
        """Return the signs of tuplets that fit into the bar."""
        if body.tuplet[0] or body.broken:
            return NONE
        key = self._reader.time.lefts(body), body.unit, body.compound
        found = self._tuplets.get(key)
        if found is None:
            starts = {
                word: body._replace(word=word) for word in self._lexicon.tuplets.reachable("")
            }
            found = self._tuplets[key] = frozenset(
                word
                for word in starts
                if (started := self._reader.sounds.in_tuplet(starts[word])) is not None
                and self.has_room(started)
            )
        return found

    def settling(self, body: Body) -> frozenset[str]:
        """Return the bar lines that can stand here, the tune going on or ending with them."""
        is_start = body.signs & Signs.START
        key = body.form, body.left, body.unit, body.tie, body.slur, is_start
        found = self._settling.get(key)
        if found is None:
            found = frozenset(word for word in BARS if self._settles(body, word))
            self._settling[key] = found
        return found

    def _completes(self, body: Body, word: str) -> bool:
        """Whether a sound can come whose length starts so, and the bar be completed."""
        lefts = self._reader.time.lefts(body)
        key = lefts, body.unit, body.tuplet, body.broken, word
        found = self._known.get(key)
        if found is None:
            times = self._lexicon.times(body.unit, word)
            found = any(self._reader.time.takes(body, time) for time in times)
            self._known[key] = found
        return found

    def _note(self, body: Body) -> bool:
        if body.place == Place.PITCH or (body.tie and not body.word):
            pitches = self._lexicon.pitches.reachable(body.pitch)
            if body.tie:
                pitches &= {body.tie, body.tie.lstrip("^_=")}
            if not pitches:
                return False
        return self._completes(body, body.word)

    def _after(self, body: Body) -> bool:
        if self.has_room(body):
            return True
        if body.broken or body.tuplet[0] or not self._reader.time.ends_here(body):
            return False
        return not body.tie or body.form.after("|", body.left) is not None

    def _tuplet(self, body: Body) -> bool:
        return not self.tuplets(body).isdisjoint(self._lexicon.tuplets.reachable(body.word))

    def _bracket(self, body: Body) -> bool:
        if body.word:
            for word in self._lexicon.endings.reachable("["):
                if self._reader.read(body, word[1]) is not None:
                    return True
            if any(self._field(body, f"[{letter}") for letter in FIELDS):
                return True
            if body.form.repeat == Repeat.DUE:
                return False
        if body.tie or body.signs & Signs.TRILLED:
            return False
        return "]" in self._lexicon.texts and self.has_room(body)

    def _field(self, body: Body, start: str) -> bool:
        bars, fields = self._reader.bars, self._lexicon.fields
        if not bars.takes_field(body, start[1]):
            return False
        if start[1] != "M":
            return fields.leads(start)
        return any(bars.with_field(body, word) is not None for word in fields.spelled(start))

    def _chord(self, body: Body) -> bool:
        pitches = self._lexicon.pitches.reachable(body.word)
        names = {note.lstrip("^_=") for note in body.notes}
        free = any(pitch.lstrip("^_=") not in names for pitch in pitches)
        return free and "]" in self._lexicon.texts and self.has_room(body)

    def _bar(self, body: Body) -> bool:
        reader = self._reader
        if not self.settling(body).isdisjoint(self._lexicon.bars.reachable(body.word)):
            return True
        if body.word.endswith("["):
            fresh = reader.bars.settled(body, body.word[:-1])
            bracket = reader.read(fresh, "[") if fresh is not None else None
            return bracket is not None and self._bracket(bracket)
        return False

    def _settles(self, body: Body, word: str) -> bool:
        """Whether a bar line can stand, and the tune go on or end."""
        fresh = self._reader.bars.settled(body, word)
        return fresh is not None and (self._fresh(fresh) or bool(fresh.signs & Signs.LAST))

    def _quote(self, body: Body) -> bool:
        if body.word[1:2] in tuple("^_<>@"):
            longer = any(len(text) == 1 and text.isprintable() for text in self._lexicon.texts)
            return '"' in self._lexicon.texts and (len(body.word) > 2 or longer)
        return self._lexicon.chords.leads(body.word)
