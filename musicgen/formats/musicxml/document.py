"""The XML of a score as a tree of elements that know their line, read with care.

Entities are refused where they are declared, so that none is ever expanded or fetched [1]_; a
document type that names the usual external definition is passed over, not fetched.

References
----------
.. [1] "XML Denial of Service Attacks and Defenses", Bryan Sullivan, MSDN Magazine, 2009.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING
from xml.parsers import expat

from musicgen.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Element", "by_part", "parse"]

MAX_DEPTH = 64
MAX_ELEMENTS = 2_000_000
MAX_TEXT = 4096

# What is drawn and not heard, and takes up most of a file.
DRAWN = frozenset(
    [
        "accidental",
        "appearance",
        "beam",
        "credit",
        "defaults",
        "figured-bass",
        "harmony",
        "lyric",
        "notehead",
        "print",
        "staff-layout",
        "stem",
        "system-layout",
    ]
)
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
WHITE = b" \t\r\n"
NUMBER = re.compile(r"[+-]?(?:\d{1,12}(?:\.\d{0,18})?|\.\d{1,18})", re.ASCII)


@dataclass(slots=True)
class Element:
    """One element of the tree.

    Attributes
    ----------
    tag
        Its name.
    attributes
        Its attributes.
    line, column
        Where it starts, counted from 1.
    text
        The first characters in it, those of its children left out.
    children
        The elements in it.
    """

    tag: str
    attributes: dict[str, str]
    line: int
    column: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str) -> Iterator[Element]:
        """Yield the children of one name."""
        return (child for child in self.children if child.tag == tag)

    def find(self, *path: str) -> Element | None:
        """Return the first child, or child's child, of the given names."""
        found = self
        for tag in path:
            for child in found.children:
                if child.tag == tag:
                    found = child
                    break
            else:
                return None
        return found

    def words(self, *path: str) -> str:
        """Return the text of a descendant with single spaces; nothing where there is none."""
        found = self.find(*path)
        return "" if found is None else " ".join(found.text.split())

    def number(self, *path: str) -> Fraction | None:
        """Return the number in a descendant; None where there is no such element.

        Raises
        ------
        FormatError
            When its text is no decimal number of a sensible length.
        """
        found = self.find(*path)
        if found is None:
            return None
        text = found.text.strip()
        if not NUMBER.fullmatch(text):
            raise found.error(f"found {text[:20]!r} in <{found.tag}>, expected a number")
        return round(Fraction(text), 6) if "." in text else Fraction(int(text))

    def error(self, message: str, hint: str | None = None) -> FormatError:
        """Make an error that names this element's place."""
        return FormatError(message, line=self.line, column=self.column, hint=hint)


@dataclass(slots=True)
class _Tree:
    """The tree while it grows."""

    root: Element | None = None
    open: list[Element] = field(default_factory=list)
    passed_over: int = 0
    size: int = 0


def parse(data: bytes) -> Element:
    r"""Read a document; what is only drawn, such as lyrics, is left out.

    Raises
    ------
    FormatError
        When it is not well-formed, declares entities, or is deeper or larger than any score.

    Examples
    --------
    >>> root = parse(b"<a><b>\n<c>1.5</c></b></a>")
    >>> root.number("b", "c"), root.find("b", "c").line
    (Fraction(3, 2), 2)
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    tree = _Tree()

    def fail(message: str, hint: str | None = None) -> FormatError:
        return FormatError(
            message,
            line=parser.CurrentLineNumber,
            column=parser.CurrentColumnNumber + 1,
            hint=hint,
        )

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tree.passed_over or tag in DRAWN:
            tree.passed_over += 1
            return
        tree.size += 1
        if len(tree.open) >= MAX_DEPTH:
            raise fail(f"<{tag[:40]}> lies {MAX_DEPTH} elements deep: this is no score")
        if tree.size > MAX_ELEMENTS:
            raise fail(f"found more than {MAX_ELEMENTS:,} elements")
        place = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
        element = Element(tag, attributes, *place)
        if tree.open:
            tree.open[-1].children.append(element)
        else:
            tree.root = element
        tree.open.append(element)

    def end(_: str) -> None:
        if tree.passed_over:
            tree.passed_over -= 1
        else:
            tree.open.pop()

    def characters(text: str) -> None:
        if tree.open and not tree.passed_over:
            element = tree.open[-1]
            if len(element.text) < MAX_TEXT:
                element.text += text[:MAX_TEXT]

    def entity(name: str, *_: object) -> None:
        raise fail(
            f"the document declares the entity {name[:40]!r}, which a score never needs",
            "if the file comes from a source that you trust, remove the declaration",
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.EntityDeclHandler = entity
    try:
        # A byte order mark counts as the start; white space before a declaration is a common slip.
        parser.Parse(data if data.startswith(BYTE_ORDER_MARKS) else data.lstrip(WHITE), True)
    except expat.ExpatError as error:
        raise FormatError(
            f"not well-formed XML: {expat.ErrorString(error.code)}",
            line=error.lineno,
            column=error.offset + 1,
            hint="the file may be cut short or damaged: export it again",
        ) from error
    except (LookupError, ValueError) as error:
        raise fail(f"the document's character set is not known: {error}") from error
    if tree.root is None:
        raise FormatError("found no element, expected a score", line=1, column=1)
    return tree.root


def by_part(root: Element) -> list[tuple[Element, list[Element]]]:
    """List each part of a score with its measures, however the file is ordered.

    Parameters
    ----------
    root
        ``score-partwise``, whose parts hold measures, or ``score-timewise``, the other way round.

    Raises
    ------
    FormatError
        When the root is another element.
    """
    if root.tag == "score-partwise":
        return [(part, list(part.all("measure"))) for part in root.all("part")]
    if root.tag != "score-timewise":
        raise root.error(f"found <{root.tag[:40]}>, expected <score-partwise> or <score-timewise>")
    parts: dict[str, tuple[Element, list[Element]]] = {}
    for measure in root.all("measure"):
        for part in measure.all("part"):
            _, measures = parts.setdefault(part.attributes.get("id", ""), (part, []))
            place = part.line, part.column
            measures.append(Element("measure", measure.attributes, *place, children=part.children))
    return list(parts.values())
