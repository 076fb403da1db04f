import pytest
import torch

from trainables.metrics.gradients import gradient_cosine, gradient_norm, shares, task_gradients


def test_shares():
    assert shares({"a": 3.0, "b": 1.0}) == {"a": 0.75, "b": 0.25}
    assert shares({"a": 3.0, "b": -1.0}) == {"a": 0.75, "b": 0.25}
    assert shares({"a": 0.0, "b": 0.0}) == {"a": 0.0, "b": 0.0}
    assert shares({}) == {}


def test_gradient_norm_skips_what_has_no_gradient():
    a, b, c = (torch.zeros(n, requires_grad=True) for n in (1, 2, 3))
    a.grad, b.grad = torch.tensor([3.0]), torch.tensor([0.0, 4.0])
    assert gradient_norm([a, b, c]) == 5.0
    assert gradient_norm([c]) == 0.0
    assert gradient_norm([]) == 0.0


@pytest.fixture
def trunk():
    return [torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([[3.0]], requires_grad=True)]


def test_task_gradients_leave_grad_and_graph_alone(trunk):
    shared = trunk[0].sum() * trunk[1].sum()
    losses = {"a": shared * 2, "b": trunk[0][0] * 1.0, "constant": torch.tensor(1.0)}
    gradients = task_gradients(losses, trunk)
    assert {name: g.tolist() for name, g in gradients.items()} == {
        "a": [6.0, 6.0, 6.0],
        "b": [1.0, 0.0, 0.0],
        "constant": [0.0, 0.0, 0.0],
    }
    assert all(p.grad is None for p in trunk)
    (losses["a"] + losses["b"]).backward()
    assert trunk[0].grad.tolist() == [7.0, 6.0]


def test_task_gradients_have_the_norm_of_their_loss_and_none_where_it_has_none(trunk):
    losses = {"a": 3 * trunk[0][0] + 4 * trunk[1].sum(), "nothing": trunk[0].sum() * 0}
    norms = {name: float(gradient.norm()) for name, gradient in task_gradients(losses, trunk).items()}
    assert norms == {"a": 5.0, "nothing": 0.0}


def test_gradient_cosine():
    a = torch.tensor([1.0, 0.0])
    assert gradient_cosine(a, torch.tensor([5.0, 0.0])) == pytest.approx(1.0)
    assert gradient_cosine(a, torch.tensor([-5.0, 0.0])) == pytest.approx(-1.0)
    assert gradient_cosine(a, torch.tensor([0.0, 1.0])) == 0.0
    assert gradient_cosine(a, torch.zeros(2)) == 0.0
