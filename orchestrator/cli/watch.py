"""How a running sweep is shown: a live table on a terminal, plain lines otherwise. Everything goes to stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orchestrator.cli.output import duration, number, params_text, short_names, table
from orchestrator.execution.progress import Event, Progress
from orchestrator.trial import ENDINGS, Bucket

MAX_ROWS = 12
REFRESH_PER_S = 4


_WORTH_A_LINE = frozenset({"started", "ended", "paused", "lost", "noted", "halting", "found"})


class PlainLines:
    """One line for each start and end of a trial; for logs and pipes."""

    def __init__(self, console: Console, *, epochs: bool) -> None:
        """`epochs` adds a line for each measurement."""
        self._console = console
        self._kinds = {"started", "ended", "paused", "lost", "noted", "halting", "found"} | (
            {"measured"} if epochs else set()
        )

    def event(self, event: Event) -> None:
        """Print what is worth a line."""
        if event.kind in self._kinds:
            self._console.print(event.text, markup=False, soft_wrap=True)

    @contextmanager
    def watch(self, progress: Callable[[], Progress]) -> Iterator[None]:
        """Print the counts at the end."""
        yield
        self._console.print(counts_line(progress()), markup=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, markup=False, soft_wrap=True)


class LiveTable:
    """A table of the running trials that redraws itself, over the lines of those that ended."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def event(self, event: Event) -> None:
        """Endings, findings and what went wrong scroll by above the table."""
        if event.kind in ("ended", "lost", "noted", "halting", "found"):
            self._console.print(event.text, markup=False, style="dim" if event.kind == "ended" else "yellow")

    @contextmanager
    def watch(self, progress: Callable[[], Progress]) -> Iterator[None]:
        """Redraw from a thread of rich's while open."""
        with Live(
            get_renderable=lambda: render(progress()),
            console=self._console,
            refresh_per_second=REFRESH_PER_S,
            redirect_stdout=False,
            redirect_stderr=False,
        ):
            yield

    def say(self, text: str) -> None:
        """Print a line above the table."""
        self._console.print(text, markup=False, style="bold")


class Silent:
    """Shows nothing; for `--json` on a pipe."""

    def event(self, event: Event) -> None:
        """Nothing."""

    @contextmanager
    def watch(self, progress: Callable[[], Progress]) -> Iterator[None]:
        """Nothing."""
        yield

    def say(self, text: str) -> None:
        """Nothing."""


def render(progress: Progress) -> RenderableType:
    """The table with its head: counts, best, rate, budget, MLflow's lag."""
    return Group(_head(progress), _running(progress)) if progress.running else _head(progress)


def counts_line(progress: Progress) -> str:
    """Ended trials by bucket and cause, such as `12/20 ended: 3 complete, 7 pruned, 1 stopped (plateau 1)`."""
    buckets = dict.fromkeys(Bucket, 0)
    for cause, count in progress.causes.items():
        buckets[ENDINGS[cause].bucket] += count
    counts = ", ".join(f"{count} {bucket.value}" for bucket, count in buckets.items())
    plain = {"finished", "pruned"}
    causes = ", ".join(f"{reason} {count}" for reason, count in progress.reasons.items() if reason not in plain)
    return f"{progress.num_ended}/{progress.limit} ended: {counts}" + (f" ({causes})" if causes else "")


def _head(progress: Progress) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    rate = progress.num_ended / progress.elapsed_s * 60 if progress.elapsed_s > 1 else 0.0
    grid.add_row(Text(progress.name, style="bold"), Text(f"{progress.phase}   {counts_line(progress)}"))
    if progress.best is not None:
        trial, value, step = progress.best
        grid.add_row("best", Text(f"{number(value)} (trial {trial}, epoch {step})", style="green"))
    if progress.findings:
        found = ", ".join(f"{check} {count}" for check, count in progress.findings.items())
        grid.add_row("found", Text(found, style="yellow", overflow="ellipsis", no_wrap=True))
    eta = f", about {duration(progress.eta_s)} left" if progress.eta_s else ""
    grid.add_row(
        "time", f"{duration(progress.wall_s)}, {rate:.1f} trials/min, {duration(progress.train_s)} training{eta}"
    )
    done = progress.num_ended / progress.limit if progress.limit else 1.0
    if progress.wall_limit_s:
        done = max(done, progress.wall_s / progress.wall_limit_s)
    grid.add_row("budget", ProgressBar(total=1.0, completed=min(done, 1.0), width=40))
    grid.add_row("MLflow", _lag(progress))
    return grid


def _lag(progress: Progress) -> Text:
    lag = progress.lag
    if progress.tracking_error:
        return Text(f"{lag.num_pending} pending: {progress.tracking_error}", style="yellow", overflow="ellipsis")
    if lag.num_pending:
        return Text(f"{lag.num_pending} pending, oldest {duration(lag.oldest_s)}")
    return Text("up to date")


def _running(progress: Progress) -> RenderableType:
    rows = table("trial", "epoch", "objective", "best", "time", "parameters", numeric=("trial", "objective", "best"))
    names = short_names({name: None for trial in progress.running for name in trial.params})
    for trial in progress.running[:MAX_ROWS]:
        params = {names[name]: value for name, value in trial.params.items()}
        total = f"/{progress.max_epochs}" if progress.max_epochs else ""
        rows.add_row(
            str(trial.number),
            "starting" if trial.step is None else f"{trial.step}{total}",
            number(trial.last_value),
            number(trial.value),
            duration(trial.elapsed_s),
            Text(params_text(params), no_wrap=True, overflow="ellipsis"),
        )
    hidden = len(progress.running) - MAX_ROWS
    return Group(rows, Text(f"and {hidden} more")) if hidden > 0 else rows
