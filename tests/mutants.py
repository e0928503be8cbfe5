"""The test of the tests: break the lecture on purpose, one place at a time, and see that the suite notices.

    python tests/mutants.py [part of a label]

Each mutant is microgpt.py with one piece of text replaced by another, and a wrong program. The fast part of the suite
runs against it, file by file, and the mutant is killed as soon as a test fails. The long tests, those of the README and
those of the page and its form take no part. The unbroken lecture runs first and must pass. Exit status 1 if a mutant
survives.
"""
import collections
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT = 300  # seconds for one file of the suite; a mutant that hangs is a mutant that is noticed
CHECK_PART = "disagreement_is_loud"
PARTS = ["derivatives_of_value", "derivatives_of_the_encore", "how_it_generates", "data_and_tokens", "printed_figures",
         "no_token_looks_ahead", "flags_and_refusals", "ctrl_c_and_state", "ways_to_start_it",
         "every_parameter_has_its_gradient", "training_is_the_original"]  # the quick ones first

MUTANTS = [
    # (the part of the suite to begin with, mutants: what is broken, the text as it stands, which must occur exactly
    # once in microgpt.py, the text instead)

    # section 1: the choices, their bounds, and what is refused
    ("flags_and_refusals", [
        ('the help does not tell the defaults', 'help=f"{meaning} [{usual}]"', 'help=meaning'),
        ('another seed by default', '("seed", 42,', '("seed", 43,'),
        ('another width by default', '("width", 16,', '("width", 32,'),
        ('two layers by default', '("layers", 1,', '("layers", 2,'),
        ('another rate by default', '("rate", 0.01,', '("rate", 0.02,'),
        ('ten samples by default', '("samples", 20,', '("samples", 10,'),
        ('a temperature of 1 by default', '("temperature", 0.5,', '("temperature", 1.0,'),
        ('only whole rates', 'type=type(usual)', 'type=int if name == "rate" else type(usual)'),
        ('only whole temperatures', 'type=type(usual)', 'type=int if name == "temperature" else type(usual)'),
        ('the temperature is explained the wrong way round', 'low for likely names, high for unusual ones',
         'low for unusual names, high for likely ones'),
        ('the width is explained as the block', 'how many numbers represent a token', 'how many tokens the model can look at'),
        ('a flag without a word of help', '"the learning rate at the start (section 8)"', '""'),
        ('unknown flags are let in', 'args = parser.parse_args([] if "ipykernel" in sys.modules else None)',
         'args, _ = parser.parse_known_args([] if "ipykernel" in sys.modules else None)'),
        ('no width of 1', '("width", 16, 1,', '("width", 16, 2,'),
        ('a block of 0', '("block", 16, 1,', '("block", 16, 0,'),
        ('no model of one layer', '("layers", 1, 1,', '("layers", 1, 2,'),
        ('no heads', '("heads", 4, 1,', '("heads", 4, 0,'),
        ('no rate of 0', '("rate", 0.01, 0,', '("rate", 0.01, 1e-6,'),
        ('steps below 0', '("steps", 1000, 0,', '("steps", 1000, -1,'),
        ('a temperature of 0', '("temperature", 0.5, 0.01,', '("temperature", 0.5, 0.0,'),
        ('no temperature of 0.01', '("temperature", 0.5, 0.01,', '("temperature", 0.5, 0.02,'),
        ('no upper bound for the rate', 'vars(args)[name] < 1e9)',
         'vars(args)[name] < (1e9 if name != "rate" else math.inf))'),
        ('nan is let in', 'if not (minimum <= vars(args)[name] < 1e9):',
         'if vars(args)[name] < minimum or vars(args)[name] >= 1e9:'),
        ('a refusal names another flag', '--{name} must be', '--steps must be'),
        ('a refusal names the bound for the value', 'not {vars(args)[name]}")', 'not {minimum}")'),
        ('width and heads exchanged', 'args.width, args.block, args.layers, args.heads',
         'args.heads, args.block, args.layers, args.width'),
        ('heads that do not divide the width are let in', 'if width % heads:', 'if False:'),
        ('width and heads exchanged in the check', 'if width % heads:', 'if heads % width:'),
        ('a rest of 1 is let in', 'if width % heads:', 'if width % heads > 1:'),
        ('the flags exchanged in the refusal', '--heads must divide --width', '--width must divide --heads'),
    ]),
    ("ways_to_start_it", [
        ("a kernel's flags are taken for the lecture's", '[] if "ipykernel" in sys.modules else None', 'None'),
    ]),

    # section 2: data and tokens
    ("ways_to_start_it", [
        ('the names are always those beside the script', 'if not path.exists():', 'if True:'),
        ('the names are looked for beside a link', 'pathlib.Path(sys.argv[0]).resolve().parent',
         'pathlib.Path(sys.argv[0]).parent'),
        ('only the name of the file is looked for beside the script', '.resolve().parent / path',
         '.resolve().parent / path.name'),
        ('names are counted once each', 'num docs: {len(docs)}', 'num docs: {len(set(docs))}'),
        ('a letter that cannot be shown is left out', 'reconfigure(errors="replace")', 'reconfigure(errors="ignore")'),
        ('a letter that cannot be shown becomes a code', 'reconfigure(errors="replace")',
         'reconfigure(errors="backslashreplace")'),
        ('a closed pipe leaves a traceback', 'signal.signal(signal.SIGPIPE, signal.SIG_DFL)', 'signal.SIGPIPE'),
        ('letters in the order of the hash', 'letters = sorted(set("".join(docs)))',
         'letters = list(set("".join(docs)))'),
    ]),
    ("data_and_tokens", [
        ('every stream is thought to be reconfigurable', 'contextlib.suppress(AttributeError)',
         'contextlib.suppress()'),
        ('any separator parts two names', '.split("\\n") if', '.splitlines() if'),
        ('spaces part two names', '.split("\\n") if', '.split() if'),
        ('only some kinds of space are cut off', '[line.strip() for line in', '[line.strip(" \\t\\r") for line in'),
        ('capitals become small', '[line.strip() for line in', '[line.strip().lower() for line in'),
        ('blank lines are names', 'if line.strip()]', 'if line]'),
        ('names of one letter are left out', 'if line.strip()]', 'if line.strip()[1:]]'),
        ('a whole seed becomes a fraction', 'type=type(usual)', 'type=float if name == "seed" else type(usual)'),
        ('the seed is always the same', 'random.seed(args.seed)', 'random.seed(42)'),
        ('names are not shuffled', 'random.shuffle(docs)', 'docs.sort()'),
        ('names are shuffled before the seed is set', 'random.seed(args.seed)\nrandom.shuffle(docs)',
         'random.shuffle(docs)\nrandom.seed(args.seed)'),
        ('the last letter is also the boundary', 'BOS = len(letters)', 'BOS = len(letters) - 1'),
        ('a token too many', 'vocab = len(letters) + 1', 'vocab = len(letters) + 2'),
        ('no boundary token after a name', 'for letter in name] + [BOS]', 'for letter in name]'),
        ('a name backwards', '[letters.index(letter) for letter in name]',
         '[letters.index(letter) for letter in name[::-1]]'),
        ('letters that are not in the data are passed over', '[letters.index(letter) for letter in name]',
         '[letters.index(letter) for letter in name if letter in letters]'),
    ]),
    ("flags_and_refusals", [
        ('another file is read instead of a missing one', '.resolve().parent / path',
         '.resolve().parent / "names.txt"'),
        ('a file that is not there leaves a traceback', 'except (OSError, ValueError) as problem',
         'except ValueError as problem'),
        ('a path that cannot be one leaves a traceback', 'except (OSError, ValueError) as problem',
         'except (OSError, UnicodeError) as problem'),
        ("any trouble is taken for the user's", 'except (OSError, ValueError) as problem',
         'except Exception as problem'),
        ('a refusal without its reason', 'cannot be read: {problem}', 'cannot be read: '),
        ('a refusal of two lines', '--data {args.data!r} cannot', '--data {args.data} cannot'),
        ('no names are let in', 'if not docs:', 'if False:'),
        ('an empty file is only a warning', 'parser.error(f"--data {args.data!r} must hold',
         'print(f"--data {args.data!r} must hold'),
    ]),
    ("how_it_generates", [
        ('one name is too few', 'if not docs:', 'if not docs[1:]:'),
    ]),
    ("printed_figures", [
        ('vocabulary without the boundary token', 'vocab size: {vocab}', 'vocab size: {BOS}'),
        ('the tokens of another name', '->", *encode(docs[0]))', '->", *encode(docs[-1]))'),
        ('the tokens without their boundaries', '->", *encode(docs[0]))', '->", *encode(docs[0])[1:-1])'),
    ]),

    # section 3: every local gradient, and the walk
    ("derivatives_of_value", [
        ('a Value takes any attribute', '__slots__ = ', '__slot__ = '),
        ('a new Value has a gradient', 'self.grad = 0.0', 'self.grad = 1.0'),
        ('a number below 0 is added without its sign', 'else Value(other)\n        return Value(self.data + ',
         'else Value(abs(other))\n        return Value(self.data + '),
        ('d(a + b)/da', '[(self, 1.0), (other, 1.0)]', '[(self, 2.0), (other, 1.0)]'),
        ('d(a + a)/da is 1', '[(self, 1.0), (other, 1.0)]', '{(self, 1.0), (other, 1.0)}'),
        ('a number below 0 multiplies without its sign', 'else Value(other)\n        return Value(self.data * ',
         'else Value(abs(other))\n        return Value(self.data * '),
        ('d(a * b): each factor moved by itself', '[(self, other.data), (other, self.data)]',
         '[(self, self.data), (other, other.data)]'),
        ('d(a * b)/da for b below 0', '[(self, other.data), (other, self.data)]',
         '[(self, abs(other.data)), (other, self.data)]'),
        ('d(a * a)/da is a', '[(self, other.data), (other, self.data)]', '{(self, other.data), (other, self.data)}'),
        ('d(a ** k): the factor k', '[(self, power * math.pow(self.data, power - 1))]', '[(self, self.data ** (power - 1))]'),
        ('d(a ** k) for a below 0', '[(self, power * math.pow(self.data, power - 1))]',
         '[(self, power * abs(self.data) ** (power - 1))]'),
        ('d(a ** k) for k below 0', '[(self, power * math.pow(self.data, power - 1))]',
         '[(self, power * self.data ** (power - 1) if power > 0 else 0.0)]'),
        ('d(a ** 1) is 0', '[(self, power * math.pow(self.data, power - 1))]',
         '[(self, power * self.data ** (power - 1) if power != 1 else 0.0)]'),
        ('a ** k for a below 0', 'Value(math.pow(self.data, power)', 'Value(math.pow(abs(self.data), power)'),
        ('d exp(a) is a', '[(self, math.exp(self.data))]', '[(self, self.data)]'),
        ('log of a number below 0', 'Value(math.log(self.data)', 'Value(math.log(abs(self.data))'),
        ('log of 0 is no error', 'Value(math.log(self.data)', 'Value(math.log(self.data + 1e-300)'),
        ('relu lets a little through', 'Value(max(self.data, 0.0)', 'Value(max(self.data, 0.01 * self.data)'),
        ('relu hides what is no number', 'Value(max(self.data, 0.0)', 'Value(max(0.0, self.data)'),
        ('d relu(a) at 0', '1.0 if self.data > 0 else 0.0', '1.0 if self.data >= 0 else 0.0'),
        ('d relu(a) near 0', '1.0 if self.data > 0 else 0.0', '1.0 if self.data > 1e-9 else 0.0'),
        ('2 - a is a - 2', 'return -self + other', 'return self + -other'),
        ('2 - a is -2 - a', 'return -self + other', 'return -self + -other'),
        ('2 / a is a / 2', 'return self ** -1 * other', 'return self * other ** -1'),
        ('2 / a is 1 / a', 'return self ** -1 * other', 'return self ** -1'),
        ('a Value shows its number twice', 'grad={self.grad})"', 'grad={self.data})"'),
        ('a Value shows four digits', 'data={self.data},', 'data={self.data:.4f},'),
        ('leaves lose what earlier losses gave', 'if child.edges and child not in found', 'if child not in found'),
        ('the walk looks at an edge many times', 'if child.edges and child not in found', 'if child.edges'),
        ('a node is not remembered', 'found.add(child)', 'pass'),
        ('results keep their old gradients', 'child.grad = 0.0', 'pass'),
        ('the result does not move itself', 'self.grad = 1.0', 'self.grad = 0.5'),
        ('the node that was found last is next', 'heapq.heappop(waiting)', 'waiting.pop()'),
        ('the node that was found first is next', 'heapq.heappop(waiting)', 'waiting.pop(0)'),
        ('the node that was made first is next', '(-child.order, child)', '(child.order, child)'),
        ('two edges to the same child count once', 'for child, local_grad in node.edges:',
         'for child, local_grad in dict(node.edges).items():'),
        ('the largest path for the sum', 'child.grad += local_grad * grad',
         'child.grad = max(child.grad, local_grad * grad)'),
        ('the chain rule without the chain', 'child.grad += local_grad * grad', 'child.grad += local_grad'),
        ('the chain rule with the other sign', 'child.grad += local_grad * grad',
         'child.grad -= local_grad * grad'),
        ('dot: the same length is not asked for', 'assert len(x) == len(y)', 'assert True'),
        ('dot: y may be longer', 'assert len(x) == len(y)', 'assert len(x) <= len(y)'),
        ('dot of the amounts', 'Value(sumprod(x_data, y_data), [', 'Value(sumprod(map(abs, x_data), map(abs, y_data)), ['),
        ('dot keeps its last edges only', '[*zip(x, y_data), *zip(y, x_data)]', '[*zip(x, y_data), *zip(y, x_data)][-2:]'),
    ]),
    ("printed_figures", [
        ('a and b exchanged', 'a, b = Value(2.0), Value(3.0)', 'b, a = Value(2.0), Value(3.0)'),
        ('b is added instead of a', '(a * b + a).backward()', '(a * b + b).backward()'),
        ('the example is not walked back', '(a * b + a).backward()', '(a * b + a)'),
        ('the gradients of a and b exchanged', '{a.grad} for a, {b.grad} for b', '{b.grad} for a, {a.grad} for b'),
    ]),

    # section 4: parameters
    ("training_is_the_original", [
        ('the spread of the first numbers', 'random.gauss(0, 0.08)', 'random.gauss(0, 0.02)'),
        ('another distribution', 'random.gauss(0, 0.08)', 'random.uniform(-0.08, 0.08)'),
        ('height and width of a matrix exchanged', '(rest, nin)) for _ in range(nout)]',
         '(rest, nout)) for _ in range(nin)]'),
        ('positions before tokens', '{"token": (vocab, width), "position": (block, width), "lm_head"',
         '{"position": (block, width), "token": (vocab, width), "lm_head"'),
        ('layers in the other order', 'for layer in range(layers):\n    for role',
         'for layer in reversed(range(layers)):\n    for role'),
        ('key before query', '"query", "key", "value", "output":', '"key", "query", "value", "output":'),
        ('untrained is 0', 'print(f"num params', 'untrained = [0.0 for _ in untrained]\nprint(f"num params'),
    ]),
    ("every_parameter_has_its_gradient", [
    ]),
    ("printed_figures", [
        ('matrices are counted as parameters', 'num params: {len(untrained)}', 'num params: {len(shapes)}'),
    ]),

    # section 5: the forward pass
    ("derivatives_of_the_encore", [
        ('softmax: the least is subtracted', 'largest = max(score.data for score in scores)',
         'largest = min(score.data for score in scores)'),
        ('softmax: the largest amount is subtracted', 'max(score.data for score', 'max(abs(score.data) for score'),
        ('softmax: nothing is subtracted', 'largest = max(score.data for score in scores)', 'largest = 0.0'),
        ('softmax: a temperature of its own', '(score - largest).exp()', '((score - largest) * 2).exp()'),
        ('softmax: its total is a constant',
         'scale = sum(exps) ** -1', 'scale = sum(exps).data ** -1'),
        ('rmsnorm: a larger constant', '(dot(x, x) / len(x) + 1e-5) **', '(dot(x, x) / len(x) + 1e-4) **'),
        ('rmsnorm: no constant', '(dot(x, x) / len(x) + 1e-5) **', '(dot(x, x) / len(x)) **'),
        ('rmsnorm: sum for mean', '(dot(x, x) / len(x) + 1e-5) **', '(dot(x, x) + 1e-5) **'),
        ('rmsnorm subtracts the mean', '[xi * scale for xi in x]', '[(xi - sum(x) / len(x)) * scale for xi in x]'),
    ]),
    ("every_parameter_has_its_gradient", [
        ('rmsnorm: its scale is a constant', 'scale = (dot(x, x) / len(x) + 1e-5) ** -0.5',
         'scale = ((dot(x, x) / len(x) + 1e-5) ** -0.5).data'),
        ('as wide a head as there are heads', 'head_width = width // heads', 'head_width = heads'),
        ('a single head', 'head_width = width // heads', 'head_width = width'),
        ('the root of the number of heads', 'root = math.sqrt(head_width)', 'root = math.sqrt(heads)'),
        ("the default's root for all", 'root = math.sqrt(head_width)', 'root = 2.0'),
        ('queries of the first layer', 'linear(n, model["query", layer])', 'linear(n, model["query", 0])'),
        ('keys by the matrix for values', 'keys.append(linear(n, model["key", layer]))',
         'keys.append(linear(n, model["value", layer]))'),
        ('values in the wrong order', 'values.append(', 'values.insert(0, '),
        ('all heads look with the first', 'softmax([dot(query[head], key[head])',
         'softmax([dot(query[slices[0]], key[slices[0]])'),
        ('every head looks with the whole', 'dot(query[head], key[head])', 'dot(query, key)'),
        ('queries meet themselves', 'dot(query[head], key[head])', 'dot(query[head], query[head])'),
        ('weights in the wrong order', '/ root for key in keys])', '/ root for key in keys])[::-1]'),
        ('all tokens are heard alike', 'weights = softmax([dot(query[head], key[head]) / root for key in keys])',
         'weights = [Value(1 / len(keys)) for _ in keys]'),
        ('a head hears the tokens in the wrong order', 'transpose([value[head] for value in values])',
         'transpose([value[head] for value in values[::-1]])'),
        ('what is heard in the wrong order', 'heard += linear(weights, columns)',
         'heard = linear(weights, columns) + heard'),
        ('what is heard is not mixed', 'x = add(x, linear(heard, model["output", layer]))', 'x = add(x, heard)'),
        ("what is heard is mixed by the first layer's matrix", 'linear(heard, model["output", layer])',
         'linear(heard, model["output", 0])'),
        ('every position is the first', 'model["position"][position]))', 'model["position"][0]))'),
        ('positions are not embedded', 'add(model["token"][token], model["position"][position])',
         'model["token"][token]'),
        ('layers run in the other order', 'in enumerate(cache):', 'in reversed(list(enumerate(cache))):'),
        ('attention reads x without its norm', 'enumerate(cache):\n        n = rmsnorm(x)',
         'enumerate(cache):\n        n = x'),
        ('attention adds to the norm', 'x = add(x, linear(heard,', 'x = add(n, linear(heard,'),
        ('the MLP reads x without its norm', 'matches = linear(n, model["up", layer])',
         'matches = linear(x, model["up", layer])'),
        ('the MLP of the first layer', 'matches = linear(n, model["up", layer])', 'matches = linear(n, model["up", 0])'),
        ('the MLP past the stream', 'x = add(x, linear(hidden, model["down", layer]))',
         'x = linear(hidden, model["down", layer])'),
        ('the MLP ends as in the first layer', 'linear(hidden, model["down", layer])', 'linear(hidden, model["down", 0])'),
        ('the embedding makes the logits', 'return linear(x, model["lm_head"])', 'return linear(x, model["token"])'),
    ]),

    # section 6: the loss
    ("every_parameter_has_its_gradient", [
        ('all layers share one cache', 'surprises = []\n', 'surprises = []; cache = [([], [])] * layers\n'),
        ('long names are cut too early', 'zip(tokens[:block], tokens[1:])', 'zip(tokens[:block - 1 or 1], tokens[1:])'),
        ('long names are not cut', 'zip(tokens[:block], tokens[1:])', 'zip(tokens[:block + 1], tokens[1:])'),
        ('the end of a name is not predicted', 'zip(tokens[:block], tokens[1:])', 'zip(tokens[:block], tokens[1:-1])'),
        ('every token at position 0', 'softmax(gpt(model, token, position, cache))', 'softmax(gpt(model, token, 0, cache))'),
        ('each token is alone', 'softmax(gpt(model, token, position, cache))',
         'softmax(gpt(model, token, position, [([], []) for _ in range(layers)]))'),
        ('the surprise without its logarithm', '-probs[target].log()', '-probs[target]'),
        ('a token predicts itself', '-probs[target].log()', '-probs[token].log()'),
        ('the loss is a sum', 'return sum(surprises) / len(surprises)', 'return sum(surprises)'),
        ('the loss is divided by all tokens', 'return sum(surprises) / len(surprises)', 'return sum(surprises) / len(tokens)'),
        ('the loss of a cut name is divided by its whole length', 'return sum(surprises) / len(surprises)',
         'return sum(surprises) / (len(tokens) - 1)'),
    ]),
    ("printed_figures", [
        ('the loss of another name', 'for number in untrained]), example)', 'for number in untrained]), encode(docs[-1]))'),
        ('knowing nothing: without BOS', '{math.log(vocab):.4f}', '{math.log(vocab - 1):.4f}'),
        ('knowing nothing: in bits', '{math.log(vocab):.4f}', '{math.log2(vocab):.4f}'),
        ('three digits of the untrained loss', '{loss.data:.4f}', '{loss.data:.3f}'),
    ]),

    # section 7: the backward pass
    ("every_parameter_has_its_gradient", [
        ('the engine keeps the numbers it had', 'params = [Value(number) for number in numbers]',
         'params = [Value(number) for number in untrained]'),
        ('the engine does not walk back', 'matrices(params), tokens)\n    loss.backward()', 'matrices(params), tokens)'),
        ('the loss is still a Value', 'return loss.data, [param.grad', 'return loss, [param.grad'),
        ('gradients in the other order', '[param.grad for param in params]', '[param.grad for param in params[::-1]]'),
    ]),
    ("printed_figures", [
        ('another column is tried', 'index = BOS * width', 'index = BOS * width + 1'),
        ('another token is tried', 'index = BOS * width', 'which = 0'),
        ('the parameter is made too large', 'higher[index] += 1e-5', 'higher[index] += 1e-2'),
        ('the parameter is not made smaller', 'lower[index] -= 1e-5', 'lower[index] -= 0'),
        ('the other way is a copy of the first', 'higher, lower = untrained[:], untrained[:]',
         'higher = lower = untrained[:]'),
        ('the untrained numbers are nudged', 'higher, lower = untrained[:], untrained[:]',
         'higher, lower = untrained, untrained[:]'),
        ('the slope is divided by half', '[0]) / 2e-5', '[0]) / 1e-5'),
        ('the slope with the other sign', '(autograd(higher, example)[0] - autograd(lower, example)[0])',
         '(autograd(lower, example)[0] - autograd(higher, example)[0])'),
        ('backward() is not asked', '{gradients[index]:.9f} by backward()', '{measured:.9f} by backward()'),
        ('the measured gradient is under the other name', '{gradients[index]:.9f} by backward(), {measured:.9f} measured',
         '{measured:.9f} by backward(), {gradients[index]:.9f} measured'),
    ]),

    # section 8: Adam
    ("training_is_the_original", [
        ('another memory of the mean', '0.85 * mean + 0.15 * g', '0.9 * mean + 0.1 * g'),
        ("the mean's memory", '0.85 * mean +', '0.99 * mean +'),
        ("the mean's news", '+ 0.15 * g for', '+ g for'),
        ("the mean square's memory", '0.99 * square +', '0.85 * square +'),
        ("the mean square's news", '0.01 * g * g', '0.15 * g * g'),
        ('the mean square never falls', '[0.99 * square + 0.01 * g * g for',
         '[max(square, 0.99 * square + 0.01 * g * g) for'),
        ('seen: a name too many in the first', '1 - 0.85 ** count, 1', '1 - 0.85 ** (count + 1), 1'),
        ('seen: the first for the second', '1 - 0.99 ** count\n', '1 - 0.85 ** count\n'),
        ('the mean is not divided by what was seen', '(mean / mean_sum)', 'mean'),
        ('Adam climbs', 'number - rate * (mean', 'number + rate * (mean'),
        ('numbers fade', '[number - rate *', '[0.999 * number - rate *'),
        ('a larger 1e-8', '+ 1e-8)', '+ 1e-6)'),
        ('no 1e-8', '(math.sqrt(square / square_sum) + 1e-8)', 'math.sqrt(square / square_sum)'),
        ('the means exchanged', 'return numbers, means, squares', 'return numbers, squares, means'),
    ]),

    # section 9: the training, its clock, Ctrl-C, and its line
    ("training_is_the_original", [
        ('garbage is collected', 'if sys.implementation.name == "cpython":', 'if False:'),
        ('garbage is collected in the first training', 'if sys.implementation.name == "cpython":\n    gc.disable()\n'
         'trained, losses, seconds = train(autograd, 0 if args.fast else args.steps)',
         'trained, losses, seconds = train(autograd, 0 if args.fast else args.steps)\n'
         'if sys.implementation.name == "cpython":\n    gc.disable()'),
        ('training starts from the numbers in memory', 'numbers, losses, seconds = untrained,',
         'numbers, losses, seconds = [0.0] * len(untrained),'),
        ('the second moment starts at 1', '[0.0] * len(untrained), [0.0] * len(untrained)',
         '[0.0] * len(untrained), [1.0] * len(untrained)'),
        ('steps are counted from 1', 'for step in range(steps):', 'for step in range(1, steps + 1):'),
        ('every step takes the first name', 'docs[step % len(docs)]', 'docs[0]'),
        ('names do not come round', 'docs[step % len(docs)]', 'docs[min(step, len(docs) - 1)]'),
        ('the second name comes first', 'docs[step % len(docs)]', 'docs[(step + 1) % len(docs)]'),
        ('the rate does not hear its flag', 'args.rate * (1 -', '0.01 * (1 -'),
        ('the rate reaches 0 a step early', '(1 - step / max(steps, args.steps))',
         '(1 - (step + 1) / max(steps, args.steps))'),
        ('an encore after Ctrl-C has rates of its own', 'max(steps, args.steps)', 'steps'),
        ('more steps than planned have rates below 0', 'max(steps, args.steps)', 'max(1, args.steps)'),
        ('the engine always gets the untrained numbers', 'engine(numbers, tokens)\n', 'engine(untrained, tokens)\n'),
        ('Adam always moves the untrained numbers', 'moved = adam(numbers,', 'moved = adam(untrained,'),
        ('Adam does not get the rate', 'gradients, means, squares, rate, step + 1)',
         'gradients, means, squares, args.rate, step + 1)'),
        ('Adam always takes the first step', 'gradients, means, squares, rate, step + 1)',
         'gradients, means, squares, rate, 1)'),
        ('Adam forgets its means', 'numbers, means, squares, losses = *moved,', 'numbers, _, _, losses = *moved,'),
        ('the first loss for every loss', 'losses + [loss]', 'losses + (losses[:1] or [loss])'),
    ]),
    ("printed_figures", [
        ('the clock leaves out the engine',
         'began = time.perf_counter()\n            loss, gradients = engine(numbers, tokens)',
         'loss, gradients = engine(numbers, tokens)\n            began = time.perf_counter()'),
        ('the clock counts the printing, too', 'report(losses, steps)\n    except',
         'report(losses, steps); seconds += time.perf_counter() - began\n    except'),
        ('only the last step counts', 'seconds += time.perf_counter() - began',
         'seconds = time.perf_counter() - began'),
        ('training says nothing', 'report(losses, steps)\n    except', 'pass\n    except'),
        ('the perplexity of all losses', 'losses[-100:]', 'losses[:]'),
        ('the perplexity of the last 101', 'losses[-100:]', 'losses[-101:]'),
        ('the perplexity as if there were a hundred', 'sum(recent) / len(recent)', 'sum(recent) / 100'),
        ('perplexity to base 2', 'math.exp(sum(recent) / len(recent))', '2 ** (sum(recent) / len(recent))'),
        ('the mean of the perplexities', 'math.exp(sum(recent) / len(recent))',
         'sum(map(math.exp, recent)) / len(recent)'),
        ('the first loss is printed', 'loss {losses[-1]:.4f}', 'loss {losses[0]:.4f}'),
        ('three digits of a loss', 'loss {losses[-1]:.4f}', 'loss {losses[-1]:.3f}'),
        ('a perplexity of 9.9', '{perplexity:#4.3g}', '{perplexity:4.1f}'),
        ('a bar beyond its edge', 'min(30, round(perplexity))', 'round(perplexity)'),
        ('a bar rounded down', 'min(30, round(perplexity))', 'min(30, int(perplexity))'),
        ('a bar rounded up', 'min(30, round(perplexity))', 'min(30, math.ceil(perplexity))'),
        ('a line is not flushed', 'flush=True', 'flush=False'),
        ('a file gets carriage returns', 'step < steps and sys.stdout and sys.stdout.isatty()', 'step < steps'),
    ]),
    ("ways_to_start_it", [
        ('a terminal keeps the last line only', 'passing = step % 100 and step', 'passing = step'),
        ('the last line is left open', 'step < steps and sys.stdout', 'sys.stdout'),
        ('the line is closed a step early', 'step < steps and sys.stdout', 'step < steps - 1 and sys.stdout'),
        ('a closed output is asked whether it is a terminal', 'sys.stdout and sys.stdout.isatty()',
         'sys.stdout.isatty()'),
        ('nothing is a terminal', 'sys.stdout and sys.stdout.isatty()', 'False'),
    ]),
    ("ctrl_c_and_state", [
        ('the encore makes all steps', 'for step in range(steps):', 'for step in range(args.steps):'),
        ('a line is printed before its loss is kept', 'losses = *moved, losses + [loss]\n            report(losses, steps)',
         'before = *moved, losses\n            report(losses + [loss], steps)\n            losses = losses + [loss]'),
        ('a line is printed before its numbers are kept',
         'numbers, means, squares, losses = *moved, losses + [loss]\n            report(losses, steps)',
         'losses = losses + [loss]\n            report(losses, steps)\n            numbers, means, squares = moved'),
        ('a step is kept in two statements', 'numbers, means, squares, losses = *moved, losses + [loss]',
         'numbers, means, squares = moved\n            losses = losses + [loss]'),
        ('the last line of a shorter second training is left open', 'step % 100 and step < steps',
         'step % 100 and step < args.steps'),
        ('a step that is not complete counts', 'seconds += time.perf_counter() - began',
         'losses.append(loss); seconds += time.perf_counter() - began; losses.pop()'),
        ('Ctrl-C ends the run', 'except KeyboardInterrupt:', 'except StopIteration:'),
        ("any mistake is taken for the rate's", 'except (ArithmeticError, ValueError) as problem',
         'except Exception as problem'),
        ('the end of the program is taken for Ctrl-C', 'except KeyboardInterrupt:',
         'except (KeyboardInterrupt, SystemExit):'),
        ('an interrupted training says so twice', 'print("\\nstopped early")',
         'print("\\nstopped early\\nstopped early")'),
        ('an interrupted training overwrites its line', 'print("\\nstopped early")', 'print("stopped early")'),
        ('an interrupted training forgets its losses', 'print("\\nstopped early")',
         'print("\\nstopped early"); losses = []'),
        ('training learns nothing', 'return numbers, losses, seconds', 'return untrained, losses, seconds'),
        ('no time without a step', 'seconds / max(1, len(losses))', 'seconds / len(losses)'),
        ('an interrupted encore has another goal in its line', 'report(losses, steps)\n    except',
         'report(losses, args.steps)\n    except'),
    ]),
    ("flags_and_refusals", [
        ('a probability of 0 leaves a traceback', 'except (ArithmeticError, ValueError) as problem',
         'except ArithmeticError as problem'),
        ('a slope beyond all numbers is let pass', '[(self, self.data ** -1)]', '[(self, 1 / self.data)]'),
        ('too large a number leaves a traceback', 'except (ArithmeticError, ValueError) as problem',
         'except ValueError as problem'),
        ('the rate is too high, and the run goes on', 'parser.error(f"--rate {args.rate}',
         'print(f"--rate {args.rate}'),
        ('another rate is named', '--rate {args.rate} may', '--rate {rate} may'),
        ('--fast is not heard in the first training', '0 if args.fast else args.steps)',
         'args.steps if args.fast else 0)'),
    ]),

    # section 10: how it speaks, what it knows, which letters are close
    ("how_it_generates", [
        ('speaking: all layers share one cache', 'name, token = "", BOS',
         'cache = [([], [])] * layers; name, token = "", BOS'),
        ('a name may exceed the block', 'for position in range(block):\n        logits',
         'for position in range(block + 1):\n        logits'),
        ('a name stops short of the block', 'for position in range(block):\n        logits',
         'for position in range(block - 1):\n        logits'),
        ('speaking at position 0 throughout', 'logits = gpt(model, token, position, cache)',
         'logits = gpt(model, token, 0, cache)'),
        ('speaking without a memory', 'logits = gpt(model, token, position, cache)',
         'logits = gpt(model, token, position, [([], []) for _ in range(layers)])'),
        ('the temperature is ignored', 'logit / args.temperature for', 'logit for'),
        ("the default's temperature", 'logit / args.temperature for', 'logit / 0.5 for'),
        ('high temperatures are lowered', 'logit / args.temperature for', 'logit / min(args.temperature, 10) for'),
        ('the temperature divides the probabilities', 'softmax([logit / args.temperature for logit in logits])',
         '[prob / args.temperature for prob in softmax(logits)]'),
        ('every token is alike', '[prob.data for prob in probs]', '[1.0 for prob in probs]'),
        ('always the likeliest token', 'random.choices(range(vocab), [prob.data for prob in probs])[0]',
         'max(range(vocab), key=lambda i: probs[i].data)'),
        ('a name is never empty', 'if token == BOS:',
         'if token == BOS and not name: continue\n        if token == BOS:'),
        ('a name backwards, speaking', 'name += letters[token]', 'name = letters[token] + name'),
        ('the first three disturb the others', '    names = [generate(numbers) for _',
         '    [generate(untrained) for _ in range(3)]\n    names = [generate(numbers) for _'),
        ('the untrained model says one name', '*[generate(untrained) for _ in range(3)]', '*[generate(untrained)] * 3'),
        ('the untrained model says two names', 'generate(untrained) for _ in range(3)',
         'generate(untrained) for _ in range(2)'),
        ('the untrained model says all samples', 'generate(untrained) for _ in range(3)',
         'generate(untrained) for _ in range(args.samples)'),
        ('a sample too many', '[generate(numbers) for _ in range(args.samples)]',
         '[generate(numbers) for _ in range(args.samples + 1)]'),
        ('samples are sorted', '[generate(numbers) for _ in range(args.samples)]',
         'sorted(generate(numbers) for _ in range(args.samples))'),
        ('samples are counted from 0', 'enumerate(names, start=1):', 'enumerate(names, start=0):'),
        ('samples are not aligned', 'sample {i:2d}: {name}', 'sample {i}: {name}'),
        ('known are those that are new', 'set(names) & set(seen)', 'set(names) - set(seen)'),
        ('known are all names of the file', 'set(names) & set(seen)', 'set(names) & set(docs)'),
        ('a known name comes as often as it is said', 'sorted(set(names) & set(seen))',
         'sorted(name for name in names if name in seen)'),
        ('known names in no order', 'sorted(set(names) & set(seen))',
         '[name for name in dict.fromkeys(names) if name in seen]'),
        ('nothing is said where none is known', ' or ["none"]', ''),
        ('closeness in the head', 'matrices(numbers)["token"]', 'matrices(numbers)["lm_head"]'),
        ('four letters have neighbours', 'reverse=True)[:3]', 'reverse=True)[:4]'),
        ('the commonest letters of the first name', 'key="".join(docs).count', 'key=docs[0].count'),
        ('the commonest letters of what it was trained on', 'key="".join(docs).count', 'key="".join(seen).count'),
        ('the farthest letters', 'math.dist(embedding[letter], embedding[other])',
         '-math.dist(embedding[letter], embedding[other])'),
        ('closeness by one number', 'math.dist(embedding[letter], embedding[other])',
         'abs(embedding[letter][0] - embedding[other][0])'),
        ('a letter is its own neighbour', '*closest[1:5])', '*closest[:4])'),
        ('the second neighbour first', '*closest[1:5])', '*closest[2:6])'),
        ('all names count as seen', 'if not args.fast:\n    show(trained, docs[:len(losses)])',
         'if not args.fast:\n    show(trained, docs)'),
    ]),
    ("printed_figures", [
        ('with --fast the untrained model speaks', 'if not args.fast:\n    show', 'if True:\n    show'),
        ('without a step nobody speaks', 'if not args.fast:\n    show', 'if losses:\n    show'),
    ]),

    # section 11: the explicit engine
    ("derivatives_of_the_encore", [
        ('sumprod where it is not built in adds', 'sum(map(operator.mul, a, b))', 'sum(map(operator.add, a, b))'),
        ('dots turned round', '[[sumprod(row, other) for other in b] for row in a]',
         '[[sumprod(row, other) for row in a] for other in b]'),
        ('columns from bottom to top', 'list(zip(*matrix))', 'list(zip(*matrix[::-1]))'),
        ('explicit relu lets numbers below 0 through', '[max(xi, 0.0) for xi in x]', '[xi for xi in x]'),
        ('explicit relu hides what is no number', '[max(xi, 0.0) for xi in x]', '[max(0.0, xi) for xi in x]'),
        ('explicit d relu at 0', 'dyi if yi > 0 else 0.0 for', 'dyi if yi >= 0 else 0.0 for'),
        ('explicit d relu lets no loss grow', 'dyi if yi > 0 else 0.0 for', 'dyi if yi > 0 and dyi > 0 else 0.0 for'),
        ('explicit rmsnorm: no constant', ' + 1e-5) ** -0.5\n    return [s *', ') ** -0.5\n    return [s *'),
        ('explicit rmsnorm: sum for mean', 's = (sumprod(x, x) / len(x) + 1e-5) ** -0.5\n    return',
         's = (sumprod(x, x) + 1e-5) ** -0.5\n    return'),
        ('rmsnorm_back: no constant', ' + 1e-5) ** -0.5\n    mean', ') ** -0.5\n    mean'),
        ('rmsnorm_back: sum for mean', 'mean = sumprod(dy, y) / len(x)', 'mean = sumprod(dy, y)'),
        ('rmsnorm_back: no mean', '[s * (dyj - yj * mean) for', '[s * dyj for'),
        ('rmsnorm_back: the sign of the mean', '[s * (dyj - yj * mean) for', '[s * (dyj + yj * mean) for'),
        ('explicit softmax: the least is subtracted', 'largest = max(x)', 'largest = min(x)'),
        ('explicit softmax: the first is thought the largest', 'largest = max(x)', 'largest = x[0]'),
        ('explicit softmax: the largest amount is subtracted', 'largest = max(x)', 'largest = max(map(abs, x))'),
        ('explicit softmax: something is left over', 'math.exp(xi - largest) for xi in x]\n    total = sum(exps)',
         'math.exp(xi - largest) for xi in x]\n    total = sum(exps) + 1'),
        ('softmax_back: the total of dy', 'mean = sumprod(dy, y)  ', 'mean = sum(dy)  '),
        ('softmax_back: the factor', '[yj * (dyj - mean) for', '[(dyj - mean) for'),
        ('heads take every other number', '[slice(start, start + head_width) for start in range(0, width, head_width)]',
         '[slice(start, None, heads) for start in range(heads)]'),
        ('heads are joined in the other order', 'itertools.chain(*rows)', 'itertools.chain(*rows[::-1])'),
        ('the future is heard when its scores are large', 'else -math.inf for', 'else -1000.0 for'),
        ('the future is heard', 'product / root if u <= t else -math.inf for', 'product / root for'),
        ('the token itself is not heard', 'if u <= t else', 'if u < (t or 1) else'),
        ('masked after softmax', 'weights.append(rowwise(softmax_forward, scores))',
         'weights.append([[w if e <= t else 0.0 for e, w in enumerate(softmax_forward([x / root for x in row]))] for t, row in enumerate(dots(qh, kh))])'),
        ('a masked token is heard a little', 'else -math.inf for', 'else -10.0 for'),
        ('explicit: keys are heard for values', 'dots(weights[-1], transpose(vh))', 'dots(weights[-1], transpose(kh))'),
        ('explicit: all heads have the weights of the first', 'return join(heard), weights',
         'return join(heard), weights[:1] * heads'),
        ('the weights of other heads are kept', 'return join(heard), weights', 'return join(heard), weights[::-1]'),
        ('d of the scores without softmax', 'dscores = rowwise(softmax_back, dweights, wh)', 'dscores = dweights'),
        ('d of the scores without the root', 'dproducts = [[each / root for', 'dproducts = [[each for'),
        ('dq and dk exchanged', 'return join(dq), join(dk), join(dv)', 'return join(dk), join(dq), join(dv)'),
        ('dv: not turned back', 'dv.append(transpose(dcolumns))', 'dv.append(dcolumns)'),
    ]),
    ("every_parameter_has_its_gradient", [
        ('explicit: queries by the matrix for keys', 'q = dots(n, w["query", layer])',
         'q = dots(n, w["key", layer])'),
        ('explicit: long names are cut too early', 'inputs, targets = tokens[:-1][:block], tokens[1:][:block]',
         'inputs, targets = tokens[:-1][:max(1, block - 1)], tokens[1:block] or tokens[1:2]'),
        ('explicit: a cut name is divided by its whole length', 'tokens[:-1][:block], tokens[1:][:block]', 'tokens[:-1][:block], tokens[1:]'),
        ('explicit: positions from the end', 'w["position"][t]) for t, token', 'w["position"][T - 1 - t]) for t, token'),
        ('explicit: positions are not embedded', '[add(w["token"][token], w["position"][t]) for t, token in enumerate(inputs)]',
         '[w["token"][token] for token in inputs]'),
        ('explicit: the first layer for all', 'v = dots(n, w["value", layer])', 'v = dots(n, w["value", 0])'),
        ('explicit: attention without its norm', '# forward\n        n = rowwise(rmsnorm_forward, x)',
         '# forward\n        n = x'),
        ('explicit: keys from x', 'k = dots(n, w["key", layer])', 'k = dots(x, w["key", layer])'),
        ('explicit: queries and keys exchanged', 'attention_forward(q, k, v)  ', 'attention_forward(k, q, v)  '),
        ('explicit: attention adds to the norm', 'x1 = rowwise(add, x, dots(heard', 'x1 = rowwise(add, n, dots(heard'),
        ('explicit: MLP without its norm', 'n1 = rowwise(rmsnorm_forward, x1)', 'n1 = x1'),
        ('explicit: n is kept for x', 'kept.append((x, n,', 'kept.append((n, n,'),
        ('explicit: x is kept for x1', 'heard, x1, n1, hidden))', 'heard, x, n1, hidden))'),
        ('explicit: the stream past attention', 'x = rowwise(add, x1, dots(hidden', 'x = rowwise(add, x, dots(hidden'),
        ('explicit: a norm before the logits', 'cross_entropy(dots(x, w["lm_head"]), targets)',
         'cross_entropy(dots(rowwise(rmsnorm_forward, x), w["lm_head"]), targets)'),
        ('explicit: the loss is a sum', 'for row, target in zip(probs, targets)) / len(targets)',
         'for row, target in zip(probs, targets))'),
        ('explicit: the loss is divided by all tokens', 'for row, target in zip(probs, targets)) / len(targets)',
         'for row, target in zip(probs, targets)) / (len(targets) + 1)'),
        ('explicit: the slope of the sum', 'row[target] -= 1.0', 'row[target] -= len(targets)'),
        ('explicit: the slope of the sum at the target', '[[each / len(targets) for each in row] for row in probs]',
         '[[each if each < 0 else each / len(targets) for each in row] for row in probs]'),
        ('explicit: the slope with the other sign', '[[each / len(targets) for each in row] for row in probs]',
         '[[-each / len(targets) for each in row] for row in probs]'),
        ('explicit: dw of the head from the embedding', 'dots_back(dlogits, x, w["lm_head"])',
         'dots_back(dlogits, normed, w["lm_head"])'),
        ('explicit: dx of the head by the embedding', 'dots_back(dlogits, x, w["lm_head"])',
         'dots_back(dlogits, x, w["token"])'),
        ('explicit: back by the first matrices', 'dots_back(dx, hidden, w["down", layer])',
         'dots_back(dx, hidden, w["down", 0])'),
        ('explicit: back through the last layer only', 'hidden = kept[layer]', 'hidden = kept[-1]'),
        ("explicit: dw of up from attention's norm", 'dots_back(dmatches, n1, w["up"', 'dots_back(dmatches, n, w["up"'),
        ('explicit: the stream past the MLP on the way back', 'dx1 = rowwise(add, dx, rowwise(rmsnorm_back, dn1, x1, n1))',
         'dx1 = rowwise(rmsnorm_back, dn1, x1, n1)'),
        ('explicit: the wrong norm on the way back', 'rowwise(rmsnorm_back, dn1, x1, n1)',
         'rowwise(rmsnorm_back, dn1, x, n1)'),
        ('explicit: no norm on the way back', 'rowwise(rmsnorm_back, dn1, x1, n1)', 'dn1'),
        ('explicit: dw of the output from the norm', 'dots_back(dx1, heard, w["output"', 'dots_back(dx1, n, w["output"'),
        ('explicit: dq and dk exchanged', 'dq, dk, dv = attention_back(', 'dk, dq, dv = attention_back('),
        ('explicit: dw of the values from x', 'dots_back(dv, n, w["value"', 'dots_back(dv, x, w["value"'),
        ('explicit: dn of the values by the matrix for keys', 'dots_back(dv, n, w["value"',
         'dots_back(dv, n, w["key"'),
        ('explicit: dw of the queries from x', 'dots_back(dq, n, w["query"', 'dots_back(dq, x, w["query"'),
        ('explicit: dn of the values forgotten', 'rowwise(add, dn_q, rowwise(add, dn_k, dn_v))',
         'rowwise(add, dn_q, dn_k)'),
        ('explicit: dn of the queries forgotten', 'rowwise(add, dn_q, rowwise(add, dn_k, dn_v))',
         'rowwise(add, dn_k, dn_v)'),
        ('explicit: the stream past attention on the way back', 'dx = rowwise(add, dx1, rowwise(rmsnorm_back, dn, x, n))',
         'dx = rowwise(rmsnorm_back, dn, x, n)'),
        ('explicit: past the MLP on the way back', 'dx = rowwise(add, dx1, rowwise(rmsnorm_back, dn, x, n))',
         'dx = rowwise(add, dx, rowwise(rmsnorm_back, dn, x, n))'),
        ("explicit: attention's norm on the way back", 'rowwise(rmsnorm_back, dn, x, n)',
         'rowwise(rmsnorm_back, dn, x1, n)'),
        ('explicit: the first norm on the way back', 'rowwise(rmsnorm_back, dx, sums, x0)', 'dx'),
        ('explicit: the first norm of its own result', 'rowwise(rmsnorm_back, dx, sums, x0)',
         'rowwise(rmsnorm_back, dx, x0, x0)'),
        ('explicit: a letter that comes twice counts once', 'add(dw["token"][inputs[t]], row)', 'row'),
        ('explicit: gradients in the order in which they were found', 'for matrix in dw.values() for row',
         'for matrix in list(dw.values())[::-1] for row'),
    ]),
    ("printed_figures", [
        ('explicit takes the numbers in memory', 'rest = iter(numbers)', 'rest = iter(untrained)'),
    ]),

    # section 12: the check, the second training, and the figures at the end
    ("disagreement_is_loud", [
        ('the check: only the first name', 'for name in docs[0], max(docs, key=len):', 'for name in docs[0], docs[0]:'),
        ('the check: the first engine gets the trained numbers', 'autograd(untrained, encode(name))',
         'autograd(trained, encode(name))'),
        ('the check: the second engine gets the trained numbers', 'explicit(untrained, encode(name))',
         'explicit(trained, encode(name))'),
        ('the check: one engine against itself', 'explicit(untrained, encode(name))',
         'autograd(untrained, encode(name))'),
        ('the check: the largest, signs and all', 'max(map(abs, gradients)) or 1.0', 'abs(max(gradients)) or 1.0'),
        ('the check: relative to 1', 'max(map(abs, gradients)) or 1.0', '1.0'),
        ('the check: differences without abs', 'abs(a - b) / largest for', '(a - b) / largest for'),
        ('the check: only the last name counts', 'gaps += [', 'gaps = ['),
        ('the check: gradients against themselves', 'zip(gradients, explicit_gradients)', 'zip(gradients, gradients)'),
        ('the check: too much is let pass', 'all(gap < 1e-9', 'all(gap < 2e-9'),
        ('the check: too little is let pass', 'all(gap < 1e-9', 'all(gap < 5e-10'),
        ('the check: what is no number passes',
         'not (math.isclose(loss, explicit_loss) and all(gap < 1e-9 for gap in gaps))',
         '(not math.isclose(loss, explicit_loss) or any(gap > 1e-9 for gap in gaps))'),
        ('the check: losses are not compared', 'math.isclose(loss, explicit_loss) and', 'True and'),
        ('the check: losses to six digits', 'math.isclose(loss, explicit_loss)',
         'math.isclose(loss, explicit_loss, rel_tol=1e-6)'),
        ('the check: losses to the last digit', 'math.isclose(loss, explicit_loss)', 'loss == explicit_loss'),
        ('the check: it goes on', 'sys.exit("the two', 'print("the two'),
        ('the check: it ends without a word', 'sys.exit("the two engines disagree")', 'sys.exit()'),
        ('the check: it is not made with --fast', 'if not (math.isclose(', 'if not args.fast and not (math.isclose('),
        ('the check: the smallest difference is told', 'by at most {max(gaps):.0e} of', 'by at most {min(gaps):.0e} of'),
        ('the check: the difference of the last name is told', 'by at most {max(gaps):.0e} of',
         'by at most {max(gaps[-len(gradients):]):.0e} of'),
    ]),
    ("ctrl_c_and_state", [
        ('the encore makes the steps that were planned', 'train(explicit, len(losses))', 'train(explicit, args.steps)'),
        ("the encore's numbers replace the trained ones", '_, explicit_losses, explicit_seconds = train',
         'trained, explicit_losses, explicit_seconds = train'),
        ('figures of no second training', 'if explicit_losses:', 'if losses:'),
        ('all losses are said to agree', '{len(explicit_losses)} losses differ', '{len(losses)} losses differ'),
        ('with --fast nothing is remembered', 'trained, losses, seconds = train(explicit, args.steps)\n',
         '_, losses, seconds = train(explicit, args.steps)\n'),
    ]),
    ("printed_figures", [
        ('--fast turned round', 'if args.fast:\n    trained', 'if not args.fast:\n    trained'),
        ('with --fast all names count as seen', 'show(trained, docs[:len(losses)])\nelse', 'show(trained, docs)\nelse'),
        ('the first engine trains twice', 'train(explicit, len(losses))', 'train(autograd, len(losses))'),
        ('losses are compared with themselves', 'zip(losses, explicit_losses))', 'zip(losses, losses))'),
        ('the smallest difference of losses', 'gap = max(abs(a - b)', 'gap = min(abs(a - b)'),
        ('the difference of the last loss', 'gap = max(abs(a - b) for a, b in zip(losses, explicit_losses))',
         'gap = abs(losses[-1] - explicit_losses[-1])'),
        ('the difference of all losses', 'gap = max(abs(a - b) for a, b in zip(losses, explicit_losses))',
         'gap = sum(abs(a - b) for a, b in zip(losses, explicit_losses))'),
        ('seconds are called milliseconds', '{seconds * 1e3:.2f}, explicit', '{seconds:.2f}, explicit'),
        ('microseconds are called milliseconds', '{explicit_seconds * 1e3:.2f}', '{explicit_seconds * 1e6:.2f}'),
        ("the second engine shows the other's time", 'f"{explicit_seconds * 1e3:.2f}', 'f"{seconds * 1e3:.2f}'),
        ('as many times as slow', '{seconds / explicit_seconds:.1f} times', '{explicit_seconds / seconds:.1f} times'),
    ]),
]


# The lecture compares its two engines itself and stops if they differ. That would kill most mutants before any test has
# looked at them, so it is switched off, except in the mutants of the check itself, which its own tests must kill.
CHECK = "if not (math.isclose(loss, explicit_loss) and all(gap < 1e-9 for gap in gaps)):"


def suite_fails(label, source, first):
    """Run the fast tests against this source in a folder of its own. Returns the first failing test, '' if all pass."""
    parts = sorted(PARTS, key=lambda part: part != first)
    if label.startswith("the check"):
        parts = [CHECK_PART]
    else:
        source = source.replace(CHECK, "if False:")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "microgpt.py").write_text(source, encoding="utf-8")
        for name in ("names.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, folder / name)
        shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        for part in parts:
            command = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not slow and not long", "-p", "no:cacheprovider",
                       "--tb=no", "--assert=plain", f"tests/test_{part}.py"]
            try:
                run = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", errors="replace",
                                     stdin=subprocess.DEVNULL, timeout=LIMIT, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
            except subprocess.TimeoutExpired:
                return f"test_{part}.py::(time limit)"
            if run.returncode == 1:
                failed = [line.split(" ")[1] for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
                return failed[0].split("/")[-1] if failed else f"test_{part}.py"
            if run.returncode:  # pytest could not run the tests at all: that is no verdict on the mutant
                raise RuntimeError(label + "\n" + run.stdout + run.stderr)
    return ""


def main():
    began = time.monotonic()
    source = (ROOT / "microgpt.py").read_text(encoding="utf-8")
    mutants = [(*mutant, first) for first, group in MUTANTS for mutant in group]
    for label, old, new, first in mutants:
        if source.count(old) != 1 or old == new:
            sys.exit(f"mutant '{label}': its text occurs {source.count(old)} times in microgpt.py, not once")
        if first not in [CHECK_PART, *PARTS]:
            sys.exit(f"mutant '{label}': there is no part '{first}'")
    if len({source.replace(old, new) for _, old, new, _ in mutants}) != len(mutants):
        sys.exit("two mutants are the same")
    if source.count(CHECK) != 1:
        sys.exit(f"the lecture's own check is not in microgpt.py as '{CHECK}'")
    chosen = [mutant for mutant in mutants if " ".join(sys.argv[1:]) in mutant[0]]

    def verdict(mutant):
        label, old, new, first = mutant
        return suite_fails(label, source.replace(old, new), first)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        unbroken = [pool.submit(suite_fails, label, source, part) for label, part in
                    [("the check", CHECK_PART), ("the lecture", PARTS[-1])]]
        for failure in unbroken:
            if failure.result():
                sys.exit(f"the unbroken lecture fails {failure.result()}: no mutant can be judged")
        survivors, killers = [], collections.Counter()
        for i, ((label, *_), failure) in enumerate(zip(chosen, pool.map(verdict, chosen)), start=1):
            print(f"{i:3d} / {len(chosen)}  {'killed  ' if failure else 'SURVIVED'}  {label}" + (f"  by {failure}" if failure else ""),
                  flush=True)
            killers[failure.split("::")[0]] += 1
            if not failure:
                survivors.append(label)
    del killers[""]
    for part, count in killers.most_common():
        print(f"{count:3d} by {part}")
    print(f"mutants: {len(chosen) - len(survivors)} killed, {len(survivors)} survived, {time.monotonic() - began:.0f} s")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
