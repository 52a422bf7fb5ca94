"""A model in, new music out."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from musicgen.convert import convert
from musicgen.encodings import Encoding
from musicgen.encodings.roll import Roll
from musicgen.errors import EncodingError, FormatError, ModelError
from musicgen.files import check_writable
from musicgen.formats import for_extension, get
from musicgen.music import Audio, Music, Piece, Tune
from musicgen.networks import Model
from musicgen.sampling import check_settings
from musicgen.workflows.drawing import draw_pieces, usual_temperature
from musicgen.workflows.finishing import Sample, finished
from musicgen.workflows.models import find_model
from musicgen.workflows.primers import continuation, read_primer

__all__ = ["Sampling", "own_format", "sample_from"]

SAMPLES = Path("samples")
MOST_DRAWS = 20

_OWN_FORMATS: dict[type[Piece], str] = {Tune: "abc", Music: "midi", Audio: "wav"}


@dataclass(frozen=True, slots=True)
class Sampling:
    """What a sampling run brought.

    Attributes
    ----------
    samples
        The pieces.
    model
        The file of the model.
    seed
        The seed used, to repeat the run.
    rejected
        Draws that were not sound, each with the reason.
    copied
        Draws that were sound and copied too much, each with what it copied.
    """

    samples: list[Sample]
    model: Path
    seed: int
    rejected: list[str]
    copied: list[str]

    @property
    def refusals(self) -> str:
        """How many draws were refused for which reason, and the last of each."""
        reasons = {"not sound": self.rejected, "copied too much": self.copied}
        return "; ".join(
            f"{len(draws)} {reason}, the last: {draws[-1]}"
            for reason, draws in reasons.items()
            if draws
        )


def sample_from(
    model: str | Path | None = None,
    out: str | Path | None = None,
    *,
    formats: Sequence[str] = (),
    count: int = 1,
    temperature: float | None = None,
    top_k: int | None = None,
    top_p: float | None = 0.95,
    min_p: float | None = None,
    repetition_penalty: float = 0.0,
    beam: int | None = None,
    threshold: float | str | None = None,
    top_notes: int | None = None,
    most_notes: int | None = None,
    length: int | None = None,
    primer: str | Path | None = None,
    keep_primer: bool = True,
    key: str | None = None,
    metre: str | None = None,
    bars: int | None = None,
    title: str | None = None,
    constraints: bool = True,
    max_copy: int | None = None,
    corpus: str | Path | None = None,
    seed: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Sampling:
    """Draw new pieces from a model and write each in every format asked for.

    Pieces are drawn side by side. One that is not sound – text that does not parse without repair
    or does not end within `length`, notes without a note – or that copies too much is drawn again;
    under constraints there is hardly ever an unsound one. What is not text is cut at `length`.

    Parameters
    ----------
    model
        As for `find_model`.
    out
        A folder, ``samples/`` by default; or, for one piece in one format, a file whose name ends
        in one of that format's extensions.
    formats
        Names of formats that the model's pieces can be converted to; by default their own: abc,
        midi, wav, or musicxml for a score grid.
    count
        Number of pieces.
    temperature
        Below 1 safer, above 1 bolder; by default 0.8 for symbols, 1 for piano rolls and 1.7 for
        sound.
    top_k, top_p, min_p, repetition_penalty
        For symbols: see `musicgen.sampling.generate`.
    beam
        For symbols: look for the likeliest pieces with a beam of this width, instead of drawing.
    threshold, top_notes, most_notes
        For piano rolls: see `musicgen.workflows.drawing.draw_pieces`. By default notes are drawn.
    length
        Most symbols or frames of a piece, the primer's among them; by default what is usual for the
        encoding.
    primer
        A file; every piece starts with its first piece.
    keep_primer
        Whether the primer stands in the piece that is written.
    key, metre, bars, title
        What the pieces are to be in, how many bars long, and called.
    constraints
        Whether the grammar of the encoding is kept to.
    max_copy, corpus
        No piece shares a run of more than so many notes, 3 or more, in any key, with a piece of
        this folder: see `musicgen.workflows.copying.copy_check`. Of a piece with a primer, what
        follows the primer is looked up.
    seed
        Of the draws; a fresh one by default. The same arguments and seed give the same bytes.
    progress
        Called with the number of pieces done and wanted.

    Raises
    ------
    ModelError
        When there is no such model, or nothing that it writes is sound and new enough.
    EncodingError
        When the primer or a condition does not fit the model.
    FormatError
        For an unknown format, or one that the pieces cannot be converted to.
    OSError
        When a file cannot be written.
    ValueError
        For a setting outside its range.
    """
    path = find_model(model)
    loaded = Model.load(path)
    encoding = loaded.encoding
    _check_options(
        encoding,
        {"top_k": top_k, "min_p": min_p, "repetition_penalty": repetition_penalty, "beam": beam},
        {"threshold": threshold, "top_notes": top_notes, "most_notes": most_notes},
    )
    if not constraints and (key or metre or bars):
        raise EncodingError("a key, a metre and bars can only be asked for under constraints")
    if primer and metre:
        raise EncodingError("a primer has a metre of its own: leave the other one out")
    if beam is not None and count > 1:
        raise ValueError(f"beam search finds one piece, the likeliest; {count} are asked for")
    if temperature is None:
        temperature = usual_temperature(encoding)
    check_settings(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    writers = [get(name) for name in dict.fromkeys(formats or [own_format(encoding)])]
    if length is None:
        length = encoding.usual_length
    if (max_copy is None) != (corpus is None):
        raise ValueError(
            "how many notes may be copied and the corpus go together: give both --max-copy and "
            "--corpus (max_copy and corpus)"
        )
    start, home = read_primer(Path(primer) if primer else None, encoding, length)
    conditions: dict[str, Any] = {"key": key, "metre": metre, "bars": bars, "title": title}
    seed = secrets.randbelow(2**32) if seed is None else seed
    target = Path(out) if out else SAMPLES
    single = _is_file(target)
    if single and (count > 1 or len(writers) > 1):
        raise FormatError(f"{target} is one file; give a folder for several pieces or formats")
    check_writable(target.parent if single else target)
    check_copy: Callable[[Any], str] | None = None
    if corpus is not None and max_copy is not None:
        from musicgen.workflows.copying import copy_check

        check_copy = copy_check(Path(corpus), encoding, max_copy)

    drawing: dict[str, Any] = {
        "length": length, "temperature": temperature,
        "conditions": conditions if constraints else None, "top_k": top_k, "top_p": top_p,
        "min_p": min_p, "repetition_penalty": repetition_penalty, "beam": beam,
        "threshold": threshold, "top_notes": top_notes, "most_notes": most_notes,
    }  # fmt: skip
    finish = partial(
        finished, path.stem, loaded, start=None if keep_primer else start, title=title,
        key=key or home, seed=seed,
    )  # fmt: skip
    done: dict[int, Sample] = {}
    rejected: list[str] = []
    copied: list[str] = []
    # A search finds the same again.
    most = MOST_DRAWS if beam is None else 1
    for draws in range(1, most + 1):
        waiting = [number for number in range(1, count + 1) if number not in done]
        rngs = [np.random.default_rng([seed, number, draws]) for number in waiting]
        drawn = draw_pieces(loaded, rngs, start, **drawing)
        for number, one in zip(waiting, drawn, strict=True):
            try:
                sample = finish(one, number=number, draws=draws)
                copy = ""
                if check_copy is not None:
                    # The primer is asked for, whatever it is.
                    new = continuation(encoding, one.array, start) if primer else sample.piece
                    copy = check_copy(new)
            except (EncodingError, FormatError) as error:
                rejected.append(str(error))
                continue
            if copy:
                copied.append(copy)
                continue
            files = []
            for writer in writers:
                name = f"{path.stem}-{seed}-{number}{writer.extensions[0]}"
                files.append(target if single else target / name)
                writer.write(convert(sample.piece, writer.kind), files[-1])
            done[number] = dataclasses.replace(sample, files=tuple(files))
            if progress:
                progress(len(done), count)
        if len(done) == count:
            break
    found = Sampling([done[number] for number in sorted(done)], path, seed, rejected, copied)
    if not done:
        raise ModelError(f"{path} wrote nothing to keep in {most * count} draws: {found.refusals}")
    return found


def own_format(encoding: Encoding) -> str:
    """Return the name of the format in which the pieces of an encoding are written by default."""
    # MIDI knows no fermatas.
    return "musicxml" if encoding.name == "score-grid" else _OWN_FORMATS[encoding.kind]


def _check_options(encoding: Encoding, drawing: dict[str, Any], rolls: dict[str, Any]) -> None:
    """Refuse options that would do nothing."""
    unfit = {} if encoding.head == "categorical" else drawing
    unfit = unfit if isinstance(encoding, Roll) else unfit | rolls
    for name, value in unfit.items():
        if value:
            raise EncodingError(f"{name} means nothing to a model of {encoding.name}: leave it out")
    threshold = rolls["threshold"]
    if isinstance(threshold, float) and not threshold > 0:
        raise ValueError(f"threshold is {threshold}; expected more than 0")
    for name in ("top_notes", "most_notes"):
        if rolls[name] is not None and rolls[name] < 1:
            raise ValueError(f"{name} is {rolls[name]}; expected 1 or more")


def _is_file(path: Path) -> bool:
    return not path.is_dir() and for_extension(path) is not None
