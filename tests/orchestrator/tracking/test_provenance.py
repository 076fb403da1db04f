import subprocess

from orchestrator.tracking.provenance import provenance


def git(folder, *arguments):
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_a_commit_and_whether_the_folder_was_changed(tmp_path):
    git(tmp_path, "init", "--quiet")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "--quiet", "-m", "one")
    tags = provenance(tmp_path)
    assert len(tags["orch.git_commit"]) == 40
    assert tags["mlflow.source.git.commit"] == tags["orch.git_commit"]
    assert tags["orch.git_dirty"] == "false"
    (tmp_path / "a").write_text("2")
    assert provenance(tmp_path)["orch.git_dirty"] == "true"


def test_outside_of_git_there_is_no_commit(tmp_path):
    tags = provenance(tmp_path)
    assert "orch.git_commit" not in tags
    assert tags["orch.version.mlflow"]
    assert tags["orch.version.python"].startswith("3.")
    assert tags["orch.host"]


def test_without_a_git_program_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "orch.git_commit" not in provenance(tmp_path)
