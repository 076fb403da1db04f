"""From a source in the config to data in memory. Tasks call `load_embeddings`; only a final confirmation
`load_test_embeddings`.

Trials of one process share what was loaded: nobody may write to it.
"""

from functools import lru_cache

from trainables.data.embeddings.embeddings import EmbeddingData, Embeddings
from trainables.data.embeddings.files import read_file, read_whole_file
from trainables.data.embeddings.generated import read_generated
from trainables.data.embeddings.sources import EmbeddingFile, GeneratedEmbeddings
from trainables.data.errors import Split

Source = GeneratedEmbeddings | EmbeddingFile


@lru_cache(maxsize=2)
def load_embeddings(source: Source) -> EmbeddingData:
    """Train and val.

    Raises: DataError: the file is missing, damaged, or not as described.
    """
    return EmbeddingData(
        train=_read(source, Split.TRAIN), val=_read(source, Split.VAL), class_names=_class_names(source)
    )


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
            return read_whole_file(source.path).class_names
