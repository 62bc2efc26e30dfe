"""Mirror and publisher are servers on 127.0.0.1."""

import contextlib
import hashlib
import json
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from zsltf.pretrained import fetch
from zsltf.pretrained.fetch import PublishedWeights

CONTENT = bytes(range(256)) * 40
MD5, SHA256 = (hashlib.new(kind, CONTENT).hexdigest() for kind in ("md5", "sha256"))


class Server(ThreadingHTTPServer):
    """Serves `files`, path -> content; `short` cuts a body, `slow` waits before each byte."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked, self.short, self.slow = {}, [], 0, 0.0
        self.address = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if not self.server.slow:
            self.wfile.write(content[: len(content) - self.server.short])
            return
        for byte in content:
            time.sleep(self.server.slow)
            self.wfile.write(bytes([byte]))

    def log_message(self, *_):
        pass

    def handle(self):
        with contextlib.suppress(OSError):  # the client gave up
            super().handle()


@pytest.fixture
def serve():
    servers = []

    def start(**files):
        server = Server()
        server.files = {f"/models/{name.replace('_', '.')}": content for name, content in files.items()}
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """An empty cache and an empty Keras folder; no proxy, no mirror."""
    monkeypatch.setenv("ZSLTF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("ZSLTF_WEIGHTS_MIRROR", raising=False)
    (tmp_path / "keras" / "models").mkdir(parents=True)
    return tmp_path


def published(address, md5=MD5):
    return PublishedWeights(url=f"{address}/models/small.h5", md5=md5, licence="MIT")


def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def left_over(folder):
    return [path.name for path in folder.rglob("*") if "partial" in path.name]


@pytest.mark.parametrize("checksum", [MD5, MD5.upper(), SHA256, ""])
def test_fetched_once_into_the_cache(serve, home, checksum):
    server = serve(small_h5=CONTENT)
    weights = published(server.address, checksum)
    for _ in range(2):
        assert weights.fetch() == home / "cache" / "weights" / "small.h5"
    assert weights.path.read_bytes() == CONTENT
    assert server.asked == ["/models/small.h5"]
    assert not left_over(home)


def test_keras_own_cache_comes_before_the_network(serve, home):
    server = serve(small_h5=CONTENT)
    kept = home / "keras" / "models" / "small.h5"
    kept.write_bytes(CONTENT)
    assert published(server.address).fetch() == kept
    assert not server.asked


def test_half_a_file_in_keras_cache_is_passed_over(serve, home):
    (home / "keras" / "models" / "small.h5").write_bytes(CONTENT[:100])
    weights = published(serve(small_h5=CONTENT).address)
    assert weights.fetch() == weights.path


def test_the_mirror_comes_before_the_publisher(serve, monkeypatch):
    mirror, publisher = serve(small_h5=CONTENT), serve(small_h5=CONTENT)
    monkeypatch.setenv("ZSLTF_WEIGHTS_MIRROR", f"{mirror.address}/models/")
    assert published(publisher.address).fetch().read_bytes() == CONTENT
    assert (mirror.asked, publisher.asked) == (["/models/small.h5"], [])


def test_a_folder_may_be_the_mirror(monkeypatch, tmp_path):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "small.h5").write_bytes(CONTENT)
    monkeypatch.setenv("ZSLTF_WEIGHTS_MIRROR", (tmp_path / "mirror").as_uri())
    assert published(closed_port()).fetch().read_bytes() == CONTENT


@pytest.mark.parametrize("broken", ["missing", "corrupt", "interrupted"])
def test_a_mirror_that_fails_is_passed_over(serve, monkeypatch, home, broken):
    mirror = serve(**{} if broken == "missing" else {"small_h5": CONTENT[::-1] if broken == "corrupt" else CONTENT})
    mirror.short = 10 if broken == "interrupted" else 0
    monkeypatch.setenv("ZSLTF_WEIGHTS_MIRROR", f"{mirror.address}/models")
    weights = published(serve(small_h5=CONTENT).address, "" if broken == "interrupted" else MD5)
    assert weights.fetch().read_bytes() == CONTENT
    assert mirror.asked
    assert not left_over(home)


def assert_refused(weights, reason, home):
    with pytest.raises(ValueError, match=reason):
        weights.fetch()
    assert not weights.path.exists()
    assert not left_over(home)


@pytest.mark.parametrize("checksum", ["0" * 32, "0" * 64])
def test_a_download_of_another_checksum_is_refused(serve, home, checksum):
    kind, received = ("md5", MD5) if len(checksum) == 32 else ("sha256", SHA256)
    weights = published(serve(small_h5=CONTENT).address, checksum)
    assert_refused(weights, f"small.h5: expected {kind} {checksum}, received {received}", home)


def test_an_interrupted_download_is_refused(serve, home):
    server = serve(small_h5=CONTENT)
    server.short = 1000
    assert_refused(published(server.address, ""), r"small\.h5: 9240 of 10240 bytes came", home)


def test_a_download_takes_no_longer_than_its_bound(serve, home, monkeypatch):
    server = serve(small_h5=CONTENT)
    server.slow = 0.001
    monkeypatch.setattr(fetch, "_LONGEST", 0.0)
    assert_refused(published(server.address), r"small\.h5: \d+ bytes in 0 s", home)


def test_a_server_that_says_nothing_is_given_up(home, monkeypatch):
    monkeypatch.setattr(fetch, "_STALLED", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert_refused(published(f"http://127.0.0.1:{silent.getsockname()[1]}"), "small.h5: .*timed out", home)


def test_offline_the_error_says_what_to_put_where(home):
    weights = published(closed_port())
    with pytest.raises(ValueError, match="weights 'imagenet': expected ") as caught:
        weights.fetch()
    text = str(caught.value)
    place = home / "cache" / "weights" / "small.h5"
    assert f"expected {weights.url} or its copy at {place}, received neither ({weights.url}: " in text
    assert f"Put the file (md5 {MD5}) there, name a folder that serves it in ZSLTF_WEIGHTS_MIRROR, " in text
    place.write_bytes(CONTENT)
    assert weights.fetch() == place


@pytest.mark.parametrize("address", ["ftp://example.org", "/mnt/weights", "javascript:alert(1)"])
def test_other_schemes_are_refused(monkeypatch, address):
    with pytest.raises(ValueError, match=re.escape("url: expected an address that begins with http://, https:// or")):
        published(address).fetch()
    monkeypatch.setenv("ZSLTF_WEIGHTS_MIRROR", address)
    with pytest.raises(ValueError, match=rf"ZSLTF_WEIGHTS_MIRROR: .* received '{re.escape(address)}/small\.h5'"):
        published("https://example.org").fetch()


def test_what_was_loaded_once_is_on_record(serve):
    weights = published(serve(small_h5=CONTENT).address, "")
    weights.fetch()
    assert not weights.record.exists()
    weights.remember(weights.path)
    assert json.loads(weights.record.read_text()) == {"url": weights.url, "sha256": SHA256}
    weights.remember(weights.path)
    assert weights.fetch() == weights.path


def test_a_file_that_changed_after_its_first_load_is_refused(serve):
    weights = published(serve(small_h5=CONTENT).address, "")
    weights.remember(weights.fetch())
    weights.path.write_bytes(CONTENT[::-1])
    received = hashlib.sha256(CONTENT[::-1]).hexdigest()
    message = (
        f"{weights.path}, SHA-256: expected {SHA256} as at its first load, received {received}. Delete {weights.path} "
        f"to fetch it again, or delete {weights.record} too if the new file is the right one."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        weights.fetch()
    weights.path.unlink()
    assert weights.fetch().read_bytes() == CONTENT


def test_a_publisher_who_changes_the_file_is_noticed(serve, home):
    server = serve(small_h5=CONTENT)
    weights = published(server.address, "")
    weights.remember(weights.fetch())
    weights.path.unlink()
    server.files["/models/small.h5"] = CONTENT[::-1]
    assert_refused(weights, rf"{re.escape(weights.url)}, SHA-256: expected {SHA256} as at its first load", home)
    weights.record.unlink()
    assert weights.fetch().read_bytes() == CONTENT[::-1]


def test_a_damaged_record_is_named(serve):
    weights = published(serve(small_h5=CONTENT).address)
    weights.fetch()
    weights.record.write_text("{")
    with pytest.raises(ValueError, match=rf"{re.escape(str(weights.record))}: expected the record .* Delete it\."):
        weights.fetch()
