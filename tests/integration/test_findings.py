"""A sick trial is found wherever a person looks: live, in the summary, in `show` and `diagnose`, and in MLflow."""

import pytest

from tests.support.specs import modes

SICK = "point_collapse"


def tags_of_runs(home):
    """Tags of each run by trial number, None for the sweep's own."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{home / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("orch").experiment_id])
    return {int(r.data.tags["orch.trial"]) if "orch.trial" in r.data.tags else None: r.data.tags for r in runs}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_sick_trial_is_found_wherever_one_looks(orch):
    swept = orch.run("sweep", orch.file(**modes("sick", "learn", at=1)), "--runner", "local")
    (sick,) = [r.number for r in orch.records() if r.params["mode"] == "sick"]

    assert swept.code == 0, swept.err
    live = [line for line in swept.err.splitlines() if line.startswith(f"trial {sick} epoch 3 {SICK} (ill): ")]
    assert len(live) == 1
    assert f"found    {SICK} (ill) in 1 of 2 trials" in swept.err

    shown = orch.run("show", "toy-1", sick, "--json").json["findings"]
    assert [(f["check"], f["severity"], f["since"]) for f in shown] == [(SICK, "ill", 3)]
    assert orch.run("show", "toy-1", 1 - sick, "--json").json["findings"] == []
    (illness,) = orch.run("diagnose", "toy-1", "--json").json["findings"]
    assert (illness["check"], illness["trials"]) == (SICK, [sick])
    assert (illness["region"]["parameter"], illness["region"]["choice"]) == ("mode", "sick")

    tags = tags_of_runs(orch.home)
    assert tags[sick]["orch.findings"] == SICK
    assert tags[sick][f"orch.finding.{SICK}"] == "ill: val/resultant_length 0.999"
    assert not any("finding" in tag for tag in tags[1 - sick])
    assert (tags[None]["orch.findings"], tags[None][f"orch.num_finding.{SICK}"]) == (SICK, "1")
