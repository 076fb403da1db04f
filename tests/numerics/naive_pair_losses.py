"""The losses over pairs and triplets as plain loops over Python numbers, written from their definitions."""

import math


def _mean(values):
    return sum(values) / len(values) if values else 0.0


def _candidates(mask, i):
    return [j for j, chosen in enumerate(mask[i]) if chosen]


def contrastive(distances, positive, negative, *, positive_margin, negative_margin, squared):
    power = 2 if squared else 1
    anchors = range(len(distances))
    far = [distances[i][p] - positive_margin for i in anchors for p in _candidates(positive, i)]
    near = [negative_margin - distances[i][n] for i in anchors for n in _candidates(negative, i)]
    active = [x for x in near if x > 0]
    loss = _mean([x**power for x in far if x > 0]) + _mean([x**power for x in active])
    return loss, len(active) / len(near) if near else 0.0


def _triplet_terms(gaps, margin):
    if margin is None:
        return [math.log(1 + math.exp(gap)) for gap in gaps], [gap >= 0 for gap in gaps]
    return [max(gap + margin, 0.0) for gap in gaps], [gap + margin > 0 for gap in gaps]


def batch_all(distances, positive, negative, *, margin):
    gaps = [
        distances[i][p] - distances[i][n]
        for i in range(len(distances))
        for p in _candidates(positive, i)
        for n in _candidates(negative, i)
    ]
    terms, active = _triplet_terms(gaps, margin)
    counted = terms if margin is None else [x for x in terms if x > 0]
    return _mean(counted), _mean(active)


def batch_hard(distances, positive, negative, *, margin):
    gaps = []
    for i, row in enumerate(distances):
        positives, negatives = _candidates(positive, i), _candidates(negative, i)
        if positives and negatives:
            gaps.append(max(row[p] for p in positives) - min(row[n] for n in negatives))
    terms, active = _triplet_terms(gaps, margin)
    return _mean(terms), _mean(active)


def semi_hard(distances, positive, negative, *, margin):
    gaps = []
    for i, row in enumerate(distances):
        negatives = [row[n] for n in _candidates(negative, i)]
        for p in _candidates(positive, i):
            beyond = [d for d in negatives if d > row[p]]
            if negatives:
                gaps.append(row[p] - (min(beyond) if beyond else max(negatives)))
    terms, active = _triplet_terms(gaps, margin)
    return _mean(terms), _mean(active)


def multi_similarity_pairs(cosines, positive, negative, *, epsilon):
    kept_positive = [[False] * len(row) for row in cosines]
    kept_negative = [[False] * len(row) for row in cosines]
    for i, row in enumerate(cosines):
        positives, negatives = _candidates(positive, i), _candidates(negative, i)
        for p in positives:
            kept_positive[i][p] = any(row[p] - epsilon < row[n] for n in negatives)
        for n in negatives:
            kept_negative[i][n] = any(row[n] + epsilon > row[p] for p in positives)
    return kept_positive, kept_negative


def multi_similarity(cosines, positive, negative, *, alpha, beta, base):
    terms = []
    for i, row in enumerate(cosines):
        pull = sum(math.exp(-alpha * (row[p] - base)) for p in _candidates(positive, i))
        push = sum(math.exp(beta * (row[n] - base)) for n in _candidates(negative, i))
        terms.append(math.log(1 + pull) / alpha + math.log(1 + push) / beta)
    return _mean(terms)


def masked_sup_con(cosines, positive, negative, *, temperature):
    terms = []
    for i, row in enumerate(cosines):
        positives, negatives = _candidates(positive, i), _candidates(negative, i)
        if positives and negatives:
            total = sum(math.exp(row[j] / temperature) for j in [*positives, *negatives])
            terms.append(-_mean([math.log(math.exp(row[p] / temperature) / total) for p in positives]))
    return _mean(terms)
