"""A score → clean ABC text that every player reads."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.formats.abc.fields import parse_key
from musicgen.formats.abc.parts import is_label, order
from musicgen.formats.abc.score import Bar, Break, Element, Field, Note, Overlay, Score, Sound
from musicgen.formats.abc.spelling import length_text, note_text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["print_score"]

HEADER_ORDER = "XTCORABDFGHNSZ"
"""Information comes in this order, what sounds after it, and the key last."""

LETTERS_BEFORE_NOTE = ".~HLMPTuvR"
NAMES = {
    ".": "staccato", "~": "roll", "H": "fermata", "L": "accent", "M": "lowermordent", "O": "coda",
    "P": "uppermordent", "S": "segno", "T": "trill", "u": "upbow", "v": "downbow",
}  # fmt: skip

_CHORD_SYMBOL = re.compile(
    r"[A-G][#b]?(?:|[5679]|11|[b#]5|b9|7sus4|m[679]?|m7b5|(?:maj|M)[79]|dim[79]?|aug7?|sus[249]?|\+)"
    r"(?:/[A-G][#b]?)?"
)
_LETTER = re.compile(r"[~.H-Wh-w]")
_PLACED = re.compile(r"[\^_<>@]")
_DIRECTIVE = re.compile(r"MIDI[ \t]+program[ \t]+(?:\d{1,2}[ \t]+)?\d{1,3}\Z")
_SHIFT = re.compile(r"\b(?:octave|transpose)=-?\d{1,2}(?!\d)")


def print_score(score: Score) -> str:
    r"""Write a score as ABC text, without a line end after the last line.

    The text parses to a score that plays and prints the same. Comments and directives of layout
    are left out.

    Examples
    --------
    >>> from musicgen.formats.abc import parse
    >>> from musicgen.music import Tune
    >>> print(print_score(parse(Tune('X:1\nM:6/8\nK:D major\nv(dB) "0"e2>f :[|]|]'))))
    X:1
    M:6/8
    K:D
    |:(vdB) "^0"e3f/ :|
    """
    body = re.sub(r" +(?=[ \n\\])", "", "".join(_body(score.body)))
    return "\n".join([*_header(score), body.rstrip("\\ \n")]).rstrip()


def _header(score: Score) -> Iterator[str]:
    number = re.match(r"\d{1,9}", score.first("X"))
    yield f"X:{number[0] if number else 1}"
    entries = [entry for entry in score.header if entry.key in HEADER_ORDER[1:]]
    for entry in sorted(entries, key=lambda entry: HEADER_ORDER.index(entry.key)):
        # A player that swings hornpipes refuses some metres and rhythms, and plays no other as
        # written.
        swung = entry.key == "R" and entry.value.lower().startswith("hornpipe")
        yield _line(entry.key, f"a {entry.value}" if swung else entry.value)
    if order(score):
        yield _line("P", score.first("P"))
    last = {entry.key: entry.value for entry in score.header}
    for key in "MLQ":
        if key in last:
            yield _line(key, last[key])
    for entry in score.header:
        if entry.key == "V" and entry.value:
            yield _line("V", entry.value)
        elif entry.key == "%%" and _DIRECTIVE.match(entry.value):
            yield f"%%{entry.value}"
    yield _line("K", _key(last["K"]))


def _line(key: str, value: str) -> str:
    # Without the space it would read as a note before a bar line.
    return f"{key}: {value}" if value.startswith((":", "|", "[|")) else f"{key}:{value}"


def _key(value: str) -> str:
    return " ".join([parse_key(value).text, *_SHIFT.findall(value)])


def _body(body: list[Element]) -> Iterator[str]:
    """Give the text of each element; no line is empty or starts with a space."""
    previous: Element | None = None
    starts_line = True
    before: Sound | None = None
    for element in body:
        match element:
            case Break(kind=" "):
                text = "" if starts_line else " "
            case Break(kind=kind):
                text = "" if starts_line else kind.rstrip("\n") + "\n"
            case Field():
                text = _field(element)
                if text and not element.inline:
                    text = f"{text}\n" if starts_line else f"\n{text}\n"
            case Bar():
                text = _bar(element)
                if isinstance(previous, Bar):
                    text = f" {text}"
            case Overlay():
                text = "&"
            case Sound():
                text = _sound(element, before)
                before = element
        if text:
            yield text
            previous, starts_line = element, text.endswith("\n")


def _field(entry: Field) -> str:
    value = _key(entry.value) if entry.key == "K" else entry.value
    if entry.key == "%%":
        return f"%%{value}" if _DIRECTIVE.match(value) else ""
    if not value or (entry.key == "P" and not is_label(entry)):
        return ""
    # Players know no other field within the music.
    if entry.key not in ("KMLQVP" if entry.inline else "KMLQVPTw"):
        return ""
    return f"[{entry.key}:{value}]" if entry.inline else _line(entry.key, value)


def _bar(bar: Bar) -> str:
    names = [NAMES.get(sign, sign) for sign in bar.decorations]
    quotes = list(bar.quotes)
    if "fermata" in names:
        # Players give the fermata of a bar line to the note that follows.
        quotes.append("^fermata")
    signs = "".join(f"!{name}!" for name in names if name != "fermata")
    bracket = "[" if bar.ending and bar.kind not in ("|", ":|") else ""
    return "".join(map(_quote, quotes)) + signs + bar.kind + bracket + bar.ending


def _quote(text: str) -> str:
    # Players take the rest of a line for a comment, and a backslash for more of the text.
    text = text.replace("%", "").rstrip("\\")
    plain = _CHORD_SYMBOL.fullmatch(text) or _PLACED.match(text)
    return f'"{text}"' if plain else f'"^{text}"'


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
    signs = [_decoration(sign, sound, held) for sign in sound.decorations]
    # A letter without set meaning would part the others from their note.
    text += "".join(sorted(signs, key=LETTERS_BEFORE_NOTE.__contains__))
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


def _decoration(sign: str, sound: Sound, held: bool) -> str:
    name = NAMES.get(sign, sign)
    # A tied note cannot be short, and players know no trill on a chord.
    if name == "staccato" and any(note.tied for note in sound.notes):
        return ""
    if name in ("trill", "roll", "R") and len(sound.notes) > 1:
        return ""
    plain = bool(sound.notes) and not (sign == "~" and (sound.grace or held))
    if sign in NAMES and (sign not in LETTERS_BEFORE_NOTE or not plain):
        return f"!{name}!"
    return sign if _LETTER.fullmatch(sign) else f"!{sign}!"


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
