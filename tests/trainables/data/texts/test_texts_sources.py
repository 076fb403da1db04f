"""What a source of texts can be told."""

import pytest
from pydantic import TypeAdapter, ValidationError

from trainables.data.texts.sources import TextSource

FILES = {"source": "files", "path": "x.csv"}
LABEL = {"column": "mood", "classes": ["good", "bad"]}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"source": "reviews"}, "'tweets', 'generated', 'files'"),
        ({"source": "tweets"}, "Field required"),
        ({"source": "tweets", "root": "x", "fold": 5}, "less than 5"),
        ({"source": "generated", "rare_fraction": 0}, "greater than 0"),
        ({**FILES}, "Field required"),
        ({**FILES, "labels": []}, "at least 1"),
        ({**FILES, "labels": [{"column": "mood", "classes": ["good"]}]}, "at least 2"),
        ({**FILES, "labels": [{"column": "mood", "classes": ["good", "good"]}]}, "named twice: good, good"),
        ({**FILES, "labels": [LABEL, LABEL]}, "a column is named twice: text, split, mood, mood"),
        ({**FILES, "labels": [{"column": "a/b", "classes": ["x", "y"]}]}, "should match pattern"),
    ],
)
def test_refuses(fields, message):
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(TextSource).validate_python(fields)


def test_sources_can_be_cached_by():
    source = TypeAdapter(TextSource).validate_python({**FILES, "labels": [LABEL]})
    assert hash(source) == hash(source.model_copy())
