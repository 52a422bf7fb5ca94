"""The bytes of a score: as they stand, or packed in a ZIP archive (``.mxl``), both ways.

Members are unpacked in memory only, so that no name in an archive can lead anywhere.
"""

from __future__ import annotations

import re
import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from musicgen.errors import FormatError
from musicgen.formats.musicxml.document import parse

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ARCHIVE", "load", "pack", "read_text", "unpack"]

ARCHIVE = b"PK\x03\x04"
MEDIA_TYPE = "application/vnd.recordare.musicxml"
CONTAINER = "META-INF/container.xml"
SCORE = "score.musicxml"

MAX_BYTES = 64 * 2**20
MAX_PACKED_BYTES = 16 * 2**20
MAX_MEMBERS = 1000
MAX_RATIO = 250
FREE_BYTES = 2**20
# The start of the calendar of ZIP archives: the same piece always gives the same bytes.
DATE = (1980, 1, 1, 0, 0, 0)

_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)")


def load(path: Path) -> bytes:
    """Read a file that is not larger than any score.

    Raises
    ------
    FormatError
        When it is larger than 64 MiB, or than 16 MiB and packed.
    OSError
        When it cannot be read.
    """
    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    limit = MAX_PACKED_BYTES if data.startswith(ARCHIVE) else MAX_BYTES
    if len(data) > limit:
        raise FormatError(f"the file is larger than {limit:,} bytes: this is no score")
    return data


def read_text(path: Path) -> str:
    """Read a score as it stands, taken out of its archive and decoded.

    Raises
    ------
    FormatError
        When it is too large, or its archive or its characters are damaged.
    OSError
        When it cannot be read.
    """
    try:
        data = unpack(load(path), [])
        declared = _DECLARATION.match(data)
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            encoding = "utf-16"
        else:
            encoding = declared[1].decode("ascii") if declared and declared[1] else "utf-8-sig"
        text = data.decode(encoding)
    except (LookupError, UnicodeDecodeError) as error:
        raise FormatError(f"the characters cannot be read: {error}", path=path) from error
    except FormatError as error:
        error.path = path
        raise
    # What the declaration says of the encoding is no longer true.
    return re.sub(r"\A\ufeff?<\?xml.*?\?>\s*", "", text, count=1, flags=re.S)


def unpack(data: bytes, repairs: list[str]) -> bytes:
    """Take the score out of an archive; bytes that are no archive come back as they are.

    Parameters
    ----------
    data
        Content of a file.
    repairs
        What was repaired is added to these.

    Raises
    ------
    FormatError
        When the archive is damaged, holds no score, or would unpack to more than a score can be:
        64 MiB, or 1 MiB and 250 times its packed size.
    """
    if not data.startswith(ARCHIVE):
        return data
    try:
        with ZipFile(BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise FormatError(f"the archive has {len(members)} members: this is no score")
            return _member(archive, _score(archive, members, repairs))
    except FormatError:
        raise
    except (
        BadZipFile,
        EOFError,
        KeyError,
        LookupError,
        NotImplementedError,
        OSError,
        OverflowError,
        RuntimeError,
        ValueError,
        struct.error,
        zlib.error,
    ) as error:
        reason = str(error) or type(error).__name__
        raise FormatError(
            f"the compressed file is damaged: {reason}", hint="download or export it again"
        ) from error


def _score(archive: ZipFile, members: list[ZipInfo], repairs: list[str]) -> ZipInfo:
    by_name = {member.filename: member for member in members}
    if CONTAINER in by_name:
        container = parse(_member(archive, by_name[CONTAINER]))
        root = container.find("rootfiles", "rootfile")
        name = "" if root is None else root.attributes.get("full-path", "")
        if name in by_name:
            return by_name[name]
        problem = f"{CONTAINER} names {name[:80]!r}, which is not in the archive"
    else:
        problem = f"the archive has no {CONTAINER}"
    scores = [
        member
        for member in members
        if member.filename.lower().endswith((".xml", ".musicxml"))
        and not member.filename.startswith("META-INF/")
    ]
    if len(scores) != 1:
        raise FormatError(f"{problem}, and {len(scores)} members look like a score")
    repairs.append(f"{problem}; read its only score, {scores[0].filename[:80]!r}")
    return scores[0]


def _member(archive: ZipFile, member: ZipInfo) -> bytes:
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise FormatError(f"a member of the archive is packed by method {member.compress_type}")
    limit = min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * member.compress_size))
    with archive.open(member) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise FormatError(
            f"{member.filename[:80]!r} unpacks from {member.compress_size:,} bytes to more than "
            f"{limit:,}: this is no score"
        )
    return data


def pack(score: bytes) -> bytes:
    """Put a score into an archive; the same score always gives the same bytes."""
    container = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<container><rootfiles><rootfile full-path="{SCORE}" '
        f'media-type="{MEDIA_TYPE}+xml"/></rootfiles></container>\n'
    )
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        for name, content, method in (
            ("mimetype", MEDIA_TYPE.encode(), ZIP_STORED),
            (CONTAINER, container.encode(), ZIP_DEFLATED),
            (SCORE, score, ZIP_DEFLATED),
        ):
            member = ZipInfo(name, DATE)
            member.create_system = 0  # or the archive tells on which system it was made
            archive.writestr(member, content, method)
    return stream.getvalue()
