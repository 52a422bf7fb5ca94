"""Reading the sounds of a tune, character by character."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musicgen.formats.abc.grammar.body import BEFORE_NOTES, Body, Place, Signs
from musicgen.formats.abc.grammar.filling import NO_TUPLET, Filling
from musicgen.formats.abc.grammar.words import LENGTHS, TUPLETS
from musicgen.formats.abc.interpretation import TUPLET_TIMES

if TYPE_CHECKING:
    from musicgen.formats.abc.grammar.bar_time import BarTime

__all__ = ["SoundReader"]

DECORATIONS = frozenset(".~LMPTuv")
TRILLS = frozenset({"~", "T", "!trill!"})
SHORT = frozenset({"~", ".", "!staccato!"})
PLACES = frozenset("^_<>@")
MAX_CHORD = 4
MAX_GRACE = 6
MAX_ANNOTATION = 24

REST, CHORD = "z", "]"


class SoundReader:
    """Reads notes, rests and chords, and what stands before and between them.

    Parameters
    ----------
    time
        Tells what fits into a bar.
    """

    def __init__(self, time: BarTime) -> None:
        self._time, self._lexicon = time, time.lexicon
        self._last: tuple[Body | None, Body | None] = None, None
        self.steps = {
            Place.SIGNED: self.before_sound, Place.PITCH: self._pitch, Place.NOTE: self._note,
            Place.AFTER: self._after, Place.MIDDLE: self._between, Place.BROKEN: self._broken,
            Place.PAREN: self._paren, Place.TUPLET: self._tuplet, Place.CHORD: self._chord,
            Place.QUOTE: self._quote, Place.NAME: self._name, Place.GRACE: self._grace,
        }  # fmt: skip

    # Before a sound

    def before_sound(self, body: Body, character: str) -> Body | None:
        """Return the state after what starts a sound, or stands before it; None where it cannot."""
        signs = body.signs
        if signs & Signs.LETTERED:
            # Players take a letter for a decoration only right before a note or chord.
            if character == "[":
                return body._replace(place=Place.BRACKET, word="")
            if character in DECORATIONS:
                return self.decorated(body, character)
            return self._pitch(body._replace(pitch=""), character)
        match character:
            case '"':
                can = not signs & Signs.QUOTED
                return body._replace(place=Place.QUOTE, word='"') if can else None
            case "!":
                can = not signs & Signs.TWICE and not body.broken
                return body._replace(place=Place.NAME, word="!") if can else None
            case "{":
                can = not (body.tie or body.broken or signs & Signs.GRACED)
                return body._replace(place=Place.GRACE, word="") if can else None
            case "(":
                return body._replace(place=Place.PAREN, word="(")
            case "[":
                return body._replace(place=Place.BRACKET, word="")
            case "z":
                can = not (body.tie or signs & BEFORE_NOTES or body.form.is_first)
                return body._replace(place=Place.NOTE, word="", pitch=REST) if can else None
        if character in DECORATIONS:
            return self.decorated(body, character)
        return self._pitch(body._replace(pitch=""), character)

    def decorated(self, body: Body, sign: str) -> Body | None:
        """Return the state after a decoration; None where it cannot stand."""
        # Players shorten a staccato note before they dot it, and then find the pair uneven.
        signs = body.signs
        if (
            signs & Signs.TWICE
            or (body.tie and sign in TRILLS)
            or (sign == "." and (body.broken or body.swings))
        ):
            return None
        if sign == "~" and (body.broken or signs):
            return None
        signs |= Signs.TWICE if signs & Signs.DECORATED else Signs.DECORATED
        if len(sign) == 1:
            signs |= Signs.LETTERED
        if sign == "~":
            signs |= Signs.TWICE
        if sign in TRILLS:
            signs |= Signs.TRILLED
        if sign in SHORT:
            signs |= Signs.SHORT
        return body._replace(place=Place.SIGNED, word="", signs=signs)

    def _quote(self, body: Body, character: str) -> Body | None:
        word = body.word + character
        if word[1:2] in PLACES:
            if character == '"':
                return self._quoted(body) if len(word) > 3 else None
            can = (
                len(word) <= MAX_ANNOTATION and character.isprintable() and character not in "%\\;"
            )
            return body._replace(word=word) if can else None
        if not self._lexicon.chords.begins(word):
            return None
        return self._quoted(body) if character == '"' else body._replace(word=word)

    def _quoted(self, body: Body) -> Body:
        return body._replace(place=Place.SIGNED, word="", signs=body.signs | Signs.QUOTED)

    def _name(self, body: Body, character: str) -> Body | None:
        word = body.word + character
        if not self._lexicon.names.begins(word):
            return None
        if character == "!":
            return self.decorated(body, word)
        return body._replace(word=word)

    def _grace(self, body: Body, character: str) -> Body | None:
        pitches = self._lexicon.pitches
        if pitches.begins(body.word + character):
            return body._replace(word=body.word + character)
        if body.word not in pitches.words:
            return None
        notes = (*body.notes, body.word)
        if character == "}":
            signs = body.signs | Signs.GRACED
            return body._replace(place=Place.SIGNED, word="", notes=(), signs=signs)
        if len(notes) == MAX_GRACE or not pitches.begins(character):
            return None
        return body._replace(word=character, notes=notes)

    def _paren(self, body: Body, character: str) -> Body | None:
        if "2" <= character <= "9":
            if body.tuplet[0] or body.broken:
                return None
            return body._replace(place=Place.TUPLET, word="(" + character)
        if body.slur or ")" not in self._lexicon.texts:
            return None
        signs = body.signs | Signs.OPENED
        opened = body._replace(place=Place.SIGNED, word="", slur=True, signs=signs)
        return self.before_sound(opened, character)

    def _tuplet(self, body: Body, character: str) -> Body | None:
        if self._lexicon.tuplets.begins(body.word + character):
            return body._replace(word=body.word + character)
        started = self.in_tuplet(body)
        return self.before_sound(started, character) if started is not None else None

    def in_tuplet(self, body: Body) -> Body | None:
        """Return the state after the sign of a tuplet; None where it is no whole sign."""
        if body.word not in TUPLETS:
            return None
        p, q, r = TUPLETS[body.word]
        q = q or TUPLET_TIMES.get(p, 3 if body.compound else 2)
        return body._replace(place=Place.SIGNED, word="", tuplet=(r, q, p))

    # Sounds

    def _pitch(self, body: Body, character: str) -> Body | None:
        pitch = body.pitch + character
        if not self._lexicon.pitches.begins(pitch) or (
            body.tie and not _continues(pitch, body.tie)
        ):
            return None
        place = Place.PITCH if character in "^_=" else Place.NOTE
        return body._replace(place=place, word="", pitch=pitch)

    def _note(self, body: Body, character: str) -> Body | None:
        if character in ",'":
            can = not body.word and body.pitch not in (REST, CHORD)
            return self._pitch(body, character) if can else None
        if self._lexicon.lengths.begins(body.word + character):
            return body._replace(word=body.word + character) if _resolves(body) else None
        if character in "<>":
            return self._break(body, character)
        after = self.committed(body)
        return self._after(after, character) if after is not None else None

    def _break(self, body: Body, sign: str) -> Body | None:
        """Apply a broken rhythm to the sound that is being read."""
        if body.broken or body.tuplet[0] or body.signs & Signs.SHORT or not _resolves(body):
            return None
        return body._replace(place=Place.BROKEN, word=body.word + sign)

    def _broken(self, body: Body, character: str) -> Body | None:
        if character == body.word[-1]:
            can = not body.word.endswith(character * 2)
            return body._replace(word=body.word + character) if can else None
        started = self.in_broken(body)
        if started is None:
            return None
        if character == " ":
            return started._replace(place=Place.MIDDLE, word=" ")
        return self.before_sound(started, character)

    def in_broken(self, body: Body) -> Body | None:
        """Return the state after the sign of a broken rhythm; None where it does not fit."""
        written = body.word.rstrip("<>")
        sign = body.word[len(written) :]
        length = LENGTHS[written] * body.unit
        short = length / 2 ** len(sign)
        if short.denominator != 1:
            return None
        first = int(2 * length - short if ">" in sign else short)
        second = int(2 * length) - first
        if not self._time.fits(body, body.left - int(2 * length), NO_TUPLET):
            return None
        return body._replace(
            left=body.left - first, place=Place.SIGNED, word="", pitch="", notes=(),
            signs=Signs.NONE, broken=(int(length), second), tie="",
        )  # fmt: skip

    def _chord(self, body: Body, character: str) -> Body | None:
        pitches = self._lexicon.pitches
        if pitches.begins(body.word + character):
            return body._replace(word=body.word + character)
        if body.word not in pitches.words or _note_name(body.word) in map(_note_name, body.notes):
            return None
        notes = (*body.notes, body.word)
        if character == "]":
            return body._replace(place=Place.NOTE, word="", pitch=CHORD, notes=())
        if len(notes) == MAX_CHORD or not pitches.begins(character):
            return None
        return body._replace(word=character, notes=notes)

    def committed(self, body: Body) -> Body | None:
        """Return the state after the sound that is being read; None where it does not fit."""
        # The same sound is asked for with every text that could follow.
        if body is not self._last[0]:
            self._last = body, self._commit(body)
        return self._last[1]

    def _commit(self, body: Body) -> Body | None:
        times = self._lexicon.times(body.unit, body.word)
        time = int(LENGTHS[body.word] * body.unit)
        if time not in times or not _resolves(body) or not self._time.takes(body, time):
            return None
        left, q, p = body.tuplet
        taken = body.broken[1] if body.broken else Filling.scaled(time, body.tuplet)
        return body._replace(
            left=body.left - taken, place=Place.AFTER, word="", notes=(), signs=Signs.NONE,
            pitch="" if body.pitch in (REST, CHORD) or body.signs & Signs.SHORT else body.pitch,
            tuplet=(left - 1, q, p) if left > 1 else NO_TUPLET, broken=(), tie="",
        )  # fmt: skip

    # After a sound

    def _after(self, body: Body, character: str) -> Body | None:
        if character == "-":
            can = body.pitch.lstrip("^_=") in self._lexicon.plain_pitches and not body.tie
            return body._replace(tie=body.pitch, pitch="") if can else None
        if character == " ":
            return body._replace(place=Place.MIDDLE, word=" ", pitch="")
        return self._between(body, character)

    def _between(self, body: Body, character: str) -> Body | None:
        if character == ")":
            can = body.slur and not body.broken
            return body._replace(slur=False, pitch="") if can else None
        if character in "|:":
            can = not body.tuplet[0] and not body.broken and self._time.ends_here(body)
            return body._replace(place=Place.BAR, word=character, pitch="") if can else None
        return self.before_sound(body._replace(word="", pitch=""), character)


def _continues(pitch: str, tie: str) -> bool:
    """Whether a note can become the one that a tie leads to, accidental left out or not."""
    return tie.startswith(pitch) or tie.lstrip("^_=").startswith(pitch)


def _resolves(body: Body) -> bool:
    """Whether what is read is the note that a tie leads to, where one does."""
    return not body.tie or body.pitch in (body.tie, body.tie.lstrip("^_="))


def _note_name(pitch: str) -> str:
    return pitch.lstrip("^_=")
