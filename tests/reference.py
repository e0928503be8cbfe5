"""An outside judge: the loss of the same model, written a third time, from its definition, on plain floats.

It shares no code with microgpt.py and knows no derivative. The gradient checks difference this function, so they do not
depend on the lecture's own forward passes. weights: {name: rows} in the layout and under the names of microgpt's model.
"""
from math import exp, log, sqrt
from operator import mul


def product(matrix, vector):
    return [sum(map(mul, row, vector)) for row in matrix]


def unit(vector):
    size = sqrt(sum(map(mul, vector, vector)) / len(vector) + 1e-5)
    return [x / size for x in vector]


def soft(scores):
    largest = max(scores)
    powers = [exp(score - largest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def loss(weights, tokens, layers, heads, block):
    """Mean negative log-likelihood of tokens[1:] given what precedes each, at most `block` positions."""
    length = min(block, len(tokens) - 1)
    stream = [unit([a + b for a, b in zip(weights["token"][tokens[t]], weights["position"][t])]) for t in range(length)]
    d = len(stream[0]) // heads
    for layer in range(layers):
        normed = [unit(x) for x in stream]
        queries, keys, values = ([product(weights[name, layer], x) for x in normed] for name in ("query", "key", "value"))
        for t in range(length):
            gathered = []
            for h in range(heads):
                lo, hi = h * d, (h + 1) * d
                share = soft([sum(map(mul, queries[t][lo:hi], keys[s][lo:hi])) / sqrt(d) for s in range(t + 1)])
                for j in range(lo, hi):
                    gathered.append(sum(share[s] * values[s][j] for s in range(t + 1)))
            stream[t] = [a + b for a, b in zip(stream[t], product(weights["output", layer], gathered))]
            inner = [u if u > 0 else 0.0 for u in product(weights["up", layer], unit(stream[t]))]
            stream[t] = [a + b for a, b in zip(stream[t], product(weights["down", layer], inner))]
    total = 0.0
    for t in range(length):
        logits = product(weights["lm_head"], stream[t])
        largest = max(logits)
        total += largest + log(sum(exp(x - largest) for x in logits)) - logits[tokens[t + 1]]
    return total / length


def central_differences(weights, tokens, layers, heads, block, h=1e-5):
    """d loss / d w for every number in weights, in order: (loss(w + h) - loss(w - h)) / 2h."""
    slopes = []
    for rows in weights.values():
        for row in rows:
            for i, number in enumerate(row):
                row[i] = number + h
                above = loss(weights, tokens, layers, heads, block)
                row[i] = number - h
                below = loss(weights, tokens, layers, heads, block)
                row[i] = number
                slopes.append((above - below) / (2 * h))
    return slopes
