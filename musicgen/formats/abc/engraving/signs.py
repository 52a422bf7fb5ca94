"""Signs around notes → MEI: decorations, and the texts in quotation marks."""

from __future__ import annotations

import html
import re
import unicodedata
from xml.etree import ElementTree as ET

from musicgen.formats.abc.printer import NAMES

__all__ = ["CLOSING", "articulation", "control", "decoded", "quoted"]

ARTICULATIONS = {
    "staccato": "stacc", "accent": "acc", "emphasis": "acc", ">": "acc", "tenuto": "ten",
    "marcato": "marc", "^": "marc", "wedge": "stacciss", "upbow": "upbow", "downbow": "dnbow",
    "open": "open", "snap": "snap", "plus": "stop", "+": "stop",
}  # fmt: skip
"""What stands at a note's head: MEI's names."""

CONTROLS = {
    "trill": ("trill", {}),
    "roll": ("turn", {}),
    "turn": ("turn", {}),
    "invertedturn": ("turn", {"form": "lower"}),
    "mordent": ("mordent", {"form": "lower"}),
    "lowermordent": ("mordent", {"form": "lower"}),
    "uppermordent": ("mordent", {"form": "upper"}),
    "pralltriller": ("mordent", {"form": "upper"}),
    "fermata": ("fermata", {"place": "above"}),
    "invertedfermata": ("fermata", {"place": "below", "form": "inv"}),
    "arpeggio": ("arpeg", {}),
    "breath": ("breath", {}),
    "shortphrase": ("caesura", {}),
    "mediumphrase": ("caesura", {}),
    "longphrase": ("caesura", {}),
    "segno": ("repeatMark", {"func": "segno"}),
    "coda": ("repeatMark", {"func": "coda"}),
    "fine": ("repeatMark", {"func": "fine"}),
    "D.C.": ("repeatMark", {"func": "daCapo"}),
    "dacapo": ("repeatMark", {"func": "daCapo"}),
    "D.S.": ("repeatMark", {"func": "dalSegno"}),
}
CLOSING = ("fine", "D.C.", "dacapo", "D.S.", "dacoda", "D.C.alfine", "D.C.alcoda", "D.S.alfine",
           "D.S.alcoda")  # fmt: skip
"""Signs that belong to the end of a measure."""

WORDS = {"D.C.alfine": "D.C. al fine", "D.C.alcoda": "D.C. al coda", "dacoda": "to coda",
         "D.S.alfine": "D.S. al fine", "D.S.alcoda": "D.S. al coda"}  # fmt: skip

_DYNAMIC = re.compile(r"p{1,4}|f{1,4}|mp|mf|sfz|sf|fp")
_PLACES = {"^": "above", "_": "below", "<": "above", ">": "above", "@": "above"}
_OFFSET = re.compile(r"@?[ ]*-?[\d.]+[ ]*,[ ]*-?[\d.]+[ ]*")
_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ACCENT = re.compile(r"\\(['`^\"~,])([A-Za-z])")
_ACCENTS = {"'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303",
            ",": "\u0327"}  # fmt: skip


def decoded(text: str) -> str:
    r"""Resolve the escapes of a text string, and leave out what XML cannot hold.

    Examples
    --------
    >>> decoded(r"Caf\'e &amp; Bar")
    'Café & Bar'
    """
    text = _ACCENT.sub(lambda match: match[2] + _ACCENTS[match[1]], html.unescape(text))
    return _ILLEGAL.sub("", unicodedata.normalize("NFC", text))


def articulation(sign: str) -> str | None:
    """Find MEI's name of what a decoration puts at a note's head; None where it puts nothing.

    Examples
    --------
    >>> articulation("v"), articulation("trill")
    ('dnbow', None)
    """
    return ARTICULATIONS.get(NAMES.get(sign, sign))


def control(sign: str) -> ET.Element | None:
    """Make the MEI element of a decoration, yet without its place; None for one unknown.

    Examples
    --------
    >>> ET.tostring(control("T")), ET.tostring(control("mf"))
    (b'<trill />', b'<dynam>mf</dynam>')
    """
    name = NAMES.get(sign, sign)
    if name in CONTROLS:
        tag, attributes = CONTROLS[name]
        return ET.Element(tag, attributes)
    if _DYNAMIC.fullmatch(name):
        return _text("dynam", name)
    if name in WORDS:
        return _text("dir", WORDS[name])
    if re.fullmatch(r"[0-5]", name):
        return _text("fing", name)
    return None


def quoted(text: str) -> ET.Element | None:
    """Make the MEI element of a text in quotation marks: a chord symbol or an annotation.

    Examples
    --------
    >>> element = quoted("F#m")
    >>> element.tag, element.text
    ('harm', 'F#m')
    >>> ET.tostring(quoted("_slowly"))
    b'<dir place="below">slowly</dir>'
    """
    place = _PLACES.get(text[0])
    if place is None:
        return _text("harm", text, place="above")
    words = _OFFSET.sub("", text) if text[0] == "@" else text[1:]
    return _text("dir", words.lstrip("@"), place=place) if words.strip() else None


def _text(tag: str, text: str, **attributes: str) -> ET.Element:
    element = ET.Element(tag, attributes)
    element.text = decoded(text)
    return element
