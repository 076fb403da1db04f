import csv
import io
from html.parser import HTMLParser

from orchestrator.analysis.leaderboard import leaderboard
from orchestrator.analysis.table import to_csv, to_html
from orchestrator.spec.model import Direction, Objective
from orchestrator.trial import Cause, Ending, TrialRecord, TrialState

OBJECTIVE = Objective(metric="val/x", direction=Direction.MAXIMIZE)
RECORDS = [
    TrialRecord(0, TrialState.COMPLETE, {"seed": 7, "lr": 0.1}, value=0.25, best_step=3, run_id="r0"),
    TrialRecord(1, TrialState.COMPLETE, {"seed": 7, "lr": 0.2}, value=0.5, best_step=4),
    TrialRecord(
        2, TrialState.FAILED, {"seed": 7, "lr": 0.3}, ending=Ending(Cause.ERROR, 'ValueError: "a", <b>\nsecond line')
    ),
]


class Cells(HTMLParser):
    """Collects headings, data cells and addresses of other files."""

    def __init__(self):
        super().__init__()
        self.heads, self.cells, self.links, self._into = [], [], [], None

    def handle_starttag(self, tag, attrs):
        self._into = {"th": self.heads, "td": self.cells}.get(tag)
        if self._into is not None:
            self._into.append("")
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        self._into = None

    def handle_data(self, data):
        if self._into is not None:
            self._into[-1] += data


def test_csv_reads_back_with_differing_parameters_before_constant_ones():
    rows = list(csv.reader(io.StringIO(to_csv(leaderboard(RECORDS, OBJECTIVE)))))
    assert rows[0][-3:] == ["lr", "seed", "run_id"]
    assert [row[1] for row in rows[1:]] == ["1", "0", "2"]
    assert rows[2][-1] == "r0"
    assert rows[3][3] == 'ValueError: "a", <b>\nsecond line'
    assert {len(row) for row in rows} == {len(rows[0])}


def test_html_shows_every_cell_and_needs_no_other_file():
    page = to_html(leaderboard(RECORDS, OBJECTIVE), title="a <sweep>")
    cells = Cells()
    cells.feed(page)
    assert cells.heads[-2:] == ["lr", "seed"]
    assert len(cells.cells) == 3 * len(cells.heads)
    assert 'ValueError: "a", <b>\nsecond line' in cells.cells
    assert cells.links == []
    assert "<h1>a &lt;sweep&gt;</h1>" in page


def test_an_empty_leaderboard_is_still_a_table():
    assert to_csv([]).startswith("rank,trial,state")
    assert "<table>" in to_html([], title="empty")


def test_further_objectives_floors_and_the_front_have_columns_where_there_are_any():
    size = Objective(metric="val/size", direction=Direction.MINIMIZE)
    records = [
        TrialRecord(0, TrialState.COMPLETE, {"lr": 1}, value=0.5, values={"val/x": 0.5, "val/size": 2.0}),
        TrialRecord(1, TrialState.COMPLETE, {"lr": 2}, value=0.7, values={"val/x": 0.7}, violated={"val/f1": 0.1}),
    ]
    rows = leaderboard(records, OBJECTIVE, further=[size])
    first, second = csv.DictReader(io.StringIO(to_csv(rows)))
    assert (first["trial"], first["val/size"], first["pareto_front"], first["below_floor"]) == ("0", "2.0", "yes", "")
    assert (second["trial"], second["val/size"], second["pareto_front"], second["below_floor"]) == (
        "1",
        "",
        "",
        "val/f1",
    )
    page = to_html(rows, title="two")
    assert "<th>val/size</th><th>pareto_front</th><th>below_floor</th>" in page
