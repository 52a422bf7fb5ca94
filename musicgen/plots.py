"""Pictures: charts, piano rolls, scores and sound. The only module that imports matplotlib."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import get_data_path, rc_context
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from musicgen.charts import Chart, Heatmap, Lines
from musicgen.errors import FormatError
from musicgen.files import write_atomically
from musicgen.music import Audio, Music, Note

__all__ = [
    "draw",
    "engraved_score",
    "learning_curve",
    "piano_roll",
    "spectrograms",
    "waveform_and_spectrogram",
]

# Pixels.
PAGE_WIDTH = 1600

ROW_QUARTERS, MOST_ROWS = 96, 40
COLUMNS = 1200
SPECTRUM_ROWS = 360

SPECTRUM_SECONDS = 0.1
LOWEST_HERTZ = 40.0
DECIBELS = 80

POINT_COLOURS = ("black", "gold", "limegreen", "magenta")
MOST_INSIDE = 5  # lines whose legend leaves room for them
WIDEST_IN_TWOS = 256  # ratio up to which an axis counts in powers of two
MOST_MARKS = 60  # points on a line that are marked one by one

# Signs of a musical text font (SMuFL), as a usual font has them: notes in metronome marks and
# accidentals in chord symbols.
PLAIN_SIGNS = str.maketrans(
    {"\ueca2": "1", "\ueca3": "½", "\ueca5": "♩", "\ueca7": "♪", "\ueca9": "♬", "\uecb7": ".",
     "\ue260": "♭", "\ue261": "♮", "\ue262": "♯"}
)  # fmt: skip

NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


def draw(charts: Sequence[Chart], path: Path, columns: int | None = None) -> None:
    """Draw charts side by side.

    Parameters
    ----------
    charts
        What to draw.
    path
        File to write; its ending says whether PNG or SVG.
    columns
        Charts side by side before a new row begins; by default 3, and 2 of four.
    """
    columns = columns or (2 if len(charts) == 4 else min(3, len(charts)))
    rows = math.ceil(len(charts) / columns)
    legends = [len(chart.lines) for chart in charts if isinstance(chart, Lines)]
    below = max((count for count in legends if count > MOST_INSIDE), default=0)
    figure = Figure(figsize=(4.3 * columns, (3.6 + 0.15 * below) * rows), layout="constrained")
    for place, chart in enumerate(charts, 1):
        axes = figure.add_subplot(rows, columns, place)
        axes.set(xlabel=chart.x, ylabel=chart.y, title=chart.title)
        if isinstance(chart, Lines):
            _draw_lines(axes, chart)
        else:
            _draw_heatmap(axes, chart)
    _save(figure, path)


def _draw_lines(axes: Axes, chart: Lines) -> None:
    for label, (xs, ys) in chart.lines.items():
        style = "--" if label.endswith("bound") else "o-" if len(xs) <= MOST_MARKS else "-"
        axes.plot(xs, ys, style, ms=3, lw=1.2, label=label)
    if chart.x_log:
        low, *_, high = sorted(x for xs, _ in chart.lines.values() for x in xs)
        axes.set_xscale("log", base=2 if high <= WIDEST_IN_TWOS * low else 10)
    if chart.y_log:
        axes.set_yscale("log")
    axes.grid(alpha=0.3)
    _legend(axes, below=len(chart.lines) > MOST_INSIDE)


def _draw_heatmap(axes: Axes, chart: Heatmap) -> None:
    values = chart.values
    style: dict[str, Any] = {"origin": "lower", "cmap": "RdBu_r", "vmin": 0, "vmax": 1}
    if chart.extent is not None:
        axes.imshow(values, extent=chart.extent, aspect="auto", interpolation="nearest", **style)
    else:
        axes.imshow(values, aspect="auto", **style | {"cmap": "Blues"})
        axes.set_xticks(range(len(chart.columns)), chart.columns)
        axes.set_yticks(range(len(chart.rows)), chart.rows)
        for (row, column), value in np.ndenumerate(values):
            colour = "white" if value > 0.6 else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", c=colour, size=7)
    for colour, (label, points) in zip(POINT_COLOURS, chart.points.items(), strict=False):
        axes.scatter(
            points[:, 0], points[:, 1], s=20, c=colour, edgecolors="white", lw=0.7, label=label
        )
    if chart.points:
        _legend(axes, below=True)


def _legend(axes: Axes, below: bool) -> None:
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.2), "ncols": 2}
    axes.legend(fontsize="small", **place if below else {})


def learning_curve(
    history: Sequence[dict[str, Any]], path: Path, title: str = "", unit: str = "bits a symbol"
) -> None:
    """Draw the costs of a training run.

    Parameters
    ----------
    history
        Entries with ``steps``, ``loss``, ``validation`` and ``best``.
    path
        File to write; its ending says whether PNG or SVG.
    title
        Text above the picture.
    unit
        What the costs are counted in.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    seen = [entry["steps"] / 1e6 for entry in history]
    axes.plot(seen, [entry["loss"] for entry in history], "o-", ms=3, label="training")
    axes.plot(seen, [entry["validation"] for entry in history], "o-", ms=3, label="validation")
    kept = [entry for entry in history if entry["best"]]
    if kept:
        best = kept[-1]
        axes.plot(best["steps"] / 1e6, best["validation"], "k*", ms=10, zorder=3)
        axes.annotate(
            f"{best['validation']:.3f}", (best["steps"] / 1e6, best["validation"]),
            xytext=(0, 10), textcoords="offset points", ha="center",
        )  # fmt: skip
    axes.set(xlabel=f"million {unit.split()[-1]}s seen", ylabel=unit, title=title)
    axes.grid(alpha=0.3)
    axes.legend()
    _save(figure, path)


def piano_roll(music: Music, path: Path, title: str = "") -> None:
    """Draw the notes over time, a colour a track, with bar lines, in as many rows as it takes.

    Parameters
    ----------
    music
        What to draw.
    path
        File to write; its ending says whether PNG or SVG.
    title
        Text above the picture; the music's own title by default.
    """
    quarter = music.resolution
    end = max(music.end / quarter, 1)
    rows = min(math.ceil(end / ROW_QUARTERS), MOST_ROWS)
    span = end / rows
    played = [(number, track) for number, track in enumerate(music.tracks) if track.notes]
    width, height = min(3 + 0.12 * end, 14) + (len(played) > 1), 1.2 + 2.4 * rows
    figure = Figure(figsize=(width, height))
    # Margins in inches: to find them out takes matplotlib as long as all the rest.
    figure.subplots_adjust(
        left=0.55 / width, right=1 - (1.25 if len(played) > 1 else 0.15) / width,
        bottom=0.5 / height, top=1 - (0.4 if title or music.title else 0.1) / height, hspace=0.2,
    )  # fmt: skip
    panels = figure.subplots(rows, 1, sharey=True, squeeze=False)[:, 0]
    bars = [bar / quarter for bar in _bar_lines(music)]
    for row, axes in enumerate(panels):
        left, right = row * span, (row + 1) * span
        axes.vlines(
            [bar for bar in bars if left <= bar <= right], 0, 1, color="0.8", lw=0.8, zorder=0,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
        for number, track in enumerate(music.tracks):
            shown = [n for n in track.notes if n.time < right * quarter and n.end > left * quarter]
            axes.add_collection(_boxes(shown, quarter, f"C{number}"))
        axes.set_xlim(left, right)
    pitches = [note.pitch for track in music.tracks for note in track.notes] or [60]
    axes = panels[-1]
    axes.set(ylim=(min(pitches) - 1.5, max(pitches) + 1.5), xlabel="quarter notes")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    axes.yaxis.set_major_formatter(
        lambda pitch, _: f"{NAMES[int(pitch) % 12]}{int(pitch) // 12 - 1}"
    )
    figure.suptitle(title or music.title, y=1 - 0.05 / height, va="top")
    if len(played) > 1:
        figure.legend(
            handles=[Patch(color=f"C{number}", label=track.name or f"track {number + 1}")
                     for number, track in played],
            loc="upper right", fontsize="small",
            bbox_to_anchor=(1 - 0.05 / width, 1 - 0.1 / height),
        )  # fmt: skip
    _save(figure, path)


def _boxes(notes: Sequence[Note], quarter: int, colour: str) -> PolyCollection:
    """Return a box for each note; the louder, the darker."""
    boxes = [
        [(left, low), (left, low + 0.9), (right, low + 0.9), (right, low)]
        for note in notes
        for left, right, low in [(note.time / quarter, note.end / quarter, note.pitch - 0.45)]
    ]
    colours = [to_rgba(colour, 0.4 + 0.6 * note.velocity / 127) for note in notes]
    return PolyCollection(boxes, facecolors=colours, edgecolors="white", linewidths=0.4)


def engraved_score(notation: str, path: Path) -> None:
    """Engrave a score, all of it on one tall page.

    Parameters
    ----------
    notation
        MEI or MusicXML.
    path
        File to write; its ending says whether PNG or SVG.

    Raises
    ------
    FormatError
        When verovio or resvg_py is not installed, or verovio does not take the score.
    """
    kind = _kind(path)
    try:
        import resvg_py
        import verovio
    except ImportError as error:
        raise FormatError(
            f"engraving a score needs {error.name}, which is not installed",
            hint="install it with: pip install 'musicgen-lstm[score]'",
        ) from error
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    # Without the seed equal scores would get different names inside the file.
    toolkit.setOptions(
        {"pageHeight": 60000, "adjustPageHeight": True, "scale": 45, "xmlIdSeed": 1,
         "svgViewBox": True, "header": "auto", "footer": "none"}
    )  # fmt: skip
    if not toolkit.loadData(notation):
        raise FormatError("verovio cannot engrave this score", hint="try --kind roll")
    drawn = toolkit.renderToSVG(1)
    if kind == "svg":
        write_atomically(path, drawn.encode())
        return
    # resvg has no musical text font, and loses the place of a text that is explained by a <title>.
    drawn = re.sub(r"<title\b.*?</title>", "", drawn, flags=re.S).translate(PLAIN_SIGNS)
    # The fonts of this machine would make the picture another one on each machine.
    fonts = Path(get_data_path(), "fonts", "ttf")
    picture = resvg_py.svg_to_bytes(
        svg_string=drawn, background="white", width=PAGE_WIDTH, skip_system_fonts=True,
        font_dirs=[str(fonts)], serif_family="DejaVu Serif", font_family="DejaVu Serif",
    )  # fmt: skip
    write_atomically(path, bytes(picture))


def waveform_and_spectrogram(audio: Audio, path: Path, title: str = "") -> None:
    """Draw sound: above each channel over time, below the strength of frequencies over time.

    The spectrogram is that of the mean of the channels, in decibels below its loudest spot. Both
    pictures are reduced to 1,200 columns while they are computed, so that an hour takes little
    more memory than its samples: a column shows the smallest and the largest sample, and the mean
    power.

    Parameters
    ----------
    audio
        What to draw.
    path
        File to write; its ending says whether PNG or SVG.
    title
        Text above the picture.
    """
    samples, rate = audio.samples, audio.rate
    channels = samples.shape[1]
    seconds = max(len(samples), 1) / rate
    heights = [1.0] * channels + [3.0]
    figure = Figure(figsize=(11, 3.6 + 1.1 * min(channels, 8)), layout="constrained")
    rows = figure.subplots(
        channels + 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )[:, 0]
    for number, axes in enumerate(rows[:-1]):
        times, lowest, highest = _envelope(samples[:, number], rate)
        axes.fill_between(times, lowest, highest, color="C0", lw=0.4)
        axes.set(ylim=(-1, 1), xlim=(0, seconds), yticks=(-1, 0, 1))
        axes.grid(alpha=0.3)
        axes.set_ylabel(
            ("left", "right")[number] if channels == 2 else f"{number + 1}" if channels > 2 else ""
        )
    rows[0].set_title(title)
    image = _draw_spectrogram(rows[-1], audio)
    rows[-1].set_xlabel("seconds")
    figure.colorbar(image, ax=rows[-1], label="dB", pad=0.01)
    _save(figure, path)


def spectrograms(sounds: Mapping[str, Audio], path: Path) -> None:
    """Draw the strength of frequencies over time, of several sounds below each other.

    Each is in decibels below its own loudest spot, as in `waveform_and_spectrogram`.

    Parameters
    ----------
    sounds
        By the text above each.
    path
        File to write; its ending says whether PNG or SVG.
    """
    figure = Figure(figsize=(9, 2.4 * len(sounds)), layout="constrained")
    panels = figure.subplots(len(sounds), 1, squeeze=False)[:, 0]
    for axes, (title, audio) in zip(panels, sounds.items(), strict=True):
        image = _draw_spectrogram(axes, audio)
        axes.set_title(title)
    panels[-1].set_xlabel("seconds")
    figure.colorbar(image, ax=list(panels), label="dB", pad=0.01)
    _save(figure, path)


def _draw_spectrogram(axes: Axes, audio: Audio) -> QuadMesh:
    times, hertz, levels = _spectrogram(audio.samples, audio.rate)
    image = axes.pcolormesh(
        times, hertz, levels, vmin=-DECIBELS, vmax=0, cmap="magma", shading="nearest",
        rasterized=True,
    )  # fmt: skip
    axes.set(yscale="log", ylim=(hertz[0], hertz[-1]), ylabel="Hz")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    return image


def _envelope(
    channel: npt.NDArray[np.float32], rate: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return times in seconds, and the smallest and largest sample from each on."""
    width = max(math.ceil(len(channel) / COLUMNS), 1)
    starts = np.arange(0, len(channel), width)
    if not len(starts):
        return np.zeros(1), np.zeros(1, np.float32), np.zeros(1, np.float32)
    lowest = np.minimum.reduceat(channel, starts)
    highest = np.maximum.reduceat(channel, starts)
    return starts / rate, lowest, highest


def _spectrogram(
    samples: npt.NDArray[np.float32], rate: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return times in seconds, frequencies in Hz in equal ratios, and levels in decibels."""
    from scipy.signal import spectrogram

    window = min(2 ** round(math.log2(max(SPECTRUM_SECONDS * rate, 1))), max(len(samples), 1))
    hop = max(window // 4, 1)
    each = math.ceil(len(samples) / hop / COLUMNS) or 1
    starts = range(0, max(len(samples) - window, 0) + 1, hop * each)
    columns = []
    for start in starts:
        part = samples[start : start + hop * (each - 1) + window].mean(axis=1)
        part = np.pad(part, (0, max(window - len(part), 0)))
        _, _, powers = spectrogram(
            part, rate, nperseg=window, noverlap=window - hop, detrend=False, scaling="spectrum"
        )
        columns.append(powers.mean(axis=1))
    power = np.stack(columns, axis=1)
    lowest = min(LOWEST_HERTZ, rate / 4)
    hertz = np.geomspace(lowest, rate / 2, SPECTRUM_ROWS)
    # Each row shows the strongest bin that it covers, so that a high partial is not passed over.
    edges = np.geomspace(lowest, rate / 2, SPECTRUM_ROWS + 1) * window / rate
    first = np.minimum(np.rint(edges).astype(int), len(power) - 1)
    strongest = [power[start : max(stop, start + 1)].max(axis=0) for start, stop in pairwise(first)]
    levels = 10 * np.log10(np.maximum(np.array(strongest), 1e-20))
    # Silence is drawn as silence, whatever is loudest in it.
    times = (np.array(starts) + window / 2) / rate
    return times, hertz, levels - max(float(levels.max()), -120.0)


def _bar_lines(music: Music) -> list[int]:
    """Return the ticks at which bars start, as far as the metre tells."""
    lines: list[int] = []
    changes = music.time_signatures
    for number, change in enumerate(changes, 1):
        until = changes[number].time if number < len(changes) else music.end + 1
        bar = music.resolution * 4 * change.numerator // change.denominator
        lines += range(change.time, until, max(bar, 1))
    return lines


def _kind(path: Path) -> str:
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("png", "svg"):
        raise FormatError(f"cannot draw {path}; expected a name that ends in .png or .svg")
    return kind


def _save(figure: Figure, path: Path) -> None:
    kind = _kind(path)
    stream = io.BytesIO()
    # Without the date, the program's version and random names equal pictures are equal files.
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with rc_context({"svg.hashsalt": "musicgen"}):
        figure.savefig(stream, format=kind, dpi=110, metadata=metadata)
    write_atomically(path, stream.getvalue())
