"""Tokens of music → the elements of a score."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.formats.abc import spelling
from musicgen.formats.abc.chords import ChordReader
from musicgen.formats.abc.parts import is_kept
from musicgen.formats.abc.pending import Pending, nothing
from musicgen.formats.abc.rhythm import Rhythm
from musicgen.formats.abc.score import Bar, Break, Element, Field, Note, Overlay
from musicgen.formats.abc.signs import clean_text, in_order, sign_name

if TYPE_CHECKING:
    from musicgen.formats.abc.lexer import Token
    from musicgen.formats.abc.reporter import Reporter

__all__ = ["Builder"]

MAX_REST_BARS = 99
MAX_SIGNS = 64
"""More texts, signs or grace notes than this before one sound are noise."""

_BEFORE_SOUND = ("quoted", "name", "decoration", "grace")


class Builder:
    """Builds the body of a score, token by token.

    Parameters
    ----------
    report
        Told of everything that had to be repaired.

    Attributes
    ----------
    symbols
        What letters stand for, where ``U:`` says so: a decoration, a text in quotation marks, or
        nothing.
    """

    def __init__(self, report: Reporter) -> None:
        self._report = report
        self._body: list[Element] = []
        self._voice = Pending(Rhythm(report))
        self._voices = {"": self._voice}
        self._chord: ChordReader | None = None
        self._continued = False
        self._line = 1
        self.symbols: dict[str, str] = {}

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
        if is_kept(entry):
            self._body.append(entry)
        if entry.key == "V":
            name = entry.value.split(maxsplit=1)[0] if entry.value else ""
            self._voice = self._voices.setdefault(name, Pending(Rhythm(self._report)))

    def end_line(self) -> None:
        """Take the end of a line of music."""
        self._abandon_chord()
        self._drop_breaks()
        if not self._starts_line():
            self._body.append(Break("\\" if self._continued else "\n"))
        self._continued = False

    def finish(self) -> list[Element]:
        """Return the body, after a check that nothing is left open."""
        for voice in self._voices.values():
            for sound in voice.slurs:
                self._report(sound.line, sound.column, "'(' is never closed by ')'")
                sound.opens -= 1
            voice.rhythm.finish()
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
                self._space()
            case "chord":
                self._chord = ChordReader(token, self._report)
            case "quoted" | "decoration" | "name" | "grace":
                self._add_sign(token)
            case "slur":
                before.opens += 1
            case "unslur":
                self._close_slur(token)
            case "tuplet":
                if before.tuplet is not None:
                    self._problem(token, "a tuplet within a tuplet")
                before.tuplet = self._voice.rhythm.read_tuplet(token)
            case "plus":
                self._problem(token, "a chord between plus signs", "write [CE]", mild=True)
                notes = spelling.read_notes(text)
                self._sound(token, notes, notes[0].length)
            case "line":
                self._problem(token, "'!' taken for the end of a line", mild=True)
            case "microtone":
                raise ValueError("pitches between the semitones are not played")
            case "tie":
                self._tie(token)
            case "broken":
                if self._voice.last is None or not self._voice.in_bar:
                    raise ValueError("broken rhythm must follow a note")
                self._voice.rhythm.read_broken(token, self._voice.last)
            case "ending":
                self._ending(token)
            case "overlay":
                self._voice.in_bar = False
                if not self._body or not isinstance(self._body[-1], Overlay):
                    self._body.append(Overlay(token.line, token.column))
            case "continuation":
                self._continued = True
            case "ignored":
                pass
            case "close":
                raise ValueError("found ']' without '['")
            case _:
                raise ValueError(f"found {text[:20]!r}, which means nothing here")

    def _space(self) -> None:
        last = self._body[-1] if self._body else None
        if last is not None and not isinstance(last, Break) and not _is_line(last):
            self._body.append(Break(" "))

    def _add_sign(self, token: Token) -> None:
        before, text = self._voice.before, token.text
        if len(before.quotes) + len(before.decorations) + len(before.grace) > MAX_SIGNS:
            raise ValueError("too many signs before one note")
        match token.kind:
            case "quoted" if text[1:-1].strip():
                before.quotes += (clean_text(text[1:-1].strip()),)
            case "decoration":
                meaning = self.symbols.get(text, text)
                if meaning.startswith('"'):
                    before.quotes += (clean_text(meaning[1:-1]),)
                elif meaning:
                    before.decorations += (meaning,)
            case "name":
                before.decorations += (text[1:-1],)
            case "grace":
                before.grace += spelling.read_notes(text)
                before.slashed |= text.startswith("{/")

    def _sound(
        self, token: Token, notes: tuple[Note, ...], length: Fraction, rest: str = ""
    ) -> None:
        voice = self._voice
        sound, voice.before = voice.before, nothing()
        sound.line, sound.column = token.line, token.column
        sound.notes, sound.length, sound.rest = notes, length, rest
        for part in (length, *[note.length for note in (*notes, *sound.grace)]):
            if part.denominator & (part.denominator - 1):
                message = f"a length of {part}: {part.denominator} is not a power of two"
                self._problem(token, message, "write a tuplet, such as (3ABc")
                break
        if sound.decorations:
            sound.decorations = in_order(sound.decorations)
        voice.slurs += [sound] * sound.opens
        voice.rhythm.take(sound)
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
            self._problem(token, f"found {token.text!r}, which is no bar line", "write |: or :|")
            if not self._starts_line():
                return
            kind = "|:"
        before = voice.before
        names = tuple(map(sign_name, before.decorations))
        # Players give the fermata of a bar line to the note that follows.
        quotes = before.quotes + ("^fermata",) * ("fermata" in names)
        signs = tuple([name for name in names if name != "fermata"])
        bar = Bar(token.line, token.column, kind, "", quotes, signs)
        before.quotes, before.decorations = (), ()
        if voice.rhythm.in_tuplet:
            self._problem(token, "the bar ends within a tuplet", mild=True)
        voice.in_bar = False
        if self._body and isinstance(self._body[-1], Bar):
            self._body.append(Break(" "))
        self._body.append(bar)

    def _starts_line(self) -> bool:
        last = self._body[-1] if self._body else Break("\n")
        return (isinstance(last, Break) and last.kind != " ") or _is_line(last)

    def _ending(self, token: Token) -> None:
        numbers = token.text.lstrip("[ ").replace(" ", "")
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
            mild = bool(voice.before.grace)
            self._problem(token, "a slur around no note", "remove it", mild=mild)
            return
        if not voice.slurs or voice.last is None:
            raise ValueError("found ')' without '('")
        voice.slurs.pop()
        voice.last.closes += 1

    def _tie(self, token: Token) -> None:
        sound = self._voice.last
        if sound is None or not self._voice.in_bar or not sound.notes:
            raise ValueError("a tie must follow a note")
        sound.notes = tuple(
            [
                Note(note.accidental, note.letter, note.octave, note.length, True)
                for note in sound.notes
            ]
        )

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


def _is_line(element: Element) -> bool:
    return isinstance(element, Field) and not element.inline
