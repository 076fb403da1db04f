"""What a running sweep looks like: pure functions of its progress."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from orchestrator.cli.watch import MAX_ROWS, LiveTable, PlainLines, Silent, counts_line, render
from orchestrator.execution.progress import Event, Progress, RunningTrial
from orchestrator.tracking import Lag
from orchestrator.trial import Cause

NOTHING = Progress(
    name="toy-1",
    limit=20,
    max_epochs=10,
    num_ended=0,
    causes={},
    reasons={},
    findings={},
    running=(),
    best=None,
    elapsed_s=0.0,
    wall_s=0.0,
    wall_limit_s=None,
    train_s=0.0,
    eta_s=None,
    lag=Lag(0, 0.0, 0),
    tracking_error=None,
    phase="searching",
)
PARAMS = {"optimizer.lr": 1e-4, "margin.end": 0.25, "temperature.end": 0.1}


def running(number, **changes):
    return replace(RunningTrial(number, PARAMS, 3, 0.5, 0.4, 61.0), **changes)


def text(progress, width=100):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(render(progress))
    return console.file.getvalue()


def test_before_the_first_trial():
    shown = text(NOTHING)

    assert "toy-1" in shown
    assert "0/20 ended" in shown
    assert "best" not in shown.splitlines()[1]
    assert "up to date" in shown
    assert "objective" not in shown, "a table without rows says nothing"


def test_running_trials_have_epoch_objective_best_time_and_short_parameter_names():
    shown = text(replace(NOTHING, running=(running(4), running(5, step=None, value=None, last_value=None))))
    rows = shown.splitlines()

    assert rows[-2].split() == [
        "4",
        "3/10",
        "0.4",
        "0.5",
        "1:01",
        "lr=0.0001",
        "margin.end=0.25",
        "temperature.end=0.1",
    ]
    assert rows[-1].split()[:4] == ["5", "starting", "-", "-"]


def test_without_a_known_number_of_epochs_the_epoch_stands_alone():
    shown = text(replace(NOTHING, running=(running(4),), max_epochs=None))

    assert shown.splitlines()[-1].split()[1] == "3"


def test_more_trials_than_rows_are_counted():
    shown = text(replace(NOTHING, running=tuple(running(n) for n in range(MAX_ROWS + 3))))

    assert "and 3 more" in shown


def test_rate_time_left_and_best():
    shown = text(
        replace(NOTHING, num_ended=5, elapsed_s=60.0, wall_s=120.0, train_s=100.0, eta_s=180.0, best=(2, 0.75, 7))
    )

    assert "0.75 (trial 2, epoch 7)" in shown
    assert "2:00, 5.0 trials/min, 1:40 training, about 3:00 left" in shown


@pytest.mark.parametrize(
    ("changes", "bars"),
    [({"num_ended": 10}, 20), ({"num_ended": 0, "wall_s": 30.0, "wall_limit_s": 40.0}, 30), ({"limit": 0}, 40)],
)
def test_the_budget_bar_shows_what_will_end_first(changes, bars):
    progress = replace(NOTHING, **changes)
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system="truecolor", highlight=False)
    console.print(render(progress))
    row = next(line for line in console.file.getvalue().splitlines() if "budget" in line)
    done = re.split(r"\x1b\[38;5;237m", row)[0]  # the rest of the bar is grey

    assert done.count("━") == bars


def test_findings_are_counted_on_one_line():
    many = {f"check_{n}": 20 - n for n in range(20)}

    assert "found" not in text(NOTHING)
    assert "check_0 20, check_1 19" in text(replace(NOTHING, findings=many))
    assert len(text(replace(NOTHING, findings=many)).splitlines()) == len(text(NOTHING).splitlines()) + 1


def test_lag_and_error_of_mlflow():
    assert "12 pending, oldest 1:05" in text(replace(NOTHING, lag=Lag(12, 65.0, 0)))
    assert "12 pending: refused" in text(replace(NOTHING, lag=Lag(12, 65.0, 0), tracking_error="refused"))


@pytest.mark.parametrize("width", [20, 40, 60])
def test_a_narrow_terminal_truncates_but_never_breaks(width):
    shown = text(replace(NOTHING, running=tuple(running(n) for n in range(3)), best=(1, 0.5, 2)), width=width)

    assert max(map(len, shown.splitlines())) <= width
    assert "toy-1" in shown


def test_counts_name_the_causes_that_are_not_plain():
    progress = replace(
        NOTHING,
        num_ended=12,
        causes={Cause.FINISHED: 3, Cause.PRUNED: 6, Cause.SETTLED: 1, Cause.SICK: 1, Cause.DIVERGED: 1},
        reasons={"finished": 3, "pruned": 6, "plateau": 1, "collapse": 1, "diverged": 1},
    )

    assert counts_line(progress) == (
        "12/20 ended: 3 complete, 6 pruned, 2 stopped, 1 failed (plateau 1, collapse 1, diverged 1)"
    )


def lines(epochs):
    console = Console(file=io.StringIO(), width=60)
    plain = PlainLines(console, epochs=epochs)
    plain.say("[bold]not markup[/bold]")
    for kind in ("started", "measured", "found", "ended"):
        plain.event(Event(kind, f"trial 0 {kind} " + "x" * 80))
    with plain.watch(lambda: NOTHING):
        pass
    return console.file.getvalue().splitlines()


def test_plain_lines_are_one_line_each_whatever_the_width():
    shown = lines(epochs=False)

    assert [line.split()[2] for line in shown[1:4]] == ["started", "found", "ended"]
    assert shown[0] == "[bold]not markup[/bold]"
    assert shown[-1].startswith("0/20 ended")
    assert len(shown) == 5


def test_epochs_add_a_line_for_each_measurement():
    assert len(lines(epochs=True)) == 6


def test_the_live_table_redraws_and_lets_endings_scroll_by():
    console = Console(file=io.StringIO(), width=100, force_terminal=True, highlight=False)
    live = LiveTable(console)
    live.say("sweep toy-1")
    with live.watch(lambda: replace(NOTHING, running=(running(7),))):
        live.event(Event("started", "trial 7 started"))
        live.event(Event("ended", "trial 6 complete"))
        live.event(Event("found", "trial 7 epoch 3 point_collapse (2 trials so far)"))
    shown = console.file.getvalue()

    assert "trial 6 complete" in shown
    assert "point_collapse (2 trials so far)" in shown
    assert "trial 7 started" not in shown
    assert "starting" not in shown
    assert "0/20 ended" in shown


def test_silence(capsys):
    silent = Silent()
    silent.say("a")
    silent.event(Event("ended", "b"))
    with silent.watch(lambda: NOTHING):
        pass

    assert capsys.readouterr() == ("", "")
