import hashlib

import pytest
from file_server import serving

from musicgen.datasets.download import download
from musicgen.errors import CorpusError

CONTENT = b"X:1\nK:C\nCDEF|\n" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as server:
        yield server


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSICGEN_CACHE", str(tmp_path))
    return tmp_path / "downloads"


def left(cache):
    return {file.name: file.read_bytes() for file in cache.iterdir()} if cache.exists() else {}


def test_a_file_is_fetched_once(server, cache, capfd):
    server.files["tune"] = CONTENT
    for _ in range(2):
        assert download(f"{server.url}/tune", SHA256, "a.abc") == cache / "a.abc"
    assert left(cache) == {"a.abc": CONTENT}
    assert server.asked == ["tune"]
    assert capfd.readouterr() == ("", "")


def test_a_damaged_file_is_fetched_anew(server, cache):
    server.files["tune"] = CONTENT
    cache.mkdir()
    (cache / "a.abc").write_bytes(CONTENT[:-1])
    download(f"{server.url}/tune", SHA256, "a.abc")
    assert left(cache) == {"a.abc": CONTENT}


def test_a_file_put_there_by_hand_needs_no_network(server, cache):
    cache.mkdir()
    (cache / "a.abc").write_bytes(CONTENT)
    assert download(f"{server.url}/tune", SHA256, "a.abc").read_bytes() == CONTENT
    assert not server.asked


@pytest.mark.parametrize("before", [{}, {"a.abc": b"damaged"}], ids=["empty", "damaged"])
@pytest.mark.parametrize(
    ("content", "cut", "reason"),
    [
        (b"Log in to this network", 0, "is not the expected file: found SHA-256 afe2"),
        (None, 0, "the server answers 404 Not Found"),
        (CONTENT, 1, "the connection failed"),
    ],
    ids=["another file", "no file", "cut short"],
)
def test_what_fails_leaves_nothing(server, cache, content, cut, reason, before):
    server.files["tune"], server.cut = content, cut
    cache.mkdir()
    for name, text in before.items():
        (cache / name).write_bytes(text)
    with pytest.raises(CorpusError, match=reason) as caught:
        download(f"{server.url}/tune", SHA256, "a.abc")
    assert left(cache) == before
    message = str(caught.value)
    assert f"{server.url}/tune" in message
    assert message.endswith(
        f"put the right file at {cache / 'a.abc'}, or give a local copy with --data"
    )
    assert ("expected " + SHA256 in message) == (content not in (None, CONTENT))


def test_without_a_server(cache):
    with serving() as server:
        url = f"{server.url}/tune"
    with pytest.raises(CorpusError, match=f"cannot download {url}: the connection failed; put the"):
        download(url, SHA256, "a.abc")
    assert not left(cache)
