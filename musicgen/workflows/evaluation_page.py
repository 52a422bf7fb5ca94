"""What an evaluation found, as one page with pictures and sound."""

from __future__ import annotations

import errno
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from musicgen.charts import Chart, Lines
from musicgen.convert import convert
from musicgen.errors import FormatError, FormatWarning
from musicgen.evaluation import HISTOGRAMS, STATISTICS
from musicgen.evaluation.page import Figure, Heading, Table, page
from musicgen.files import check_writable, write_atomically
from musicgen.formats import get, wav
from musicgen.music import Audio, Music
from musicgen.workflows.evaluation_pieces import Report
from musicgen.workflows.evaluation_result import Evaluation, Example
from musicgen.workflows.plot import plot_file
from musicgen.workflows.tables import counted_pieces, evaluation_tables, model_name

__all__ = ["check_page", "write_page"]

SECONDS = 20.0
FADE = 1.0
MOST_BINS = 20
WIDEST_IN_ONES = 40  # range up to which whole numbers have a bin each
RARE = 1e-3  # share below which a value is left out at either end of a histogram
STAGE = "page"


def check_page(path: Path) -> None:
    """Make sure that a page can be written, before hours of work.

    Raises
    ------
    OSError
        When it cannot.
    """
    if path.is_dir():
        message = "is a folder; expected the name of a file, such as page.html"
        raise IsADirectoryError(errno.EISDIR, message, str(path))
    check_writable(path.parent)


def write_page(
    found: Evaluation, path: str | Path, report: Report = lambda stage, done, total: None
) -> None:
    """Write an evaluation as one HTML page that needs no network.

    It has the tables, pictures and sound of some samples and of a held-out piece, and the
    distributions of all statistics.

    Parameters
    ----------
    found
        What `musicgen.workflows.evaluate_model` returned.
    path
        The file.
    report
        Called with the name of what goes on, and with what of it is done and to do.

    Raises
    ------
    OSError
        When the file cannot be written.
    """
    path = Path(path)
    check_page(path)
    parts: list[str | Heading | Table | Figure] = [
        f"Model {model_name(found.model)}, judged on {found.corpus}: {counted_pieces(found)}.",
        *found.notes,
    ]
    likelihood, *others = evaluation_tables(found)
    parts.append(likelihood)
    if others:
        statistics, *others = others
        parts += [statistics, _meanings(), *others]
    if found.copied:
        parts += _shown(found.copied)
    if found.examples:
        parts.append(Heading("Samples to look at and to listen to"))
        for done, example in enumerate(found.examples, 1):
            parts += _shown(example)
            report(STAGE, done, len(found.examples) + 1)
    if found.statistics:
        parts.append(Heading("Distributions"))
        parts.append(_drawn("Distributions of the statistics", partial(_draw, found)))
    report(STAGE, len(found.examples) + 1, len(found.examples) + 1)
    text = page(f"How good is {found.model.stem}, and does it copy?", parts)
    write_atomically(path, text.encode())


def _meanings() -> Table:
    rows = [[name, what.meaning] for name, what in (STATISTICS | HISTOGRAMS).items()]
    return Table("What the statistics mean", ["", "meaning"], rows)


def _shown(example: Example) -> Iterator[Figure]:
    music = convert(example.piece, Music)
    title = f"{example.label}: {music.title}" if music.title else example.label

    def draw(target: Path) -> None:
        form = get(example.format)
        source = target.with_suffix(form.extensions[0])
        form.write(example.piece, source)
        try:
            plot_file(source, target)
        except FormatError:  # the score is beyond the engraver
            plot_file(source, target, picture="roll")

    yield _drawn(title, draw)
    audio = convert(music, Audio)
    cut = len(audio.samples) > SECONDS * audio.rate
    yield _heard(f"its first {SECONDS:.0f} s" if cut else "how it sounds", audio)


def _drawn(title: str, draw: Callable[[Path], object]) -> Figure:
    """Return the picture that a function writes."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        file = Path(folder, "picture.png")
        draw(file)
        return Figure(title, "image/png", file.read_bytes())


def _heard(title: str, audio: Audio) -> Figure:
    """Return the beginning of a sound, one channel, small."""
    samples = audio.samples[: round(SECONDS * audio.rate)].mean(axis=1, keepdims=True)
    fade = min(round(FADE * audio.rate), len(samples))
    if len(audio.samples) > len(samples):
        samples[len(samples) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    short = Audio(samples, audio.rate)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "sound.ogg")
        try:
            wav.write(short, file)
        except FormatError:  # a libsndfile without Vorbis
            file = file.with_suffix(".wav")
            wav.write(short, file)
        return Figure(title, f"audio/{file.suffix[1:]}", file.read_bytes())


def _draw(found: Evaluation, target: Path) -> None:
    from musicgen import plots  # matplotlib takes half a second to load

    plots.draw(list(_charts(found)), target)


def _charts(found: Evaluation) -> Iterator[Chart]:
    for name, histogram in HISTOGRAMS.items():
        counts = {label: each.histograms[name] for label, each in found.statistics.items()}
        if any(counts.values()):
            yield Lines(name, histogram.unit, "share of the notes", _shares(counts), y_log=False)
    for name, statistic in STATISTICS.items():
        values = {
            label: each.values[name][~np.isnan(each.values[name])]
            for label, each in found.statistics.items()
        }
        edges = _edges(np.concatenate(list(values.values())))
        if len(edges) > 2:
            centres = ((edges[1:] + edges[:-1]) / 2).tolist()
            lines = {
                label: (centres, (np.histogram(each, edges)[0] / max(len(each), 1)).tolist())
                for label, each in values.items()
            }
            yield Lines(name, statistic.unit, "share of the pieces", lines, y_log=False)


def _shares(
    histograms: Mapping[str, Mapping[float, int]],
) -> dict[str, tuple[list[float], list[float]]]:
    """Return values and shares of each, without rare values at the ends."""
    totals = {label: sum(counts.values()) for label, counts in histograms.items()}
    common = [
        value
        for label, counts in histograms.items()
        for value, count in counts.items()
        if count >= RARE * totals[label]
    ]
    values = sorted({value for counts in histograms.values() for value in counts})
    values = [value for value in values if min(common) <= value <= max(common)]
    return {
        label: (values, [counts.get(value, 0) / max(totals[label], 1) for value in values])
        for label, counts in histograms.items()
    }


def _edges(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the borders of bins; of less than two where all values are alike."""
    if not len(values) or np.ptp(values) == 0:
        return np.zeros(1)
    low, high = values.min(), values.max()
    if high - low <= WIDEST_IN_ONES and (values == np.rint(values)).all():
        return np.arange(low - 0.5, high + 1)
    return np.linspace(low, high, MOST_BINS + 1)
