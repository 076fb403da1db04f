"""The identification task: a one-dimensional encoder that learns from records which heartbeats are of one person.

The loop drives `IdentificationTask`; `pairs` says which pairs a batch is learned from, `objective` by which loss,
`evaluate` what is measured on val.
"""

from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor, nn

from trainables.contract import LaneSteps, Measurement, State, TrialContext
from trainables.data.errors import DataError
from trainables.data.recordings.load import load_recordings
from trainables.data.recordings.recordings import RecordingData
from trainables.data.recordings.sources import WindowKind
from trainables.loop import BatchLoss, Moment, Part, Task, run_lanes, run_trial
from trainables.losses.active import mean_over
from trainables.losses.similarity import Scalar
from trainables.metrics.resampling import Resamplable
from trainables.mining.sampler import PKSampler, batch_composition
from trainables.models.signal import SignalEncoder
from trainables.tasks.identification import evaluate
from trainables.tasks.identification.augment import augmented
from trainables.tasks.identification.config import Config
from trainables.tasks.identification.embed import Records
from trainables.tasks.identification.model import build_model, facts_of
from trainables.tasks.identification.objective import objective_at, scalars_at
from trainables.tasks.identification.pairs import Embedded, PairMaker, Pairs
from trainables.tasks.identification.protocol import protocol_masks

_TINY = 1e-12


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    """Train on the configured source.

    Raises: DataError: records are missing, damaged or of no use, or there are too few for the batches asked for.
    """
    data = load_recordings(config.data, config.windows, context.purpose)
    task = IdentificationTask(config, data, device=context.device)
    yield from run_trial(task, optimizer=config.optimizer, epochs=config.epochs, context=context)


def train_lanes(configs: Sequence[Config], contexts: Sequence[TrialContext]) -> LaneSteps:
    """What `train` yields for each of several configs, from one computation.

    Raises: CannotFuse, DataError.
    """
    first = configs[0]
    data = load_recordings(first.data, first.windows, contexts[0].purpose)
    tasks = [IdentificationTask(config, data, device=contexts[0].device) for config in configs]
    optimizers = [config.optimizer for config in configs]
    yield from run_lanes(tasks, optimizers=optimizers, epochs=first.epochs, contexts=contexts)


class IdentificationTask(Task[SignalEncoder, Tensor]):
    """What the loop needs to know; a batch is a tensor of places of training records."""

    def __init__(self, config: Config, data: RecordingData, *, device: str) -> None:
        """Raises: DataError: P or K is larger than what there is, or val has no query with anything to find."""
        self.config, self.device, self.facts = config, device, facts_of(data)
        self.train, self.val = Records(data.train), Records(data.val)
        self.protocols = protocol_masks(self.val, self.train, config.evaluation)
        try:
            self.sampler = PKSampler(
                self.train.items.labels_N,
                self.train.items.recordings_N,
                classes_per_batch=config.people_per_batch,
                items_per_class=config.records_per_person,
                sampling=config.sampling,
                batches_per_epoch=config.batches_per_epoch,
            )
        except ValueError as error:
            raise DataError(
                f"people_per_batch {config.people_per_batch} and records_per_person {config.records_per_person} do not "
                f"fit the training records (classes are people, items records): {error}"
            ) from error
        self.maker = PairMaker(config, self.train.items)
        self._latest: Embedded | None = None

    def build_model(self) -> SignalEncoder:
        """The encoder, sized for the windows."""
        return build_model(self.config, self.facts)

    def parameter_groups(self, model: SignalEncoder) -> Mapping[str, nn.Module]:
        """There is one part."""
        return {"encoder": model}

    def trunk(self, model: SignalEncoder) -> nn.Module:
        """There is one loss."""
        return model

    def num_batches(self, moment: Moment) -> int:
        """As many as the config says."""
        return self.sampler.num_batches

    def batches(self, moment: Moment) -> Iterator[Tensor]:
        """Places of P x K training records."""
        yield from self.sampler.batches(moment.generator)

    def begin_epoch(self, model: SignalEncoder, moment: Moment) -> Mapping[str, float]:
        """Embed the train set where mining asks for it."""
        how = self.config.evaluation.record
        self.maker.begin_epoch(moment, lambda: self.train.embed(model, how, device=self.device))
        return {
            "num_excluded_people": float(self.sampler.num_excluded_classes),
            "num_excluded_records": float(self.train.records.num_excluded),
        }

    def scalars(self, moment: Moment) -> Mapping[str, float]:
        """Those of the loss."""
        return scalars_at(self.config, moment)

    def loss(self, model: SignalEncoder, batch: Tensor, moment: Moment) -> BatchLoss:
        """The loss over the pairs that mining leaves."""

        def embed(record_B: Tensor) -> Tensor:
            embeddings_BD: Tensor = model(self._draw(record_B, moment).to(self.device))
            return embeddings_BD

        embedded = Embedded(embed(batch), self.train.items.select(batch))
        self._latest = embedded if self.config.memory_size else None
        objective = objective_at(self.config, moment)
        pairs = self.maker.pairs(embedded, objective, moment, embed=embed)
        composition = batch_composition(embedded.items).metrics()
        if not bool(pairs.positive_AN.any()):
            return BatchLoss(parts={})
        loss, active = objective.loss(pairs.distance_AN, positive_AN=pairs.positive_AN, negative_AN=pairs.negative_AN)
        effective: dict[str, Scalar] = {
            **{name.removeprefix("train/"): value for name, value in composition.items()},
            **pairs.report,
            **_pair_distances(pairs),
            **active,
            **objective.effective(),
        }
        return BatchLoss(parts={objective.name: Part(loss=loss, weight=1.0)}, effective=effective)

    def after_step(self, model: SignalEncoder, batch: Tensor) -> Mapping[str, float]:
        """Remember the batch."""
        return self.maker.after_step(self._latest)

    def evaluate(self, model: SignalEncoder, moment: Moment) -> Mapping[str, float]:
        """Everything on val; empty when embeddings are not finite."""
        how = self.config.evaluation.record
        train_RD, val_RD = (part.embed(model, how, device=self.device) for part in (self.train, self.val))
        if not bool(val_RD.isfinite().all() and train_RD.isfinite().all()):
            return {}
        objective = objective_at(self.config, moment)
        values = {
            **evaluate.ranking(val_RD, train_RD, self.protocols, self.config.evaluation),
            **evaluate.geometry(val_RD, self.val.items, objective),
            **evaluate.losses(val_RD, self.val.items, objective, self.config),
            **evaluate.train_ranking(self.train, train_RD),
            "val/num_excluded_records": float(self.val.records.num_excluded),
        }
        if moment.epoch == 0 and self.config.windows.kind is WindowKind.BEATS:
            values |= evaluate.raw_ranking(self.val, self.train, self.protocols, self.config.evaluation)
        return values

    def resamplable(self, model: SignalEncoder, moment: Moment) -> Mapping[str, Resamplable]:
        """Ranking."""
        how = self.config.evaluation.record
        train_RD, val_RD = (part.embed(model, how, device=self.device) for part in (self.train, self.val))
        return evaluate.resamplable(self.val, val_RD, train_RD, self.protocols, self.config.evaluation)

    def state(self) -> State:
        """What mining keeps."""
        return self.maker.state()

    def restore(self, state: State) -> None:
        """Take back what `state` gave."""
        self.maker.restore(state)

    def _draw(self, record_B: Tensor, moment: Moment) -> Tensor:
        windows = self.config.windows
        item_BCL = self.train.draw(record_B, self.config.augment, generator=moment.generator)
        return augmented(
            item_BCL,
            self.config.augment,
            peak=windows.before_ms * windows.rate_hz / 1000 if windows.kind is WindowKind.BEATS else 0.0,
            rate_hz=windows.rate_hz,
            generator=moment.generator,
        )


def _pair_distances(pairs: Pairs) -> dict[str, Tensor]:
    """Of the pairs that the loss was given, which are not the neighbours that a ranking depends on."""
    distance_AN = pairs.distance_AN.detach()
    intra = mean_over(distance_AN, pairs.positive_AN)
    values = {"intra_distance": intra}
    if bool(pairs.negative_AN.any()):
        values["inter_distance"] = mean_over(distance_AN, pairs.negative_AN)
        values["distance_ratio"] = values["inter_distance"] / intra.clamp(min=_TINY)
    return values
