"""From a source in the config to data in memory: what a trial learns from and what it is measured on.

Tasks call `load_embeddings` with the trial's purpose; only `Purpose.TEST` reads the test split. Trials of one process
share what was loaded: nobody may write to it.
"""

from functools import lru_cache

from trainables.contract import Purpose
from trainables.data.embeddings.embeddings import EmbeddingData, Embeddings, merge
from trainables.data.embeddings.files import read_file, read_whole_file
from trainables.data.embeddings.generated import read_generated
from trainables.data.embeddings.sources import EmbeddingFile, GeneratedEmbeddings
from trainables.data.errors import Split

Source = GeneratedEmbeddings | EmbeddingFile


@lru_cache(maxsize=2)
def load_embeddings(source: Source, purpose: Purpose = Purpose.SEARCH) -> EmbeddingData:
    """Train and val. For TEST test stands in the place of val, for RETRAIN train has val's items too.

    Raises: DataError: the file is missing, damaged, or not as described.
    """
    train, val = _read(source, Split.TRAIN), _read(source, Split.VAL)
    match purpose:
        case Purpose.SEARCH:
            parts = train, val
        case Purpose.TEST:
            parts = train, load_test_embeddings(source)
        case Purpose.RETRAIN:
            parts = merge(train, val), val
    return EmbeddingData(train=parts[0], val=parts[1], class_names=_class_names(source))


def load_test_embeddings(source: Source) -> Embeddings:
    """The test split."""
    return _read(source, Split.TEST)


def _read(source: Source, split: Split) -> Embeddings:
    match source:
        case GeneratedEmbeddings():
            return read_generated(source, split)
        case EmbeddingFile():
            return read_file(source, split)


def _class_names(source: Source) -> tuple[str, ...]:
    match source:
        case GeneratedEmbeddings():
            return tuple(f"class {c}" for c in range(source.num_classes))
        case EmbeddingFile():
            return read_whole_file(source).class_names
