import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zsltf.files import atomic_directory, atomic_file, cache_directory, check_writable, sha256


def listing(folder):
    """Every path below folder, hidden ones too."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def write(staging, text, error=None):
    """Half of the work, then the error."""
    (staging / "a.txt" if staging.is_dir() else staging).write_text(text)
    if error:
        raise error


def no_space(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_directory_appears_whole_and_leaves_nothing_beside_it(tmp_path):
    target = tmp_path / "new" / "run"
    with atomic_directory(target) as staging:
        (staging / "inner").mkdir()
        (staging / "inner" / "a.txt").write_text("a")
        assert not target.exists()
    assert listing(tmp_path) == ["new", "new/run", "new/run/inner", "new/run/inner/a.txt"]
    assert target.stat().st_mode & 0o777 == 0o755  # mkdtemp's 0o700 would shut a server out


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("context", [atomic_directory, atomic_file])
def test_an_exception_inside_passes_through_and_leaves_nothing(tmp_path, context, error):
    with pytest.raises(error, match="stop"), context(tmp_path / "run") as staging:
        write(staging, "half", error("stop"))
    assert listing(tmp_path) == []


@pytest.mark.parametrize("context", [atomic_directory, atomic_file])
def test_an_exception_inside_keeps_what_was_to_be_overwritten(tmp_path, context):
    (tmp_path / "run").write_text("old")
    with pytest.raises(RuntimeError), context(tmp_path / "run", overwrite=True) as staging:
        write(staging, "half", RuntimeError())
    assert listing(tmp_path) == ["run"]
    assert (tmp_path / "run").read_text() == "old"


@pytest.mark.parametrize("context", [atomic_directory, atomic_file])
def test_something_at_the_path_is_refused_before_the_work_and_kept(tmp_path, context):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "precious").write_text("old")
    worked = False
    with (
        pytest.raises(
            ValueError, match=r"run: expected a path where nothing is yet, .*another path, or pass --overwrit"
        ),
        context(tmp_path / "run", overwrite=False),
    ):
        worked = True
    assert not worked
    assert listing(tmp_path) == ["run", "run/precious"]


def test_overwriting_a_directory_replaces_it_and_keeps_no_old_file(tmp_path):
    for text in ("old", "new"):
        with atomic_directory(tmp_path / "run", overwrite=True) as staging:
            (staging / text).write_text(text)
    assert listing(tmp_path) == ["run", "run/new"]


def test_a_directory_that_cannot_be_replaced_stays(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "precious").write_text("old")
    rename = Path.rename

    def fail_for_the_new_one(self, target):
        return no_space() if self.suffix == ".partial" else rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_new_one)
    with pytest.raises(OSError, match="No space left"), atomic_directory(tmp_path / "run", overwrite=True):
        pass
    assert listing(tmp_path) == ["run", "run/precious"]


def test_a_file_appears_whole_and_leaves_nothing_beside_it(tmp_path):
    with atomic_file(tmp_path / "new" / "export.json") as staging:
        staging.write_text("new")
        assert not (tmp_path / "new" / "export.json").exists()
        assert staging.name == "export.json"  # writers choose a format by its suffix
    assert listing(tmp_path) == ["new", "new/export.json"]


def test_overwriting_a_file_replaces_it(tmp_path):
    (tmp_path / "export.json").write_text("old")
    with atomic_file(tmp_path / "export.json") as staging:
        staging.write_text("new")
        assert (tmp_path / "export.json").read_text() == "old"
    assert listing(tmp_path) == ["export.json"]
    assert (tmp_path / "export.json").read_text() == "new"


def test_a_hidden_file_of_the_same_name_is_not_ours_to_touch(tmp_path):
    (tmp_path / ".env").write_text("secret")
    with atomic_file(tmp_path / "env") as staging:
        staging.write_text("new")
    assert (tmp_path / ".env").read_text() == "secret"
    with pytest.raises(RuntimeError), atomic_file(tmp_path / "env"):
        raise RuntimeError
    assert listing(tmp_path) == [".env", "env"]


def test_a_file_that_was_never_written_is_an_error_and_keeps_the_old_one(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "a"):
        pass
    assert listing(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


@pytest.mark.parametrize("context", [atomic_directory, atomic_file])
@pytest.mark.parametrize("below", ["file/run", "file/deeper/run"])
def test_a_parent_that_is_a_file_is_refused_with_another_way(tmp_path, context, below):
    (tmp_path / "file").write_text("not a folder")
    with (
        pytest.raises(ValueError, match=r"expected a folder that can be written, received .*Choose another output fol"),
        context(tmp_path / below),
    ):
        pytest.fail("the work began")
    assert listing(tmp_path) == ["file"]


@pytest.mark.parametrize("context", [atomic_directory, atomic_file])
def test_a_read_only_parent_is_refused_with_another_way(tmp_path, monkeypatch, context):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)  # root may write anywhere: the system's answer is simulated
    with (
        pytest.raises(ValueError, match=r"received Permission denied\. Choose another output folder\."),
        context(tmp_path / "run"),
    ):
        pytest.fail("the work began")
    assert listing(tmp_path) == []


@pytest.mark.parametrize("context", [atomic_directory, atomic_file])
def test_a_full_disk_is_reported_as_such_and_leaves_nothing(tmp_path, monkeypatch, context):
    monkeypatch.setattr(Path, "write_text", no_space)
    with pytest.raises(OSError, match="No space left on device") as caught, context(tmp_path / "run") as staging:
        write(staging, "all of it")
    assert caught.value.errno == errno.ENOSPC
    assert listing(tmp_path) == []


def test_a_killed_writer_leaves_nothing_at_the_path(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; from zsltf.files import atomic_directory\n"
        "with atomic_directory(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'half').write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[1]
    finished = subprocess.run([sys.executable, "-c", code, str(tmp_path / "run")], cwd=root, check=False)
    assert finished.returncode == -9
    assert not (tmp_path / "run").exists()
    with atomic_directory(tmp_path / "run") as folder:  # what the dead one left does not block the next
        (folder / "whole").write_text("whole")
    assert listing(tmp_path / "run") == ["whole"]


def test_a_file_of_another_kind_and_a_folder_in_its_place_are_refused(tmp_path):
    check_writable(tmp_path / "a.keras", suffix=".keras")
    with pytest.raises(ValueError, match=r"a\.h5: expected the name of a \.keras file, .* Call it a\.h5\.keras\."):
        check_writable(tmp_path / "a.h5", suffix=".keras")
    (tmp_path / "b.keras").mkdir()
    with pytest.raises(ValueError, match=r"b\.keras: expected the path of a file, received a folder\. Choose"):
        check_writable(tmp_path / "b.keras", overwrite=True, suffix=".keras")


def test_check_writable_writes_nothing(tmp_path):
    check_writable(tmp_path / "a")
    (tmp_path / "b").write_text("old")
    check_writable(tmp_path / "b", overwrite=True)
    assert listing(tmp_path) == ["b"]
    with pytest.raises(ValueError, match="nothing is yet"):
        check_writable(tmp_path / "b")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary())
def test_sha256_is_that_of_the_bytes(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_cache_directory_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setitem(os.environ, "ZSLTF_CACHE", str(tmp_path))
    assert cache_directory() == tmp_path
    monkeypatch.delitem(os.environ, "ZSLTF_CACHE")
    assert cache_directory() == Path.home() / ".cache" / "zsltf"
