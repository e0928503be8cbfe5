"""An outside judge: the same model written a third time, from its definition, on plain floats, without a derivative.

It shares no code with microgpt.py. The gradient checks difference its loss, its training knows only such differences,
and its names are drawn from its own logits. weights: {name: rows} in the layout and under the names of microgpt's model.
"""
from functools import partial
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


def embed(weights, tokens, _):
    return [unit([a + b for a, b in zip(weights["token"][token], weights["position"][t])]) for t, token in enumerate(tokens)]


def attend(weights, layer, heads, stream):
    normed = [unit(x) for x in stream]
    queries, keys, values = ([product(weights[name, layer], x) for x in normed] for name in ("query", "key", "value"))
    d, result = len(stream[0]) // heads, []
    for t, x in enumerate(stream):
        gathered = []
        for lo in range(0, d * heads, d):
            query = queries[t][lo:lo + d]
            share = soft([sum(map(mul, query, key[lo:lo + d])) / sqrt(d) for key in keys[:t + 1]])
            gathered += [sum(map(mul, share, column)) for column in zip(*[value[lo:lo + d] for value in values[:t + 1]])]
        result.append([a + b for a, b in zip(x, product(weights["output", layer], gathered))])
    return result


def digest(weights, layer, stream):
    result = []
    for x in stream:
        inner = [u if u > 0 else 0.0 for u in product(weights["up", layer], unit(x))]
        result.append([a + b for a, b in zip(x, product(weights["down", layer], inner))])
    return result


def score(weights, targets, stream):
    total = 0.0
    for x, target in zip(stream, targets):
        logits = product(weights["lm_head"], x)
        largest = max(logits)
        total += largest + log(sum(exp(logit - largest) for logit in logits)) - logits[target]
    return total / len(stream)


def parts(weights, tokens, layers, heads, block):
    """The model in order: (names of the weights a part uses, the part). Each takes the stream, the last makes the loss."""
    inputs, targets = tokens[:-1][:block], tokens[1:][:block]
    result = [(["token", "position"], partial(embed, weights, inputs))]
    for layer in range(layers):
        result.append(([(name, layer) for name in ("query", "key", "value", "output")], partial(attend, weights, layer, heads)))
        result.append(([("up", layer), ("down", layer)], partial(digest, weights, layer)))
    return result + [(["lm_head"], partial(score, weights, targets))]


def through(some_parts, stream=None):
    for _, part in some_parts:
        stream = part(stream)
    return stream


def loss(weights, tokens, *shape):
    """Mean negative log-likelihood of tokens[1:] given what precedes each, at most `block` positions."""
    return through(parts(weights, tokens, *shape))


def central_differences(weights, tokens, *shape, h=1e-5):
    """d loss / d w for every number in weights, in order: (loss(w + h) - loss(w - h)) / 2h.

    What comes before the first part that uses w does not depend on w, and is kept.
    """
    slopes, stream, model = {}, None, parts(weights, tokens, *shape)
    for i, (names, part) in enumerate(model):
        for name in names:
            slopes[name] = []
            for row in weights[name]:
                for j, number in enumerate(row):
                    row[j] = number + h
                    above = through(model[i:], stream)
                    row[j] = number - h
                    below = through(model[i:], stream)
                    row[j] = number
                    slopes[name].append((above - below) / (2 * h))
        stream = part(stream)
    return [slope for name in weights for slope in slopes[name]]


def train(weights, documents, steps, *shape):
    """The loss of each of `steps` steps of Adam on central differences, documents in turn. Changes weights."""
    places = [(row, j) for matrix in weights.values() for row in matrix for j in range(len(row))]
    first, second, losses, turn = [0.0] * len(places), [0.0] * len(places), [], 0
    for step in range(1, steps + 1):
        tokens = documents[turn]
        turn = turn + 1 if turn + 1 < len(documents) else 0
        losses.append(loss(weights, tokens, *shape))
        for i, ((row, j), slope) in enumerate(zip(places, central_differences(weights, tokens, *shape))):
            first[i] += 0.15 * (slope - first[i])
            second[i] += 0.01 * (slope**2 - second[i])
            direction = first[i] / (1 - 0.85**step) / (sqrt(second[i] / (1 - 0.99**step)) + 1e-8)
            row[j] -= 0.01 * (steps + 1 - step) / steps * direction
    return losses


def speak(weights, boundary, temperature, chance, layers, heads, block):
    """The tokens of one name, drawn by chance.choices from the model, without the boundary token."""
    tokens = [boundary]
    while len(tokens) <= block:
        stream = through(parts(weights, tokens + [boundary], layers, heads, block)[:-1])
        odds = soft([logit / temperature for logit in product(weights["lm_head"], stream[-1])])
        tokens += chance.choices(range(len(odds)), odds)
        if tokens[-1] == boundary:
            return tokens[1:-1]
    return tokens[1:]
