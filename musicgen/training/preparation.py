"""From a corpus to arrays: the split, the encoding, the cache."""

from __future__ import annotations

import hashlib
import json
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from musicgen import formats
from musicgen.encodings import Encoding
from musicgen.errors import CorpusError, EncodingError, FormatError, FormatWarning
from musicgen.music import Audio, Tune
from musicgen.parallel import parallel_map
from musicgen.training.augmentation import Copies
from musicgen.training.cache import Cache
from musicgen.training.content_hash import content_hashes, program_hash
from musicgen.training.corpus import Corpus
from musicgen.training.encoded import EncodedCorpus, Outcome, parted_state, write_encoded
from musicgen.training.split import split
from musicgen.training.spool import unpack

__all__ = ["encode_corpus"]


def encode_corpus(
    corpus: Corpus,
    encoding: type[Encoding] | Encoding,
    rng: np.random.Generator,
    *,
    options: Mapping[str, Any] | None = None,
    val_fraction: float = 0.1,
    transpose: Iterable[int] = (0,),
    jobs: int | None = None,
    cache: bool = True,
    progress: Callable[[int, int], object] | None = None,
) -> EncodedCorpus:
    """Split a corpus, fit an encoding on the training pieces, and encode them all.

    The arrays lie on the disk, and so do the pieces until they are encoded: memory holds a few
    pieces at a time, however many there are. The result is kept in a `Cache` under a key of all
    that it depends on, the content of the files above all, and found there the next time.

    Parameters
    ----------
    corpus
        Of the encoding's kind: see `musicgen.training.read_corpus`.
    encoding
        A class, to be fitted; or a fitted encoding, which is taken as it is.
    rng
        Source of the split. One number is drawn from it, in any case.
    options
        Keyword arguments for ``encoding.fit``: JSON-able values.
    val_fraction
        Share of the pieces set aside for validation, before anything else.
    transpose
        Semitones by which each training piece is moved, 0 among them: one array for each. Where a
        piece leaves the range of pitches, that array is missing. Equal arrays count once.
    jobs
        Processes side by side; as many as there are processors by default.
    cache
        Whether to look in the cache, and to keep the result there.
    progress
        Called with the number of pieces done and to do; training pieces count twice.

    Raises
    ------
    CorpusError
        When there is nothing to learn from, or nothing to judge by.
    EncodingError
        When an option is impossible.
    OSError
        When a process dies, or the disk is full.

    Warns
    -----
    UserWarning
        When the cache cannot be written.
    """
    encoder = encoding if isinstance(encoding, type) else type(encoding)
    semitones = sorted(set(transpose)) or [0]
    _check(corpus, encoder, semitones)
    seed = int(rng.integers(2**63))
    settings: dict[str, Any] = {
        "options": dict(options or {}), "val_fraction": val_fraction, "semitones": semitones,
        "seed": seed,
    }  # fmt: skip
    load = partial(EncodedCorpus.load, encoder=encoder, root=corpus.path)
    build = partial(_build, corpus, encoding, **settings, jobs=jobs, progress=progress)
    if not cache:
        return _build_apart(build(), load)
    store = Cache()
    hashes = content_hashes(corpus.path, corpus.paths, store.memory(corpus.path), jobs)
    key = _key(corpus, encoding, settings, hashes)
    if entry := store.find(key):
        try:
            return load(entry, cached=True)
        except Exception:  # whatever is wrong with it, it can be built again
            store.remove(key)
    write = build()
    try:
        with store.building(key) as folder:
            write(folder)
        if entry := store.find(key):
            return load(entry, cached=False)
    except ChildProcessError:
        raise
    except OSError as error:
        warnings.warn(
            f"the cache {store.root} cannot be written ({error.strerror or error}): what is "
            "computed from the corpus now will be computed again at the next start",
            stacklevel=2,
        )
    return _build_apart(write, load)


def _check(corpus: Corpus, encoder: type[Encoding], semitones: Sequence[int]) -> None:
    if corpus.kind is not encoder.kind:
        raise CorpusError(
            f"{corpus.path} was read as {corpus.kind.__name__}; the encoding {encoder.name} takes "
            f"{encoder.kind.__name__}"
        )
    if corpus.kind is Audio and semitones != [0]:
        raise CorpusError("sound cannot be transposed; ask for that with notes only")


def _key(
    corpus: Corpus,
    encoding: type[Encoding] | Encoding,
    settings: Mapping[str, Any],
    hashes: Mapping[str, str],
) -> str:
    """Return a name for all that the result depends on."""
    fitted = ""
    if not isinstance(encoding, type):
        state, arrays = parted_state(encoding)
        whole = hashlib.sha256(json.dumps(state, sort_keys=True).encode())
        for name, array in sorted(arrays.items()):
            whole.update(f"{name} {array.dtype.str} {array.shape}".encode() + array.tobytes())
        fitted = whole.hexdigest()
    how = [corpus.format.name if corpus.given else "", corpus.kind.__name__, corpus.render]
    facts = [program_hash(), formats.names(), how, encoding.name, fitted, settings, hashes]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _build(
    corpus: Corpus,
    encoding: type[Encoding] | Encoding,
    *,
    options: Mapping[str, Any],
    val_fraction: float,
    semitones: Sequence[int],
    seed: int,
    jobs: int | None,
    progress: Callable[[int, int], object] | None,
) -> Callable[[Path], None]:
    """Split the corpus and fit the encoding; return what writes the arrays into a folder."""
    contents = corpus.contents
    spool, marks = contents.pieces, contents.marks.tolist()
    chosen, aside = split(range(len(spool)), val_fraction, np.random.default_rng(seed))
    copies = Copies(spool, chosen, semitones, jobs)
    total = len(chosen) + len(spool)

    def report(done: int) -> None:
        if progress:
            progress(done, total)

    def training_pieces() -> Iterator[Any]:
        for done, pieces in enumerate(copies, 1):
            yield from pieces
            report(done)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        remaining = training_pieces()
        fitted = encoding.fit(remaining, **options) if isinstance(encoding, type) else encoding
        if semitones != [0]:
            for _ in remaining:
                pass  # not every encoding looks at them all, but all are wanted

    def outcomes() -> Iterator[Outcome]:
        held_back = set(aside)
        todo = (
            [spool.record(i)] if i in held_back else copies.records(i) for i in range(len(spool))
        )
        results = parallel_map(partial(_encode, encoding=fitted), todo, jobs)
        for i, (arrays, reason) in enumerate(results):
            part = "validation" if i in held_back else "training"
            yield Outcome(contents.sources[i], part, marks[i], arrays, reason)
            report(len(chosen) + i + 1)

    def write(folder: Path) -> None:
        write_encoded(folder, fitted, corpus.inventory, corpus.path, outcomes())

    return write


def _encode(copies: Sequence[bytes], encoding: Encoding) -> tuple[list[npt.NDArray[Any]], str]:
    """Return the different arrays of a piece's copies, or why there is none."""
    arrays: dict[bytes, npt.NDArray[Any]] = {}
    reason = "no transposition lies within the range of pitches"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        for record in copies:
            try:
                piece = unpack(record)
            except (FormatError, OSError) as error:
                return [], str(error)
            try:
                array = encoding.encode(piece)
            except FormatError as error:
                reason = str(error)
            except EncodingError as error:
                place = f"tune in line {piece.line}: " if isinstance(piece, Tune) else ""
                reason = f"{place}{error}"
            else:
                arrays.setdefault(hashlib.sha256(array.tobytes()).digest(), array)
    return list(arrays.values()), "" if arrays else reason


def _build_apart(
    write: Callable[[Path], None], load: Callable[..., EncodedCorpus]
) -> EncodedCorpus:
    # What is mapped outlives its name; on Windows the names outlive this process.
    with tempfile.TemporaryDirectory(prefix="musicgen-", ignore_cleanup_errors=True) as name:
        write(Path(name))
        return load(Path(name), cached=False)
