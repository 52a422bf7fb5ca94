"""A file in, the surprisal of its notes out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path

from musicgen.convert import convert
from musicgen.errors import EncodingError, FormatError, FormatWarning, ModelError
from musicgen.evaluation.surprisal import PieceSurprisal, piece_surprisal
from musicgen.files import check_writable
from musicgen.formats import abc, detect, get
from musicgen.formats.abc.measures import UnevenBar, uneven_bars
from musicgen.music import Audio, Music, Piece, Tune
from musicgen.networks import Model
from musicgen.workflows.models import DEFAULT, find_model

__all__ = ["ScoredPiece", "Scoring", "score_file"]

MODELS: dict[type[Piece], str] = {Tune: DEFAULT, Music: "events"}
"""For each kind of piece, the model that is taken where none is named."""


@dataclass(frozen=True, slots=True)
class ScoredPiece:
    """A piece, and what its notes cost.

    Attributes
    ----------
    number
        Its place in the file, counted from 1.
    title
        May be empty.
    line
        Line of the file on which it starts; None where that is no text.
    surprisal
        Of the piece, its bars and notes.
    fifths
        Sharps or (negative) flats of its first key.
    repaired
        What had to be repaired, or left behind, to read it as the model does.
    uneven
        Of a tune, the bars that do not add up to their metre.
    is_played
        Whether it is a tune that the model reads as notes: its repeats are played out, and its bars
        counted as they sound.
    """

    number: int
    title: str
    line: int | None
    surprisal: PieceSurprisal
    fifths: int = 0
    repaired: list[str] = field(default_factory=list)
    uneven: list[UnevenBar] = field(default_factory=list)
    is_played: bool = False

    def bar_at(self, line: int, column: int) -> int | None:
        """Return the number of the bar of what is written in a place; None where nothing is."""
        bars = [one.bar for one in self.surprisal.bars]
        notes = [one.note for one in self.surprisal.notes]
        numbers = {(note.line, note.column): bars[note.bar].number for note in notes}
        numbers |= {(bar.line, bar.column): bar.number for bar in bars}
        return numbers.get((line, column))


@dataclass(frozen=True, slots=True)
class Scoring:
    """What was found in a file.

    Attributes
    ----------
    path
        The file.
    model
        The file of the model.
    unit
        What a step of its encoding is called.
    pieces
        Those that could be scored.
    left_out
        Why others could not.
    """

    path: Path
    model: Path
    unit: str
    pieces: list[ScoredPiece]
    left_out: list[str]


def score_file(
    source: str | Path,
    model: str | Path | None = None,
    *,
    piece: int | None = None,
    format: str | None = None,
    picture: str | Path | None = None,
) -> Scoring:
    """Compute how surprising a model finds every note and bar of a file.

    A piece of another kind than the model's is converted first. Repeats of a tune are scored once
    where the model reads text, and as played where it reads notes.

    Parameters
    ----------
    source
        Any music file but sound.
    model
        As for `find_model`. By default ``irish`` for ABC and ``events`` for everything else.
    piece
        The one piece of the file to score, counted from 1; None for all.
    format
        Name of the file's format, instead of the one found.
    picture
        A picture to write of the one piece: its notes over time, coloured by their surprisal.

    Raises
    ------
    FormatError
        When the file cannot be read, holds sound or fewer pieces, or when none can be scored.
    EncodingError
        When the one piece cannot be encoded.
    ModelError
        When there is no such model, or it cannot say what a note costs.
    OSError
        When a file cannot be read or written.
    """
    source = Path(source)
    form = get(format) if format else detect(source)
    if form is None:
        raise FormatError("not a file of a known format", path=source)
    if form.kind is Audio:
        raise FormatError(
            "sound has no notes to score; expected ABC, MIDI or MusicXML", path=source
        )
    path = find_model(model or MODELS[form.kind])
    loaded = Model.load(path)
    if loaded.encoding.kind is Audio:
        raise ModelError(f"{path} is a model of sound, which says nothing of notes")
    pieces: list[Piece] = list(form.read(source))
    numbers = [piece] if piece else list(range(1, len(pieces) + 1))
    if piece and not 1 <= piece <= len(pieces):
        raise FormatError(f"there is no piece {piece}; the file holds {len(pieces)}", path=source)
    if picture and len(numbers) > 1:
        raise FormatError(
            f"the file holds {len(numbers)} pieces, and one is drawn",
            path=source,
            hint="choose it with --tune",
        )
    if picture:
        check_writable(Path(picture).parent)
    scored: list[ScoredPiece] = []
    left_out: list[str] = []
    for number in numbers:
        try:
            scored.append(_score(loaded, pieces[number - 1], number))
        except (EncodingError, FormatError) as error:
            if len(numbers) == 1:
                raise
            left_out.append(f"piece {number}: {error}")
    if not scored:
        raise FormatError(f"none of its pieces can be scored; {left_out[0]}", path=source)
    if picture:
        _draw(scored[0], Path(picture), source.name)
    return Scoring(source, path, loaded.encoding.unit, scored, left_out)


def _score(model: Model, piece: Piece, number: int) -> ScoredPiece:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FormatWarning)
        wanted = convert(piece, model.encoding.kind)
        music = convert(piece, Music)
    found = piece_surprisal(model, wanted)
    fifths = music.key_signatures[0].fifths if music.key_signatures else 0
    if not isinstance(piece, Tune):
        repaired = [str(warning.message) for warning in caught]
        return ScoredPiece(number, music.title, None, _without_places(found), fifths, repaired)
    # A warning tells the first repair only.
    score = abc.parse(piece)
    return ScoredPiece(
        number, music.title, piece.line, found, fifths,
        [_repair(problem) for problem in score.problems if not problem.mild],
        uneven_bars(score), is_played=wanted is not piece,
    )  # fmt: skip


def _repair(problem: abc.Problem) -> str:
    found = f"repaired: {problem.message}"
    return str(
        FormatError(found, line=problem.line, column=problem.column, hint=problem.hint or None)
    )


def _without_places(found: PieceSurprisal) -> PieceSurprisal:
    """Leave out places in a text that stands in no file."""
    return found._replace(
        bars=[one._replace(bar=one.bar._replace(line=0, column=0)) for one in found.bars],
        notes=[one._replace(note=one.note._replace(line=0, column=0)) for one in found.notes],
    )


def _draw(piece: ScoredPiece, picture: Path, name: str) -> None:
    from musicgen import plots  # matplotlib takes half a second to load

    found = piece.surprisal
    plots.surprisal_roll(
        [one.note.note for one in found.notes],
        [one.bits for one in found.notes],
        [
            plots.PricedBar(one.bar.time, one.bar.number, one.bits, one.is_unusual)
            for one in found.bars
        ],
        picture,
        piece.title or name,
        fifths=piece.fifths,
    )
