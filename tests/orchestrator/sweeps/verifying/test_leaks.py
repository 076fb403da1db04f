"""Where secrets are found, and that they are not shown."""

import pytest

from orchestrator.sweeps.verifying.leaks import leaks_in_files, leaks_in_texts, search_for

SEARCH = search_for({"DB_PASSWORD": "correct horse", "API_KEY": "short", "HOME": "a long enough value"})


def test_only_secret_names_with_long_values_are_searched_for():
    assert SEARCH.values == {"DB_PASSWORD": b"correct horse"}


def test_a_value_in_a_text():
    (leak,) = leaks_in_texts(SEARCH, [("here", "the correct horse"), ("there", "nothing")])

    assert (leak.place, "DB_PASSWORD" in leak.what, "correct horse" in leak.what) == ("here", True, False)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("postgresql://me:secret@host/db", True),
        ('{"uri": "http://user:pass@127.0.0.1:5000"}', True),
        ("postgresql://me@host/db", False),
        ("postgresql://***@host/db", False),
        ("postgresql://me:***@host/db", False),
        ("http://127.0.0.1:5000/a@b", False),
        ("see https://example.org: mail me@example.org", False),
    ],
)
def test_urls_with_a_password(text, found):
    assert bool(leaks_in_texts(SEARCH, [("here", text)])) is found


def test_files_below_a_folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "log.txt").write_text("correct horse")
    (tmp_path / "a" / "empty").write_text("")
    (tmp_path / "state.safetensors").write_text("correct horse")
    outside = tmp_path.with_name(f"{tmp_path.name}-outside")
    outside.mkdir()
    (outside / "x").write_text("correct horse")
    (tmp_path / "link").symlink_to(outside / "x")

    assert [leak.place for leak in leaks_in_files(SEARCH, [tmp_path, tmp_path / "a"])] == [str(tmp_path / "a/log.txt")]
