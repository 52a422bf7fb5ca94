"""Which tokens or characters of ABC tell which note."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from musicgen.encodings.abc_bars import Head, heads_and_bars
from musicgen.encodings.alignment import NO_BAR, AlignedNote, Alignment
from musicgen.encodings.base import Symbols
from musicgen.encodings.tokeniser import sort_of
from musicgen.formats.abc import Score
from musicgen.formats.abc.interpretation import UNIT
from musicgen.formats.abc.lexer import LENGTH, NOTE
from musicgen.formats.abc.score import Field, Sound
from musicgen.formats.abc.spelling import note_text, read_note
from musicgen.formats.abc.transposing import Interval
from musicgen.music import Tune

__all__ = ["align_characters", "align_tokens", "moved_label"]

_NOTE = re.compile(NOTE)
_CHORD = re.compile(r"\[[^\]|]*\]" + LENGTH)
_BROKEN = re.compile(r"[ \t]*[<>]+")
_BAR_LINE = re.compile(r":*\|[|:\]]*(?:\d[\d,-]*)?|::")


def align_tokens(
    score: Score,
    texts: Sequence[str],
    symbols: Symbols,
    labels: Sequence[str],
    tune: Tune,
    semitones: int,
) -> Alignment:
    """Find the notes among tokens.

    A note has its pitch and its length. The length of a chord goes to the last of its notes; grace
    notes, tuplets, ties and signs are of the bar alone.

    Parameters
    ----------
    score
        In normal form, sounds in their place in the file.
    texts
        The tokens of that.
    symbols
        Those of the tokens, and the boundary.
    labels
        What each symbol says.
    tune
        That the score was made of.
    semitones
        From the score to the tune.
    """
    # A normal form says nothing of the length that it counts in.
    unit = Field(0, 0, "L", str(UNIT))
    heads, bars = heads_and_bars(replace(score, header=[unit, *score.header]))
    steps: list[list[int]] = [[] for _ in heads]
    step_bars = np.full(len(symbols), NO_BAR)
    bar = heads[0].bar if heads else 0
    at, in_grace, before = -1, False, ""
    for step, text in enumerate(texts):
        if text.endswith("\n"):
            continue
        step_bars[step] = bar
        sort = sort_of(text)
        if text.startswith("{") or text == "}":
            in_grace = text != "}"
        elif not in_grace and (sort == "pitch" or text == "z"):
            at += 1
            steps[at].append(step)
        elif sort == "length" and not in_grace and before in ("pitch", "]"):
            steps[at].append(step)
        elif sort in ("bar", "[V:") and at + 1 < len(heads):
            bar = heads[at + 1].bar
            step_bars[step] = bar if sort == "[V:" else step_bars[step]
        before = sort or text
    source = _Source(tune)
    notes = []
    for head, own in zip(heads, steps, strict=True):
        if head.sound.notes:
            text = source.text(head.sound) or labels[symbols[own[0]]]
            note = head.note._replace(pitch=head.note.pitch + semitones)
            notes.append(_aligned(head._replace(note=note), tuple(own), text))
    return Alignment(symbols, step_bars, bars, notes, labels)


def align_characters(
    score: Score, symbols: Symbols, labels: Sequence[str], tune: Tune
) -> Alignment:
    """Find the notes among the characters of a tune.

    A note has its accidental, letter, octave, length and broken rhythm. The length of a chord goes
    to the last of its notes; what stands before and between notes is of the bar alone.

    Parameters
    ----------
    score
        The parsed tune.
    symbols
        One for each character, and the boundary.
    labels
        What each symbol says.
    tune
        That it is.
    """
    heads, bars = heads_and_bars(score)
    source = _Source(tune)
    starts = [source.index(head.sound) for head in heads]
    step_bars = np.full(len(symbols), NO_BAR)
    body = source.body
    for (start, head), (after, later) in pairwise(zip(starts, heads, strict=True)):
        if head.bar != later.bar:
            line = _BAR_LINE.search(tune.text, start, after)
            end = line.end() if line else after
            step_bars[body:end] = head.bar
            body = end
    if heads:
        step_bars[body:-1] = heads[-1].bar
    notes = []
    places: dict[int, Iterator[tuple[int, int]]] = {}
    for start, head in zip(starts, heads, strict=True):
        if not head.sound.notes:
            continue
        spans = places.setdefault(start, source.spans(start))
        first, end = next(spans, (0, 0))
        if end:
            steps = tuple(range(first, end))
            written = _NOTE.match(tune.text, first)
            notes.append(_aligned(head, steps, written[0] if written else ""))
    return Alignment(symbols, step_bars, bars, notes, labels)


def moved_label(text: str, interval: Interval) -> str:
    """Say what a token of a moved tune says, in the key of the tune.

    Parameters
    ----------
    text
        The token.
    interval
        From the moved tune back.

    Examples
    --------
    >>> moved_label("=e", Interval(2, 2)), moved_label("3/2", Interval(2, 2))
    ('^f', 'length 3/2')
    """
    sort = sort_of(text)
    if sort == "length":
        return f"length {text}"
    if sort == "pitch":
        try:
            note = interval.note(read_note(text))
        except ValueError:
            return text
        return note_text(note, Fraction(1))
    return text.strip()


def _aligned(head: Head, steps: tuple[int, ...], text: str) -> AlignedNote:
    sound = head.sound
    return AlignedNote(head.note, head.bar, head.beat, text, steps, (), sound.line, sound.column)


class _Source:
    """The text of a tune, by place in its file."""

    def __init__(self, tune: Tune) -> None:
        self._text, self._line = tune.text, tune.line
        self._starts = [0, *(match.end() for match in re.finditer("\n", tune.text))]
        key = re.search(r"^K:.*\n?", tune.text, re.MULTILINE)
        self.body = key.end() if key else 0

    def index(self, sound: Sound) -> int:
        """Return where in the text a sound stands."""
        return self._starts[sound.line - self._line] + sound.column - 1

    def text(self, sound: Sound) -> str:
        """Return how a single note is written; empty where something else stands there."""
        match = _NOTE.match(self._text, self.index(sound))
        return match[0] if match else ""

    def spans(self, index: int) -> Iterator[tuple[int, int]]:
        """Give where the notes of the sound at an index start and end."""
        single, chord = _NOTE.match(self._text, index), _CHORD.match(self._text, index)
        whole = single or chord
        if whole is None:
            return
        broken = _BROKEN.match(self._text, whole.end())
        end = broken.end() if broken else whole.end()
        notes = [match.span() for match in _NOTE.finditer(self._text, index, whole.end())]
        yield from notes[:-1]
        yield notes[-1][0], end
