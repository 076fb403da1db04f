"""The contrastive losses as plain loops over Python numbers, written from their definitions, to compare with."""

import math
from fractions import Fraction


def _hardest(values, ratio):
    """The largest ceil(ratio * n) of n values; at least one where there is one."""
    num = max(1, math.ceil(Fraction(str(ratio)) * len(values)))
    return sorted(values, reverse=True)[:num]


def _transposed(matrix):
    return [list(row) for row in zip(*matrix, strict=True)]


def _negatives(cosines, equivalent, i):
    return [cosines[i][j] for j in range(len(cosines)) if j != i and not equivalent[i][j]]


def clip(cosines, equivalent, *, temperature, margin, ratio):
    def one_direction(cosines, equivalent):
        losses = []
        for i in range(len(cosines)):
            positive = math.exp((cosines[i][i] - margin) / temperature)
            negatives = _hardest(_negatives(cosines, equivalent, i), ratio)
            total = positive + sum(math.exp(c / temperature) for c in negatives)
            losses.append(-math.log(positive / total))
        return sum(losses) / len(losses)

    return (one_direction(cosines, equivalent) + one_direction(_transposed(cosines), _transposed(equivalent))) / 2


def gated_softmax(cosines, equivalent, *, temperature):
    def gate(cosine):
        s = cosine / temperature
        return s / (1 + math.exp(-s))

    gated = [[gate(cosine) for cosine in row] for row in cosines]
    return clip(gated, equivalent, temperature=1.0, margin=0.0, ratio=1.0)


def siglip(cosines, equivalent, *, scale, bias, margin, ratio):
    def softplus(x):
        return math.log(1 + math.exp(x))

    def one_direction(cosines, equivalent):
        total = 0.0
        for i in range(len(cosines)):
            total += softplus(-((cosines[i][i] - margin) * scale + bias))
            total += sum(softplus(c * scale + bias) for c in _hardest(_negatives(cosines, equivalent, i), ratio))
        return total / len(cosines)

    return (one_direction(cosines, equivalent) + one_direction(_transposed(cosines), _transposed(equivalent))) / 2


def _l_out(positives, negatives, temperature):
    total = sum(math.exp(c / temperature) for c in [*positives, *negatives])
    return -sum(math.log(math.exp(c / temperature) / total) for c in positives) / len(positives)


def supcon(cosines, positive, *, temperature, margin, ratio):
    def one_direction(cosines, positive):
        losses = []
        for i, row in enumerate(cosines):
            positives = [c - margin for j, c in enumerate(row) if j == i or positive[i][j]]
            negatives = [c for j, c in enumerate(row) if j != i and not positive[i][j]]
            if negatives:
                losses.append(_l_out(positives, _hardest(negatives, ratio), temperature))
        return sum(losses) / len(losses) if losses else 0.0

    return (one_direction(cosines, positive) + one_direction(_transposed(cosines), _transposed(positive))) / 2


def sup_con(cosines, labels, *, temperature):
    losses = []
    for i, row in enumerate(cosines):
        positives = [c for j, c in enumerate(row) if j != i and labels[j] == labels[i]]
        negatives = [c for j, c in enumerate(row) if labels[j] != labels[i]]
        if positives and negatives:
            losses.append(_l_out(positives, negatives, temperature))
    return sum(losses) / len(losses) if losses else 0.0
