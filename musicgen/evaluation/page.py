"""A page of tables, pictures and sound in one file that needs nothing beside it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

__all__ = ["Figure", "Heading", "Table", "page"]


class Heading(NamedTuple):
    """Text above what follows."""

    text: str


class Table(NamedTuple):
    """Rows of text.

    Attributes
    ----------
    title
        What the table is of.
    header
        A word for each column.
    rows
        A cell for each column.
    note
        A sentence below.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    @property
    def words(self) -> list[bool]:
        """Which columns hold words, and stand to the left; numbers stand to the right.

        Examples
        --------
        >>> Table("Cups", ["who", "n", "what"], [["me", "2", "tea"], ["you", "–", ""]]).words
        [True, False, True]
        """
        columns = zip(*self.rows, strict=True)
        found = [any(cell[:1].isalpha() for cell in column) for column in columns]
        return [True, *found[1:]] if found else [True] * len(self.header)


class Figure(NamedTuple):
    """A picture or a sound.

    Attributes
    ----------
    title
        What it shows, also for those who cannot see it.
    media
        Type of the data: ``"image/png"``, ``"audio/ogg"``.
    data
        The content of the file.
    """

    title: str
    media: str
    data: bytes


LONG = 24  # letters of a cell that may take several lines

# Dark or light as the reader's system has it; pictures stay on white.
STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { line-height: 1.2; } h2 { margin-top: 3rem; } h3 { margin: 2rem 0 .5rem; font-size: 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .5rem; text-align: right; border-bottom: 1px solid #8884; }
th, td { white-space: nowrap; vertical-align: top; }
.words { text-align: left; }
.long { white-space: normal; min-width: 12rem; }
th:first-child, td:first-child { padding-left: 0; }
figure { margin: 1rem 0; } figcaption { margin-bottom: .3rem; }
img { display: block; max-width: 100%; background: white; padding: .5rem; box-sizing: border-box; }
audio { width: 100%; }
small { opacity: .8; }
"""


def page(title: str, parts: Sequence[str | Heading | Table | Figure]) -> str:
    """Return a page of HTML, without scripts and without an address of anything outside.

    Parameters
    ----------
    title
        Of the page.
    parts
        From above to below; plain text becomes a paragraph.

    Examples
    --------
    >>> text = page("Tea & cake", ["Hot.", Table("Cups", ["who", "n"], [["me", "2"]])])
    >>> "<h1>Tea &amp; cake</h1>" in text, 'me</td><td>2</td>' in text
    (True, True)
    """
    body = "\n".join(_html(part) for part in parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def _html(part: str | Heading | Table | Figure) -> str:
    if isinstance(part, Heading):
        return f"<h2>{escape(part.text)}</h2>"
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Figure):
        return _figure(part)
    return f"<p>{escape(part)}</p>"


def _table(table: Table) -> str:
    words = table.words
    lines = [_row("th", table.header, words), *(_row("td", row, words) for row in table.rows)]
    note = f"\n<p><small>{escape(table.note)}</small></p>" if table.note else ""
    return (
        f'<h3>{escape(table.title)}</h3>\n<div class="wide"><table>\n'
        + "\n".join(lines)
        + f"\n</table></div>{note}"
    )


def _row(tag: str, cells: Sequence[str], words: Sequence[bool]) -> str:
    written = []
    for number, (cell, is_words) in enumerate(zip(cells, words, strict=True)):
        kinds = ["words"] * is_words + ["long"] * (number > 0 and len(cell) > LONG)
        marked = f' class="{" ".join(kinds)}"' if kinds else ""
        written.append(f"<{tag}{marked}>{escape(cell)}</{tag}>")
    return f"<tr>{''.join(written)}</tr>"


def _figure(figure: Figure) -> str:
    address = f"data:{figure.media};base64,{b64encode(figure.data).decode()}"
    title = escape(figure.title)
    shown = (
        f'<audio controls src="{address}"></audio>'
        if figure.media.startswith("audio/")
        else f'<img alt="{title}" src="{address}">'
    )
    return f"<figure><figcaption>{title}</figcaption>{shown}</figure>"
