"""Files from the network whose content is known: fetched once, checked, and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from musicgen.errors import CorpusError
from musicgen.files import cache_folder

__all__ = ["download"]


def download(url: str, sha256: str, name: str) -> Path:
    """Return the file of that content, which is fetched when it is not there yet.

    It is kept in the folder ``downloads`` of `musicgen.files.cache_folder`. A file there whose
    content is another is fetched anew; a transfer that fails or brings something else leaves
    everything as it was.

    Parameters
    ----------
    url
        Where it is, over HTTP.
    sha256
        Its SHA-256 checksum, in hexadecimal digits.
    name
        What it is called on this machine; different files have different names.

    Raises
    ------
    CorpusError
        When it cannot be fetched, or has another checksum.
    OSError
        When the folder cannot be written.
    """
    import pooch
    from requests import RequestException  # which takes a while to import

    target = cache_folder() / "downloads" / name

    def fetch(url: str, file: str, _: Any) -> None:
        # Read at once: of a stream that breaks off, the connection would be left open.
        pooch.HTTPDownloader(stream=False)(url, file, None)
        if (found := pooch.file_hash(file)) != sha256:
            raise CorpusError(
                f"{url} is not the expected file: found SHA-256 {found}, expected {sha256}; "
                f"{advice}"
            )

    advice = f"put the right file at {target}, or give a local copy with --data"
    pooch.get_logger().setLevel("WARNING")  # it tells of every download
    try:
        pooch.retrieve(url, sha256, target.name, target.parent, downloader=fetch)
    except RequestException as error:
        answer = error.response
        reason = (
            "the connection failed"
            if answer is None
            else f"the server answers {answer.status_code} {answer.reason}"
        )
        raise CorpusError(f"cannot download {url}: {reason}; {advice}") from None
    return target
