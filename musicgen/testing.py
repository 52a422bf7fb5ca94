"""Contract tests: what every plug-in must do, for its author to run.

>>> import tempfile
>>> from musicgen.formats import midi
>>> from musicgen.music import Music, Note, Track
>>> with tempfile.TemporaryDirectory() as folder:
...     check_format(midi, [Music(tracks=[Track(notes=[Note(0, 60, 480)])])], Path(folder))
"""

from __future__ import annotations

import tempfile
import warnings
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from musicgen.errors import FormatError, FormatWarning
from musicgen.music import Audio, Music, Piece, Tune

if TYPE_CHECKING:
    from collections.abc import Sequence

    from musicgen.encodings import Encoding
    from musicgen.engine import Node
    from musicgen.formats import Format

__all__ = ["check_encoding", "check_format", "check_node"]

WORST_GRADIENT = 1e-6

NO_MUSIC = {
    "nothing": b"",
    "zeros": bytes(1024),
    "every byte": bytes(range(256)) * 8,
    "a picture": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(64),
}


def check_node(node: Node) -> None:
    """Check that a node keeps the contract of `musicgen.engine.Node`.

    Its outputs must have the shapes that it promised, and be the same at a second pass over the
    same inputs; its gradients, and its directional derivatives where it has a `tangent`, must
    agree with central differences to a relative error of 1e-6.

    Parameters
    ----------
    node
        In float64, with at least one `Parameter` upstream.

    Raises
    ------
    AssertionError, GraphError
        When the node breaks the contract; the text says where.

    Examples
    --------
    >>> from musicgen.engine import Parameter, Tanh
    >>> check_node(Tanh(Parameter("x", np.linspace(-2, 2, 6).reshape(2, 3))))
    """
    from musicgen.engine import Add, Constant, Dot, Graph, check_gradients

    rng = np.random.default_rng(0)
    # Each element of each output matters differently, so that none can stand in for another.
    parts = [Dot(value, Constant(rng.standard_normal(value.shape))) for value in node.outputs]
    cost: Node = parts[0]
    for part in parts[1:]:
        cost = Add(cost, part)
    graph = Graph(cost, *node.outputs)
    assert graph.parameters, f"{node.description} depends on no Parameter: nothing can be checked"
    first = [np.array(array) for array in graph.forward()]
    for value, array, again in zip(graph.outputs, first, graph.forward(), strict=True):
        assert np.array_equal(array, again), f"{value} differs at a second pass"
    for name, error in check_gradients(graph).items():
        assert error <= WORST_GRADIENT, f"{node.description}: relative error of {name} is {error}"


def check_encoding(encoding: Encoding, pieces: Sequence[Piece]) -> None:
    """Check that a fitted encoding keeps the contract of `musicgen.encodings.Encoding`.

    It must say what it is; give symbols up to its size, or frames of its size, with the boundary at
    the end and nowhere else; give back each piece as it was, or, where it names `losses`, one
    that is encoded alike, sound apart; and do all this again after its state went
    through a model file.

    Parameters
    ----------
    encoding
        Fitted on the pieces.
    pieces
        Pieces of its kind.

    Raises
    ------
    AssertionError
        When the encoding breaks the contract; the text says where.
    """
    from musicgen.networks import Architecture, Model, Network

    assert encoding.kind in (Tune, Music, Audio), f"{encoding.name}: kind is {encoding.kind!r}"
    assert encoding.usual_length > 0, f"{encoding.name}: usual_length is {encoding.usual_length}"
    assert not isinstance(encoding.losses, str), f"{encoding.name}: losses is one text, not several"
    architecture = Architecture(encoding.size, encoding.head, 2, 1, embedding_size=2)
    network = Network.initialise(architecture, np.random.default_rng(0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        Model(network, encoding).save(path)
        again = Model.load(path).encoding
    assert again.size == encoding.size, f"{encoding.name}: its state forgets its size"
    for number, piece in enumerate(pieces, 1):
        which = f"{encoding.name}, piece {number}"
        array = encoding.encode(piece)
        _check_array(encoding, array, which)
        assert np.array_equal(array, again.encode(piece)), f"{which}: its state is not all of it"
        start = encoding.encode_primer(piece)
        same = np.array_equal(start, array[: len(start)])
        assert same, f"{which}: encode_primer is no beginning of encode"
        assert len(start) < len(array), f"{which}: encode_primer holds the boundary"
        once = encoding.decode(array)
        assert isinstance(once, encoding.kind), f"{which}: decode gives a {type(once).__name__}"
        if not encoding.losses:
            assert _same(piece, once), f"{which}: was {piece}, is {once}, and losses is empty"
        # Sound passes through floating point both ways.
        if not isinstance(once, Audio):
            same = np.array_equal(array, encoding.encode(once))
            assert same, f"{which}: decode does not give back what encode said, but {once}"


def _check_array(encoding: Encoding, array: npt.NDArray[Any], which: str) -> None:
    if encoding.head == "categorical":
        assert array.dtype == np.int32, f"{which}: symbols are {array.dtype}, expected int32"
        assert array.ndim == 1, f"{which}: symbols have the shape {array.shape}"
        assert array.min() >= 0, f"{which}: a symbol is {array.min()}"
        assert array.max() < encoding.size, f"{which}: a symbol is {array.max()} of {encoding.size}"
        assert not set(array.tolist()) & set(encoding.never), f"{which}: uses what it never draws"
        ends = array == 0
    else:
        assert array.ndim == 2, f"{which}: frames have the shape {array.shape}"
        assert array.shape[1] == encoding.size, f"{which}: {array.shape[1]} of {encoding.size}"
        assert np.isfinite(array).all(), f"{which}: frames are not finite"
        ends = array[:, 0] > 0.5
    assert ends[-1], f"{which}: does not end with the boundary"
    assert not ends[:-1].any(), f"{which}: the boundary stands within"


def check_format(form: Format, pieces: Sequence[Piece], folder: Path) -> None:
    """Check that a format keeps the contract of `musicgen.formats.Format`.

    It must say what it is; know its own files and no others by their first bytes; give back each
    piece as it was, or, where it names `losses`, lose nothing more when the piece goes round a
    second time; always write the same bytes and nothing but the one file; and answer damaged
    files with `FormatError`, missing ones with `OSError`.

    Parameters
    ----------
    form
        The format.
    pieces
        Pieces of its kind that show all that it can keep.
    folder
        An empty folder to write in.

    Raises
    ------
    AssertionError
        When the format breaks the contract; the text says where.
    """
    _check_attributes(form)
    assert pieces, "check_format needs at least one piece"
    path = folder / f"piece{form.extensions[0]}"
    for number, piece in enumerate(pieces, 1):
        _check_round_trip(form, piece, path, f"{form.name}, piece {number}")
    left = sorted(file.name for file in folder.iterdir() if file != path)
    assert not left, f"{form.name}: write leaves other files behind: {', '.join(left)}"
    _check_bad_files(form, path)


def _check_attributes(form: Format) -> None:
    assert isinstance(form.name, str), f"name is {form.name!r}, expected text"
    assert form.name, "name is empty"
    assert not isinstance(form.extensions, str), f"{form.name}: extensions is one text, not several"
    assert form.extensions, f"{form.name}: extensions is empty"
    for extension in form.extensions:
        good = extension.startswith(".") and extension == extension.lower()
        assert good, f"{form.name}: extension {extension!r} is not a dot and lower-case letters"
    assert form.kind in (Tune, Music, Audio), f"{form.name}: kind is {form.kind!r}"
    assert not isinstance(form.losses, str), f"{form.name}: losses is one text, not several"


def _check_round_trip(form: Format, piece: Piece, path: Path, which: str) -> None:
    assert isinstance(piece, form.kind), f"{which}: is no {form.kind.__name__}"
    form.write(piece, path)
    data = path.read_bytes()
    form.write(piece, path)
    assert path.read_bytes() == data, f"{which}: written twice, it gives other bytes"
    assert form.sniff(data[:4096]), f"{which}: sniff does not know the file that write wrote"
    once = _only(form.read(path), which)
    if not form.losses:
        assert _same(piece, once), f"{which}: wrote {piece}, read {once}, and losses is empty"
    form.write(once, path)
    twice = _only(form.read(path), which)
    assert _same(once, twice), f"{which}: changes when written again: was {once}, is {twice}"
    was, is_now = _substance(piece), _substance(once)
    assert was == is_now, f"{which}: what no format may lose was {was}, is {is_now}"


def _check_bad_files(form: Format, path: Path) -> None:
    own = path.read_bytes()
    for what, data in NO_MUSIC.items():
        assert not form.sniff(data), f"{form.name}: sniff claims a file of {what}"
        path.write_bytes(data)
        assert _refuses(form, path), f"{form.name}: reads a file of {what} as music"
    for size in chain(range(min(len(own), 64)), range(64, len(own), len(own) // 64 + 1)):
        path.write_bytes(own[:size])
        _refuses(form, path)
    path.unlink()
    try:
        form.read(path)
    except OSError:
        return
    except Exception as error:
        message = f"{form.name}: a missing file raises {error!r}, not OSError"
        raise AssertionError(message) from error
    raise AssertionError(f"{form.name}: reads a file that does not exist")


def _refuses(form: Format, path: Path) -> bool:
    """Whether reading ends in a `FormatError`; any other exception breaks the contract."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        try:
            form.read(path)
        except FormatError:
            return True
        except Exception as error:
            start = path.read_bytes()[:40]
            raise AssertionError(
                f"{form.name}: a damaged file raises {error!r}, not FormatError; "
                f"it starts with {start!r}"
            ) from error
    return False


def _only(pieces: list[Piece], which: str) -> Piece:
    assert len(pieces) == 1, f"{which}: wrote one piece, read {len(pieces)}"
    return pieces[0]


def _same(one: Piece, other: Piece) -> bool:
    if isinstance(one, Tune) and isinstance(other, Tune):
        return one.text == other.text
    if isinstance(one, Audio) and isinstance(other, Audio):
        return one.rate == other.rate and np.array_equal(one.samples, other.samples)
    return one == other


def _substance(piece: Piece) -> object:
    """Reduce a piece to what must survive whatever `losses` says."""
    match piece:
        case Tune(text):
            return bool(text.strip())
        case Music(tracks=tracks):
            return sorted(note.pitch for track in tracks for note in track.notes)
        case Audio(samples, rate):
            return rate, samples.shape
