import csv
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zsltf.data.classes import ClassTable, read_partitions

TABLE = "class,split,stripes,hooves\nzebra,unseen,1,1\ntiger,seen,0.5,0\nhorse,seen,0,1\n"
FINITE32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@pytest.fixture
def read(tmp_path):
    def read(content, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
        return ClassTable.from_csv(path)

    return read


@pytest.fixture
def partitions(tmp_path):
    def partitions(content, names):
        (tmp_path / "partitions.csv").write_text(content, "utf-8")
        return read_partitions(tmp_path / "partitions.csv", names)

    return partitions


def table(names=("a", "b", "c"), **changes):
    count = len(names)
    arguments = {"semantics": np.arange(2.0 * count).reshape(count, 2), "seen": np.arange(count) > 0}
    return ClassTable(names=tuple(names), **{**arguments, **changes})


def test_csv_with_a_split(read):
    classes = read(TABLE)
    assert classes.names == ("zebra", "tiger", "horse")
    assert classes.columns == ("stripes", "hooves")
    assert classes.semantics.dtype == np.float32
    np.testing.assert_array_equal(classes.semantics, [[1, 1], [0.5, 0], [0, 1]])
    np.testing.assert_array_equal(classes.seen, [False, True, True])
    assert len(classes) == 3


def test_csv_without_a_split_is_all_seen(read):
    classes = read("class,stripes\nzebra,1\ntiger,2\n")
    assert classes.seen.all()
    assert classes.columns == ("stripes",)


def test_csv_of_names_alone_has_no_columns(read):
    assert read("class,split\nzebra,seen\ntiger,unseen\n").semantics.shape == (2, 0)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + TABLE,  # a byte order mark, as spreadsheets write it
        TABLE.replace("\n", "\r\n"),
        TABLE.replace(",", " , "),
        TABLE.replace("zebra", '"zebra"'),
        TABLE.replace("\n", "\n\n"),
        TABLE + ",,,\n , ,,\n",
        TABLE.rstrip("\n"),
    ],
)
def test_csv_as_other_programs_write_it(read, content):
    classes, plain = read(content), read(TABLE)
    assert (classes.names, classes.columns) == (plain.names, plain.columns)
    np.testing.assert_array_equal(classes.semantics, plain.semantics)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            TABLE.replace("0.5", "some"),
            r"line 3, column stripes: expected a number, received 'some'\. Fill in the cell",
        ),
        (TABLE.replace("0.5", ""), r"line 3, column stripes: expected a number, received ''\. Fill in the cell"),
        (TABLE.replace("0.5", "nan"), r"line 3, column stripes: expected a number, received 'nan'\. Fill in the cell"),
        (TABLE.replace("0.5", "-inf"), r"line 3, column stripes: expected a number, received '-inf'"),
        (TABLE.replace("0.5", "0,5"), r"line 3: expected 4 cells, received 5\. Mend the row\."),
        (TABLE.replace("0.5,", ""), r"line 3: expected 4 cells, received 3\. Mend the row\."),
        ("\n\n" + TABLE.replace("0.5", "some"), r"line 5, column stripes: expected a number, received 'some'"),
        (
            TABLE.replace("tiger,seen", "tiger,train"),
            r"line 3, column split: expected seen or unseen, received 'train'",
        ),
        (TABLE.replace("tiger", "zebra"), r"ClassTable\.names: .*each once, received \['zebra'\]\. Rename or remove"),
        (TABLE.replace("class", "Class"), r"a header that starts with 'class', received 'Class'\. Name the first "),
        (TABLE.replace("class", 99 * "x"), rf"a header that starts with 'class', received '{40 * 'x'}'\. Name"),
        (TABLE.replace(",", ";"), r"columns separated by commas, received a header with semicolons\. Save it"),
        (TABLE.replace(",", "\t"), r"columns separated by commas, received a header with tabs\. .*with points\."),
        ("class,stripes\n", r"header that starts with 'class' and a row a class, received 1 lines\. Add rows\."),
        ("", r"header that starts with 'class' and a row a class, received 0 lines\. Add rows\."),
        (
            TABLE.replace("zebra", '"zebra') + "x" * 200_000,
            r"expected a CSV file, .* Look for a quote that is never clos",
        ),
    ],
)
def test_a_broken_csv_is_refused_where_it_breaks(read, tmp_path, content, message):
    with pytest.raises(ValueError, match=message) as caught:
        read(content)
    assert str(caught.value).startswith((str(tmp_path / "table.csv"), "ClassTable.names"))


def test_a_csv_that_cannot_be_read_is_refused(read, tmp_path):
    with pytest.raises(ValueError, match=r"expected a CSV file in UTF-8, .*Save it as UTF-8\."):
        read(TABLE.replace("zebra", "zèbre"), "latin-1")
    with pytest.raises(
        ValueError, match=r"nothing\.csv: expected a readable CSV file, received No such file.*Check the"
    ):
        ClassTable.from_csv(tmp_path / "nothing.csv")
    with pytest.raises(ValueError, match=r"expected a readable CSV file, received Is a directory\. Check the path\."):
        ClassTable.from_csv(tmp_path)


NAMES = st.lists(
    st.text(st.characters(blacklist_categories=("Cc", "Cs", "Z")), min_size=1), min_size=1, max_size=6, unique=True
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES, st.data())
def test_what_is_written_is_read_to_the_last_bit(tmp_path, names, data):
    semantics = data.draw(hnp.arrays(np.float32, (len(names), 3), elements=FINITE32))
    seen = data.draw(hnp.arrays(bool, len(names)))
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["class", "split", "x", "y", "z"])
        for name, row, is_seen in zip(names, semantics, seen, strict=True):
            writer.writerow([name, "seen" if is_seen else "unseen", *(repr(float(value)) for value in row)])
    classes = ClassTable.from_csv(tmp_path / "t.csv")
    assert classes.names == tuple(names)
    np.testing.assert_array_equal(classes.semantics, semantics)
    np.testing.assert_array_equal(classes.seen, seen)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names": ()}, r"ClassTable\.names: expected at least one name, each once, received none"),
        ({"names": ("a", "", "c")}, r"each once, received \[''\]\. Rename or remove rows\."),
        ({"columns": ("x", "x")}, r"ClassTable\.columns: .* received \['x'\]\. Rename or remove columns\."),
        ({"names": ("a", "b", "a")}, r"each once, received \['a'\]\. Rename or remove rows\."),
        (
            {"semantics": np.zeros((2, 2))},
            r"semantics: expected shape \(3, 2\), received shape \(2, 2\)\. Give one row a",
        ),
        ({"semantics": np.zeros(3)}, r"semantics: expected shape \(3, 3\), received shape \(3,\)"),
        ({"columns": ("x",)}, r"semantics: expected shape \(3, 1\), received shape \(3, 2\)\. .*one column a name"),
        ({"semantics": np.array([[0, 1], [0, np.nan], [0, 0]])}, r"finite numbers, received nan at \(1, 1\)\. Fill in"),
        ({"semantics": np.array([[0, np.inf], [0, 0], [0, 0]])}, r"finite numbers, received inf at \(0, 1\)"),
        ({"seen": np.ones(2, bool)}, r"seen: expected shape \(3,\), received shape \(2,\)\. Give one value a class\."),
    ],
)
def test_a_table_checks_itself(changes, message):
    valid = {"names": ("a", "b", "c"), "semantics": np.zeros((3, 2)), "seen": np.ones(3, bool)}
    ClassTable(**valid)
    with pytest.raises(ValueError, match=message):
        ClassTable(**{**valid, **changes})


def test_arrays_are_copied_and_frozen():
    semantics, seen = np.zeros((3, 2)), np.ones(3, bool)
    classes = table(semantics=semantics, seen=seen)
    semantics[0], seen[0] = 7, False
    assert not classes.semantics.any()
    assert classes.seen.all()
    with pytest.raises(ValueError, match="read-only"):
        classes.semantics[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        classes.seen[0] = False
    assert classes.columns == ("s0", "s1")


@settings(deadline=None)
@given(st.permutations(range(3)), st.integers(0, 3))
def test_select_takes_rows_in_this_order(order, count):
    classes, rows = table(), order[: count or 1]
    chosen = classes.select(rows)
    assert chosen.names == tuple("abc"[i] for i in rows)
    np.testing.assert_array_equal(chosen.semantics, classes.semantics[rows])
    np.testing.assert_array_equal(chosen.seen, classes.seen[rows])


def test_with_seen_and_with_semantics_change_that_alone():
    classes = table()
    other = classes.with_seen(~classes.seen).with_semantics(-classes.semantics)
    assert (other.names, other.columns) == (classes.names, classes.columns)
    np.testing.assert_array_equal(other.seen, ~classes.seen)
    np.testing.assert_array_equal(other.semantics, -classes.semantics)
    with pytest.raises(ValueError, match=r"semantics: expected shape \(3, 2\), received shape \(3, 1\)"):
        classes.with_semantics(np.zeros((3, 1)))


def test_concatenate_appends_rows():
    first, second = table(("a", "b")), table(("c",))
    both = first.concatenate(second)
    assert both.names == ("a", "b", "c")
    np.testing.assert_array_equal(both.semantics, np.concatenate([first.semantics, second.semantics]))
    np.testing.assert_array_equal(both.seen, np.concatenate([first.seen, second.seen]))


@pytest.mark.parametrize(
    ("columns", "differing"),
    [(("x", "z"), "y, z"), (("y", "x"), "their order"), (("X", "y"), "X, x")],
)
def test_concatenate_refuses_other_columns(columns, differing):
    expected = f"2 semantic columns as in training, received 2 (differing: {differing}). Use the training table's"
    with pytest.raises(ValueError, match=re.escape(expected)):
        table(columns=("x", "y")).concatenate(table(("d",), columns=columns))


def test_concatenate_refuses_a_name_that_is_there_already():
    with pytest.raises(ValueError, match=r"each once, received \['b'\]\. Rename or remove rows\."):
        table(("a", "b")).concatenate(table(("b",)))


def test_partitions_follow_the_names_not_the_rows(partitions):
    masks = partitions("class,one,two\nc,seen,unseen\na,unseen,seen\nx,seen,seen\nb,seen,seen\n", ("a", "b", "c"))
    assert list(masks) == ["one", "two"]
    np.testing.assert_array_equal(masks["one"], [False, True, True])
    np.testing.assert_array_equal(masks["two"], [True, True, False])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("class,one\na,seen\n", r"expected a row for every class, received none for b\. Add the rows\."),
        ("class,one\na,seen\nb,test\n", r"expected cells seen or unseen, received 'test'\. Mend the table\."),
        ("class,one\na,seen\nb,\n", r"expected cells seen or unseen, received ''"),
        ("class,one\na,seen\nb\n", r"line 3: expected 2 cells, received 1"),
        ("class,one\na,seen\nb,seen\na,unseen\n", r"expected each class and each partition once, received a more than"),
        ("class,one,one\na,seen,seen\nb,seen,unseen\n", r"each class and each partition once, received one more than"),
    ],
)
def test_a_broken_partition_table_is_refused(partitions, content, message):
    with pytest.raises(ValueError, match=message):
        partitions(content, ("a", "b"))


def test_two_tables_of_the_same_classes_stand_beside_each_other():
    one = ClassTable(names=("a", "b"), semantics=[[1, 2], [3, 4]], seen=[True, False], columns=("x", "y"))
    other = ClassTable(names=("c", "b", "a"), semantics=[[9], [8], [7]], seen=[True] * 3, columns=("z",))
    both = one.beside(other)
    np.testing.assert_array_equal(both.semantics, [[1, 2, 7], [3, 4, 8]])
    assert (both.names, both.columns, both.blocks) == (("a", "b"), ("x", "y", "z"), (2, 1))
    np.testing.assert_array_equal(both.seen, [True, False])
    assert both.select([1]).blocks == (2, 1)
    with pytest.raises(ValueError, match=r"class tables: expected a row for every class in each, received none for c"):
        other.beside(one)
    with pytest.raises(ValueError, match=r"ClassTable\.columns: expected at least one name, each once"):
        one.beside(one)
    with pytest.raises(ValueError, match=r"ClassTable\.blocks: expected 2 columns in all, received \(2, 1\)"):
        ClassTable(names=("a",), semantics=[[1, 2]], seen=[True], blocks=(2, 1))


@pytest.mark.parametrize("name", ["two\nlines", "bell\a", "half \ud800", "line\u2028separator"])
def test_names_that_are_no_line_of_text_are_refused(name):
    with pytest.raises(ValueError, match="expected names without line breaks and control characters, received"):
        table((name, "b"))
    assert table(("crème\u00a0brûlée", "\u3000斑馬", "b")).names[1] == "\u3000斑馬"


def test_a_transposed_table_is_called_so(tmp_path):
    (tmp_path / "t.csv").write_text("class,antelope,bat\nsplit,seen,unseen\nflies,0,1\n", "utf-8")
    with pytest.raises(
        ValueError, match=r"t\.csv, line 2: expected a class .* The table looks transposed: write a row"
    ):
        ClassTable.from_csv(tmp_path / "t.csv")
