import gzip
import hashlib
import struct
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from file_server import serving

from musicgen.datasets import load_digits
from musicgen.datasets.digits import CHECKSUMS, EIGHT_BY_EIGHT
from musicgen.datasets.idx import read_idx
from musicgen.errors import CorpusError, FormatError
from musicgen.networks import Sequential
from musicgen.tasks import find_task
from musicgen.tasks.digits import knobs, output_cost, speed
from musicgen.tasks.digits.recognition import LE_NET, recognise, shifted

MNIST = Path(__file__).parents[2] / "shared" / "data" / "mnist"
SHARED = pytest.mark.skipif(not MNIST.is_dir(), reason="../shared/data is absent")


def idx(array, code=8):
    header = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def drawn(count):
    """Digits of a kind: digit k is a square of ink at a place of its own, with some dirt."""
    rng = np.random.default_rng(count)
    labels = rng.permutation(np.arange(count, dtype=np.uint8) % 10)
    images = rng.integers(0, 40, (count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        y, x = 4 + 9 * (label // 4), 4 + 5 * (label % 4)
        image[y : y + 4, x : x + 4] = 255
    return images, labels


TRAINING, TEST = drawn(60), drawn(30)
FILES = {
    "train-images-idx3-ubyte": idx(TRAINING[0]),
    "train-labels-idx1-ubyte": idx(TRAINING[1]),
    "t10k-images-idx3-ubyte": idx(TEST[0]),
    "t10k-labels-idx1-ubyte": idx(TEST[1]),
}
CSV = "".join(
    ",".join(map(str, [*image.ravel(), label])) + "\n"
    for image, label in zip(*TRAINING, strict=True)
).encode()


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def with_csv(folder, content=CSV):
    (folder / "train-images-idx3-ubyte").unlink()
    (folder / "digits.csv").write_bytes(content)


def check(digits):
    for found, (images, labels) in zip((digits[:2], digits[2:]), (TRAINING, TEST), strict=True):
        assert found[0].dtype == np.float32
        np.testing.assert_array_equal(np.round(255 * found[0]), images)
        assert found[0].max() == 1
        np.testing.assert_array_equal(found[1], labels)


@pytest.mark.parametrize(
    ("code", "dtype"), [(8, "u1"), (9, "i1"), (11, "i2"), (12, "i4"), (13, "f4"), (14, "f8")]
)
@pytest.mark.parametrize("shape", [(), (3,), (0, 4), (2, 3, 4)])
def test_arrays_are_read(code, dtype, shape, tmp_path):
    array = np.arange(-3, np.prod(shape, dtype=int) - 3).astype(dtype).reshape(shape)
    for name, pack in (("a", bytes), ("a.gz", gzip.compress)):
        (tmp_path / name).write_bytes(pack(idx(array, code)))
        found = read_idx(tmp_path / name)
        assert found.dtype.newbyteorder("=") == dtype
        np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found nothing; expected an IDX file: 00 00, one of 08, "),
        (b"\x1f\x8b\x08\0", "found 1f 8b 08 00; expected an IDX file"),
        (b"\0\0\x0a\1\0\0\0\0", "found 00 00 0a 01; expected"),
        (b"\0\0\x08\3\0\0\0\1", "ends within the lengths of 3 axes"),
        (b"\0\0\x08\2\0\0\0\2\0\0\0\3abcde", r"found 5 bytes after .* expected 6 .* \(2, 3\)"),
        (b"\0\0\x08\2\0\0\0\2\0\0\0\3abcdefg", "found more bytes after .* expected 6"),
        (
            b"\0\0\x08\1\xff\xff\xff\xff",
            r"found a shape of \(4294967295,\), 4294967295 bytes; expected",
        ),
        (b"\0\0\x0e\x08" + b"\xff" * 32, ".* bytes; expected at most 1073741824"),
        (b"\0\0\x08\xff" + b"\0\0\0\1" * 255, "found 00 00 08 ff; .* axes up to 08"),
    ],
)
def test_damaged_arrays_are_refused(content, message, tmp_path):
    for name, pack in (("a", bytes), ("b.gz", gzip.compress)):
        (tmp_path / name).write_bytes(pack(content))
        with pytest.raises(FormatError, match=f"{name}: {message}"):
            read_idx(tmp_path / name)


@pytest.mark.parametrize(
    "damage", [lambda c: c[:-9], lambda c: b"no" + c, lambda c: c[:20] + b"?" * 40]
)
def test_what_cannot_be_unpacked_is_refused(damage, tmp_path):
    (tmp_path / "a.gz").write_bytes(damage(gzip.compress(FILES["t10k-labels-idx1-ubyte"])))
    with pytest.raises(FormatError, match=r"a\.gz: cannot be unpacked"):
        read_idx(tmp_path / "a.gz")


def test_a_folder_is_read(folder):
    check(load_digits(folder))
    for name, content in FILES.items():
        (folder / name).unlink()
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    check(load_digits(folder))


def test_a_table_stands_for_the_training_set(folder):
    (folder / "other.csv").write_text("1,2\n")
    with_csv(folder)
    check(load_digits(folder))
    (folder / "digits.csv").unlink()
    (folder / "digits.csv.gz").write_bytes(gzip.compress(CSV))
    check(load_digits(folder))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            CSV.replace(b"255", b"256"),
            r"digits\.csv: found pixels from 0 to 256; expected 0 to 255",
        ),
        (CSV.replace(b"255", b"ink"), r"digits\.csv: could not convert .*; expected 785 integers"),
        (CSV + b"1,2\n", r"digits\.csv: .*; expected 785 integers in each line"),
        (CSV[:-2] + b"10\n", r"digits\.csv: found labels from 0 to 10; expected 0 to 9"),
    ],
)
def test_damaged_tables_are_refused(content, message, folder):
    with_csv(folder, content)
    with pytest.raises(FormatError, match=message):
        load_digits(folder)


def test_what_is_missing_is_named(folder):
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(CorpusError, match=r"has no t10k-labels-idx1-ubyte or .*\.gz, a file of"):
        load_digits(folder)
    (folder / "train-images-idx3-ubyte").unlink()
    for count in (0, 2):
        if count:
            (folder / "a.csv").write_bytes(CSV)
            (folder / "b.csv").write_bytes(CSV)
        with pytest.raises(CorpusError, match=f"and {count} CSV files with 785 columns; expected"):
            load_digits(folder)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("train-labels-idx1-ubyte", TEST[1], r"train-images-.*\(60, 28, 28\); .* \(30, 28, 28\)"),
        ("t10k-images-idx3-ubyte", TEST[0][:, 1:], r"\(30, 27, 28\); expected uint8 of \(30, 28"),
        ("t10k-labels-idx1-ubyte", TEST[1] + np.uint8(1), "found labels from 1 to 10; expected 0"),
        ("t10k-labels-idx1-ubyte", TEST[1][0], r"expected uint8 of \(0,"),
    ],
)
def test_files_that_do_not_fit_are_refused(name, array, message, folder):
    (folder / name).write_bytes(idx(np.asarray(array)))
    with pytest.raises(FormatError, match=message):
        load_digits(folder)


def test_the_files_are_downloaded_once(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSICGEN_CACHE", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    packed = {name: gzip.compress(content) for name, content in FILES.items()}
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in packed.items()}
    with serving() as server:
        server.files = {f"mnist/{name}.gz": content for name, content in packed.items()}
        load = partial(load_digits, mirror=f"{server.url}/mnist", checksums=checksums)
        check(load())
        check(load())
    assert server.asked == [f"mnist/{name}.gz" for name in FILES]
    check(load_digits(tmp_path / "downloads" / "mnist"))


def test_the_small_digits():
    pytest.importorskip("sklearn")
    digits = load_digits(EIGHT_BY_EIGHT)
    assert [len(array) for array in digits] == [1297, 1297, 500, 500]
    assert digits.test_images.shape == (500, 8, 8)
    assert digits.test_images.max() == 1
    assert set(digits.test_labels) == set(range(10))


def test_the_small_digits_need_a_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(CorpusError, match=r"pip install 'musicgen-lstm\[digits\]'"):
        load_digits(EIGHT_BY_EIGHT)


@SHARED
def test_shared_digits():
    digits = load_digits(MNIST)
    assert [len(array) for array in digits] == [5000, 5000, 10000, 10000]
    assert np.bincount(digits.training_labels).tolist() == [500] * 10
    assert digits.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    for name in list(CHECKSUMS)[2:]:
        content = (MNIST / f"{name}.gz").read_bytes()
        assert hashlib.sha256(content).hexdigest() == CHECKSUMS[name]


def test_le_net_has_its_weights():
    assert Sequential((32, 32), LE_NET).size == 61_706


def test_images_are_shifted():
    images = np.zeros((500, 7, 7))
    images[:, 3, 3] = np.arange(1, 501)
    moved = shifted(images, 2, np.random.default_rng(0))
    np.testing.assert_array_equal(moved.max(axis=(1, 2)), np.arange(1, 501))
    _, ys, xs = np.nonzero(moved)
    assert set(zip(ys, xs, strict=True)) == {(y, x) for y in range(1, 6) for x in range(1, 6)}
    assert shifted(images, 0, np.random.default_rng(0)) is images


def test_marks_depend_on_the_digits(folder):
    full, few = find_task("digits"), find_task("digits", folder)
    assert [check.name for check in full.checks] == ["no hidden layer", "400 tanh", "LeNet"]
    for one, other in zip(few.checks, full.checks, strict=True):
        assert one.mark < other.mark
    pytest.importorskip("sklearn")
    assert len(find_task("digits", EIGHT_BY_EIGHT).checks) == 2


@pytest.mark.parametrize("name", ["no hidden layer", "400 tanh", "LeNet"])
def test_each_network_learns(name, folder):
    (check,) = (check for check in find_task("digits", folder).checks if check.name == name)
    told = []
    reached = check.run(0, told.append)
    assert reached.score >= (0.5 if name == "no hidden layer" else 1)
    assert reached.facts["training digits"] == 60
    assert told == sorted(told)
    assert told[-1] == 1


def test_the_same_seed_gives_the_same_score(folder):
    check = find_task("digits", folder).checks[1]
    recogniser = check.run.args[0]._replace(passes=1, learning_rate=3e-4)
    scores = [
        recognise(recogniser, folder, seed, lambda share: None).score for seed in (0, 0, 1, 2)
    ]
    assert scores[0] == scores[1]
    assert len(set(scores)) > 1


def test_small_digits_reach_the_mark():
    pytest.importorskip("sklearn")
    check = find_task("digits", EIGHT_BY_EIGHT).checks[0]
    assert check.passes(check.run(0, lambda share: None).score)


def test_studies(folder, monkeypatch):
    short = partial(knobs.learning_curve, shown=360)
    for module in (knobs, output_cost, speed):
        monkeypatch.setattr(module, "learning_curve", short)
    for name, study in find_task("digits", folder).studies.items():
        told = []
        found = study(0, told.append)
        assert told[-1] == pytest.approx(1), name
        assert len(found.table.rows) >= 4
        assert {len(row) for row in found.table.rows} == {len(found.table.header)}
        for chart in found.charts:
            assert len(chart.lines) >= 3
            for x, y in chart.lines.values():
                assert len(x) == len(y) >= 6
                assert list(x) == sorted(x)
                assert 0 <= min(y) <= max(y) <= 1


def test_a_curve_is_of_what_was_asked_for(folder):
    digits = load_digits(folder)
    fast = knobs.REFERENCE._replace(learning_rate=1.0)
    curve = knobs.learning_curve(digits, fast, 0, lambda share: None, 1200)
    assert curve.shown == list(range(60, 1201, 60))
    assert curve.accuracy[-1] > max(curve.accuracy[0], 0.9)
    slow = knobs.REFERENCE._replace(learning_rate=1e-6)
    assert knobs.learning_curve(digits, slow, 0, lambda share: None, 1200).accuracy[-1] < 0.5
