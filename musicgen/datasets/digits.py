"""Handwritten digits: MNIST, and a smaller set for machines without a network."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.datasets.download import download
from musicgen.datasets.idx import open_plain_or_gzip, read_idx
from musicgen.errors import CorpusError, FormatError

__all__ = ["CHECKSUMS", "EIGHT_BY_EIGHT", "MIRROR", "Digits", "load_digits"]

Array = npt.NDArray[Any]

EIGHT_BY_EIGHT = Path("8x8")

MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist"
# SHA-256, of the packed files
CHECKSUMS = {
    "train-images-idx3-ubyte": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}

SIDE = 28  # of an image of MNIST, in pixels
COLUMNS = SIDE * SIDE + 1
HELD_OUT = 500  # of the small set's 1,797 digits: the last ones, by writers of their own


class Digits(NamedTuple):
    """Images with the digits that they show.

    Attributes
    ----------
    training_images, test_images
        ``(N, 28, 28)``, of the small set ``(N, 8, 8)``, float32 from 0, paper, to 1, ink.
    training_labels, test_labels
        ``(N,)``, integers from 0 to 9.
    """

    training_images: Array
    training_labels: Array
    test_images: Array
    test_labels: Array


def load_digits(
    source: Path | None = None,
    *,
    mirror: str = MIRROR,
    checksums: Mapping[str, str] = CHECKSUMS,
) -> Digits:
    """Load MNIST, or the small set.

    Parameters
    ----------
    source
        A folder with the four files of MNIST, each packed (``.gz``) or not. One CSV file may stand
        for the two of the training set, packed or not: 785 columns, the pixels from 0 to 255 and
        then the digit. Or `EIGHT_BY_EIGHT`: the 8 × 8 digits that come with scikit-learn, the last
        500 of them to test with. By default MNIST is downloaded, once.
    mirror
        Address of the folder that the packed files are downloaded from.
    checksums
        Their SHA-256, by their names without ``.gz``.

    Raises
    ------
    CorpusError
        When files are missing, do not belong together, or cannot be downloaded; or when
        scikit-learn is not installed.
    FormatError
        When a file is damaged.
    OSError
        When a file cannot be read.
    """
    if source == EIGHT_BY_EIGHT:
        return _small_digits()
    folder = _fetch(mirror, checksums) if source is None else source
    if not folder.is_dir():
        raise CorpusError(f"{folder} is no folder; expected one that holds the files of MNIST")
    if _find(folder, "train-images-idx3-ubyte"):
        training = _read_pair(folder, "train")
    else:
        training = _read_csv(_find_csv(folder))
    return Digits(*training, *_read_pair(folder, "t10k"))


def _fetch(mirror: str, checksums: Mapping[str, str]) -> Path:
    files = [
        download(f"{mirror}/{name}.gz", sha256, f"mnist/{name}.gz")
        for name, sha256 in checksums.items()
    ]
    return files[0].parent


def _find(folder: Path, name: str) -> Path | None:
    candidates = (folder / name, folder / f"{name}.gz")
    return next((path for path in candidates if path.is_file()), None)


def _read(folder: Path, name: str) -> tuple[Path, Array]:
    path = _find(folder, name)
    if path is None:
        raise CorpusError(f"{folder} has no {name} or {name}.gz, a file of MNIST")
    return path, read_idx(path)


def _read_pair(folder: Path, part: str) -> tuple[Array, Array]:
    images_file, images = _read(folder, f"{part}-images-idx3-ubyte")
    labels_file, labels = _read(folder, f"{part}-labels-idx1-ubyte")
    n = len(labels) if labels.ndim else 0
    for path, array, shape in (
        (images_file, images, (n, SIDE, SIDE)),
        (labels_file, labels, (n,)),
    ):
        if array.shape != shape or array.dtype != np.uint8 or not n:
            raise FormatError(
                f"found {array.dtype} of shape {array.shape}; expected uint8 of {shape}", path=path
            )
    return _examples(images, labels, 255, labels_file)


def _find_csv(folder: Path) -> Path:
    fitting = []
    for path in sorted((*folder.glob("*.csv"), *folder.glob("*.csv.gz"))):
        try:
            with open_plain_or_gzip(path) as stream:
                line = stream.readline()
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise FormatError(f"{error}; expected a packed file", path=path) from None
        if line.count(b",") + 1 == COLUMNS:
            fitting.append(path)
    if len(fitting) != 1:
        raise CorpusError(
            f"{folder} has no train-images-idx3-ubyte or train-images-idx3-ubyte.gz, a file of "
            f"MNIST, and {len(fitting)} CSV files with {COLUMNS} columns; expected one of these"
        )
    return fitting[0]


def _read_csv(path: Path) -> tuple[Array, Array]:
    try:
        with open_plain_or_gzip(path) as stream:
            table = np.loadtxt(stream, np.int32, delimiter=",", ndmin=2)
    except (ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FormatError(f"{error}; expected {COLUMNS} integers in each line", path=path) from None
    pixels = table[:, :-1].reshape(-1, SIDE, SIDE)
    if pixels.min() < 0 or pixels.max() > 255:
        raise FormatError(
            f"found pixels from {pixels.min()} to {pixels.max()}; expected 0 to 255", path=path
        )
    if len(table) > 1 and not table[:, -1].any():
        raise FormatError(
            "the last column holds nothing but 0; expected the pixels first and the digit last",
            path=path,
        )
    return _examples(pixels, table[:, -1], 255, path)


def _small_digits() -> Digits:
    try:
        from sklearn import datasets
    except ModuleNotFoundError:
        raise CorpusError(
            "the 8 × 8 digits come with scikit-learn, which is not installed "
            "(pip install 'musicgen-lstm[digits]')"
        ) from None
    found = datasets.load_digits()
    images, labels = _examples(found.images, found.target, 16, None)
    return Digits(images[:-HELD_OUT], labels[:-HELD_OUT], images[-HELD_OUT:], labels[-HELD_OUT:])


def _examples(pixels: Array, labels: Array, ink: int, path: Path | None) -> tuple[Array, Array]:
    if labels.min() < 0 or labels.max() > 9:
        raise FormatError(
            f"found labels from {labels.min()} to {labels.max()}; expected 0 to 9", path=path
        )
    return np.divide(pixels, ink, dtype=np.float32), labels.astype(np.int64)
