import pytest
import torch
from torch.nn import functional as F

from trainables.losses.supcon import masked_sup_con
from trainables.mining.memory import CrossBatchMemory
from trainables.mining.pool import Items, negative_candidates, positive_candidates


def rows(ids):
    return Items(torch.tensor(ids) // 4, torch.tensor(ids), torch.tensor(ids))


def embeddings(ids, *, version=0.0):
    return torch.stack([torch.tensor([float(i), version]) for i in ids])


def memory(*, size=6, warmup_steps=0):
    return CrossBatchMemory(size, embedding_size=2, warmup_steps=warmup_steps)


def fill(target, *batches):
    for version, ids in enumerate(batches):
        target.enqueue(embeddings(ids, version=float(version)), rows(ids))
    return target


def test_first_in_first_out():
    filled = fill(memory(), [0, 1, 2], [3, 4], [5, 6])
    assert filled.items.items_N.tolist() == [1, 2, 3, 4, 5, 6]
    assert filled.embeddings_MD.tolist() == [[1, 0], [2, 0], [3, 1], [4, 1], [5, 2], [6, 2]]
    assert filled.age_M.tolist() == [3, 3, 2, 2, 1, 1]
    assert filled.items.labels_N.tolist() == [0, 0, 0, 1, 1, 1]
    assert len(filled) == 6


def test_a_new_copy_of_an_item_replaces_the_old_one():
    filled = fill(memory(), [0, 1, 2], [1, 3])
    assert filled.items.items_N.tolist() == [0, 2, 1, 3]
    assert filled.embeddings_MD[2].tolist() == [1, 1]
    assert filled.age_M.tolist() == [2, 2, 1, 1]


def test_copies_within_a_batch_are_kept_once():
    assert fill(memory(), [0, 1, 0, 1]).items.items_N.tolist() == [0, 1]


def test_it_is_ready_after_the_warm_up_and_not_when_empty():
    assert not memory().is_ready
    target = memory(warmup_steps=2)
    ready = [fill(target, [step]).is_ready for step in range(3)]
    assert ready == [False, True, True]


def test_embeddings_are_detached():
    z = embeddings([0, 1]).requires_grad_()
    target = memory()
    target.enqueue(z * 2, rows([0, 1]))
    assert not target.embeddings_MD.requires_grad


def test_an_anchor_never_meets_itself_in_the_memory():
    """At an epoch's end the next batch may hold what is still in the memory: a positive at distance 0."""
    filled = fill(memory(), [0, 1, 2], [4, 5])
    batch = rows([1, 2, 5])
    positive, negative = positive_candidates(batch, filled.items), negative_candidates(batch, filled.items)
    same_item = batch.items_N[:, None] == filled.items.items_N
    assert same_item.any(dim=1).all()
    assert not (positive & same_item).any()
    assert not (negative & same_item).any()
    assert positive.any(dim=1).all()


def test_a_memory_of_the_batch_itself_gives_the_loss_of_the_batch():
    z = F.normalize(torch.randn(12, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    items = rows(list(range(12)))
    masks = {"positive_AN": positive_candidates(items, items), "negative_AN": negative_candidates(items, items)}
    target = CrossBatchMemory(12, embedding_size=4)
    target.enqueue(z, items)
    over_memory = masked_sup_con(z @ target.embeddings_MD.T, **masks, temperature=0.1)
    torch.testing.assert_close(over_memory, masked_sup_con(z @ z.T, **masks, temperature=0.1))


def test_a_restored_memory_goes_on_exactly():
    first = fill(memory(warmup_steps=3), [0, 1, 2], [1, 3])
    second = memory(warmup_steps=3)
    second.restore(first.state())
    kept = first.state()
    for target in (first, second):
        fill(target, [7, 8, 9], [0, 4])
    assert torch.equal(first.embeddings_MD, second.embeddings_MD)
    assert torch.equal(first.age_M, second.age_M)
    assert torch.equal(first.items.items_N, second.items.items_N)
    assert first.is_ready == second.is_ready
    assert kept["items"].tolist() == [0, 2, 1, 3]


@pytest.mark.parametrize("size", [0, -1])
def test_a_memory_without_room_is_refused(size):
    with pytest.raises(ValueError, match="at least one"):
        memory(size=size)


def test_a_batch_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="the memory holds 6 rows"):
        fill(memory(), list(range(7)))
    with pytest.raises(ValueError, match=r"expected \(2, 2\)"):
        memory().enqueue(torch.zeros(2, 3), rows([0, 1]))
