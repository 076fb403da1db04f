from orchestrator.analysis.confirming.comparing import Difference
from orchestrator.analysis.confirming.intervals import Interval
from orchestrator.analysis.confirming.verdict import Findings, Outcome, judge
from orchestrator.spec.model import Direction

MEANS = {"trial 4": 0.9, "trial 7": 0.8, "trial 9": 0.7, "default": 0.5}


def findings(shown, rivals, *, means=MEANS, direction=Direction.MAXIMIZE):
    """`shown` are better than the default; `rivals` are not told from the best."""
    others = [name for name in means if name != "default"]
    default = [difference(name, "default", 0.1 if name in shown else -0.1) for name in others]
    best = [difference(others[0], name, -0.1 if name in rivals else 0.1) for name in others[1:]]
    shown_means = {name: Interval(mean, mean - 0.01, mean + 0.01) for name, mean in means.items()}
    return Findings("test/recall_at_1", direction, "default", shown_means, default, best)


def difference(a, b, at_least):
    return Difference(a, b, at_least + 0.2, at_least - 0.05, at_least + 0.4, at_least)


def test_a_winner_is_better_than_the_default_and_than_all_others():
    verdict = judge(findings({"trial 4", "trial 7"}, set()))

    assert (verdict.outcome, verdict.names) == (Outcome.WINNER, ("trial 4",))
    assert verdict.sentence == (
        "trial 4 is the winner: test/recall_at_1 0.9 (0.89 to 0.91), 0.3 above the default's 0.5 "
        "(at least 0.1, by 95 % confidence), and better than each of the other 2."
    )


def test_a_tie_names_those_that_may_be_the_best():
    verdict = judge(findings({"trial 4"}, {"trial 7"}))

    assert (verdict.outcome, verdict.names) == (Outcome.TIE, ("trial 4", "trial 7"))
    assert verdict.sentence.startswith("a tie: trial 4 (0.9) and trial 7 (0.8) cannot be told apart by ")
    assert "trial 4 is 0.3 above the default's 0.5" in verdict.sentence


def test_a_noisy_best_one_does_not_hide_that_another_is_better_than_the_default():
    verdict = judge(findings({"trial 7"}, {"trial 7"}))

    assert (verdict.outcome, verdict.names) == (Outcome.TIE, ("trial 4", "trial 7"))


def test_nobody_wins_whom_the_default_may_equal():
    verdict = judge(findings(set(), set()))

    assert (verdict.outcome, verdict.names) == (Outcome.NONE, ())
    assert "no configuration is shown to be better than the default, whose test/recall_at_1 is 0.5" in verdict.sentence
    assert "the nearest, trial 4, is better by 0.1 (-0.15 to 0.3)" in verdict.sentence


def test_nobody_is_left_beside_the_default():
    verdict = judge(findings(set(), set(), means={"default": 0.5}))

    assert verdict.outcome is Outcome.NONE
    assert "every other configuration was ruled out or failed" in verdict.sentence


def test_a_default_without_a_value_has_no_better():
    verdict = judge(findings(set(), set(), means={"trial 4": 0.9}))

    assert verdict.outcome is Outcome.NONE
    assert "the default has no value of test/recall_at_1" in verdict.sentence


def test_below_is_better_when_the_objective_is_a_loss():
    lower = {"trial 4": 0.2, "default": 0.5}

    verdict = judge(findings({"trial 4"}, set(), means=lower, direction=Direction.MINIMIZE))

    assert "below the default's 0.5" in verdict.sentence
    assert "the other" not in verdict.sentence
