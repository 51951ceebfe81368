"""The data sets: what they hold, that a seed fixes them, and that a failed download costs nothing."""

import errno
import gzip
import hashlib
import math
import shutil
import struct
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from course_utils import data
from course_utils.data import images as images_module
from course_utils.data.shapes import LEVELS
from course_utils.data.torchvision_ops import import_torchvision
from course_utils.errors import CourseError

ROOT = Path(__file__).resolve().parents[1]
MNIST_10K = ROOT.parent / "shared" / "mnist-10k"


# digits


def test_digits_are_the_enlarged_originals_of_sklearn():
    from sklearn.datasets import load_digits

    bunch = load_digits()
    small = torch.tensor(bunch.images, dtype=torch.float32).unsqueeze(1) / 16
    gray = F.interpolate(F.pad(small, (1, 1, 1, 1)), size=28, mode="bicubic").clamp(0, 1)
    expected, y = torch.sigmoid(10 * (gray - 0.45)), torch.tensor(bunch.target)

    digits = data.digits()
    assert digits.x_train.shape == (8000, 1, 28, 28) and digits.x_train.dtype == torch.float32
    assert digits.y_train.dtype == digits.original_train.dtype == torch.int64
    assert digits.x_train.min() >= 0 and digits.x_train.max() <= 1
    assert torch.equal(y[digits.original_train], digits.y_train) and torch.equal(y[digits.original_test], digits.y_test)
    torch.testing.assert_close(digits.x_test, expected[digits.original_test], atol=1e-4, rtol=0)
    torch.testing.assert_close(digits.x_train[:1437], expected[digits.original_train[:1437]], atol=1e-4, rtol=0)


@pytest.mark.parametrize("seed", [0, 1])
def test_digits_split_by_original_and_class(seed):
    digits = data.digits(seed)
    train, pictures = digits.original_train.unique(return_counts=True)
    assert len(train) == 1437 and set(pictures.tolist()) == {5, 6}
    assert sorted([*train.tolist(), *digits.original_test.tolist()]) == list(range(1797))
    in_test = digits.y_test.bincount(minlength=10)
    in_train = digits.y_train[:1437].bincount(minlength=10)
    assert ((in_test - (in_test + in_train) / 5).abs() <= 1).all()


def test_augmented_digits_are_changed_but_stay_near_their_original():
    digits = data.digits()
    own = torch.empty(1797, dtype=torch.int64)
    own[digits.original_train[:1437]] = torch.arange(1437)
    changed, original = digits.x_train[1437:], digits.x_train[own[digits.original_train[1437:]]]
    distance = (changed - original).abs().mean((1, 2, 3))
    to_others = (changed - original.roll(1, 0)).abs().mean((1, 2, 3))
    assert distance.min() > 0.001 and distance.median() < 0.6 * to_others.median()


def test_digits_depend_on_the_seed_alone():
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    first = images_module._digits.__wrapped__(3)
    try:
        torch.manual_seed(99)
        torch.set_num_threads(3 if threads == 1 else 1)
        before = torch.get_rng_state()
        second = images_module._digits.__wrapped__(3)
        assert torch.equal(torch.get_rng_state(), before)
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(state)
    assert torch.equal(first.x_train, second.x_train) and torch.equal(first.original_test, second.original_test)
    assert not torch.equal(first.original_test, data.digits(4).original_test)


def test_an_edit_in_place_does_not_stay():
    edited = data.digits()
    expected = edited.x_train.clone()
    edited.x_train.zero_()
    edited.y_train.zero_()
    assert torch.equal(data.digits().x_train, expected) and data.digits().y_train.any()


def test_digits_can_be_learned():
    digits = data.digits()
    x, y = digits.x_train.flatten(1), digits.y_train
    weight = torch.zeros(784, 10, requires_grad=True)
    optimizer = torch.optim.Adam([weight], lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        F.cross_entropy(x @ weight, y).backward()
        optimizer.step()
    right = (digits.x_test.flatten(1) @ weight).argmax(1) == digits.y_test
    assert right.float().mean() > 0.9


def test_binarized_is_drawn_once_with_probability_x():
    state = torch.get_rng_state()
    gray, first, second = data.digits().x_train, data.binarized(), data.binarized("digits", seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert set(first.x_train.unique().tolist()) == {0.0, 1.0} and first.x_train.dtype == torch.float32
    assert torch.equal(first.x_train, data.binarized().x_train)
    assert not torch.equal(first.x_train, second.x_train)
    for low, high in [(0, 0.05), (0.05, 0.5), (0.5, 0.95), (0.95, 1)]:
        chosen = (gray >= low) & (gray < high)
        error = (first.x_train - gray)[chosen].double().mean()
        standard_error = (gray * (1 - gray))[chosen].double().sum().sqrt() / chosen.sum()
        assert error.abs() < 6 * standard_error


# shapes and points


def test_shapes_hold_the_factors_they_name():
    shapes = data.shapes(3000, seed=2)
    assert shapes.x.shape == (3000, 1, 28, 28) and shapes.factor_names == tuple(LEVELS)
    for i, values in enumerate(LEVELS.values()):
        assert torch.equal(shapes.factors[:, i], values[shapes.levels[:, i]])
        assert shapes.levels[:, i].unique().tolist() == list(range(len(values)))
    shape, x, y, scale, _, shade = shapes.factors.T
    area = scale**2 * torch.tensor([math.pi / 2, 2.0, 1.5])[shape.long()]
    mass = shapes.x.sum((1, 2, 3))
    torch.testing.assert_close(mass / shade, area, atol=0, rtol=0.05)
    pixel = torch.arange(28) + 0.5
    middle = torch.stack([(shapes.x * pixel).sum((1, 2, 3)), (shapes.x.mT * pixel).sum((1, 2, 3))], 1) / mass[:, None]
    symmetric = shape < 2  # the triangle's center of mass is not its middle
    torch.testing.assert_close(middle[symmetric], torch.stack([x, y], 1)[symmetric], atol=0.05, rtol=0)
    assert shapes.x.min() == 0 and torch.equal(shapes.x.amax((1, 2, 3)), shade)


def test_every_combination_of_levels_can_be_told_from_every_other():
    # Different shades differ in their brightest pixel, which the test above compares: one shade is enough here.
    every = torch.cartesian_prod(*[torch.arange(len(values)) for values in LEVELS.values()][:-1], torch.tensor([3]))
    x = data.sprites(every).x.flatten(1)
    distance = torch.cdist(x, x).fill_diagonal_(torch.inf)
    assert distance.min() > 0.5


@pytest.mark.parametrize(
    ("kind", "sigma", "centers"),
    [
        ("rings", 0.1, [(2 * math.cos(k * math.pi / 4), 2 * math.sin(k * math.pi / 4)) for k in range(8)]),
        ("grid", 0.05, [(k % 5 - 2, k // 5 - 2) for k in range(25)]),
        ("line", 0.3, [(-2,), (0,), (2,)]),
    ],
)
def test_points_of_gaussians_lie_as_documented(kind, sigma, centers):
    points = data.points(kind, 20_000, seed=5)
    off = points.x - torch.tensor(centers)[points.component]
    assert (off.mean(0).abs() < 6 * sigma / 20_000**0.5).all()
    assert (off.std(0) / sigma - 1).abs().max() < 6 / 40_000**0.5
    assert (points.component.bincount() / 20_000 * len(centers) - 1).abs().max() < 6 * (len(centers) / 20_000) ** 0.5


def test_points_on_curves_lie_as_documented():
    moons, spirals = data.points("moons", 2000), data.points("spirals", 2000)
    middle = torch.tensor([[-0.5, -0.25], [0.5, 0.25]])[moons.component]
    assert ((moons.x - middle).norm(dim=1) - 1).abs().max() < 6 * 0.08
    radius = spirals.x.norm(dim=1)
    angle = 3 * torch.pi * (radius - 0.3) / 1.7 + torch.pi * spirals.component
    from_arm = (spirals.x - radius[:, None] * torch.stack([angle.cos(), angle.sin()], 1)).norm(dim=1)
    assert radius.max() < 2.4 and from_arm.mean() < 0.3


def test_generated_sets_depend_on_the_seed_alone():
    state = torch.get_rng_state()
    for make in (lambda seed: data.shapes(50, seed), lambda seed: data.points("moons", 50, seed)):
        assert torch.equal(make(1).x, make(1).x) and not torch.equal(make(1).x, make(2).x)
    assert torch.equal(torch.get_rng_state(), state)


# load


def test_load_gives_what_the_functions_give():
    assert torch.equal(data.load("digits").x_test, data.digits().x_test)
    assert torch.equal(data.load("points", kind="grid", n=7, seed=3).x, data.points("grid", 7, 3).x)
    assert torch.equal(data.load("binarized", name="digits").x_test, data.binarized().x_test)


@pytest.mark.parametrize(
    ("name", "params", "says"),
    [
        ("digit", {}, "did you mean 'digits'"),
        ("shapes", {"sed": 1}, "did you mean 'seed'"),
        ("mnist", {"seed": 1}, "leave out seed"),
        ("points", {"kind": "moons"}, "needs n"),
        ("points", {"kind": "ring", "n": 9}, "did you mean 'rings'"),
        ("points", {"kind": "rings", "n": 0}, "n of 1 or more"),
        ("shapes", {"n": -1}, "n of 1 or more"),
        ("binarized", {"name": "points"}, "no image data set"),
    ],
)
def test_wrong_names_and_parameters_end_in_a_sentence(name, params, says):
    with pytest.raises(CourseError, match=says):
        data.load(name, **params)


def test_everything_lies_on_the_default_device(mirror):
    torch.set_default_device("meta")
    try:
        sets = [data.digits(), data.binarized(), data.mnist(), data.shapes(9), data.points("line", 9)]
        devices = {value.device.type for s in sets for value in vars(s).values() if isinstance(value, torch.Tensor)}
    finally:
        torch.set_default_device(None)
    assert devices == {"meta"}


def test_torchvision_is_imported_late_and_its_plain_import_works_afterwards():
    program = """
import sys, course_utils.data as data
data.shapes(2)
assert not {"torchvision", "sklearn"} & set(sys.modules), "imported too early"
from course_utils.data.torchvision_ops import import_torchvision
import_torchvision()
import torchvision
assert torchvision.datasets.KMNIST and torchvision.transforms.ToTensor
"""
    run = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr


# mnist and its kin: the real download code of torchvision, served from this machine


def idx(tensor):
    """The bytes of an IDX file."""
    magic = struct.pack(f">{1 + tensor.dim()}I", 0x800 + tensor.dim(), *tensor.shape)
    return magic + tensor.to(torch.uint8).numpy().tobytes()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """The folder of a server that torchvision gets a tiny MNIST from; COURSE_DATA is a folder that is not there yet."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=folder))
    server.handle_error = lambda *args: None  # torchvision asks and hangs up when it looks for redirections
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    generator = torch.Generator().manual_seed(0)
    resources = []
    for part, n in (("train", 20), ("t10k", 10)):
        for kind, shape, most in (("images-idx3", (n, 28, 28), 256), ("labels-idx1", (n,), 10)):
            packed = gzip.compress(idx(torch.randint(most, shape, generator=generator)))
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(packed)
            resources.append((f"{part}-{kind}-ubyte.gz", hashlib.md5(packed).hexdigest()))
    mnist = import_torchvision().datasets.MNIST
    monkeypatch.setattr(mnist, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
    monkeypatch.setattr(mnist, "resources", resources)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "course"))
    monkeypatch.setenv("no_proxy", "*")
    yield folder
    server.shutdown()
    server.server_close()


@pytest.fixture
def raw(tmp_path):
    return tmp_path / "course" / "downloads" / "MNIST" / "raw"


def go_offline(monkeypatch):
    monkeypatch.setattr(import_torchvision().datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])


def sentence_of_failed_mnist():
    with pytest.raises(CourseError) as failure:
        data.mnist()
    assert str(failure.value).endswith(".") and "\n" not in str(failure.value)
    return str(failure.value)


def test_mnist_is_downloaded_once_and_announced(mirror, raw, monkeypatch, capfd):
    mnist = data.mnist()
    assert capfd.readouterr().err.startswith(f"Downloading mnist (12 MB) into {raw.parents[1]}.\n")
    assert mnist.x_train.shape == (20, 1, 28, 28) and mnist.x_train.dtype == torch.float32
    assert idx((mnist.x_train[:, 0] * 255).round()) == gzip.decompress(
        (mirror / "train-images-idx3-ubyte.gz").read_bytes()
    )
    assert mnist.original_test.tolist() == list(range(10)) and mnist.y_test.dtype == torch.int64
    assert [p.name for p in raw.parents[1].iterdir()] == ["MNIST"]
    go_offline(monkeypatch)
    assert torch.equal(data.mnist().x_test, mnist.x_test)
    assert capfd.readouterr().err == ""


def test_archives_alone_load_offline(mirror, raw, monkeypatch):
    shutil.copytree(mirror, raw)
    go_offline(monkeypatch)
    assert len(data.mnist().x_train) == 20


def test_no_network_ends_in_a_sentence_and_a_later_try_works(mirror, raw, monkeypatch):
    with monkeypatch.context() as offline:
        go_offline(offline)
        assert "connect to the network" in sentence_of_failed_mnist()
    assert list(raw.parents[1].iterdir()) == []
    assert len(data.mnist().x_train) == 20


@pytest.mark.parametrize("change", [lambda archive: archive[:-5], lambda archive: archive[:-1] + b"?"])
def test_a_bad_download_is_not_kept_and_a_later_try_works(mirror, raw, change):
    archive = mirror / "train-images-idx3-ubyte.gz"
    whole = archive.read_bytes()
    archive.write_bytes(change(whole))
    assert "could not be downloaded" in sentence_of_failed_mnist()
    assert list(raw.parents[1].iterdir()) == []
    archive.write_bytes(whole)
    assert len(data.mnist().x_train) == 20


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("train-images-idx3-ubyte", lambda content: content[:-1]),
        ("train-images-idx3-ubyte", lambda content: content + b"?"),
        ("train-labels-idx1-ubyte", lambda content: content[:7]),
        ("t10k-labels-idx1-ubyte", lambda content: content[:-1] + b"\x0b"),
        ("t10k-labels-idx1-ubyte", lambda content: idx(torch.zeros(9))),
        ("t10k-images-idx3-ubyte", lambda content: b"<html>not found</html>"),
    ],
)
def test_a_damaged_file_is_set_aside_and_fetched_anew(mirror, raw, monkeypatch, capfd, file, change):
    expected = data.mnist()
    damaged = change((raw / file).read_bytes())
    (raw / file).write_bytes(damaged)
    with monkeypatch.context() as offline:
        go_offline(offline)
        sentence_of_failed_mnist()
    assert (raw / file).read_bytes() == damaged  # as long as there is nothing better, it stays where it is
    mnist = data.mnist()
    assert torch.equal(mnist.x_train, expected.x_train) and torch.equal(mnist.y_test, expected.y_test)
    assert (raw.with_name("raw-set-aside-1") / file).read_bytes() == damaged
    assert "are damaged" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("code", "says"), [(errno.ENOSPC, "The disk is full: free"), (errno.EROFS, "set COURSE_DATA to a folder")]
)
def test_a_full_disk_and_a_read_only_folder_end_in_a_sentence(mirror, raw, monkeypatch, code, says):
    def fail(*args, **kwargs):
        raise OSError(code, "as the system says it")

    with monkeypatch.context() as broken:
        broken.setattr("torchvision.datasets.utils._urlretrieve", fail)
        assert says in sentence_of_failed_mnist()
    assert list(raw.parents[1].iterdir()) == []
    assert len(data.mnist().x_train) == 20


def test_a_file_in_the_place_of_the_folder_ends_in_a_sentence(mirror, tmp_path):
    (tmp_path / "course").write_text("the learner's own")
    assert "set COURSE_DATA to a folder" in sentence_of_failed_mnist()
    assert (tmp_path / "course").read_text() == "the learner's own"


def test_real_mnist_files_load(tmp_path, monkeypatch):
    if not MNIST_10K.is_dir():
        pytest.skip(f"no real MNIST files in {MNIST_10K.relative_to(ROOT.parent)} beside the repository")
    shutil.copytree(MNIST_10K, tmp_path / "downloads")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    mnist = data.load("mnist")
    assert len(mnist.x_train) == 7000 and len(mnist.x_test) == 1000
    assert mnist.y_train[:5].tolist() == [7, 2, 1, 0, 4]  # how MNIST's test set begins
    assert 0.12 < mnist.x_train.mean() < 0.14 and mnist.x_train.max() == 1
