"""Ties: which of them lead to a note, bar by bar and layer by layer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from musicgen.formats.abc.reporter import Reporter
    from musicgen.formats.abc.score import Bar, Sound

__all__ = ["Layer", "Ties"]


@dataclass(slots=True)
class Layer:
    """What leads on from the last sound of one layer of a bar.

    Attributes
    ----------
    held
        MIDI number of each note that is tied on, by letter and octave.
    leading
        MIDI number of each, the sound that it is of, and its place in it.
    """

    held: dict[tuple[str, int], int] = field(default_factory=dict)
    leading: list[tuple[int, Sound, int]] = field(default_factory=list)


class Ties:
    """The ties of one voice; those that lead nowhere are taken out of the score.

    Over a bar line, a tie leads to the same layer of the next bar.

    Parameters
    ----------
    report
        Told of ties that are taken out.

    Attributes
    ----------
    layer
        The layer of the bar that is being read.
    """

    def __init__(self, report: Reporter | None) -> None:
        self.layer = Layer()
        self._layers = [self.layer]
        self._number = 0
        self._repeated: frozenset[int] | None = frozenset()
        self._report = report

    def read_bar(self, bar: Bar) -> None:
        """Go back to the first layer; no tie leads on from a layer that this bar did not have."""
        for layer in self._layers[self._number + 1 :]:
            self._check(layer, ())
        del self._layers[self._number + 1 :]
        self._enter(0)
        if bar.ends_repeat and self._repeated:
            # A tie may lead back to the start of the repeat as well as on.
            self.layer.leading = [tie for tie in self.layer.leading if tie[0] not in self._repeated]
        if bar.starts_repeat:
            self._repeated = None

    def read_overlay(self) -> None:
        """Go on to the next layer of the bar."""
        if self._number + 1 == len(self._layers):
            self._layers.append(Layer())
        self._enter(self._number + 1)

    def read_sound(self, sound: Sound, pitches: tuple[int, ...]) -> None:
        """Check the ties that lead here, and take those that lead on."""
        layer = self.layer
        if layer.leading:
            self._check(layer, pitches, struck_anew=bool(sound.grace))
        if self._repeated is None:
            self._repeated = frozenset(pitches)
        if layer.held:
            layer.held = {}
        for at, note in enumerate(sound.notes):
            if note.tied:
                layer.held[note.letter, note.octave] = pitches[at]
                layer.leading.append((pitches[at], sound, at))

    def finish(self) -> None:
        """Check that no tie leads past the end."""
        for layer in self._layers:
            self._check(layer, ())

    def _enter(self, number: int) -> None:
        self._number, self.layer = number, self._layers[number]

    def _check(self, layer: Layer, pitches: tuple[int, ...], *, struck_anew: bool = False) -> None:
        for pitch, sound, at in layer.leading:
            # Only what sounds to the end of a chord can be held on.
            if pitch not in pitches or sound.notes[at].length != sound.length:
                self._untie(sound, at, "a tie to no note of the same pitch", mild=False)
            elif struck_anew:
                self._untie(sound, at, "a tie over grace notes", mild=True)
        layer.leading = []

    def _untie(self, sound: Sound, at: int, message: str, *, mild: bool) -> None:
        if self._report is not None:
            self._report(sound.line, sound.column, message, "write a slur", mild=mild)
        notes = list(sound.notes)
        notes[at] = replace(notes[at], tied=False)
        sound.notes = tuple(notes)
