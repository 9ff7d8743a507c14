"""Uploads are decoded in processes that may be killed, to the same pixels and the same sentences."""

from __future__ import annotations

import io
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from demo.decoding import POOL, WORKERS, DecodePool
from demo.i18n.translate import tr_error, use_locale
from demo.ui import components
from transxnet import images
from transxnet.errors import Busy, ImageError, ImageTooLarge, ImageUnreadable

ROOT = Path(__file__).resolve().parents[2]
GENEROUS = 120  # seconds


@pytest.fixture(scope="module")
def pool() -> Iterator[DecodePool]:
    """One worker; no test of it depends on how loaded the machine is."""
    pool = DecodePool(workers=1, limit=GENEROUS)
    yield pool
    pool.close()


def photo_bytes() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(5).integers(0, 256, (60, 80, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(photo_bytes())
    return path


def pid_of(pool: DecodePool) -> int:
    """The process that decodes next, started if there is none."""
    pool.warm_up()
    return pool._idle.queue[-1].process.pid


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def wait_until(condition, seconds: float = GENEROUS) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


FILES = {
    "large.jpg": lambda: Image.linear_gradient("L").resize((3000, 2200)).convert("RGB"),
    "palette.gif": lambda: Image.linear_gradient("L").quantize(16),
    "transparent.png": lambda: Image.new("RGBA", (30, 20), (255, 0, 0, 128)),
    "lossy.webp": lambda: Image.radial_gradient("L").convert("RGB"),
    "deep.png": lambda: Image.fromarray(np.arange(600, dtype=np.uint16).reshape(20, 30) * 100),
    "lossy.avif": lambda: Image.radial_gradient("L").convert("RGB"),
    "turned.jpg": lambda: Image.linear_gradient("L").resize((40, 90)),
}


@pytest.mark.parametrize("name", FILES)
def test_a_worker_decodes_to_the_same_pixels(name, pool, tmp_path):
    exif = Image.Exif()
    if name == "turned.jpg":
        exif[0x0112] = 6
    FILES[name]().save(tmp_path / name, exif=exif)
    image, expected = pool.decode(tmp_path / name, name=name), images.decode(tmp_path / name, name=name)
    assert image == expected
    assert np.array_equal(image.rgb, expected.rgb)
    assert (image.notes, image.original_size) == (expected.notes, expected.original_size)
    assert not image.rgb.flags.writeable


REFUSED = {"empty": b"", "text": b"text", "TIFF": b"II*\0" + bytes(90), "11 MB": bytes(11 * 2**20), "missing": None}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_a_worker_refuses_in_the_same_words(content, pool, tmp_path):
    path = tmp_path / "사진 \udcff\n.jpg"
    if content is not None:
        path.write_bytes(content)
    refusals = []
    for decode in (pool.decode, partial(images.decode, limits=images.UPLOAD_LIMITS)):
        with pytest.raises(ImageError) as refused:
            decode(path, name=path.name)
        error = refused.value
        refusals.append((type(error), error.what, error.remedy))
    assert refusals[0] == refusals[1]


def test_uploads_keep_their_limits_and_say_so(pool, tmp_path):
    """The library and the command line accept this file."""
    path = tmp_path / "scan.png"
    path.write_bytes(photo_bytes() + bytes(11 * 2**20))
    assert images.decode(path).size == (80, 60)
    with pytest.raises(ImageTooLarge, match=r"larger than 10 MB\. Reduce its size, or use the command line") as refused:
        pool.decode(path, name="scan.png")
    for locale, text in (("en", "command line"), ("ko", "명령줄"), ("zh", "命令行")):
        with use_locale(locale):
            assert text in tr_error(refused.value)
    Image.new("L", (80, 60)).save(tmp_path / "page.tif")
    with pytest.raises(ImageUnreadable, match="is a TIFF"):
        pool.decode(tmp_path / "page.tif", name="page.tif")


def test_a_worker_imports_no_torch(pool, photo):
    pool.decode(photo)
    libraries = Path(f"/proc/{pid_of(pool)}/maps").read_text(encoding="utf-8")
    assert "numpy" in libraries
    assert "torch" not in libraries


def test_the_worker_is_kept_for_the_next_image(pool, photo):
    pool.decode(photo)
    pid = pid_of(pool)
    pool.decode(photo)
    assert pid_of(pool) == pid


def test_a_decode_that_takes_too_long_is_killed(photo):
    pool = DecodePool(workers=1, limit=0.5)
    pid = pid_of(pool)
    os.kill(pid, signal.SIGSTOP)  # as slow as a decoder can be
    with pytest.raises(ImageTooLarge, match=r"“slow\.jpg” took longer than 0 seconds to decode") as refused:
        pool.decode(photo, name="/tmp/slow.jpg")
    assert not is_running(pid)
    with use_locale("ko"):
        assert tr_error(refused.value).startswith("“slow.jpg”: 디코딩에 0초가 넘게 걸렸습니다.")
    pool.limit = GENEROUS
    assert pid_of(pool) != pid
    assert pool.decode(photo).size == (80, 60)
    pool.close()


def test_a_worker_that_dies_costs_one_image(pool, photo):
    pid, answers = pid_of(pool), []
    os.kill(pid, signal.SIGSTOP)

    def ask() -> None:
        try:
            answers.append(pool.decode(photo, name="crash.jpg"))
        except ImageError as error:
            answers.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert wait_until(lambda: any(isinstance(one, threading.Timer) for one in threading.enumerate()))
    os.kill(pid, signal.SIGKILL)  # as the kernel does where memory is short
    thread.join(GENEROUS)
    assert type(answers[0]) is ImageUnreadable
    assert answers[0].what == "“crash.jpg” could not be decoded: the decoder stopped or ran out of memory."
    with use_locale("zh"):
        assert tr_error(answers[0]).startswith("“crash.jpg”无法解码")
    assert pool.decode(photo).size == (80, 60)


def test_a_worker_that_died_idle_is_replaced(pool, photo):
    os.kill(pid_of(pool), signal.SIGKILL)
    assert wait_until(lambda: not pool._idle.queue[-1].is_alive)
    assert pool.decode(photo).size == (80, 60)


def test_a_worker_out_of_memory_answers(tmp_path, photo):
    pool = DecodePool(workers=1, limit=GENEROUS)
    pool.decode(photo)
    resource.prlimit(pid_of(pool), resource.RLIMIT_DATA, (200 * 2**20, 200 * 2**20))
    Image.new("RGBA", (4900, 4900), (1, 2, 3, 4)).save(tmp_path / "large.png", compress_level=1)
    with pytest.raises(ImageTooLarge, match="too many pixels to decode"):
        pool.decode(tmp_path / "large.png")
    assert pool.decode(photo).size == (80, 60)
    pool.close()


def test_waiting_for_a_worker_ends(photo):
    pool = DecodePool(workers=1, limit=0.05)
    pool._idle.get()
    with pytest.raises(Busy, match="Too many images are being decoded") as refused:
        pool.decode(photo)
    with use_locale("zh"):
        assert tr_error(refused.value) == "正在解码的图像太多。 请几秒后重试。"


def test_the_page_decodes_in_at_most_two_workers(photo, monkeypatch):
    monkeypatch.setattr(images, "_open", lambda *args: pytest.fail("decoded by the server"))
    payload = SimpleNamespace(path=str(photo), url=None, orig_name="photo.png")
    assert components.SafeImage.preprocess(None, payload).size == (80, 60)
    assert POOL._idle.qsize() == WORKERS == 2


PARENT = """
import sys, time
from demo.decoding import DecodePool

pool = DecodePool()
pool.decode(sys.argv[1])
print(pool._idle.queue[-1].process.pid, flush=True)
{then}
"""


@pytest.mark.process
@pytest.mark.parametrize("then", ["time.sleep(600)", "pool.decode(sys.argv[2])\ntime.sleep(600)"], ids=["idle", "busy"])
def test_no_worker_outlives_a_killed_server(then, photo, tmp_path):
    header = b"BM" + bytes(8) + (1078).to_bytes(4, "little")
    sizes = b"".join(n.to_bytes(4, "little") for n in (40, 4990, 4990, 1 | 8 << 16, 1, 0, 0, 0, 256, 0))
    slow = tmp_path / "slow.bmp"  # runs of one pixel, which Pillow reads in a Python loop
    slow.write_bytes(header + sizes + bytes(1024) + b"\1\5" * 5_000_000)
    command = [sys.executable, "-c", PARENT.format(then=then), str(photo), str(slow)]
    parent = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8")
    worker = int(parent.stdout.readline())
    assert is_running(worker)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert wait_until(lambda: not is_running(worker))
