"""Reading the music of a tune, character by character."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musicgen.formats.abc.fields import parse_meter
from musicgen.formats.abc.grammar.body import BEFORE_NOTES, FIELDS, Body, Place, Signs
from musicgen.formats.abc.grammar.filling import NO_TUPLET, TICKS, Filling
from musicgen.formats.abc.grammar.form import Repeat
from musicgen.formats.abc.grammar.words import BARS, ENDINGS, LENGTHS, TUPLETS
from musicgen.formats.abc.interpretation import TUPLET_TIMES

if TYPE_CHECKING:
    from musicgen.formats.abc.grammar.form import Form
    from musicgen.formats.abc.grammar.lexicon import Lexicon

__all__ = ["Reader"]

DECORATIONS = frozenset(".~LMPTuv")
TRILLS = frozenset({"~", "T", "!trill!"})
SHORT = frozenset({"~", ".", "!staccato!"})
PLACES = frozenset("^_<>@")
MAX_CHORD = 4
MAX_GRACE = 6
MAX_ANNOTATION = 24

_REST, _CHORD = "z", "]"


class Reader:
    """Reads music, and refuses what breaks its grammar.

    What it reads may still be impossible to complete; that is for `Liveness` to say.

    Parameters
    ----------
    lexicon
        The words that can be spelled.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._targets: dict[Form, tuple[int, ...]] = {}
        self._bar_lines: dict[tuple[Form, int], frozenset[str]] = {}
        self._last: tuple[Body | None, Body | None] = None, None
        self._steps = {
            Place.FRESH: self._fresh, Place.SIGNED: self._before_sound, Place.PITCH: self._pitch,
            Place.NOTE: self._note, Place.AFTER: self._after, Place.MIDDLE: self._between,
            Place.BROKEN: self._broken, Place.PAREN: self._paren, Place.TUPLET: self._tuplet,
            Place.BRACKET: self._bracket, Place.CHORD: self._chord, Place.BAR: self._bar,
            Place.ENDING: self._ending, Place.FIELD: self._field, Place.QUOTE: self._quote,
            Place.NAME: self._name, Place.GRACE: self._grace,
        }  # fmt: skip

    def read(self, body: Body, character: str) -> Body | None:
        """Return the state after one more character; None where it cannot stand."""
        return self._steps[body.place](body, character)

    # Time

    def filling(self, body: Body) -> Filling:
        """Return what can be filled with the lengths at hand."""
        return self.lexicon.filling(body.unit)

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
        return after is not None and self._can_close(after)

    def committed(self, body: Body) -> Body | None:
        """Return the state after the sound that is being read; None where it does not fit."""
        # The same sound is asked for with every text that could follow.
        if body is not self._last[0]:
            self._last = body, self._commit(body)
        return self._last[1]

    def _commit(self, body: Body) -> Body | None:
        times = self.lexicon.times(body.unit, body.word)
        time = int(LENGTHS[body.word] * body.unit)
        if time not in times or not _resolves(body) or not self.takes(body, time):
            return None
        left, q, p = body.tuplet
        taken = body.broken[1] if body.broken else Filling.scaled(time, body.tuplet)
        return body._replace(
            left=body.left - taken, place=Place.AFTER, word="", notes=(), signs=Signs.NONE,
            pitch="" if body.pitch in (_REST, _CHORD) or body.signs & Signs.SHORT else body.pitch,
            tuplet=(left - 1, q, p) if left > 1 else NO_TUPLET, broken=(), tie="",
        )  # fmt: skip

    def takes(self, body: Body, time: int) -> bool:
        """Whether the next sound can be written with a length in ticks, and the bar completed."""
        if body.broken:
            return time == body.broken[0] and self.fits(body, body.left - body.broken[1], NO_TUPLET)
        left, q, p = body.tuplet
        tuplet = (left - 1, q, p) if left > 1 else NO_TUPLET
        taken = Filling.scaled(time, body.tuplet)
        return taken > 0 and self.fits(body, body.left - taken, tuplet)

    def fits(self, body: Body, left: int, tuplet: tuple[int, int, int]) -> bool:
        """Whether a measure can be completed that lacks so much and the rest of a tuplet."""
        filling = self.filling(body)
        return any(filling.fills(left - lack, tuplet) for lack in self.targets(body))

    # Before a sound

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
        return self._before_sound(body._replace(signs=Signs.NONE, word=""), character)

    def _before_sound(self, body: Body, character: str) -> Body | None:
        signs = body.signs
        if signs & Signs.ROLLED:
            # Players take a roll for one only right before a note.
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
                return body._replace(place=Place.NOTE, word="", pitch=_REST) if can else None
        if character in DECORATIONS:
            return self._decorated(body, character)
        return self._pitch(body._replace(pitch=""), character)

    def _decorated(self, body: Body, sign: str) -> Body | None:
        signs = body.signs
        if signs & Signs.TWICE or (sign == "~" and (body.broken or body.tie or signs)):
            return None
        signs |= Signs.TWICE if signs & Signs.DECORATED else Signs.DECORATED
        if sign == "~":
            signs |= Signs.ROLLED | Signs.TWICE
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
            can = len(word) <= MAX_ANNOTATION and character.isprintable() and character not in "%\\"
            return body._replace(word=word) if can else None
        if not self.lexicon.chords.begins(word):
            return None
        return self._quoted(body) if character == '"' else body._replace(word=word)

    def _quoted(self, body: Body) -> Body:
        return body._replace(place=Place.SIGNED, word="", signs=body.signs | Signs.QUOTED)

    def _name(self, body: Body, character: str) -> Body | None:
        word = body.word + character
        if not self.lexicon.names.begins(word):
            return None
        if character == "!":
            return self._decorated(body, word)
        return body._replace(word=word)

    def _grace(self, body: Body, character: str) -> Body | None:
        pitches = self.lexicon.pitches
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
        if body.slur:
            return None
        signs = body.signs | Signs.OPENED
        opened = body._replace(place=Place.SIGNED, word="", slur=True, signs=signs)
        return self._before_sound(opened, character)

    def _tuplet(self, body: Body, character: str) -> Body | None:
        if self.lexicon.tuplets.begins(body.word + character):
            return body._replace(word=body.word + character)
        started = self.in_tuplet(body)
        return self._before_sound(started, character) if started is not None else None

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
        if not self.lexicon.pitches.begins(pitch) or (body.tie and not _continues(pitch, body.tie)):
            return None
        place = Place.PITCH if character in "^_=" else Place.NOTE
        return body._replace(place=place, word="", pitch=pitch)

    def _note(self, body: Body, character: str) -> Body | None:
        if character in ",'":
            can = not body.word and body.pitch not in (_REST, _CHORD)
            return self._pitch(body, character) if can else None
        if self.lexicon.lengths.begins(body.word + character):
            return body._replace(word=body.word + character) if _resolves(body) else None
        if character in "<>":
            return self._break(body, character)
        after = self.committed(body)
        return self._after(after, character) if after is not None else None

    def _break(self, body: Body, sign: str) -> Body | None:
        """Apply a broken rhythm to the sound that is being read."""
        if body.broken or body.tuplet[0] or body.signs & Signs.ROLLED or not _resolves(body):
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
        return self._before_sound(started, character)

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
        if not self.fits(body, body.left - int(2 * length), NO_TUPLET):
            return None
        return body._replace(
            left=body.left - first, place=Place.SIGNED, word="", pitch="", notes=(),
            signs=Signs.NONE, broken=(int(length), second), tie="",
        )  # fmt: skip

    def _chord(self, body: Body, character: str) -> Body | None:
        pitches = self.lexicon.pitches
        if pitches.begins(body.word + character):
            return body._replace(word=body.word + character)
        if body.word not in pitches.words or _note_name(body.word) in map(_note_name, body.notes):
            return None
        notes = (*body.notes, body.word)
        if character == "]":
            return body._replace(place=Place.NOTE, word="", pitch=_CHORD, notes=())
        if len(notes) == MAX_CHORD or not pitches.begins(character):
            return None
        return body._replace(word=character, notes=notes)

    # After a sound

    def _after(self, body: Body, character: str) -> Body | None:
        if character == "-":
            can = body.pitch and not body.tie
            return body._replace(tie=body.pitch, pitch="") if can else None
        if character == " ":
            return body._replace(place=Place.MIDDLE, word=" ", pitch="")
        return self._between(body, character)

    def _between(self, body: Body, character: str) -> Body | None:
        if character == ")":
            can = body.slur and not body.broken
            return body._replace(slur=False, pitch="") if can else None
        if character in "|:":
            can = not body.tuplet[0] and not body.broken and self.ends_here(body)
            return body._replace(place=Place.BAR, word=character, pitch="") if can else None
        return self._before_sound(body._replace(word="", pitch=""), character)

    def ends_here(self, body: Body) -> bool:
        """Whether a bar line can come as far as time is concerned."""
        form, left = body.form, body.left
        if form.is_first and left:
            fills = self.filling(body).fills
            return left < form.whole and fills(left) and fills(form.whole - left)
        return left in self.targets(body)

    # Bar lines and what stands beside them

    def _bar(self, body: Body, character: str) -> Body | None:
        word = body.word + character
        if self.lexicon.bars.begins(word):
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
            return self._started(body, before.opened(), before.whole) if kind == "|:" else None
        after = before.after(kind, lack, ending)
        is_plain = kind == "|" and not ending
        if not is_plain and (body.tie or body.slur):
            return None
        last = not ending and not body.tie and not body.slur and before.may_end(kind, lack)
        if after is None:
            return self._started(body, before._replace(measures=0), 0) if last else None
        if not self._can_close(after):
            return None
        splits = lack and not before.is_first and not ending and after.repeat != Repeat.DUE
        signs = Signs.PLAIN * is_plain | Signs.LAST * last
        return self._started(body, after, lack if splits else after.whole, signs)

    def _can_close(self, form: Form) -> bool:
        """Whether the vocabulary can close what the form has open."""
        match form.repeat:
            case Repeat.OPEN:
                return self.lexicon.repeats
            case Repeat.FIRST:
                return self.lexicon.second_endings
            case Repeat.DUE:
                return "[2" in self.lexicon.endings.reachable("")
        return True

    @staticmethod
    def _started(body: Body, form: Form, left: int, signs: int = Signs.NONE) -> Body:
        return body._replace(
            form=form, left=left, place=Place.FRESH, word="", pitch="", signs=signs
        )

    def _bracket(self, body: Body, character: str) -> Body | None:
        if body.word:
            if character in "12":
                word = "[" + character
                return self._ending(body._replace(place=Place.ENDING, word=word), "")
            if character in FIELDS:
                return body._replace(place=Place.FIELD, word="[" + character)
            if body.form.repeat == Repeat.DUE:
                return None
            body = body._replace(signs=Signs.NONE)
        can = not body.tie and not body.signs & Signs.TRILLED
        if not can or not self.lexicon.pitches.begins(character):
            return None
        return body._replace(place=Place.CHORD, word=character, notes=())

    def _ending(self, body: Body, character: str) -> Body | None:
        number = ENDINGS[body.word]
        if body.tie or body.slur or (number == 1 and not body.signs & Signs.PLAIN):
            return None
        if body.left != body.form.whole or body.form.is_first:
            return None
        form = body.form.enter(number)
        if form is None or not self._can_close(form):
            return None
        return self._started(body, form, body.left)._replace(word="[")

    def _field(self, body: Body, character: str) -> Body | None:
        fields = self.lexicon.fields
        word = body.word + character
        if not fields.begins(word):
            return None
        return self.with_field(body, word) if character == "]" else body._replace(word=word)

    def with_field(self, body: Body, word: str) -> Body | None:
        """Return the state after a field in brackets; None where it cannot stand."""
        sign, form = FIELDS[word[1]], body.form
        if body.tie or body.slur or body.signs & sign or body.left != form.whole:
            return None
        if form.repeat == Repeat.DUE:
            return None
        signs = body.signs & ~(Signs.PLAIN | Signs.LAST | Signs.START) | sign
        body = body._replace(place=Place.FRESH, word="]", signs=signs)
        if sign != Signs.METRE:
            return body
        metre = parse_meter(word[3:-1])
        if metre is None or form.is_first or (form.early and form.pickup):
            return None
        whole, rest = divmod(TICKS * metre.numerator, metre.denominator)
        fills = self.filling(body).fills
        lengths = (whole, whole - form.pickup, form.pickup)
        if rest or form.pickup >= whole or not all(map(fills, lengths)):
            return None
        form = form._replace(whole=whole)
        return body._replace(form=form, left=whole, compound=metre.is_compound)


def _continues(pitch: str, tie: str) -> bool:
    """Whether a note can become the one that a tie leads to, accidental left out or not."""
    return tie.startswith(pitch) or tie.lstrip("^_=").startswith(pitch)


def _resolves(body: Body) -> bool:
    """Whether what is read is the note that a tie leads to, where one does."""
    return not body.tie or body.pitch in (body.tie, body.tie.lstrip("^_="))


def _note_name(pitch: str) -> str:
    return pitch.lstrip("^_=")
