"""A model in, new music out."""

from __future__ import annotations

import dataclasses
import math
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicgen import __version__
from musicgen.convert import convert
from musicgen.encodings import Characters
from musicgen.errors import FormatError, ModelError
from musicgen.files import check_writable
from musicgen.formats import abc, for_extension, get
from musicgen.music import Music, Tune
from musicgen.networks import Model
from musicgen.sampling import check_settings, generate

__all__ = ["Sample", "Sampling", "find_model", "sample_from"]

MODELS = Path("models")
SAMPLES = Path("samples")
MOST_DRAWS = 20

# A sample must not claim a composer, a book or a transcriber: it has none.
_KEPT_FIELDS = frozenset("TRMLQPVKIUm")


@dataclass(frozen=True, slots=True)
class Sample:
    """One new piece.

    Attributes
    ----------
    tune, music
        The piece as text and as notes.
    title, key, metre
        From its header.
    bars
        Bars played, repeats unfolded.
    bits
        Mean information of a drawn symbol under the model, in bits.
    draws
        Draws that it took until one parsed.
    files
        What was written.
    """

    tune: Tune
    music: Music
    title: str
    key: str
    metre: str
    bars: int
    bits: float
    draws: int
    files: tuple[Path, ...]


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
        Draws that did not parse, each with the reason.
    """

    samples: list[Sample]
    model: Path
    seed: int
    rejected: list[str]


def find_model(model: str | Path | None = None) -> Path:
    """Find a model file by path, by name in ``models/``, or take the newest there.

    Raises
    ------
    ModelError
        When there is none.
    """
    if model is None:
        found = sorted(MODELS.glob("*.safetensors"), key=lambda path: path.stat().st_mtime)
        if not found:
            raise ModelError(
                "there is no model in models/ yet; make one with: musicgen train corpora/starter"
            )
        return found[-1]
    for path in (Path(model), MODELS / f"{model}.safetensors"):
        if path.is_file():
            return path
    raise ModelError(f"there is no model {model}, and no models/{model}.safetensors")


def sample_from(
    model: str | Path | None = None,
    out: str | Path | None = None,
    *,
    formats: Sequence[str] = ("abc",),
    count: int = 1,
    temperature: float = 0.8,
    top_k: int | None = None,
    top_p: float | None = 0.95,
    length: int = 3000,
    primer: str | Path | None = None,
    seed: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Sampling:
    """Draw new pieces from a model and write each in every format asked for.

    A draw ends where the model ends the tune. One that does not parse without repair, or does not
    end within `length`, is drawn again.

    Parameters
    ----------
    model
        As for `find_model`.
    out
        A folder, ``samples/`` by default; or, for one piece in one format, a file whose name ends
        in one of that format's extensions.
    formats
        Names of formats that the model's pieces can be converted to.
    count
        Number of pieces.
    temperature, top_k, top_p
        As for `musicgen.sampling.probabilities`.
    length
        Most symbols drawn for a piece.
    primer
        An ABC file; every piece starts with its text.
    seed
        Of the draws; a fresh one by default. Piece `i` of a seed is the same whatever the count.
    progress
        Called with the number of pieces done and wanted.

    Raises
    ------
    ModelError
        When there is no such model, or it writes nothing that parses.
    EncodingError
        When the primer holds characters that the model does not know.
    FormatError
        For an unknown format, or one that the pieces cannot be converted to.
    OSError
        When a file cannot be written.
    ValueError
        For a setting outside its range.
    """
    check_settings(temperature=temperature, top_k=top_k, top_p=top_p)
    writers = [get(name) for name in dict.fromkeys(formats)]
    path = find_model(model)
    loaded = Model.load(path)
    encoding = loaded.encoding
    assert isinstance(encoding, Characters)
    start = encoding.encode_primer(_primer(Path(primer)) if primer else "")
    seed = secrets.randbelow(2**32) if seed is None else seed
    target = Path(out) if out else SAMPLES
    single = _is_file(target)
    if single and (count > 1 or len(writers) > 1):
        raise FormatError(f"{target} is one file; give a folder for several pieces or formats")
    check_writable(target.parent if single else target)
    stepper = loaded.network.stepper()
    samples: list[Sample] = []
    rejected: list[str] = []
    for number in range(1, count + 1):
        rng = np.random.default_rng([seed, number])
        for draws in range(1, MOST_DRAWS + 1):  # noqa: B007
            stepper.reset()
            drawn = generate(
                stepper, rng, length=length, primer=start, never=encoding.never,
                temperature=temperature, top_k=top_k, top_p=top_p,
            )  # fmt: skip
            try:
                if not drawn.ended:
                    raise FormatError(f"no end within {length} symbols", hint="raise --length")
                score = abc.parse(encoding.decode(drawn.symbols), strict=True)
                tune = Tune(abc.print_score(_signed(score, number, path.stem, seed)))
                music = convert(tune, Music)
                break
            except FormatError as error:
                rejected.append(str(error))
        else:
            raise ModelError(
                f"{path} wrote nothing that parses in {MOST_DRAWS} draws (the last: "
                f"{rejected[-1]}); train it longer, or lower --temperature"
            )
        files = []
        for writer in writers:
            name = f"{path.stem}-{seed}-{number}{writer.extensions[0]}"
            files.append(target if single else target / name)
            writer.write(convert(tune, writer.kind), files[-1])
        samples.append(
            Sample(
                tune, music, score.first("T"), score.first("K"), score.first("M"),
                _bars(music), -drawn.log_likelihood / drawn.drawn / math.log(2), draws,
                tuple(files),
            )
        )  # fmt: skip
        if progress:
            progress(number, count)
    return Sampling(samples, path, seed, rejected)


def _is_file(path: Path) -> bool:
    return not path.is_dir() and for_extension(path) is not None


def _primer(path: Path) -> str:
    """Return the text that a sample goes on from.

    Editors end a file with a line feed; a line of music is to be gone on with all the same.
    """
    text = abc.decode(path.read_bytes(), path).strip("\n")
    last = text.rpartition("\n")[2]
    return text + "\n" if re.match(r"[A-Za-z]:", last) else text


def _signed(score: abc.Score, number: int, model: str, seed: int) -> abc.Score:
    """Replace the fields that tell where a tune is from by where this one is from."""
    kept = [entry for entry in score.header if entry.key in _KEPT_FIELDS]
    reference = dataclasses.replace(kept[0], key="X", value=str(number))
    origin = f"written by musicgen {__version__}, model {model}, seed {seed}, piece {number}"
    signature = dataclasses.replace(kept[0], key="Z", value=origin)
    return dataclasses.replace(score, header=[reference, *kept[:-1], signature, kept[-1]])


def _bars(music: Music) -> int:
    end, total = music.end, 0.0
    changes = music.time_signatures
    for i, change in enumerate(changes):
        until = changes[i + 1].time if i + 1 < len(changes) else end
        total += (until - change.time) * change.denominator / (4 * change.numerator)
    return round(total / music.resolution)
