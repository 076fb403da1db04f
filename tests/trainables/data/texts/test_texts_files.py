"""The user's own table of texts."""

import pandas as pd
import pytest

from trainables.data.errors import DataError, Split
from trainables.data.texts.files import files_tasks, read_files
from trainables.data.texts.sources import FilesSource

LABELS = ({"column": "toxic", "classes": ("0", "1")}, {"column": "mood", "classes": ("bad", "fine", "good")})
ROWS = [
    "text,split,toxic,mood",
    "hello,train,0,good",
    "go away,train,1,",
    "well,val,,fine",
    "hm,val,1,",
    "ok,test,0,bad",
]


def source(path, **fields):
    return FilesSource.model_validate({"source": "files", "path": str(path), "labels": LABELS, **fields})


@pytest.fixture
def write(tmp_path):
    def write(rows):
        path = tmp_path / "own.csv"
        path.write_text("\n".join(rows))
        return source(path)

    return write


def test_labels_may_be_blank(write):
    raw = read_files(write(ROWS), Split.TRAIN)
    assert raw.texts == ["hello", "go away"]
    assert raw.labels_NT.tolist() == [[0, 2], [1, -1]]
    assert read_files(write(ROWS), Split.VAL).labels_NT.tolist() == [[-1, 1], [1, -1]]


def test_tasks_are_the_columns(write):
    assert [(task.name, task.classes) for task in files_tasks(write(ROWS))] == [
        ("toxic", ("0", "1")),
        ("mood", ("bad", "fine", "good")),
    ]


def test_parquet_with_nulls_reads_the_same(tmp_path, write):
    path = tmp_path / "own.parquet"
    pd.DataFrame(
        {"text": ["hello", "go away"], "split": ["train"] * 2, "toxic": [0, 1], "mood": ["good", None]}
    ).to_parquet(path)
    assert read_files(source(path), Split.TRAIN).labels_NT.tolist() == [[0, 2], [1, -1]]


def test_a_text_without_any_label_stays(write):
    raw = read_files(write([*ROWS, "nothing,train,,"]), Split.TRAIN)
    assert raw.labels_NT[-1].tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([*ROWS, " ,train,0,good"], r"own\.csv:7: the text is empty"),
        ([*ROWS, "x,dev,0,good"], r"own\.csv:7: the split is 'dev'; expected train, val or test"),
        ([*ROWS, "x,test,yes,good"], r"own\.csv:7: the label in 'toxic' is 'yes'; expected 0, 1, or a blank"),
        (ROWS[:1] + ROWS[3:], r"no row is marked 'train' in the column 'split'"),
        ([*ROWS[:1], "a,train,0,", "b,train,1,"], r"train: none of the 2 texts has a label in 'mood'"),
        (["text,split,toxic", "a,train,0"], r"no column 'mood'"),
    ],
)
def test_faults_are_named_with_their_line(write, rows, message):
    with pytest.raises(DataError, match=message):
        read_files(write(rows), Split.TRAIN)
