"""Engraved scores."""

from __future__ import annotations

import re
from pathlib import Path

from matplotlib import get_data_path

from musicgen.errors import FormatError
from musicgen.files import write_atomically
from musicgen.plots.saving import picture_kind

__all__ = ["engraved_score"]

# Pixels.
PAGE_WIDTH = 1600

# Signs of a musical text font (SMuFL), as a usual font has them: notes in metronome marks and
# accidentals in chord symbols.
PLAIN_SIGNS = str.maketrans(
    {"\ueca2": "1", "\ueca3": "½", "\ueca5": "♩", "\ueca7": "♪", "\ueca9": "♬", "\uecb7": ".",
     "\ue260": "♭", "\ue261": "♮", "\ue262": "♯"}
)  # fmt: skip


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
    kind = picture_kind(path)
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
