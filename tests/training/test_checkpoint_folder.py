"""The folder of checkpoints beside a run's: when it is there, when it goes, what is never deleted."""

import pytest

from zsltf.training.checkpoint_folder import checkpoint_folder
from zsltf.training.checkpoints import Checkpoints, TrainingState


def write_state(folder):
    Checkpoints(folder).write(TrainingState(fingerprint={}), {}, {})


def unfinished(out):
    def train(folder):
        write_state(folder)
        (folder / "history.csv").write_text("epoch\n")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), checkpoint_folder(out) as folder:
        train(folder)
    return folder


def test_it_stands_beside_the_run_and_goes_with_success(tmp_path):
    with checkpoint_folder(tmp_path / "new" / "run") as folder:
        assert folder == tmp_path / "new" / "run.training"
        assert folder.is_dir()
        write_state(folder)
    assert list((tmp_path / "new").iterdir()) == []


def test_after_a_failure_it_stays_and_says_where(tmp_path, capsys):
    folder = unfinished(tmp_path / "run")
    assert Checkpoints(folder).found
    assert f"{folder} holds the training up to its last whole epoch; --resume" in capsys.readouterr().err


def test_a_failure_before_the_first_checkpoint_leaves_nothing(tmp_path, capsys):
    with pytest.raises(ValueError, match="bad label"), checkpoint_folder(tmp_path / "run"):
        raise ValueError("bad label")
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == ""


def test_an_unfinished_training_is_neither_gone_on_with_nor_deleted_unasked(tmp_path):
    folder = unfinished(tmp_path / "run")
    message = r"run\.training: expected no unfinished training, received one\. Pass --resume to go on with it, --overwr"
    with pytest.raises(ValueError, match=message), checkpoint_folder(tmp_path / "run"):
        pass
    assert Checkpoints(folder).found


def test_resume_finds_it_as_it_was(tmp_path):
    unfinished(tmp_path / "run")
    with checkpoint_folder(tmp_path / "run", resume=True, overwrite=True) as folder:
        assert Checkpoints(folder).found


def test_overwrite_starts_afresh(tmp_path):
    unfinished(tmp_path / "run")
    with checkpoint_folder(tmp_path / "run", overwrite=True) as folder:
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("options", [{"resume": True}, {"overwrite": True}, {}])
def test_a_folder_with_other_files_is_left_alone(tmp_path, options):
    folder = unfinished(tmp_path / "run")
    (folder / "thesis.txt").write_text("all of it")
    message = r"run\.training: expected checkpoints only, received also thesis\.txt\. Move the others"
    with pytest.raises(ValueError, match=message), checkpoint_folder(tmp_path / "run", **options):
        pass
    assert (folder / "thesis.txt").read_text() == "all of it"


def test_a_file_of_that_name_is_left_alone(tmp_path):
    (tmp_path / "run.training").write_text("mine")
    with (
        pytest.raises(ValueError, match="expected a folder of checkpoints, or nothing, received a file"),
        checkpoint_folder(tmp_path / "run", overwrite=True),
    ):
        pass
    assert (tmp_path / "run.training").read_text() == "mine"
