"""Runtimes from npm: the pinned archive and nothing else, its needed members and nothing else."""

import base64
import hashlib
import http.server
import io
import json
import tarfile
import threading

import pytest

from zsltf.serving.browser_runtime import RUNTIMES, NpmPackage

FILES = {"package/dist/a.js": b"the module", "package/dist/a.wasm": b"\0asm", "package/package.json": b"{}"}


def archive(files, links=()):
    """A package as npm packs it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as packed:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            packed.addfile(entry, io.BytesIO(data))
        for name, target in links:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            packed.addfile(entry)
    return content.getvalue()


def package(content, name="@some/runtime"):
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    return NpmPackage(name=name, version="1.2.3", sha512=digest, files={"dist/a.js": "a.js", "dist/a.wasm": "b.wasm"})


@pytest.fixture
def registry(monkeypatch, tmp_path):
    """What a registry of this machine serves, and the paths that were asked for."""
    served, asked = {}, []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            content = served.get(self.path)
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("ZSLTF_CACHE", str(tmp_path / "cache"))
    yield served, asked
    server.shutdown()
    server.server_close()
    thread.join()


ADDRESS = "/@some/runtime/-/runtime-1.2.3.tgz"


def test_needed_members_are_taken_and_the_archive_is_kept(registry, tmp_path):
    served, asked = registry
    links = (("package/dist/../../../outside.js", "/etc/passwd"),)
    served[ADDRESS] = content = archive({**FILES, "package/../../evil.js": b"x"}, links)
    wanted = {"a.js": b"the module", "b.wasm": b"\0asm"}
    assert package(content).read() == wanted
    assert package(content).read() == wanted
    assert asked == [ADDRESS]
    (kept,) = (tmp_path / "cache" / "npm").iterdir()
    kept.write_bytes(b"damaged")
    assert package(content).read() == wanted
    assert asked == [ADDRESS, ADDRESS]
    assert kept.read_bytes() == content
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [kept.name]


def test_another_archive_is_refused_and_not_kept(registry, tmp_path):
    served, _ = registry
    served[ADDRESS] = archive({**FILES, "package/dist/a.js": b"another module"})
    with pytest.raises(
        ValueError, match=r"runtime-1.2.3.tgz: expected the archive with SHA-512 .* received \d+ bytes of"
    ):
        package(archive(FILES)).read()
    assert not (tmp_path / "cache").exists()


def test_what_is_too_large_is_not_read_to_its_end(registry, monkeypatch):
    served, _ = registry
    served[ADDRESS] = content = archive(FILES)
    monkeypatch.setattr("zsltf.serving.browser_runtime._LARGEST_PACKAGE", 10)
    with pytest.raises(ValueError, match=r"received 11 bytes of another"):
        package(content).read()


@pytest.mark.parametrize(
    ("files", "links"),
    [({"package/dist/a.wasm": b""}, ()), ({"package/dist/a.wasm": b""}, [("package/dist/a.js", "/etc/passwd")])],
)
def test_a_package_without_its_files_is_refused(registry, files, links):
    served, _ = registry
    served[ADDRESS] = content = archive(files, links)
    with pytest.raises(ValueError, match=r"@some/runtime@1.2.3: expected a package with a.js, received one without it"):
        package(content).read()


def test_offline_the_way_out_is_told(registry, monkeypatch):
    with pytest.raises(
        ValueError, match=r"expected to be fetched from http.*404.*npm install @some/runtime@1.2.3, and"
    ):
        package(b"").read()
    monkeypatch.setenv("npm_config_registry", "file:///etc")
    with pytest.raises(ValueError, match=r"npm_config_registry: expected an address that begins with http:// or https"):
        package(b"").read()


def test_an_installed_package_is_taken_in_the_version_that_was_tried(tmp_path):
    wanted, folder = package(b""), tmp_path / "node_modules"
    with pytest.raises(ValueError, match=r"node_modules: expected a node_modules folder with @some/runtime@1.2.3, rec"):
        wanted.read(folder)
    (folder / "@some" / "runtime" / "dist").mkdir(parents=True)
    about = folder / "@some" / "runtime" / "package.json"
    about.write_text(json.dumps({"version": "1.2.4"}), "utf-8")
    with pytest.raises(
        ValueError, match=r"expected version 1.2.3, which was tried, received '1.2.4'. Run npm install "
    ):
        wanted.read(folder)
    about.write_text(json.dumps({"version": "1.2.3"}), "utf-8")
    with pytest.raises(ValueError, match=r"expected the file dist/a.js, received none"):
        wanted.read(folder)
    (folder / "@some" / "runtime" / "dist" / "a.js").write_bytes(b"1")
    (folder / "@some" / "runtime" / "dist" / "a.wasm").write_bytes(b"2")
    assert wanted.read(folder) == {"a.js": b"1", "b.wasm": b"2"}


@pytest.mark.parametrize("name", RUNTIMES)
def test_the_pinned_runtimes_are_on_npm_with_their_licences(name):
    files = RUNTIMES[name].read()
    assert files[RUNTIMES[name].module]
    assert all(content.startswith(b"\0asm") for file, content in files.items() if file.endswith(".wasm"))
    licence = next(content for file, content in files.items() if file.startswith("LICENSE"))
    assert b"License" in licence[:200]
    assert not any("/" in file for file in files)
