import json

import pytest

from zsltf.data.edit_table import EditTable, read_edit_table


def test_every_part_may_be_left_out(tmp_path):
    path = tmp_path / "table.json"
    path.write_text("{}", "utf-8")
    assert read_edit_table(path) == EditTable()
    by_page = {"name": "zebra", "vector": [1, 2.5], "bias": -1, "semantics": {"furry": 0, "big": 1}}
    table = {
        "of": ["cow", "horse"],
        "rename": {"cow": "cattle"},
        "add": [{"name": "yak", "semantics": {"furry": 1, "big": 0.5}}, by_page, {**by_page, "name": "okapi"}],
    }
    path.write_text(json.dumps(table), "utf-8")
    assert read_edit_table(path) == EditTable(**table)


@pytest.mark.parametrize(
    ("table", "received"),
    [
        ([], "[]"),
        ("cow", "'cow'"),
        ({"delete": ["cow"]}, "'delete': ['cow']"),
        ({"remove": "cow"}, "'remove': 'cow'"),
        ({"remove": [1]}, "'remove': [1]"),
        ({"remove": None}, "'remove': None"),
        ({"rename": ["cow"]}, "'rename': ['cow']"),
        ({"rename": {"cow": 1}}, "'rename': {'cow': 1}"),
        ({"add": {"name": "yak"}}, "'add': {'name': 'yak'}"),
        ({"add": ["yak"]}, "'add': ['yak']"),
        ({"add": [{"name": "yak"}]}, "'add': [{'name': 'yak'}]"),
        ({"add": [{"name": 1, "photos": ["a"]}]}, "'add': [{'name': 1, "),
        ({"add": [{"name": "yak", "photos": "a.jpg"}]}, "'add': [{'name': 'yak', "),
        ({"add": [{"name": "yak", "semantics": [1, 2]}]}, "'add': [{'name': 'yak', "),
        ({"add": [{"name": "yak", "semantics": {"furry": "1"}}]}, "'add': [{'name': 'yak', "),
        ({"add": [{"name": "yak", "semantics": {"furry": True}}]}, "'add': [{'name': 'yak', "),
        ({"add": [{"name": "yak", "photos": ["a"], "semantics": [1]}]}, "'add': [{'name': 'yak', "),
        ({"add": [{"name": "yak", "photos": []}]}, "'add': [{'name': 'yak', "),
        ({"add": [{"name": "yak", "photos": [""]}]}, "'add': [{'name': 'yak', "),
        ({"add": [{"name": "yak", "semantics": {"furry": 10**400}}]}, "'add': [{'name': 'yak', "),
        ({"of": "cow"}, "'of': 'cow'"),
        ({"add": [{"name": "yak", "vector": [1]}]}, "'add': [{'name': 'yak', 'vector': [1]}]"),
        ({"add": [{"name": "yak", "bias": 1}]}, "'add': [{'name': 'yak', 'bias': 1}]"),
        ({"add": [{"name": "yak", "vector": [[1]], "bias": 0}]}, "'add': [{'name': 'yak', 'vector': [[1]]"),
        ({"add": [{"name": "yak", "vector": [float("nan")], "bias": 0}]}, "'add': [{'name': 'yak', 'vector': [nan]"),
        (
            {"add": [{"name": "yak", "vector": [0], "bias": 1e39}]},
            "'add': [{'name': 'yak', 'vector': [0], 'bias': ",
        ),
        (
            {"add": [{"name": "yak", "vector": [0], "bias": True}]},
            "'add': [{'name': 'yak', 'vector': [0], 'bias': T",
        ),
        (
            {"add": [{"name": "yak", "vector": [0], "bias": 0, "photos": ["a"]}]},
            "'add': [{'name': 'yak', 'vector': [0]",
        ),
        (
            {"add": [{"name": "ox", "vector": [0], "bias": 0}, {"name": "yak", "vector": [None], "bias": 0}]},
            "'add': [{'name': 'yak', 'vector': [None]",
        ),
    ],
)
def test_other_forms_are_refused(tmp_path, table, received):
    path = tmp_path / "table.json"
    path.write_text(json.dumps(table), "utf-8")
    with pytest.raises(ValueError, match=r'table\.json: expected {"remove": \[name\], "rename": ') as refused:
        read_edit_table(path)
    assert f"received {received}" in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"remove": [}', b"[" * 10**5])
def test_what_is_no_json_is_refused(tmp_path, content):
    (tmp_path / "table.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"table\.json: expected a table in JSON, received something else \("):
        read_edit_table(tmp_path / "table.json")
    with pytest.raises(ValueError, match=r"nowhere\.json: expected a table in JSON, received none\. Check the path"):
        read_edit_table(tmp_path / "nowhere.json")
