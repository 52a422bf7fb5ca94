"""ABC files: tunes in, tunes out."""

from pathlib import Path

import pytest

from musicgen.errors import FormatError
from musicgen.formats import abc
from musicgen.music import Tune


def test_a_file_holds_tunes(tmp_path: Path) -> None:
    path = tmp_path / "book.abc"
    path.write_text("%abc\nmy tunes\n\nX:1\nT:a\nK:C\nA\n\nsome words\nX:2\nK:D\nB\nX:3\nK:E\nc")
    assert abc.read(path) == [
        Tune("X:1\nT:a\nK:C\nA", path, 4),
        Tune("X:2\nK:D\nB", path, 10),
        Tune("X:3\nK:E\nc", path, 13),
    ]


def test_fields_of_the_file_hold_unless_the_tune_says_otherwise() -> None:
    tunes = abc.split("M:3/4\nR:waltz\n\nX:1\nK:C\nA\n\nX:2\nM:2/4\nK:C\nA")
    assert [abc.parse(tune).first("M") for tune in tunes] == ["3/4", "2/4"]
    assert [abc.parse(tune).first("R") for tune in tunes] == ["waltz", "waltz"]


def test_definitions_of_the_file_hold_each_on_its_own() -> None:
    head = "U:T=!turn!\nU:n=!fermata!\nm:~A2=ABA\nm:~B2=BcB\n%%MIDI program 40\n%%scale 0.7\n"
    head += "I:MIDI transpose 2\nI:linebreak $\nU:n=!accent!\n"
    tunes = abc.split(f"{head}\nX:1\nK:C\nTA nB ~A2|\n\nX:2\nU:T=!roll!\nm:~A2=A\nK:C\nTA ~A2 ~B2|")
    assert tunes[0].text.split("\n")[1:-2] == [
        "U:T=!turn!", "m:~A2=ABA", "m:~B2=BcB", "%%MIDI program 40", "I:MIDI transpose 2",
        "U:n=!accent!",
    ]  # fmt: skip
    printed = [abc.print_score(abc.parse(tune)).rpartition("\n")[2] for tune in tunes]
    assert printed == ["!turn!A LB ABA|", "~A A BcB|"]
    voice = abc.perform(abc.parse(tunes[0])).voices[0]
    assert (voice.program, voice.notes[0].pitch) == (40, 71)


def test_a_macro_of_the_tune_replaces_that_of_the_file() -> None:
    tune = abc.split("m:~A2=ABA\n\nX:1\nm:~A2 = AGA\nK:C\n~A2|")[0]
    assert abc.print_score(abc.parse(tune)).endswith("\nAGA|")


def test_fields_of_a_file_cannot_fill_the_memory() -> None:
    text = "N:" + "a" * 100_000 + "\n\n" + "X:1\n" * 600
    with pytest.raises(FormatError, match="too long") as caught:
        abc.split(text)
    assert caught.value.line > 2


def test_a_tune_without_number() -> None:
    assert [tune.text for tune in abc.split("T:a\nK:C\nA\n")] == ["T:a\nK:C\nA"]


@pytest.mark.parametrize(
    ("data", "title"),
    [
        ("T:Älvdans".encode(), "Älvdans"),
        ("\ufeffX:1\nT:Älvdans".encode(), "Älvdans"),
        ("T:Älvdans".encode("cp1252"), "Älvdans"),
    ],
)
def test_character_sets(data: bytes, title: str) -> None:
    assert f"T:{title}" in abc.decode(data)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_line_ends(end: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.abc"
    path.write_bytes(end.join([b"X:1", b"K:C", b"A", b"", b"X:2", b"K:C", b"B"]))
    assert [tune.text for tune in abc.read(path)] == ["X:1\nK:C\nA", "X:2\nK:C\nB"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"X:1\nK:C\n\0A", "NUL"),
        (b"only words\n", "no tune"),
        (b"", "no tune"),
        (b"T:a\n", "no tune"),
    ],
)
def test_what_is_no_tune_book(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.abc"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=message) as caught:
        abc.read(path)
    assert caught.value.path == path
    assert caught.value.hint


def test_write_and_read(tmp_path: Path) -> None:
    path = tmp_path / "a.abc"
    tune = Tune("X:1\nT:Älv % as it stands\nK:C\nA|", path)
    abc.write(tune, path)
    assert abc.read(path) == [tune]
    assert [file.name for file in tmp_path.iterdir()] == ["a.abc"]


def test_paths_may_be_text(tmp_path: Path) -> None:
    path = str(tmp_path / "a.abc")
    abc.write(Tune("X:1\nK:C\nA|"), path)
    assert abc.read(path) == [Tune("X:1\nK:C\nA|", Path(path))]


def test_half_a_surrogate_pair_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.abc"
    with pytest.raises(FormatError, match="no character") as caught:
        abc.write(Tune("X:1\nT:a\ud800\nK:C\nA|"), path)
    assert (caught.value.path, caught.value.line, caught.value.column) == (path, 2, 4)
    assert not path.exists()


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"X:1\n", True),
        (b"\xef\xbb\xbf%abc-2.1\r\nM:4/4\r\n\r\nX: 12\r\n", True),
        (b"words\nX:1", False),
        (b"X:1\0", False),
        (b"\n" * 4096, False),
        (b"T:" * 2048, False),
        (b"RIFF", False),
        (b"", False),
    ],
)
def test_sniff(head: bytes, expected: bool) -> None:
    assert abc.sniff(head) is expected
