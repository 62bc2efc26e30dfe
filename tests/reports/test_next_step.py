from pathlib import Path

from zsltf.reports.next_step import next_step, predict_command


def test_the_command_can_be_copied_whatever_the_folder_is_called():
    assert next_step(Path("runs/a")) == "runs/a/report.html holds the report. Next: zsltf export runs/a"
    assert next_step(Path("my runs")).endswith("Next: zsltf export 'my runs'")


def test_how_new_classes_come_in_follows_the_files_doors():
    file = Path("my run/model.onnx")
    for opens_by in (("semantics",), ("semantics", "photos")):
        told = predict_command(file, opens_by)
        assert told == "zsltf predict 'my run/model.onnx' PHOTO   # --classes rows.csv adds classes"
    assert predict_command(file, ("photos",)).endswith(
        "# zsltf classes 'my run/model.onnx' add --name NAME --photos PHOTO adds a class"
    )
    assert predict_command(file, ()).endswith("PHOTO   # new classes need another training")
