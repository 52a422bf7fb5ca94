"""Tiny Shakespeare: a million characters of his plays in one file."""

from __future__ import annotations

from pathlib import Path

from musicgen.datasets.download import download
from musicgen.errors import CorpusError

__all__ = ["load_shakespeare"]

URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"

SHORTEST = 5000


def load_shakespeare(source: Path | None = None) -> str:
    """Return the text of tiny Shakespeare, or of another file.

    Parameters
    ----------
    source
        A text file to read instead; by default the text is downloaded once.

    Raises
    ------
    CorpusError
        When it cannot be downloaded, or the file is no text or a very short one.
    OSError
        When the file cannot be read.

    References
    ----------
    Karpathy, "The unreasonable effectiveness of recurrent neural networks", 2015: 1,115,394
    characters of 65 kinds.
    """
    path = source or download(URL, SHA256, "tinyshakespeare.txt")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path} is no text: byte {error.start} is not UTF-8; expected a text file"
        ) from None
    if len(text) < SHORTEST:
        raise CorpusError(
            f"{path} holds {len(text)} characters; expected {SHORTEST:,} or more to learn from"
        )
    return text
