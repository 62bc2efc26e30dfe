from pathlib import Path

from zsltf.reports.next_step import next_step


def test_the_command_can_be_copied_whatever_the_folder_is_called():
    assert next_step(Path("runs/a")) == "runs/a/report.html holds the report. Next: zsltf export runs/a"
    assert next_step(Path("my runs")).endswith("Next: zsltf export 'my runs'")
