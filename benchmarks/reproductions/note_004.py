"""Note 004: focal loss, learned task weights with the phantom gradient, and one cycle.

Measured on plain parameters where the claim is about an optimizer, and through the toxicity trainable on generated
remarks where it is about training. Three seeds; the data is the same, the networks and the order of batches are not.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence

import torch

from benchmarks.reproductions.claim import Claim
from trainables.contract import Measurement, State, TrialContext
from trainables.data.texts.load import load_texts
from trainables.losses.focal import binary_focal_loss, focal_factor, focal_gradient_norms
from trainables.losses.uncertainty import TaskUncertainties, uncertainty_log_term, uncertainty_weight
from trainables.metrics.classification import hard_fraction
from trainables.schedules import LearningRateKind, LearningRateSchedule
from trainables.tasks.toxicity.config import Config
from trainables.tasks.toxicity.evaluate import run_model
from trainables.tasks.toxicity.task import ToxicityTask, train

SEEDS = (0, 1, 2)
ABSENT_STEPS = 180
TASKS = ("toxic", "sentiment", "emotion", "sarcastic")
SMALL = {
    "epochs": 8,
    "batch_size": 32,
    "sizes": {"width": 32, "buckets": 4096},
    "data": {"source": "generated", "num_train": 1000, "num_val": 600, "missing_fraction": 0},
}
IN_TURNS = {"batch_size": 16, "batching": {"labels": "one_task", "run_length": ABSENT_STEPS // 3}}


def reproduce() -> list[Claim]:
    """Every claim of the note that can be measured."""
    return [
        *_focal_factors(),
        *_energy(),
        *_deciles(),
        *_noise(),
        *_phantom_on_a_parameter(),
        *_phantom_in_training(),
        *_without_log_term(),
        *_one_cycle(),
    ]


def _focal_factors() -> list[Claim]:
    factors = focal_factor(torch.tensor([0.9, 0.1], dtype=torch.float64), gamma=2.0).tolist()
    verdict = "reproduced" if [round(f, 6) for f in factors] == [0.01, 0.81] else "not reproduced"
    return [
        Claim(
            "focal factor at p = .9 and p = .1, gamma 2", ".01 and .81", f"{factors[0]:.2f}, {factors[1]:.2f}", verdict
        )
    ]


def _energy() -> list[Claim]:
    """The share of loss and gradient on the hardest 5 %: for fixed probabilities, and in training."""
    claims = []
    for easy, hard in ((0.9, 0.3), (0.8, 0.5)):
        loss, gradient = _shares(easy, hard)
        claims.append(
            Claim(
                f"share on the hard 5 % when the easy have p = {easy} and the hard p = {hard}, gamma 2",
                "90 % of the energy",
                f"{loss:.0%} of the loss, {gradient:.0%} of the gradient on the logits",
                "holds" if gradient >= 0.9 else "does not hold",
            )
        )
    for gamma in (0.0, 2.0):
        runs = _runs({"focal": {"gamma": gamma}})
        values = {epoch: [run[epoch].metrics["train/hard_gradient_fraction"] for run in runs] for epoch in (1, 8)}
        claims.append(
            Claim(
                f"the same in training on remarks, 5 % toxic, gamma {gamma:g}",
                "90 %" if gamma else "(cross entropy)",
                f"epoch 1: {_percent(values[1])}; epoch 8: {_percent(values[8])}",
                "cross entropy does it too, once the easy are learned" if not gamma else "only late in training",
            )
        )
    return claims


def _shares(easy: float, hard: float) -> tuple[float, float]:
    p = torch.tensor([easy] * 95 + [hard] * 5, dtype=torch.float64)
    logit, target = (p / (1 - p)).log(), torch.ones(100, dtype=torch.int64)
    terms = torch.stack([binary_focal_loss(logit[i : i + 1], target[:1], gamma=2.0) for i in range(100)])
    norms = focal_gradient_norms(torch.stack([torch.zeros_like(logit), logit], dim=1), target, gamma=2.0)
    return float(hard_fraction(terms, 1 - p)), float(hard_fraction(norms, 1 - p))


def _deciles() -> list[Claim]:
    """The gradient of the toxic task by tenths of the training labels, from the easiest to the hardest."""
    claims = []
    hardest = []
    for gamma in (0.0, 2.0):
        config = Config.model_validate(SMALL | {"epochs": 4, "focal": {"gamma": gamma}})
        states: list[State] = []
        list(train(config, TrialContext(save=lambda state, states=states: states.append(state()))))
        tenths = torch.tensor([_by_decile(config, states[epoch]["model"]) for epoch in (1, 2, 4)])
        hardest.append(float(tenths[-1, -1]))
        claims.append(
            Claim(
                f"toxic, gradient on the logits by tenths of difficulty, after epochs 1, 2 and 4, gamma {gamma:g}",
                "90 % on the hardest 5 %" if gamma else "(cross entropy)",
                "; ".join(" ".join(f"{100 * share:.0f}" for share in row) + " %" for row in tenths.tolist()),
                "-" if not gamma else "steeper" if hardest[1] > hardest[0] else "flatter than cross entropy",
            )
        )
    return claims


def _by_decile(config: Config, weights: Mapping[str, torch.Tensor]) -> list[float]:
    task = ToxicityTask(config, load_texts(config.data), device="cpu")
    model = task.build_model().eval()
    model.load_state_dict(weights)
    train_split = task.data.train
    with torch.no_grad():
        logits = run_model(model.texts, train_split, torch.arange(len(train_split)), device="cpu")["toxic"]
    target, setting = train_split.labels_NT[:, 0], task.settings[0]
    norms = focal_gradient_norms(logits, target, gamma=setting.gamma, alpha_C=setting.alpha_C)
    easiest_first = logits.softmax(dim=1).gather(1, target[:, None])[:, 0].argsort(descending=True)
    return [float(part.sum() / norms.sum()) for part in norms[easiest_first].chunk(10)]


def _noise() -> list[Claim]:
    claims = []
    for noise in (0.0, 0.2, 0.4):
        data = SMALL["data"] | {"label_noise": noise}
        f1s, errors = {}, {}
        for gamma in (0.0, 2.0):
            last = [run[-1].metrics for run in _runs({"data": data, "focal": {"gamma": gamma, "balance": 0.0}})]
            f1s[gamma] = [metrics["val/macro_f1"] for metrics in last]
            errors[gamma] = [statistics.mean(m[f"val/calibration_error_{task}"] for task in TASKS) for m in last]
        gain = statistics.mean(f1s[2.0]) - statistics.mean(f1s[0.0])
        spread = statistics.stdev(f1s[0.0]) + statistics.stdev(f1s[2.0])
        claims.append(
            Claim(
                f"focal loss with {noise:.0%} of the training labels drawn anew",
                "harmful with noisy labels" if noise else "better on unbalanced classes",
                f"macro-F1 {_mean(f1s[0.0])} (gamma 0), {_mean(f1s[2.0])} (gamma 2); "
                f"calibration error {_mean(errors[0.0])}, {_mean(errors[2.0])}",
                "no difference" if abs(gain) <= spread else "better" if gain > 0 else "worse",
            )
        )
    return claims


def _phantom_on_a_parameter() -> list[Claim]:
    """One task is there for 20 steps, then absent for 180: the parameter itself, under two optimizers."""
    sgd: Optimize = lambda parameters: torch.optim.SGD(parameters, lr=0.04)  # noqa: E731
    adamw: Optimize = lambda parameters: torch.optim.AdamW(parameters, lr=0.02, weight_decay=0.0)  # noqa: E731
    decaying: Optimize = lambda parameters: torch.optim.AdamW(parameters, lr=0.02, weight_decay=0.1)  # noqa: E731
    claims = []
    for what, note, absent, optimize in (
        ("V10.1, SGD (lr .04 on ln sigma^2 is .01 on ln sigma)", "gradient 1 / sigma", "phantom", sgd),
        ("V10.1, AdamW, lr .02", "the same", "phantom", adamw),
        ("V10.2, SGD", "gradient exactly 0", "masked", sgd),
        ("V10.2, AdamW", "gradient exactly 0", "masked", adamw),
        ("V10.2, AdamW with weight decay .1", "gradient exactly 0", "masked", decaying),
        ("out of the graph, AdamW with weight decay .1", "-", "frozen", decaying),
    ):
        before, after, gradient = _absence(absent, optimize)
        same = after == before
        claims.append(
            Claim(
                f"{ABSENT_STEPS} steps without a task: {what}",
                note,
                f"gradient on ln sigma^2 {gradient}; ln sigma {before / 2:.4f} -> {after / 2:.4f}, "
                f"precision x{math.exp(before - after):.2f}",
                "bit-identical" if same else "reproduced" if absent == "phantom" else "gradient 0, yet it moves",
            )
        )
    return claims


Optimize = Callable[[Sequence[torch.Tensor]], torch.optim.Optimizer]


def _absence(absent: str, optimize: Optimize) -> tuple[float, float, str]:
    """The ln sigma^2 before and after an absence, and the gradient in it."""
    uncertainties = TaskUncertainties(["seen", "absent"], start=0.3)
    optimizer = optimize(list(uncertainties.parameters()))
    s = uncertainties["absent"]
    before = 0.0
    for step in range(20 + ABSENT_STEPS):
        optimizer.zero_grad()
        total = uncertainty_weight(uncertainties["seen"]) * 0.7 + uncertainty_log_term(uncertainties["seen"])
        if step < 20:
            # A loss above sigma^2: the parameter is on its way up when the task goes away.
            total = total + uncertainty_weight(s) * 2.5 + uncertainty_log_term(s)
        elif absent != "frozen":
            total = total + uncertainty_log_term(s) * (1.0 if absent == "phantom" else 0.0)
        if step == 20:
            before = s.item()
        total.backward()
        optimizer.step()
    return before, s.item(), "none" if s.grad is None else f"{s.grad.item():g}"


def _phantom_in_training() -> list[Claim]:
    """Tasks in turns of 60 batches, so that each is away for 180: what the weights do, and what it costs."""
    f1s = {}
    claims = []
    for absent in ("phantom", "masked", "frozen"):
        # Without a schedule the rate is the same in each absence; a clamp of 10 shows the whole drift.
        fields = {"weighting": {"absent": absent, "clamp": 10.0}, "uncertainty": {"schedule": {"kind": "constant"}}}
        runs = _runs({**IN_TURNS, **fields, "epochs": 12})
        drift = [max((abs(v) for v in _all(run, "train/absent_drift_")), default=0.0) for run in runs]
        gradient = [max(_all(run, "train/absent_gradient_"), default=0.0) for run in runs]
        f1s[absent] = [run[-1].metrics["val/macro_f1"] for run in runs]
        away = max(value for run in runs for value in _all(run, "train/batches_since_seen_"))
        claims.append(
            Claim(
                f"training with tasks in turns, up to {away:.0f} batches away: {absent}",
                {"phantom": "violent jumps", "masked": "solved", "frozen": "-"}[absent],
                f"largest gradient on an absent ln sigma^2 {_mean(gradient)}, drift {_mean(drift)}, "
                f"so a weight changed by up to x{math.exp(max(drift)):.1f}; macro-F1 {_mean(f1s[absent])}",
                {
                    "phantom": "reproduced",
                    "masked": "not solved under AdamW",
                    "frozen": "solved" if not any(drift) else "not solved",
                }[absent],
            )
        )
    return claims


def _without_log_term() -> list[Claim]:
    fields = {"weighting": {"log_term": False, "clamp": 100.0}, "uncertainty": {"lr": 0.05}}
    runs = _runs(fields)
    first, last = (
        [statistics.mean(run[at].metrics[f"train/task_precision_{task}"] for task in TASKS) for run in runs]
        for at in (1, -1)
    )
    return [
        Claim(
            "without ln sigma",
            "sigma goes to infinity and the task is evaded",
            f"1 / sigma^2 {_mean(first)} in epoch 1, {_mean(last)} in epoch 8; "
            f"macro-F1 {_mean([run[-1].metrics['val/macro_f1'] for run in runs])} "
            f"(with ln sigma {_mean([run[-1].metrics['val/macro_f1'] for run in _runs({})])})",
            "reproduced; AdamW, indifferent to the scale of a loss, hides most of the harm",
        )
    ]


def _one_cycle() -> list[Claim]:
    schedule = LearningRateSchedule(kind=LearningRateKind.ONE_CYCLE, peak_at=0.5)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=1.0, total_steps=101, pct_start=0.5, cycle_momentum=False
    )
    rates = []
    for _ in range(100):
        rates.append(theirs.get_last_lr()[0])
        optimizer.step()
        theirs.step()
    peak = rates.index(max(rates))
    ours = [schedule.at(number / 100, epochs=1) for number in range(100)]
    f1s = {}
    for peak_at in (0.3, 0.5):
        cycle = {"schedule": {"kind": "one_cycle", "peak_at": peak_at}}
        runs = _runs({"optimizer": cycle, "uncertainty": cycle})
        f1s[peak_at] = [run[-1].metrics["val/macro_f1"] for run in runs]
    return [
        Claim(
            "one cycle rises until the middle of training",
            "low, high half-way, low",
            f"at {peak} of 100 with pct_start .5, at 30 with torch's default; ours and torch's differ by "
            f"{max(abs(a - b) for a, b in zip(ours, rates, strict=True)):.3f} of it; "
            f"macro-F1 {_mean(f1s[0.5])} (.5), {_mean(f1s[0.3])} (.3)",
            "a choice, not the default",
        )
    ]


def _runs(fields: Mapping[str, object]) -> list[list[Measurement]]:
    config = Config.model_validate(SMALL | dict(fields))
    return [list(train(config, TrialContext(seed=seed))) for seed in SEEDS]


def _all(run: Sequence[Measurement], prefix: str) -> list[float]:
    """The values of every metric of a run that begins with `prefix`, at every step."""
    return [value for m in run for name, value in m.metrics.items() if name.startswith(prefix)]


def _mean(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):.3f} +- {statistics.stdev(values):.3f}"


def _percent(values: Sequence[float]) -> str:
    return f"{100 * statistics.mean(values):.0f} +- {100 * statistics.stdev(values):.0f} %"
