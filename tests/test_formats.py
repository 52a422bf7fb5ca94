"""The contract of all installed formats, the checker of that contract, and the registry."""

import os
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from musicgen import formats
from musicgen.errors import FormatError, FormatWarning
from musicgen.files import write_atomically
from musicgen.formats import midi, registry
from musicgen.music import Audio, KeySignature, Music, Note, Tempo, TimeSignature, Track, Tune
from musicgen.testing import check_format

PIECES = {
    Tune: [
        Tune("X:1\nT:A scale\nM:4/4\nL:1/8\nK:C\nCDEF GABc|"),
        Tune("X:7\nT:Noël\nR:jig\nM:6/8\nL:1/8\nK:Edor\n|:E2B BAG|(3ABc d3:|"),
    ],
    Music: [
        Music(),
        Music(tracks=[Track(notes=[Note(0, 60, 480)])]),
        Music(
            24,
            [Tempo(0, 120.0), Tempo(24, 97.3)],
            [TimeSignature(0, 3, 4)],
            [KeySignature(0, -3, "minor"), KeySignature(48, 2, "mixolydian")],
            [
                Track(73, name="Flûte", notes=[Note(0, 72, 7), Note(24, 74, 12, 100)]),
                Track(0, is_drum=True, notes=[Note(0, 36, 1), Note(0, 42, 1)]),
            ],
            title="Trio",
        ),
    ],
    Audio: [Audio(np.sin(np.arange(400, dtype=np.float32) / 8)[:, None] / 2, 8000)],
}


@pytest.fixture(autouse=True)
def fresh_registry():
    """The registry remembers what is installed; plug-ins come and go in these tests."""
    registry._third_party.cache_clear()
    registry.get.cache_clear()
    yield
    registry._third_party.cache_clear()
    registry.get.cache_clear()


@pytest.mark.parametrize("name", formats.names())
def test_contract(name, tmp_path):
    form = formats.get(name)
    assert form.name == name
    check_format(form, PIECES[form.kind], tmp_path)


@pytest.mark.parametrize("name", formats.names())
def test_no_two_formats_claim_one_file(name, tmp_path):
    form = formats.get(name)
    path = tmp_path / "untold"
    form.write(PIECES[form.kind][0], path)
    head = path.read_bytes()[:4096]
    assert [other for other in formats.names() if formats.get(other).sniff(head)] == [name]


# The checker must reject what is broken -----------------------------------------------------------


def broken(**changes):
    """Build a format that is `midi` but for some changes."""
    return SimpleNamespace(**{key: getattr(midi, key) for key in midi.__all__} | changes)


def write_with_leftovers(piece, path):
    midi.write(piece, path)
    path.with_suffix(".tmp").write_bytes(b"")


def write_without_notes(piece, path):
    midi.write(Music(title=piece.title), path)


def write_anew(piece, path, titles=iter("abcdefghijkl")):  # noqa: B008 - one counter is meant
    midi.write(Music(title=next(titles), tracks=piece.tracks), path)


def write_slower(piece, path):
    midi.write(Music(piece.resolution, [Tempo(0, 60.0)], tracks=piece.tracks), path)


def write_longer(piece, path):
    grown = [note._replace(duration=note.duration + 1) for note in piece.tracks[0].notes]
    midi.write(Music(tracks=[Track(notes=grown)]), path)


def read_with_value_error(path):
    try:
        return midi.read(path)
    except FormatError as error:
        raise ValueError(error) from error


def read_missing_as_empty(path):
    return midi.read(path) if path.exists() else []


def read_missing_with_format_error(path):
    if not path.exists():
        raise FormatError("it is not there")
    return midi.read(path)


def read_everything(path):
    try:
        return midi.read(path)
    except FormatError:
        return [Music()]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (broken(name=""), "name is empty"),
        (broken(name=None), "name is None"),
        (broken(extensions=".mid"), "extensions is one text"),
        (broken(extensions=()), "extensions is empty"),
        (broken(extensions=("mid",)), "extension 'mid' is not a dot"),
        (broken(kind=Path), "kind is"),
        (broken(kind=Tune), "is no Tune"),
        (broken(losses="some"), "losses is one text"),
        (broken(sniff=lambda head: False), "sniff does not know"),
        (broken(sniff=lambda head: True), "sniff claims a file of nothing"),
        (broken(write=write_with_leftovers), "leaves other files behind: piece.tmp"),
        (broken(write=write_without_notes), "what no format may lose"),
        (broken(write=write_anew), "it gives other bytes"),
        (broken(write=write_slower, losses=()), "and losses is empty"),
        (broken(write=write_longer), "changes when written again"),
        (broken(read=lambda path: midi.read(path) * 2), "wrote one piece, read 2"),
        (broken(read=read_with_value_error), "a damaged file raises ValueError"),
        (broken(read=read_everything), "reads a file of nothing as music"),
        (broken(read=read_missing_as_empty), "reads a file that does not exist"),
        (broken(read=read_missing_with_format_error), "a missing file raises FormatError"),
    ],
)
def test_checker_rejects(form, message, tmp_path):
    with pytest.raises(AssertionError, match=message):
        check_format(form, [Music(480, tracks=[Track(notes=[Note(0, 60, 480)])])], tmp_path)


def test_checker_compares_samples(tmp_path):
    def write(piece, path):
        header = np.array([piece.rate, piece.samples.shape[1]], np.uint32)
        write_atomically(path, b"RAWF" + header.tobytes() + piece.samples.tobytes())

    def read(path):
        data = path.read_bytes()
        if data[:4] != b"RAWF" or len(data) < 12 or len(data) % 4:
            raise FormatError("not raw floats", path=path)
        rate, channels = np.frombuffer(data, np.uint32, 2, offset=4)
        samples = np.frombuffer(data, np.float32, offset=12)
        return [Audio(samples.reshape(-1, channels), int(rate))]

    raw = SimpleNamespace(
        name="raw",
        extensions=(".raw",),
        kind=Audio,
        losses=(),
        sniff=lambda head: head.startswith(b"RAWF"),
        read=read,
        write=write,
    )
    check_format(raw, PIECES[Audio], tmp_path)


def test_checker_wants_pieces(tmp_path):
    with pytest.raises(AssertionError, match="at least one piece"):
        check_format(midi, [], tmp_path)


# The registry -------------------------------------------------------------------------------------


def test_content_counts_before_the_extension(tmp_path):
    path = tmp_path / "tune.abc"
    midi.write(Music(), path)
    assert formats.detect(path) is midi


def test_extension_counts_where_content_does_not_tell(tmp_path):
    path = tmp_path / "SONG.MID"
    path.write_bytes(b"?")
    assert formats.detect(path) is midi
    assert formats.detect(path.rename(tmp_path / "song.unknown")) is None


def test_extension_alone():
    assert formats.for_extension(Path("not/there.midi")) is midi
    assert formats.for_extension(Path("not/there")) is None


def test_unknown_format_names_the_known_ones():
    with pytest.raises(FormatError, match=r"no format is called 'mp3' \(there are: abc, midi"):
        formats.get("mp3")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a plug-in: a module beside the metadata that an installer would write."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name, source):
        (tmp_path / f"{name}_plugin.py").write_text(source)
        info = tmp_path / f"{name}_plugin-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1.0\n"
        )
        (info / "entry_points.txt").write_text(f"[musicgen.formats]\n{name} = {name}_plugin\n")

    return write


PLUGIN = """
from musicgen.formats.midi import kind, losses, read, write
name = "foo"
extensions = (".foo",)
def sniff(head):
    return head.startswith(b"FOO")
"""


def test_a_plug_in_is_found(install, tmp_path):
    install("foo", PLUGIN)
    assert formats.names()[-1] == "foo"
    (tmp_path / "a.bin").write_bytes(b"FOO")
    found = formats.detect(tmp_path / "a.bin")
    assert found is not None
    assert found.name == "foo"
    assert formats.for_extension(Path("a.foo")) is found


def test_a_broken_plug_in_warns_and_stops_no_other(install, tmp_path):
    install("aaa", "raise RuntimeError('no luck')")
    install("foo", PLUGIN)
    with pytest.warns(FormatWarning, match=r"'aaa' of 'aaa_plugin' cannot be loaded: no luck"):
        assert formats.for_extension(Path("a.foo")) is formats.get("foo")
    with pytest.raises(FormatError, match="update or uninstall"):
        formats.get("aaa")


def test_a_plug_in_cannot_take_the_name_of_a_built_in(install):
    install("midi", "raise RuntimeError('never loaded')")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert formats.get("midi") is midi
        assert formats.names().count("midi") == 1


def test_a_plug_in_that_fails_to_sniff_stops_no_other(install, tmp_path):
    install(
        "bar",
        PLUGIN.replace('return head.startswith(b"FOO")', "return 1 / 0").replace("foo", "bar"),
    )
    midi.write(Music(), tmp_path / "a.bin")
    (tmp_path / "b.bin").write_bytes(b"?")
    assert formats.detect(tmp_path / "a.bin") is midi
    with pytest.warns(FormatWarning, match="the format 'bar' fails: ZeroDivisionError"):
        assert formats.detect(tmp_path / "b.bin") is None


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.mid")
    with pytest.raises(FormatError, match="is no file on a disk"):
        formats.detect(tmp_path / "pipe.mid")
