"""`orch confirm`: from a search to a verdict. Trains what is left to train, reads test once, stores the report.

A confirmation that was interrupted anywhere goes on when it is asked for again. Nothing of it is written to the
search's study; the search's MLflow run gets tags.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from orchestrator.errors import LockedError, UsageError
from orchestrator.spec import NonFiniteRule, NoPruner, RandomSampler, SweepSpec, dump, parse
from orchestrator.spec.model import Budget, Confirm
from orchestrator.study import Storage, SweepRecord, SweepState, is_absent
from orchestrator.study.confirmations import SplitRead
from orchestrator.study.preview import first_configurations
from orchestrator.sweeps.checks import CheckedSweep, check
from orchestrator.sweeps.confirming import split
from orchestrator.sweeps.confirming.candidates import DEFAULT, choose, default_params, same_params
from orchestrator.sweeps.confirming.find import confirmations, report_of
from orchestrator.sweeps.confirming.finishing import Finishing, finish
from orchestrator.sweeps.confirming.proposing import Elimination, proposer_of
from orchestrator.sweeps.confirming.report import ConfirmationReport
from orchestrator.sweeps.drive import Confirmatory, Surroundings, launch, resume
from orchestrator.sweeps.lock import driver_of
from orchestrator.sweeps.read import open_storage, show
from orchestrator.sweeps.summary import SweepSummary
from orchestrator.trial import Value
from trainables.contract import Purpose
from trainables.data.errors import DataError
from trainables.registry import read_data

MAX_BASE_NAME = 52
"""Characters of the search's name in that of its confirmation."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks for.

    Attributes:
        top, seeds, max_trials, test: in place of what the sweep file's `confirm:` says; None for that.
        again: read a test split that has been read before.
        who, command: for the record of the read.
    """

    who: str
    command: str
    top: int | None = None
    seeds: int | None = None
    max_trials: int | None = None
    test: bool | None = None
    again: bool = False

    @property
    def settings(self) -> dict[str, int | bool]:
        """Those that were given."""
        given = {"top": self.top, "seeds": self.seeds, "max_trials": self.max_trials, "test": self.test}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How a confirmation came out; `report` is None when it was interrupted or failed."""

    summary: SweepSummary
    report: ConfirmationReport | None


def confirm(reference: str, around: Surroundings, asked: Asked, *, sweep_id: str) -> Confirmation:
    """Confirm a search, or go on with its unfinished confirmation; `reference` may name either.

    Args:
        sweep_id: of the confirmation, if it is a new one.

    Raises:
        SweepNotFoundError, LockedError, InfrastructureError
        UsageError: there is nothing to confirm, or test has been read before.
    """
    with closing(open_storage(around.home)) as storage:
        found = storage.find(reference)
        searched = found if found.confirms is None else storage.find(found.confirms)
        _refuse_running(storage, searched, around)
        open_one = unfinished(storage, searched.name)
        if open_one is None and found.confirms is not None:
            around.watcher.say(f"confirmation {found.name} is finished, nothing is left to do")
            return Confirmation(show(around.home, found.name), report_of(storage, found.name))
        checked = _checked(searched, open_one, asked, around)
        if _reads_test(checked):
            _face_earlier_reads(earlier_reads(storage, searched, but=open_one), asked, around)
        if open_one is None:
            summary = _begin(storage, searched, checked, around, sweep_id=sweep_id)
        else:
            summary = resume(open_one.name, around, proposer=proposer_of(open_one))
    if summary.sweep.state is not SweepState.COMPLETE:
        return Confirmation(summary, None)
    report = finish(_finishing(summary.sweep, searched, checked, asked, around), around)
    return Confirmation(show(around.home, summary.sweep.name), report)


def unfinished(storage: Storage, sweep: str) -> SweepRecord | None:
    """The confirmation of a search that has no report yet."""
    found = confirmations(storage, sweep)
    return found[-1] if found and report_of(storage, found[-1].name) is None else None


def earlier_reads(storage: Storage, searched: SweepRecord, *, but: SweepRecord | None = None) -> list[SplitRead]:
    """Who has read the test split of a search; an unfinished confirmation of its own does not count."""
    own = None if but is None else but.name
    return [read for read in storage.test_reads(_split(searched)) if read.confirmation != own]


def look_ahead(checked: CheckedSweep, around: Surroundings, *, again: bool) -> None:
    """Before a sweep that is to be confirmed: its confirmation will not be refused at the end for what is known now.

    Raises:
        UsageError: test has been read before, or is not there.
    """
    if not _reads_test(checked):
        return
    _refuse_missing_test(checked, first_configurations(checked.spec, checked.fixed, count=1)[0])
    if again or is_absent(around.home.ledger_url):
        return
    with closing(Storage(around.home.ledger_url)) as storage:
        split.refuse(storage.test_reads(split.fingerprint(checked.spec.trainable, checked.fixed)))


def _refuse_missing_test(checked: CheckedSweep, params: Mapping[str, Value]) -> None:
    """Nothing is trained towards a test split that is not there.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        read_data(checked.spec.trainable, checked.info.config_type.model_validate(checked.config(params)), Purpose.TEST)
    except DataError as error:
        hint = "--no-test, or confirm: {test: false} in the sweep file, stays on val with fresh seeds"
        raise UsageError(f"the test split cannot be read: {error}\n  {hint}") from error


def _split(searched: SweepRecord) -> str:
    return split.fingerprint(searched.spec.trainable, searched.fixed)


def _face_earlier_reads(earlier: Sequence[SplitRead], asked: Asked, around: Surroundings) -> None:
    if not asked.again:
        split.refuse(earlier)
    elif earlier:
        around.watcher.say(split.describe(earlier))


def _refuse_running(storage: Storage, searched: SweepRecord, around: Surroundings) -> None:
    driver = driver_of(storage, searched, around.home.sweep(searched.id))
    if driver is not None:
        raise LockedError(f"sweep {searched.name} is driven by {driver.words}; confirm it when it has ended")


def _checked(searched: SweepRecord, open_one: SweepRecord | None, asked: Asked, around: Surroundings) -> CheckedSweep:
    """The search's question as a confirmation asks it; one that was begun keeps its settings, but for the test."""
    begun = searched if open_one is None else open_one
    given = asked.settings
    if open_one is not None and (changed := sorted(given.keys() - {"test"})):
        options = ", ".join(f"--{name.replace('_', '-')}" for name in changed)
        raise UsageError(f"{open_one.name} is not finished and goes on as it was begun; leave out {options}")
    settings = (begun.spec.confirm or Confirm()).model_copy(update=given)
    spec = as_confirmation(begun.spec, settings)
    return check(parse(dump(spec), file=searched.file or searched.name), directory=around.directory)


def as_confirmation(spec: SweepSpec, settings: Confirm) -> SweepSpec:
    """The spec of the confirmation's trials: whole trainings, one seed each, ended by nothing but a failure.

    A rule that finds a trial ill, or a floor, would leave a seed without a value, and the mean over the others would
    flatter.
    """
    most = (settings.top + 1) * settings.seeds
    budget = Budget(trials=min(settings.max_trials or most, most), max_failures=spec.budget.max_failures)
    return spec.model_copy(
        update={
            "sampler": RandomSampler(type="random"),
            "pruner": NoPruner(),
            "stop": tuple(rule for rule in spec.stop if isinstance(rule, NonFiniteRule)),
            "points": (),
            "repeats": 1,
            "further_objectives": (),
            "floors": {},
            "budget": budget,
            "confirm": settings,
        }
    )


def _reads_test(checked: CheckedSweep) -> bool:
    settings = checked.spec.confirm
    return settings is not None and settings.test and Purpose.TEST in checked.info.purposes


def _begin(
    storage: Storage, searched: SweepRecord, checked: CheckedSweep, around: Surroundings, *, sweep_id: str
) -> SweepSummary:
    before = confirmations(storage, searched.name)
    used = {seed for record in before if record.confirming is not None for seed in record.confirming.seeds}
    trials = storage.open(searched.name).records()
    confirming = choose(checked, searched, trials, used=used)
    if _reads_test(checked):
        _refuse_missing_test(checked, confirming.candidates[0].params)
    labels = ", ".join(candidate.label for candidate in confirming.candidates)
    around.watcher.say(f"confirming {searched.name}: {labels}, up to {len(confirming.seeds)} fresh seeds each")
    name = storage.next_name(f"{searched.name[:MAX_BASE_NAME]}-confirm")
    confirmatory = Confirmatory(confirming, Elimination(confirming, checked.spec))
    return launch(checked, around, name=name, sweep_id=sweep_id, confirmatory=confirmatory)


def _finishing(
    record: SweepRecord, searched: SweepRecord, checked: CheckedSweep, asked: Asked, around: Surroundings
) -> Finishing:
    read = SplitRead(
        split=_split(searched),
        who=asked.who,
        why=asked.command,
        confirmation=record.name,
        candidates=(),
        at_ms=around.clock.now_ms(),
    )
    return Finishing(
        name=record.name,
        searched=searched,
        reads_test=_reads_test(checked),
        read=read,
        again=asked.again,
        notes=_notes(record, searched, checked),
    )


def _notes(record: SweepRecord, searched: SweepRecord, checked: CheckedSweep) -> list[str]:
    """What a reader should know of how this came about."""
    assert record.confirming is not None
    notes = []
    if searched.state is not SweepState.COMPLETE:
        notes.append(f"the search had not come to its end ({searched.state.value}: {searched.reason or 'interrupted'})")
    reference = record.confirming.reference
    if reference not in (DEFAULT, *_equal_to_default(record, checked)):
        notes.append(
            f"the trainable's Config has no default configuration; {reference}, which nothing has selected, stands in"
        )
    elif reference != DEFAULT:
        notes.append(f"{reference} is the default configuration")
    if not _reads_test(checked):
        asked = checked.spec.confirm is not None and checked.spec.confirm.test
        why = f"{checked.spec.trainable} cannot measure on test" if asked else "test was left unread, as was asked"
        notes.append(f"{why}: the verdict rests on val with fresh seeds, the split that the search has selected on")
    return notes


def _equal_to_default(record: SweepRecord, checked: CheckedSweep) -> list[str]:
    assert record.confirming is not None
    default = default_params(checked)
    same = (c for c in record.confirming.candidates if default is not None and same_params(c.params, default))
    return [candidate.label for candidate in same]
