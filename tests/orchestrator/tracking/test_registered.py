"""Registered models in a real MLflow store, and what is said when there is none."""

import pytest

from orchestrator.tracking.registered import register_model
from orchestrator.tracking.store import configure


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('registry')}/mlflow.db"


@pytest.fixture(scope="module")
def client(uri):
    configure()
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


@pytest.fixture(scope="module")
def run_id(client, tmp_path_factory):
    place = tmp_path_factory.mktemp("artifacts").as_uri()
    return client.create_run(client.create_experiment("orch", artifact_location=place)).info.run_id


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "MODEL_CARD.md").write_text("a card")
    return tmp_path


def test_each_registration_is_a_version_with_tags_and_files_of_its_own(client, uri, run_id, folder):
    first = register_model(folder, name="toy", run_id=run_id, tracking_uri=uri, tags={"orch.value": "0.5"})
    (folder / "model.safetensors").write_bytes(b"other weights")
    second = register_model(folder, name="toy", run_id=run_id, tracking_uri=uri, tags={})
    assert [(r.name, r.version, r.error) for r in (first, second)] == [("toy", "1", None), ("toy", "2", None)]
    versions = [client.get_model_version("toy", number) for number in ("1", "2")]
    assert versions[0].tags == {"orch.value": "0.5"} and versions[0].run_id == run_id
    assert versions[0].source != versions[1].source
    places = {artifact.path for artifact in client.list_artifacts(run_id, "exports")}
    assert len(places) == 2
    files = {artifact.path.rpartition("/")[2] for place in places for artifact in client.list_artifacts(run_id, place)}
    assert files == {"model.safetensors", "MODEL_CARD.md"}


def test_without_a_run_or_a_server_it_says_so(uri, folder):
    unknown = register_model(folder, name="toy", run_id=None, tracking_uri=uri, tags={})
    assert unknown.version is None and "deliver it with orch sync" in unknown.error
    down = register_model(folder, name="toy", run_id="x", tracking_uri="http://me:secret@127.0.0.1:9", tags={})
    assert down.version is None and down.error == "nothing answers at http://***@127.0.0.1:9"


def test_what_mlflow_refuses_is_told_in_one_line(client, uri, folder):
    refused = register_model(folder, name="toy", run_id="no-such-run", tracking_uri=uri, tags={})
    assert refused.version is None and "no-such-run" in refused.error and "\n" not in refused.error
