import numpy as np
import pytest
from PIL import Image

from zsltf.data.classes import ClassTable
from zsltf.data.csv_images import read_csv


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "scans").mkdir()
    for i in range(4):
        Image.new("RGB", (6, 6), (50 * i, 0, 0)).save(tmp_path / "scans" / f"{i}.png")
    return tmp_path / "scans"


def write(folder, *lines):
    path = folder / "list.csv"
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_labels_are_the_rows_of_the_sorted_names_and_paths_start_at_the_file(folder):
    (folder / "deep").mkdir()
    Image.new("RGB", (6, 6), (9, 9, 9)).save(folder.parent / "up.png")
    lines = ["0.png,sick", "./1.png,healthy", f"{folder / '2.png'},sick", "deep/../3.png,healthy", "../up.png,sick"]
    found = read_csv(write(folder, "path,label", *lines))
    assert found.classes.names == ("healthy", "sick")
    np.testing.assert_array_equal(found.images.y, [1, 0, 1, 0, 1])
    assert [found.images.load(i, 6)[0, 0, 0] for i in range(5)] == [0, 50, 100, 150, 9]
    assert found.parts is found.group is found.sample_weight is None


def test_columns_in_any_order_say_part_group_and_weight(folder):
    header = "weight,label,group,age,split,path"
    found = read_csv(write(folder, header, "1,b,p1,40,Train,0.png", "0.5,a,p1,,train,1.png", "", "0,a,p2,3,val,2.png"))
    assert found.parts == ("train", "train", "validation")
    assert found.group.tolist() == ["p1", "p1", "p2"]
    assert found.sample_weight.dtype == np.float32
    np.testing.assert_array_equal(found.sample_weight, [1, 0.5, 0])
    other = read_csv(write(folder, "path,label,group,site", "0.png,a,p1,x", "1.png,b,p2,y"), group_column="site")
    assert other.group.tolist() == ["x", "y"]


def test_several_labels_in_a_cell_are_multi_hot(folder):
    found = read_csv(write(folder, "path,label", "0.png,dog;cat", "1.png,", "2.png,dog", '3.png,"cat; fox"'))
    assert found.classes.names == ("cat", "dog", "fox")
    assert found.images.y.dtype == np.float32
    np.testing.assert_array_equal(found.images.y, [[1, 1, 0], [0, 0, 0], [0, 1, 0], [1, 0, 1]])


def test_a_table_gives_the_classes_their_rows(folder):
    classes = ClassTable(names=("sick", "rare", "healthy"), semantics=np.eye(3), seen=np.ones(3, bool))
    found = read_csv(write(folder, "path,label", "0.png,healthy", "1.png,sick"), classes)
    assert found.classes is classes
    np.testing.assert_array_equal(found.images.y, [2, 0])
    with pytest.raises(
        ValueError, match=r"line 3, column label: expected one of .*'helthy'\. Did you mean 'healthy'\?"
    ):
        read_csv(write(folder, "path,label", "0.png,sick", "1.png,helthy"), classes)


def test_the_same_line_again_counts_once(folder):
    found = read_csv(write(folder, "path,label,group", "0.png,a,p", "1.png,b,p", "./0.png,a,p"))
    assert found.images.names == ("0.png", "1.png")
    assert found.group.tolist() == ["p", "p"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["path,label", "0.png,a", "x.png,a", "y/1.png,b"],
            r"received 2 of none: 'x\.png' in line 3, 'y/1\.png' in li",
        ),
        (["path,label", "scans,a", ".,b"], r"2 of none: 'scans' in line 2, '\.' in line 3\. Relative paths start at /"),
        (["path,label", "../../../../../../../../../../../../none.png,a"], r"1 of none"),
        (["path,label", "0\0.png,a"], r"1 of none: '0"),
        (["path,label", f"{'n' * 300}.png,a"], r"1 of none"),
        (["path,label", "0.png,a", "1.png,b", "./0.png,b"], r"line 4: .* label 'a' in line 2 and 'b'\. Remove one"),
        (["path,label,split", "0.png,a,train", "0.png,a,test"], r"line 3: .* split 'train' in line 2 and 'test'"),
        (["path,label", "0.png,a", "1.png,"], r"line 3, column label: expected a class, received ''"),
        (["path,label", "0.png,a;b", "1.png,a;"], r"line 3, column label: expected a class, received 'a;'"),
        (["path,label,split", "0.png,a,trian"], r"line 2, column split: .* received 'trian'\. Did you mean 'train'\?"),
        (["path,label,group", "0.png,a,"], r"line 2, column group: expected a name, received an empty cell"),
        (["path,label,weight", "0.png,a,-1"], r"line 2, column weight: expected a number >= 0, received '-1'"),
        (["path,label,weight", "0.png,a,nan"], r"column weight: expected a number >= 0, received 'nan'"),
        (["path,label,weight", "0.png,a,heavy"], r"column weight: expected a number >= 0, received 'heavy'"),
        (["path,labels", "0.png,a"], r"columns: expected one of labels, path, received 'label'\. Did you mean 'labels"),
        (["path,label,label", "0.png,a,a"], r"expected each column once, received path, label, label"),
        (["path,label"], r"expected a header and a row an image, received 1 lines"),
        ([""], r"expected a header and a row an image, received 0 lines"),
        (["path,label", "0.png"], r"line 2: expected 2 cells, received 1"),
        (["path,label", '0.png,"a', "b" * 200_000], r"expected a CSV file, .*Look for a quote that is never closed"),
    ],
)
def test_bad_files_are_refused_with_line_and_reason(folder, lines, message):
    with pytest.raises(ValueError, match=message):
        read_csv(write(folder, *lines))


def test_unreadable_files_are_refused(folder):
    with pytest.raises(ValueError, match=r"none\.csv: expected a readable CSV file, received No such file"):
        read_csv(folder / "none.csv")
    (folder / "list.csv").write_bytes("path,label\n0.png,Möwe".encode("latin-1"))
    with pytest.raises(ValueError, match=r"expected a CSV file in UTF-8"):
        read_csv(folder / "list.csv")
    with pytest.raises(ValueError, match=r"columns: expected one of label, path, received 'site'"):
        read_csv(write(folder, "path,label", "0.png,a"), group_column="site")
