"""Tokens of music → the elements of a score."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.formats.abc import spelling
from musicgen.formats.abc.chords import ChordReader
from musicgen.formats.abc.score import Bar, Break, Element, Field, Note, Overlay, Sound

if TYPE_CHECKING:
    from musicgen.formats.abc.lexer import Token
    from musicgen.formats.abc.reporter import Reporter

__all__ = ["Builder"]

MAX_TUPLET = 9
MAX_TUPLET_SOUNDS = 32
MAX_BROKEN = 3
MAX_REST_BARS = 99
SHORTEST = Fraction(1, 512)
"""Lengths below this part of a unit come from slips, and no player knows them."""

_LENGTHENED = {".", "staccato", "H", "fermata"}
_BEFORE_SOUND = ("quoted", "name", "decoration", "grace")


def _nothing() -> Sound:
    return Sound(0, 0, (), Fraction(1))


@dataclass(slots=True)
class _Voice:
    """What one voice has yet to finish.

    Attributes
    ----------
    before
        Holds what is written before a sound and belongs to it, until that sound comes.
    last
        The sound before, which slurs and ties lead from.
    in_bar
        Whether `last` stands in the bar that goes on.
    broken
        First sound, token and tuplet of a broken rhythm that waits for its second sound.
    before_broken
        First sound of the last broken rhythm.
    is_second
        Whether `last` ended that rhythm.
    tuplet, tuplet_left, last_tuplet
        First sound of the tuplet that goes on, how many sounds it lacks, and that of `last`.
    """

    before: Sound = field(default_factory=_nothing)
    last: Sound | None = None
    in_bar: bool = False
    slurs: list[Sound] = field(default_factory=list)
    broken: tuple[Sound, Token, Sound | None] | None = None
    before_broken: Sound = field(default_factory=_nothing)
    is_second: bool = False
    tuplet: Sound | None = None
    tuplet_left: int = 0
    last_tuplet: Sound | None = None


class Builder:
    """Builds the body of a score, token by token.

    Parameters
    ----------
    report
        Told of everything that had to be repaired.
    """

    def __init__(self, report: Reporter) -> None:
        self._report = report
        self._body: list[Element] = []
        self._voice = _Voice()
        self._voices = {"": self._voice}
        self._chord: ChordReader | None = None
        self._continued = False
        self._line = 1

    def add(self, token: Token) -> None:
        """Take the next token, of any kind but ``"inline"``."""
        self._line = token.line
        if self._chord is not None and token.kind not in _BEFORE_SOUND:
            if token.kind == "close":
                self._chord.close(token)
                self._end_chord()
                return
            if self._chord.accepts(token):
                return
            self._end_chord()
        try:
            self._take(token)
        except ValueError as error:
            self._problem(token, str(error))

    def add_field(self, entry: Field) -> None:
        """Take a field, from a line of its own or in brackets."""
        self._abandon_chord()
        self._body.append(entry)
        if entry.key == "V":
            name = entry.value.split(maxsplit=1)[0] if entry.value else ""
            self._voice = self._voices.setdefault(name, _Voice())

    def end_line(self) -> None:
        """Take the end of a line of music."""
        self._abandon_chord()
        self._drop_breaks()
        self._body.append(Break("\\" if self._continued else "\n"))
        self._continued = False

    def finish(self) -> list[Element]:
        """Return the body, after a check that nothing is left open."""
        for voice in self._voices.values():
            for sound in voice.slurs:
                self._report(sound.line, sound.column, "'(' is never closed by ')'")
                sound.opens -= 1
            if voice.broken is not None:
                self._problem(voice.broken[1], "no note follows the broken rhythm")
            self._cut_tuplet(voice)
            left = voice.before
            if left.opens or left.grace or left.tuplet:
                self._report(self._line, 1, "no note follows '(' or '{'", "remove it")
            elif left.quotes or left.decorations:
                self._report(self._line, 1, "no note follows the text or sign", mild=True)
        self._drop_breaks()
        return self._body

    def _problem(self, token: Token, message: str, hint: str = "", *, mild: bool = False) -> None:
        self._report(token.line, token.column, message, hint, mild=mild)

    def _take(self, token: Token) -> None:
        """Handle a token outside chords; a ValueError says what is wrong with it."""
        before, text = self._voice.before, token.text
        match token.kind:
            case "note":
                note = spelling.read_note(text)
                self._sound(token, (note,), note.length)
            case "rest":
                self._rest(token)
            case "bar":
                self._bar(token)
            case "space":
                self._body.append(Break(" "))
            case "chord":
                self._chord = ChordReader(token, self._report)
            case "quoted":
                before.quotes += (text[1:-1].strip(),) if text[1:-1].strip() else ()
            case "decoration":
                before.decorations += (text,)
            case "name":
                before.decorations += (text[1:-1],)
            case "grace":
                before.grace += spelling.grace_notes(text)
                before.slashed |= "/" in text[1:2]
            case "slur":
                before.opens += 1
            case "unslur":
                self._close_slur(token)
            case "tuplet":
                self._start_tuplet(token)
            case "tie":
                self._tie(token)
            case "broken":
                self._start_broken(token)
            case "ending":
                self._ending(token)
            case "overlay":
                self._body.append(Overlay(token.line, token.column))
                self._voice.in_bar = False
            case "continuation":
                self._continued = True
            case "ignored":
                pass
            case "close":
                raise ValueError("found ']' without '['")
            case _:
                raise ValueError(f"found {text[:20]!r}, which means nothing here")

    def _sound(
        self, token: Token, notes: tuple[Note, ...], length: Fraction, rest: str = ""
    ) -> None:
        voice = self._voice
        sound, voice.before = voice.before, _nothing()
        sound.line, sound.column = token.line, token.column
        sound.notes, sound.length, sound.rest = notes, length, rest
        voice.slurs += [sound] * sound.opens
        if sound.tuplet is not None:
            voice.tuplet, voice.tuplet_left = sound, sound.tuplet[2]
        voice.last_tuplet = voice.tuplet
        voice.is_second = self._break_rhythm(sound)
        voice.tuplet_left -= 1
        if voice.tuplet_left <= 0:
            voice.tuplet = None
        voice.last, voice.in_bar = sound, True
        self._body.append(sound)

    def _rest(self, token: Token) -> None:
        kind, length = token.text[0].replace("X", "Z"), spelling.read_length(token.text[1:])
        if kind == "Z" and (length.denominator > 1 or length > MAX_REST_BARS):
            raise ValueError("a rest of whole bars needs a whole number below 100")
        self._sound(token, (), length, kind)

    def _bar(self, token: Token) -> None:
        voice = self._voice
        kind = spelling.bar_kind(token.text)
        if kind is None:
            raise ValueError(f"found {token.text!r}, which is no bar line")
        before = voice.before
        bar = Bar(token.line, token.column, kind, "", before.quotes, before.decorations)
        before.quotes, before.decorations = (), ()
        if voice.tuplet is not None:
            self._problem(token, "the bar ends within a tuplet", mild=True)
        voice.in_bar = False
        self._body.append(bar)

    def _ending(self, token: Token) -> None:
        numbers = token.text.lstrip("[ ").rstrip(".").replace(" ", "")
        spelling.ending_numbers(numbers)
        at = len(self._body) - 1
        while at >= 0 and isinstance(self._body[at], Break | Field):
            at -= 1
        bar = self._body[at] if at >= 0 else None
        if not isinstance(bar, Bar) or bar.ending:
            self._problem(token, "an ending must follow a bar line", f"write |{numbers}")
            bar = Bar(token.line, token.column, "|")
            self._voice.in_bar = False
            self._body.append(bar)
        bar.ending = numbers

    def _close_slur(self, token: Token) -> None:
        voice = self._voice
        if voice.before.opens:
            voice.before.opens -= 1
            raise ValueError("a slur around no note")
        if not voice.slurs or voice.last is None:
            raise ValueError("found ')' without '('")
        voice.slurs.pop()
        voice.last.closes += 1

    def _tie(self, token: Token) -> None:
        sound = self._voice.last
        if sound is None or not self._voice.in_bar or not sound.notes:
            raise ValueError("a tie must follow a note")
        sound.notes = tuple(replace(note, tied=True) for note in sound.notes)

    def _start_tuplet(self, token: Token) -> None:
        voice = self._voice
        numbers = [int(part[:3] or 0) for part in token.text[1:].split(":")]
        p, q, r = (numbers + [0, 0])[:3]
        if not 2 <= p <= MAX_TUPLET or q > MAX_TUPLET or r > MAX_TUPLET_SOUNDS:
            raise ValueError(f"{token.text!r} is not a tuplet")
        if voice.tuplet is not None or voice.before.tuplet is not None:
            self._problem(token, "a tuplet within a tuplet")
            self._cut_tuplet(voice)
        voice.before.tuplet = (p, q, r or p)

    def _cut_tuplet(self, voice: _Voice) -> None:
        """End a tuplet with the sounds that it has."""
        start, voice.tuplet = voice.tuplet, None
        if start is None or start.tuplet is None:
            return
        p, q, r = start.tuplet
        self._report(start.line, start.column, f"a tuplet of {r} with {voice.tuplet_left} missing")
        start.tuplet = (p, q, r - voice.tuplet_left)
        voice.tuplet_left = 0

    def _start_broken(self, token: Token) -> None:
        voice, count = self._voice, len(token.text)
        if voice.last is None or not voice.in_bar or voice.broken is not None:
            raise ValueError("broken rhythm must follow a note")
        if count > MAX_BROKEN or len(set(token.text)) > 1:
            raise ValueError(f"{token.text[:20]!r} is not a broken rhythm")
        voice.broken = voice.last, token, voice.last_tuplet

    def _break_rhythm(self, second: Sound) -> bool:
        """Lengthen one of two sounds and shorten the other, where that is asked for."""
        voice = self._voice
        if voice.broken is None:
            return False
        (first, token, tuplet), voice.broken = voice.broken, None
        short = Fraction(1, 2 ** len(token.text))
        if "Z" in (first.rest, second.rest) or min(first.length, second.length) * short < SHORTEST:
            self._problem(token, "broken rhythm does not fit these lengths")
            return False
        # Players agree on the sign only between two plain notes of one length.
        signs = {*first.decorations, *second.decorations}
        if voice.is_second:
            voice.before_broken.broken = 0
        elif first.length == second.length and tuplet is voice.tuplet and not signs & _LENGTHENED:
            first.broken = len(token.text) if ">" in token.text else -len(token.text)
        factors = (2 - short, short) if ">" in token.text else (short, 2 - short)
        _stretch(first, factors[0])
        _stretch(second, factors[1])
        voice.before_broken = first
        return True

    def _end_chord(self) -> None:
        chord, self._chord = self._chord, None
        if chord is None:
            return
        self._voice.before.opens += chord.slurs
        if chord.notes:
            self._sound(chord.start, tuple(chord.notes), chord.notes[0].length)
        for token in chord.unslurs:
            self.add(token)

    def _abandon_chord(self) -> None:
        if self._chord is not None:
            self._chord.report_unclosed()
            self._end_chord()

    def _drop_breaks(self) -> None:
        while self._body and isinstance(self._body[-1], Break):
            self._body.pop()


def _stretch(sound: Sound, factor: Fraction) -> None:
    sound.length *= factor
    sound.notes = tuple(replace(note, length=note.length * factor) for note in sound.notes)
