"""How much of a piece stands in a corpus: "did it just copy?"."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from math import lcm
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.encodings.measures import measures
from musicgen.errors import CorpusError
from musicgen.evaluation.figures import SHORTEST, Line, Melody, figures, track_melodies
from musicgen.evaluation.suffix_array import BORDER, SuffixArray
from musicgen.music import Music, Note, Track

__all__ = ["NGRAM_LENGTHS", "LookUp", "Match", "Ngrams", "NoveltyIndex", "Place"]

NGRAM_LENGTHS = (4, 8, 12, 16, 24, 32)
"""Numbers of notes of the n-grams that `NoveltyIndex.look_up` counts."""

# No figure of the corpus; alphabets are smaller.
UNKNOWN = 2**32 - 1


class Place(NamedTuple):
    """Where a run of notes starts in a piece; all numbers are counted from 1.

    Attributes
    ----------
    title
        The piece.
    track
        The track.
    note
        The note, in the line.
    bar
        The bar, as the piece that was given has them: where its repeats are played, bars are
        counted as they are played. An upbeat that has a time signature of its own is bar 0.
    voice
        What the track is called; empty where the piece has no other.
    line
        Whether it is in the highest or the lowest line of the track; a single voice is the highest.
    """

    title: str
    track: int
    note: int
    bar: int
    voice: str = ""
    line: Line = "highest"


class Ngrams(NamedTuple):
    """N-grams of notes, those that come again counted again.

    Attributes
    ----------
    known
        How many stand in a corpus.
    total
        How many there are.
    pieces
        Number of pieces that they are of.
    """

    known: int
    total: int
    pieces: int

    @property
    def share(self) -> float:
        """Which share of them stands in the corpus."""
        return self.known / self.total


class Match(NamedTuple):
    """A run of notes that stands both in a sample and in a corpus.

    Attributes
    ----------
    length
        How many notes it has.
    piece
        Which piece of the corpus, counted from 0.
    source
        Where it starts there.
    sample
        Where it starts in the sample.
    semitones
        How much higher the sample has it.
    """

    length: int
    piece: int
    source: Place
    sample: Place
    semitones: int


class LookUp(NamedTuple):
    """What of a piece stands in a corpus.

    Attributes
    ----------
    match
        Its longest run of notes that does; None where no three notes in a row do.
    ngrams
        Its n-grams of notes by n; no entry for an n that is longer than every line of the piece.
    """

    match: Match | None
    ngrams: dict[int, Ngrams]

    @property
    def shares(self) -> dict[int, float]:
        """By n, which share of its n-grams of notes does."""
        return {n: counts.share for n, counts in self.ngrams.items()}


class NoveltyIndex:
    """The melodies of a corpus, in which those of a sample are looked up.

    A run of notes stands in the corpus when a piece has as many notes in a row with the same
    intervals between them: it may be transposed. With `rhythm`, the distances from onset to onset
    must have the same ratios too; the run may still be written twice as fast, or at another
    resolution. How long notes last within these distances plays no part. All comparisons are exact,
    so that the rhythm of played music means little before `musicgen.convert.quantise`.

    The notes in a row are those of one track, and there of the highest line or of the lowest, so
    that a melody is found too where the voices below it lie in the same track; a melody between two
    others of its track is not. Drums are left out. Pieces are taken as they are given: play the
    repeats of both sides, as `musicgen.convert.tune_to_music` does, or what runs through a second
    ending is cut. Runs of less than three notes, which any corpus has, count as none. The figures
    that notes make with their neighbours (`musicgen.evaluation.figures`) are searched as text is
    (`musicgen.evaluation.suffix_array`). An index takes about 35 bytes a note, and 150 while it is
    made.

    Parameters
    ----------
    pieces
        The corpus; gone through once, and not kept.
    titles
        Their names, one each; by default their own titles.
    rhythm
        Whether rhythm must be the same too.

    Raises
    ------
    CorpusError
        When there is not one title for each piece.

    Examples
    --------
    >>> def tune(title, pitches):
    ...     notes = [Note(480 * beat, pitch, 480) for beat, pitch in enumerate(pitches)]
    ...     return Music(480, tracks=[Track(notes=notes)], title=title)
    >>> index = NoveltyIndex([tune("scale", range(60, 80)), tune("fifths", range(40, 90, 7))])
    >>> match, ngrams = index.look_up(tune("sample", [60, 60, 67, 74, 81, 82, 83]))
    >>> match.length, match.source, match.sample.note, match.semitones
    (4, Place(title='fifths', track=1, note=1, bar=1, voice='', line='highest'), 2, 20)
    >>> ngrams
    {4: Ngrams(known=1, total=4, pieces=1)}
    """

    def __init__(
        self,
        pieces: Iterable[Music],
        titles: Iterable[str] | None = None,
        *,
        rhythm: bool = False,
    ) -> None:
        self._rhythm = rhythm
        self._outlines: list[Music] = []
        self._melodies: list[tuple[int, Melody]] = []
        for number, piece in enumerate(pieces):
            found = track_melodies(piece)
            self._outlines.append(_outline(piece, found))
            self._melodies += [(number, melody) for melody in found]
        if titles is not None:
            self._name(list(titles))
        rows = [figures(melody, rhythm=rhythm) for _, melody in self._melodies]
        alphabet, numbers = np.unique(np.concatenate([[], *rows]), return_inverse=True)
        # One more than any figure, so that a search always ends on one.
        self._alphabet = np.append(alphabet, np.inf)
        ends = np.cumsum([len(row) for row in rows], dtype=np.int64)
        self._text = SuffixArray(np.insert(numbers + 1, ends, BORDER))
        self._starts = np.insert(ends + np.arange(1, len(ends) + 1), 0, 0)

    def look_up(self, music: Music) -> LookUp:
        """Look a piece up: its longest run that also stands in the corpus, and its known n-grams.

        Of several runs as long, it is the first in the piece, and its first place in the corpus.
        Of n-grams every place of every line counts, also those where the same notes come again.
        """
        # By note of each melody, how many notes from there on are a run of the corpus.
        runs = [
            (melody, self._text.prefixes(self._symbols(melody)) + SHORTEST - 1)
            for melody in track_melodies(music)
        ]
        ngrams = {}
        for n in NGRAM_LENGTHS:
            # The last n − 1 notes of a melody start no n-gram.
            starts = [lengths[: max(len(lengths) + SHORTEST - n, 0)] for _, lengths in runs]
            if total := sum(map(len, starts)):
                known = sum(int(np.count_nonzero(lengths >= n)) for lengths in starts)
                ngrams[n] = Ngrams(known, total, 1)
        longest = max(runs, key=lambda run: int(run[1].max()), default=None)
        return LookUp(longest and self._match(music, *longest), ngrams)

    def _match(self, music: Music, melody: Melody, lengths: npt.NDArray[np.int64]) -> Match | None:
        start, length = int(lengths.argmax()), int(lengths.max())
        if length < SHORTEST:
            return None
        pattern = self._symbols(melody)[start : start + length + 1 - SHORTEST]
        place = self._text.find(pattern)
        assert place is not None, "what was found before is there"
        number = bisect_right(self._starts, place) - 1
        piece, source = self._melodies[number]
        first = place - int(self._starts[number])
        return Match(
            length,
            piece,
            _place(self._outlines[piece], source, first),
            _place(music, melody, start),
            int(melody.pitches[start] - source.pitches[first]),
        )

    def _symbols(self, melody: Melody) -> npt.NDArray[np.int64]:
        found = figures(melody, rhythm=self._rhythm)
        numbers = np.searchsorted(self._alphabet, found)
        return np.where(self._alphabet[numbers] == found, numbers + 1, UNKNOWN)

    def _name(self, titles: list[str]) -> None:
        if len(titles) != len(self._outlines):
            raise CorpusError(
                f"found {len(titles)} titles for {len(self._outlines)} pieces, expected one each"
            )
        for outline, title in zip(self._outlines, titles, strict=True):
            outline.title = title


def _outline(music: Music, melodies: list[Melody]) -> Music:
    """Return a piece with what its bars depend on, up to the last onset, and no more."""
    last = max((int(melody.onsets[-1]) for melody in melodies), default=0)
    return Music(
        music.resolution,
        time_signatures=music.time_signatures,
        tracks=[Track(name=track.name, notes=[Note(0, 0, last + 1)]) for track in music.tracks],
        title=music.title,
    )


def _place(music: Music, melody: Melody, note: int) -> Place:
    # In so fine ticks every bar is a whole number of them.
    scale = lcm(*(metre.denominator for metre in music.time_signatures))
    grid = Music(
        music.resolution * scale,
        time_signatures=[
            metre._replace(time=metre.time * scale) for metre in music.time_signatures
        ],
        tracks=[Track(notes=[Note(0, 0, music.end * scale)])],
    )
    bars = measures(grid)
    bar = bisect_right(bars.starts, int(melody.onsets[note]) * scale) - bool(bars.upbeat)
    name = music.tracks[melody.track - 1].name or f"track {melody.track}"
    voice = name if len(music.tracks) > 1 else ""
    return Place(music.title, melody.track, note + 1, bar, voice, melody.line)
