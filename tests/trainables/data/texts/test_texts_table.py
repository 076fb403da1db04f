"""Reading tables: what is in a cell, and where a fault is."""

import pandas as pd
import pytest

from trainables.data.errors import DataError
from trainables.data.texts.table import read_table


def csv(tmp_path, content, name="x.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def cells(path, columns):
    return [list(row.cells) for row in read_table(path, columns)]


def test_csv(tmp_path):
    path = csv(tmp_path, '\ufefftext,n,other\n"a, ""b""\nc",1,x\n d , ,y\n\ne,2,\n')
    assert cells(path, ["n", "text"]) == [["1", 'a, "b"\nc'], ["", "d"], ["2", "e"]]
    assert [row.where for row in read_table(path, ["n"])] == [f"{path}:2", f"{path}:4", f"{path}:6"]


def test_parquet(tmp_path):
    path = tmp_path / "x.parquet"
    frame = pd.DataFrame(
        {"text": ["a", " b", None], "n": [1, None, 3], "flag": [True, False, None], "x": [0.5, 1.0, 2]}
    )
    frame.to_parquet(path)
    assert cells(path, ["text", "n", "flag", "x"]) == [
        ["a", "1", "True", "0.5"],
        ["b", "", "False", "1"],
        ["", "3", "", "2"],
    ]
    assert read_table(path, ["n"])[2].where == f"{path}, row 2"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,n\na,1\n", "x.csv: no column 'mood'; there are 'text', 'n'"),
        ("", "x.csv: no column 'mood'"),
        ("text,mood\na,1,2\n", "x.csv:2: 3 cells; expected 2"),
        ("text,mood\n", "x.csv: no rows"),
        ('text,mood\na,"1\n', "x.csv: cannot be read"),
        (b"text,mood\n\xff\xfe,1\n", "x.csv: cannot be read"),
    ],
)
def test_a_faulty_csv_is_named(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read_table(csv(tmp_path, content), ["mood"])


def test_other_faults_are_named(tmp_path):
    with pytest.raises(DataError, match=r"x\.parquet: cannot be read .*expected a Parquet file"):
        read_table(csv(tmp_path, "no parquet", "x.parquet"), ["mood"])
    with pytest.raises(DataError, match=r"no such file"):
        read_table(tmp_path / "none.csv", ["mood"])
    with pytest.raises(DataError, match=r"the ending is '.txt'"):
        read_table(csv(tmp_path, "", "x.txt"), ["mood"])
