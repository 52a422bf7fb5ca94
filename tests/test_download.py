import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from musicgen.datasets.download import download
from musicgen.errors import CorpusError

CONTENT = b"X:1\nK:C\nCDEF|\n" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `files`; remembers what was asked for; may end before the end."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked, self.cut = {}, [], 0
        self.url = f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path[1:])
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) - self.server.cut])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSICGEN_CACHE", str(tmp_path))
    return tmp_path / "downloads"


def left(cache):
    return {file.name: file.read_bytes() for file in cache.iterdir()} if cache.exists() else {}


def test_a_file_is_fetched_once(server, cache, capfd):
    server.files["tune"] = CONTENT
    for _ in range(2):
        assert download(f"{server.url}tune", SHA256, "a.abc") == cache / "a.abc"
    assert left(cache) == {"a.abc": CONTENT}
    assert server.asked == ["/tune"]
    assert capfd.readouterr() == ("", "")


def test_a_damaged_file_is_fetched_anew(server, cache):
    server.files["tune"] = CONTENT
    cache.mkdir()
    (cache / "a.abc").write_bytes(CONTENT[:-1])
    download(f"{server.url}tune", SHA256, "a.abc")
    assert left(cache) == {"a.abc": CONTENT}


def test_a_file_put_there_by_hand_needs_no_network(server, cache):
    cache.mkdir()
    (cache / "a.abc").write_bytes(CONTENT)
    assert download(f"{server.url}tune", SHA256, "a.abc").read_bytes() == CONTENT
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
        download(f"{server.url}tune", SHA256, "a.abc")
    assert left(cache) == before
    message = str(caught.value)
    assert f"{server.url}tune" in message
    assert message.endswith(
        f"put the right file at {cache / 'a.abc'}, or give a local copy with --data"
    )
    assert ("expected " + SHA256 in message) == (content not in (None, CONTENT))


def test_without_a_server(server, cache):
    url = f"{server.url}tune"
    server.shutdown()
    server.server_close()
    with pytest.raises(CorpusError, match=f"cannot download {url}: the connection failed; put the"):
        download(url, SHA256, "a.abc")
    assert not left(cache)
