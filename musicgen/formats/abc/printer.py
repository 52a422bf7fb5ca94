"""A score → clean ABC text that every player reads."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.formats.abc.parts import is_kept, order
from musicgen.formats.abc.score import Bar, Break, Element, Field, Note, Overlay, Score, Sound
from musicgen.formats.abc.signs import LETTERS, NAMES, clean_text, in_order, is_played, sign_name
from musicgen.formats.abc.spelling import length_text, note_text
from musicgen.formats.abc.transposition import key_text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NAMES", "print_score"]

HEADER_ORDER = "XTCORABDFGHNSZ"
"""Information comes in this order, what sounds after it, and the key last."""


_LETTER = re.compile(r"[~.H-Wh-w]")
_PERCENT = re.compile(r"(?<!\\)%")


def print_score(score: Score) -> str:
    r"""Write a score as ABC text, without a line end after the last line.

    The text parses to a score that plays and prints the same. Comments and directives of layout
    are left out.

    Examples
    --------
    >>> from musicgen.formats.abc import parse
    >>> from musicgen.music import Tune
    >>> print(print_score(parse(Tune('X:1\nM:6/8\nK:D major\nv(dB) "0"e>f :[|]|]'))))
    X:1
    M:6/8
    K:D
    |:(vdB) "^0"e>f :|
    """
    body = "".join(_body(score.body)).rstrip("\\ \n")
    return "\n".join([*_header(score), body]).rstrip()


def _header(score: Score) -> Iterator[str]:
    number = re.match(r"\d{1,9}", score.first("X"))
    yield f"X:{number[0] if number else 1}"
    entries = [entry for entry in score.header if entry.key in HEADER_ORDER[1:]]
    for entry in sorted(entries, key=lambda entry: HEADER_ORDER.index(entry.key)):
        yield _line(entry.key, entry.value)
    if order(score):
        yield _line("P", score.first("P"))
    last = {entry.key: entry.value for entry in score.header}
    for key in "MLQ":
        if key in last:
            yield _line(key, last[key])
    for entry in score.header:
        if entry.key == "V" and entry.value:
            yield _line("V", entry.value)
        elif entry.key == "%%" and is_played(entry.value):
            yield f"%%{entry.value}"
    yield _line("K", key_text(last["K"]))


def _line(key: str, value: str) -> str:
    # Without the space it would read as a note before a bar line.
    space = " " if value.startswith((":", "|", "[|")) else ""
    return f"{key}:{space}{_escaped(value)}"


def _escaped(value: str) -> str:
    """Mark the percent signs that would start a comment."""
    return _PERCENT.sub(r"\%", value)


def _body(body: list[Element]) -> Iterator[str]:
    """Give the text of each element; no line is empty or starts with a space."""
    previous: Element | None = None
    starts_line, space = True, ""
    voice = ""
    before: dict[str, Sound] = {}
    for element in body:
        match element:
            case Break(kind=" "):
                space = "" if starts_line else " "
                continue
            case Break(kind=kind):
                text = "" if starts_line else kind.rstrip("\n") + "\n"
            case Field():
                text = _field(element)
                if element.key == "V" and element.value:
                    voice = element.value.split(maxsplit=1)[0]
                if text and not element.inline:
                    text = f"{text}\n" if starts_line else f"\n{text}\n"
            case Bar():
                text = _bar(element)
                space = " " if isinstance(previous, Bar) else space
            case Overlay():
                text = "&"
            case Sound():
                text = _sound(element, before.get(voice))
                before[voice] = element
        if text:
            yield text if text[0] in "\n\\" else space + text
            space = ""
            previous, starts_line = element, text.endswith("\n")


def _field(entry: Field) -> str:
    if not is_kept(entry):
        return ""
    if entry.key == "%%":
        return f"%%{entry.value}"
    value = key_text(entry.value) if entry.key == "K" else entry.value
    return f"[{entry.key}:{_escaped(value)}]" if entry.inline else _line(entry.key, value)


def _bar(bar: Bar) -> str:
    names = [sign_name(sign) for sign in bar.decorations]
    quotes = list(bar.quotes)
    if "fermata" in names:
        # Players give the fermata of a bar line to the note that follows.
        quotes.append("^fermata")
    signs = "".join(f"!{name}!" for name in names if name != "fermata")
    bracket = "[" if bar.ending and bar.kind not in ("|", ":|") else ""
    return "".join(map(_quote, quotes)) + signs + bar.kind + bracket + bar.ending


def _quote(text: str) -> str:
    return f'"{clean_text(text)}"'


def _factor(broken: int) -> Fraction:
    """By what the sign of a broken rhythm multiplies the length before it."""
    short = Fraction(1, 2 ** abs(broken))
    return Fraction(1) if not broken else 2 - short if broken > 0 else short


def _sound(sound: Sound, before: Sound | None) -> str:
    """Write a sound, given the one before, which may have changed its length or lead a tie here."""
    factor = _factor(sound.broken) * _factor(-before.broken if before else 0)
    held = before is not None and any(note.tied for note in before.notes)
    text = "".join(map(_quote, sound.quotes)) + _tuplet(sound) + "(" * sound.opens
    if sound.grace:
        notes = "".join(note_text(note, note.length) for note in sound.grace)
        text += "{" + "/" * sound.slashed + notes + "}"
    text += "".join([_decoration(name, sound, held) for name in in_order(sound.decorations)])
    if sound.rest:
        text += sound.rest + length_text(sound.length / factor)
    elif len(sound.notes) == 1:
        note = sound.notes[0]
        text += note_text(note, note.length / factor) + "-" * note.tied
    else:
        text += _chord(sound.notes, factor)
    sign = ">" if sound.broken > 0 else "<"
    return text + sign * abs(sound.broken) + ")" * sound.closes


def _tuplet(sound: Sound) -> str:
    if sound.tuplet is None:
        return ""
    p, q, r = sound.tuplet
    if r == p:
        return f"({p}:{q}" if q else f"({p}"
    return f"({p}:{q or ''}:{r}"


def _decoration(name: str, sound: Sound, held: bool) -> str:
    """Write a decoration by its letter, but by its name where players misread the letter."""
    letter = LETTERS.get(name, name)
    if not _LETTER.fullmatch(letter):
        return f"!{name}!"
    tied = any(note.tied for note in sound.notes)
    by_name = (
        not sound.notes
        or (letter in "~TR" and len(sound.notes) > 1)
        or (letter == "~" and (bool(sound.grace) or held))
        or (letter == "." and tied)
    )
    return f"!{name}!" if by_name and letter != "R" else letter


def _chord(notes: tuple[Note, ...], factor: Fraction) -> str:
    tied = all(note.tied for note in notes)
    same = all(note.length == notes[0].length for note in notes)
    inner = (
        note_text(note, Fraction(1) if same else note.length / factor)
        + "-" * (note.tied and not tied)
        for note in notes
    )
    outer = length_text(notes[0].length / factor) if same else ""
    return f"[{''.join(inner)}]{outer}{'-' * tied}"
