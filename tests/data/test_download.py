"""Downloads from a server of this process: whole, broken off, refused, and with other content than published."""

import hashlib
import io
import os
import re
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from imbclf.data import open_dataset, resuming
from imbclf.data.download import download_medmnist
from imbclf.data.medmnist_files import LICENCES, MD5, SEVERAL_LABELS
from imbclf.errors import InputError

RANDOM = np.random.default_rng(0)


def npz():
    """An .npz in the layout of MedMNIST, larger than a few chunks."""
    arrays = {}
    for split, count in (("train", 200), ("val", 20), ("test", 20)):
        arrays[f"{split}_images"] = RANDOM.integers(0, 256, (count, 28, 28, 3)).astype(np.uint8)
        arrays[f"{split}_labels"] = (np.arange(count) % 5).astype(np.uint8)[:, np.newaxis]
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


CONTENT = npz()
HALF = len(CONTENT) // 2


class Server(ThreadingHTTPServer):
    """Serves `content` at /files/retinamnist.npz; tests change how.

    Attributes:
        sends_parts: Whether Range requests are understood.
        stop_after: Bytes of the body after which each of the next answers breaks off, one per answer.
        status: Status that is answered instead, for each of the next requests.
        asked: The Range header of each request, in order; None where there was none.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.sends_parts, self.stop_after, self.status, self.asked = CONTENT, True, [], [], []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/files/"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range")
        server.asked.append(wanted)
        if server.status:
            return self.send_error(server.status.pop(0))
        if self.path != "/files/retinamnist.npz":
            return self.send_error(404)
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and server.sends_parts else 0
        whole = len(server.content)
        if start >= whole:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{whole}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self.send_header("Content-Length", str(whole - start))
        self.end_headers()
        body = server.content[start:]
        return self.wfile.write(body[: server.stop_after.pop(0)] if server.stop_after else body)

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(resuming, "FIRST_WAIT", 0.0)
    monkeypatch.setitem(MD5["retinamnist"], 28, hashlib.md5(CONTENT).hexdigest())
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def fetch(server, tmp_path):
    def fetch(**options):
        said = io.StringIO()
        path = download_medmnist("RetinaMNIST", tmp_path / "data", base_url=server.url, stream=said, **options)
        return path, said.getvalue()

    return fetch


def files(folder):
    return {file.name: file.read_bytes() for file in (folder / "data").iterdir()}


def test_a_file_arrives_whole_and_opens_as_data(fetch, server, tmp_path):
    path, said = fetch()
    assert path == tmp_path / "data" / "retinamnist.npz"
    assert files(tmp_path) == {"retinamnist.npz": CONTENT}
    assert server.asked == [None]
    assert "1 of 1 MB of retinamnist.npz" in said
    assert "licence CC BY 4.0, MD5 as published" in said
    dataset = open_dataset(tmp_path / "data", "retinamnist.npz")
    assert dataset.counts("train").tolist() == [40] * 5
    assert dataset.image_shape == (28, 28, 3)


def test_a_file_that_is_there_is_not_asked_for(fetch, server):
    path, _ = fetch()
    before = path.stat()
    server.asked.clear()
    assert "nothing to do" in fetch()[1]
    assert server.asked == []
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_a_cut_connection_goes_on_where_it_was(fetch, server, tmp_path):
    server.stop_after = [HALF]
    fetch()
    assert files(tmp_path) == {"retinamnist.npz": CONTENT}
    assert len(server.asked) == 2
    kept = int(server.asked[1].removeprefix("bytes=").removesuffix("-"))
    # All but what was on its way when the connection was cut, less than one chunk.
    assert HALF - resuming.CHUNK < kept <= HALF


def test_any_number_of_cuts_is_survived_as_long_as_something_arrives(fetch, server, tmp_path):
    server.stop_after = [resuming.CHUNK] * (len(CONTENT) // resuming.CHUNK - 1)
    assert len(server.stop_after) > resuming.ATTEMPTS - 1
    fetch()
    assert files(tmp_path) == {"retinamnist.npz": CONTENT}


def test_a_transfer_given_up_is_continued_by_the_next_call(fetch, server, tmp_path):
    server.stop_after = [2 * resuming.CHUNK, *[0] * resuming.ATTEMPTS]
    with pytest.raises(InputError, match=r"cannot be fetched, the connection failed .* the same command goes on"):
        fetch()
    kept = files(tmp_path)
    assert list(kept) == ["retinamnist.npz.part"]
    assert CONTENT.startswith(kept["retinamnist.npz.part"])
    server.stop_after.clear()
    server.asked.clear()
    fetch()
    assert server.asked == [f"bytes={len(kept['retinamnist.npz.part'])}-"]
    assert files(tmp_path) == {"retinamnist.npz": CONTENT}


def test_an_interrupt_keeps_what_has_arrived(fetch, server, tmp_path, monkeypatch):
    def interrupt(progress):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(resuming.Progress, "step", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch()
    assert list(files(tmp_path)) == ["retinamnist.npz.part"]
    fetch()
    assert files(tmp_path) == {"retinamnist.npz": CONTENT}


def test_a_server_that_sends_no_parts_is_asked_for_the_whole_again(fetch, server, tmp_path):
    server.sends_parts = False
    server.stop_after = [HALF]
    _, said = fetch()
    assert "cannot send a part of a file: starting again" in said
    assert files(tmp_path) == {"retinamnist.npz": CONTENT}


def test_a_part_that_is_all_there_needs_no_more_bytes(fetch, server, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "retinamnist.npz.part").write_bytes(CONTENT)
    fetch()
    assert server.asked == [f"bytes={len(CONTENT)}-"]
    assert files(tmp_path) == {"retinamnist.npz": CONTENT}


def test_a_part_longer_than_the_file_is_thrown_away(fetch, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "retinamnist.npz.part").write_bytes(CONTENT + b"more")
    fetch()
    assert files(tmp_path) == {"retinamnist.npz": CONTENT}


def test_other_content_than_published_is_refused_and_not_kept(fetch, server, tmp_path):
    server.content = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    with pytest.raises(InputError, match=r"does not have the published MD5 \w{32} and was not kept"):
        fetch()
    assert files(tmp_path) == {}


def test_a_part_of_another_file_is_refused_once_and_then_fetched_anew(fetch, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "retinamnist.npz.part").write_bytes(bytes(HALF))
    with pytest.raises(InputError, match="was not kept"):
        fetch()
    fetch()
    assert files(tmp_path) == {"retinamnist.npz": CONTENT}


def test_a_file_of_ones_own_is_replaced_only_on_request(fetch, server, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "retinamnist.npz").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"retinamnist\.npz exists, but its MD5 is not the published"):
        fetch()
    assert files(tmp_path) == {"retinamnist.npz": b"mine"}
    server.status = [404]
    with pytest.raises(InputError, match="404"):
        fetch(overwrite=True)
    assert files(tmp_path) == {"retinamnist.npz": b"mine"}
    fetch(overwrite=True)
    assert files(tmp_path) == {"retinamnist.npz": CONTENT}


def test_a_missing_file_is_refused_at_once_and_a_busy_server_asked_again(fetch, server, tmp_path):
    server.status = [404]
    with pytest.raises(InputError, match=r"answers 404 Not Found to http://127\.0\.0\.1.*/files/retinamnist\.npz"):
        fetch()
    assert server.asked == [None]
    assert files(tmp_path) == {}
    server.status = [503, 429]
    fetch()
    assert files(tmp_path) == {"retinamnist.npz": CONTENT}
    assert len(server.asked) == 4


def test_a_server_that_is_not_there_is_named(server, tmp_path):
    with pytest.raises(InputError, match=r"http://127\.0\.0\.1:9/x/retinamnist\.npz cannot be fetched, the connection"):
        download_medmnist("retinamnist", tmp_path, base_url="http://127.0.0.1:9/x", stream=io.StringIO())
    with pytest.raises(InputError, match=r"folder/retinamnist\.npz is no address"):
        download_medmnist("retinamnist", tmp_path, base_url="folder", stream=io.StringIO())


def test_a_disk_without_room_is_found_before_anything_is_fetched(fetch, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(resuming.shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(InputError, match=r"no room for .*\.part \(0\.6 MB are still to come, 0\.0 MB are free\)"):
        fetch()
    assert files(tmp_path) == {}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")
def test_a_disk_that_fills_up_on_the_way_is_named(fetch, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "retinamnist.npz.part").symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"no room for .*retinamnist\.npz\.part \(No space left on device\)"):
        fetch()


def test_a_folder_that_cannot_be_made_is_named(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"retinamnist\.npz cannot be"):
        download_medmnist("retinamnist", tmp_path / "file" / "data", base_url=server.url, stream=io.StringIO())


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("retinamist", 28, "MedMNIST has no set 'retinamist'; did you mean retinamnist"),
        ("xyz", 28, "no set 'xyz'; The sets are pathmnist, chestmnist"),
        ("adrenalmnist3d", 128, "adrenalmnist3d has images of side 28, 64, not 128"),
    ],
)
def test_an_unknown_set_or_size_is_named_with_those_there_are(tmp_path, name, size, message):
    with pytest.raises(InputError, match=message):
        download_medmnist(name, tmp_path, size)


def test_the_table_has_every_set_in_every_size_once():
    flat, solid = [{28, 64, 128, 224}], [{28, 64}]
    assert [set(sizes) for sizes in MD5.values()] == flat * 12 + solid * 6
    assert [name.endswith("3d") for name in MD5] == [False] * 12 + [True] * 6
    digests = [digest for sizes in MD5.values() for digest in sizes.values()]
    assert len(set(digests)) == 60
    assert all(re.fullmatch(r"[0-9a-f]{32}", digest) for digest in digests)
    assert {*LICENCES, *SEVERAL_LABELS} <= set(MD5)


@pytest.mark.skipif("IMBCLF_DATA" not in os.environ, reason="IMBCLF_DATA does not name the folder of the real data")
@pytest.mark.parametrize(("name", "size"), [("retinamnist", 28), ("adrenalmnist3d", 28), ("adrenalmnist3d", 64)])
def test_the_official_files_have_the_digests_of_the_table(name, size):
    # No server is asked where the MD5 fits, so this needs no network.
    folder = Path(os.environ["IMBCLF_DATA"]) / "medmnist"
    said = io.StringIO()
    download_medmnist(name, folder, size, base_url="http://127.0.0.1:9", stream=said)
    assert "nothing to do" in said.getvalue()
