"""Metrics of other tools as measurements: what is understood, what is left out, and what is refused with its place."""

import pytest

from orchestrator.errors import UsageError
from orchestrator.sweeps.metric_table import read_metric_table

NOTE_001 = """\
epoch,strategy,train_loss,active_neg%,intra,inter,ratio,val_ch,val_db
1,random,0.60,61.2,0.068,0.842,12.4,4.10,6.40
2,semi-hard,0.30,30.1,0.031,0.893,28.8,6.10,6.90
3,hard,0.173,20.3,0.012,0.974,81.2,5.59,7.33
"""


@pytest.fixture
def table(tmp_path):
    def read(text, name="metrics.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_metric_table(path)

    return read


def test_the_table_of_note_001(table):
    found = table(NOTE_001)

    assert [m.step for m in found.measurements] == [1, 2, 3]
    assert found.measurements[0].metrics == pytest.approx(
        {
            "train/loss": 0.60,
            "train/active_negative_fraction": 0.612,
            "train/intra_distance": 0.068,
            "train/inter_distance": 0.842,
            "train/distance_ratio": 12.4,
            "val/calinski_harabasz": 4.10,
            "val/davies_bouldin": 6.40,
        }
    )
    assert found.notes == ["left out: strategy (text)"]
    assert found.renamed["val_ch"] == "val/calinski_harabasz"


@pytest.mark.parametrize(
    "text",
    [
        "step;val/recall_at_1\n0;0,05\n5;0,25\n",
        "step\tval/recall_at_1\r\n5\t25%\r\n0\t5 %\r\n",
        "\ufeffstep, val/recall_at_1 ,\n\n0, .05,\n5, 2.5e-1,\n\n",
    ],
    ids=["semicolons and decimal commas", "tabs, percent, newest first", "a byte-order mark, spaces, blank lines"],
)
def test_dialects(table, text):
    found = table(text)

    assert [(m.step, m.metrics["val/recall_at_1"]) for m in found.measurements] == [(0, 0.05), (5, 0.25)]
    assert found.renamed == {}


def test_what_was_not_measured_is_absent_and_what_is_not_finite_stays(table):
    found = table("epoch,val_loss,val_r2\n0,1.0,\n1,nan,n/a\n2,inf,0.5\n")

    assert [set(m.metrics) for m in found.measurements] == [{"val/loss"}, {"val/loss"}, {"val/loss", "val/r2"}]
    assert found.measurements[1].metrics["val/loss"] != found.measurements[1].metrics["val/loss"]


def test_rows_of_one_epoch_are_merged_as_lightning_writes_them(table):
    found = table("epoch,step,train_loss,val_loss\n1,49,0.9,\n1,99,0.8,\n1,99,,0.7\n2,149,0.6,\n")

    assert [(m.step, m.metrics) for m in found.measurements] == [
        (1, {"train/loss": 0.8, "val/loss": 0.7}),
        (2, {"train/loss": 0.6}),
    ]
    assert found.notes == [
        "left out: step (rows are counted by epoch)",
        "4 rows make 2 epochs: of equal ones the last value of a metric stays",
    ]


def test_an_epoch_0_that_has_trained_is_not_taken_for_the_untrained_model(table):
    trained = table("epoch,loss,val_loss\n0,0.9,0.8\n1,0.7,0.6\n")
    untrained = table("epoch,loss,val_loss\n0,,0.8\n1,0.7,0.6\n")

    assert [m.step for m in trained.measurements] == [1, 2]
    assert "epochs are counted from 1 here" in trained.notes[0]
    assert [m.step for m in untrained.measurements] == [0, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "metrics.csv: is empty"),
        ("epoch,val_loss\n", "metrics.csv: no epochs, only a line of column names"),
        ("val_loss,val_r2\n1,2\n", "no column counts epochs or steps .epoch, step.; the columns are val_loss, val_r2"),
        ("epoch,name\n1,a\n2,b\n", "no column of numbers beside the epochs"),
        ("epoch\n1\n", "no column of numbers beside the epochs"),
        ("epoch,val_loss\n1,0.5\n\n2,abc\n", r"metrics.csv, line 4, column 'val_loss': 'abc' is not a number"),
        ("epoch,val_loss\n1,0.5\none,0.5\n", "line 3, column 'epoch': 'one' is not a number"),
        ("epoch,val_loss\n1.5,0.5\n", "line 2, column 'epoch': '1.5' is not an epoch or step"),
        ("epoch,val_loss\n-1,0.5\n", "'-1' is not an epoch or step"),
        ("epoch,val_loss\n,0.5\n", "line 2, column 'epoch': '' is not an epoch or step"),
        ("epoch,val_loss\nnan,0.5\n", "'nan' is not an epoch or step"),
        ("epoch,val_loss\n1,0.5,7\n", "line 2: 3 cells, but 2 columns"),
        ("epoch,train_loss,loss\n1,0.5,7\n", "'train_loss' and 'loss' are both train/loss; keep one of them"),
        (b"epoch,val_loss\n1,\xff\n", "cannot be read .*expected a CSV file in UTF-8"),
    ],
)
def test_bad_input_names_the_file_the_line_and_the_column(table, text, message):
    with pytest.raises(UsageError, match=message):
        table(text)
