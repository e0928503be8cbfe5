"""microgpt: how a GPT is trained and how it speaks, from the first line to the last, with nothing hidden.

Read it from top to bottom: it runs in the order in which one would tell it. Python 3.10 or later is all it needs.
Shapes stand in brackets: [width] is a list of that many numbers, [vocab][width] a list of vocab such rows.
"""
import argparse, gc, math, os, random, sys, time

# %% 1. Setup ----------------------------------------------------------------------------------------------------------
# Every experiment begins with its choices. Each knob below has a name, a default, the least value allowed, and what it
# means. The table is also the command line: `python microgpt.py --steps 200` turns one knob, `--help` shows them all.
# Whatever goes wrong in the choices is answered in one sentence. Ctrl-C ends the program without fuss.
knobs = [
    ("steps", 1000, 0, "training steps; each step learns from one name"),
    ("layers", 1, 1, "layers of attention and MLP, stacked on the residual stream"),
    ("width", 16, 1, "numbers in the vector that stands for one token"),
    ("heads", 4, 1, "attention heads in a layer; they share the width equally"),
    ("block", 16, 1, "context: the most tokens the model can look back on"),
    ("seed", 42, None, "start of the random numbers; the same seed gives the same run"),
    ("temperature", 0.5, None, "daring when it speaks: near 0 the safest letter, above 1 wild ones"),
    ("samples", 20, 0, "names to speak after training"),
    ("data", "names.txt", None, "text file to learn from, one name a line"),
]
here = globals().get("__file__", "microgpt.py")                             # a notebook has no __file__
parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.error = lambda reason: parser.exit(2, f"microgpt: {reason}\n")
for knob, default, least, meaning in knobs:
    parser.add_argument("--" + knob, type=type(default), default=default, help=f"{meaning} (default: {default})")
parser.add_argument("--fast", action="store_true", help="train with the explicit engine of section 11 alone")
parser.set_defaults(data=os.path.join(os.path.dirname(os.path.realpath(here)), "names.txt"))
ours = os.path.basename(sys.argv[0]) == os.path.basename(here)              # else the words are a notebook's
chosen = parser.parse_args(sys.argv[1:] if ours else [])
steps, layers, width, heads, block, seed, temperature, samples, data, fast = vars(chosen).values()
for knob, default, least, meaning in knobs:
    if least is not None and getattr(chosen, knob) < least:
        parser.error(f"--{knob} must be at least {least}, not {getattr(chosen, knob)}")
if width % heads:
    parser.error(f"--heads must divide --width, and {heads} does not divide {width}")
if not 0 < temperature < math.inf:
    parser.error(f"--temperature must be a positive, finite number, not {temperature}")

def farewell(kind, error, trace):
    """What Python does with an exception that nobody caught, except that Ctrl-C and `| head` end in silence."""
    if issubclass(kind, BrokenPipeError):
        sys.stdout = None
    elif not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)

sys.excepthook = farewell
terminal = hasattr(sys.stdout, "isatty") and sys.stdout.isatty()
if hasattr(sys.stdout, "reconfigure"):
    sys.stdout.reconfigure(errors="replace", line_buffering=True)           # ? for a letter it cannot show

# %% 2. Data and tokens ------------------------------------------------------------------------------------------------
# A model knows only numbers. Every letter that occurs gets one, its token; one more token, BOS, marks where a name
# begins and ends. So a name becomes a list of integers, and the model's task is always: which token comes next?
try:
    with open(data, encoding="utf-8-sig") as file:
        docs = [line.strip() for line in file if line.strip()]
except (OSError, UnicodeDecodeError) as problem:
    parser.error(f"cannot read {data} as text: {problem}")
if not docs:
    parser.error(f"there are no names in {data}")
random.seed(seed)
random.shuffle(docs)
letters = sorted(set("".join(docs)))
token_of = {letter: token for token, letter in enumerate(letters)}
BOS = len(letters)
vocab = len(letters) + 1

def encode(name):
    """"ada" -> [BOS, 0, 3, 0, BOS], in the default data. Refuses (KeyError) a letter that the data does not have."""
    return [BOS] + [token_of[letter] for letter in name] + [BOS]

def decode(tokens):
    """[BOS, 0, 3, 0, BOS] -> "ada": the way back."""
    return "".join(letters[token] for token in tokens if token != BOS)

print(f"num docs: {len(docs)}\nvocab size: {vocab}")

# %% 3. Autograd -------------------------------------------------------------------------------------------------------
# To learn, the model must know for each of its numbers: if it were a little larger, how much would the loss grow? That
# is its gradient. Every result here remembers the numbers it was made from and how strongly each of them moved it: the
# edges (child, local_grad). The chain rule then walks the edges backward and shares out the blame.
class Value:
    """A number with a memory. data: the number. grad: d(loss)/d(data). edges: ((child, local_grad), ...)."""
    __slots__ = ("data", "grad", "edges")

    def __init__(self, data, edges=()):
        self.data, self.grad, self.edges = data, 0.0, edges

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def dot(a, b):                                                          # sum of a[i] * b[i], as one result
        a_data, b_data = [x.data for x in a], [y.data for y in b]
        edges = [*zip(a, b_data), *zip(b, a_data)]                          # as in a product, per pair
        return Value(sum([x * y for x, y in zip(a_data, b_data)]), edges)

    def __pow__(self, k): return Value(self.data**k, ((self, k * self.data ** (k - 1)),))
    def exp(self): return Value(math.exp(self.data), ((self, math.exp(self.data)),))
    def log(self): return Value(math.log(self.data), ((self, 1 / self.data),))
    def relu(self): return Value(max(self.data, 0.0), ((self, 1.0 if self.data > 0 else 0.0),))
    def __neg__(self): return self * -1
    def __sub__(self, other): return self + -other
    def __rsub__(self, other): return -self + other
    def __truediv__(self, other): return self * other**-1
    def __rtruediv__(self, other): return self**-1 * other
    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, children_done = stack.pop()
            if children_done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                node.grad = 0.0
                stack.append((node, True))
                stack.extend((child, False) for child, _ in node.edges if child.edges)
        self.grad = 1.0
        for node in reversed(order):
            for child, local_grad in node.edges:
                child.grad += local_grad * node.grad

gc.disable()

# %% 4. Parameters -----------------------------------------------------------------------------------------------------
def matrix(rows, columns):
    return [[Value(random.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]

model = {"token": matrix(vocab, width), "position": matrix(block, width), "head": matrix(vocab, width)}
for layer in range(layers):
    for name in ("query", "key", "value", "output"):
        model[name, layer] = matrix(width, width)
    model["up", layer] = matrix(4 * width, width)
    model["down", layer] = matrix(width, 4 * width)
params = [p for rows in model.values() for row in rows for p in row]
start = [p.data for p in params]
print(f"num params: {len(params)}")

# %% 5. Forward pass ---------------------------------------------------------------------------------------------------
def linear(x, w):
    return [Value.dot(row, x) for row in w]

def softmax(scores):
    peak = max(score.data for score in scores)
    exps = [(score - peak).exp() for score in scores]
    total = sum(exps)
    return [e / total for e in exps]

def rmsnorm(x):
    scale = (Value.dot(x, x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]

head_width = width // heads

def gpt(token, position, keys, values):
    x = rmsnorm([t + p for t, p in zip(model["token"][token], model["position"][position])])
    for layer in range(layers):
        n = rmsnorm(x)
        q = linear(n, model["query", layer])
        keys[layer].append(linear(n, model["key", layer]))
        values[layer].append(linear(n, model["value", layer]))
        heard = []
        for h in range(0, width, head_width):
            part = slice(h, h + head_width)
            scores = [Value.dot(q[part], k[part]) / head_width**0.5 for k in keys[layer]]
            attention = softmax(scores)
            heard += [Value.dot(attention, column) for column in zip(*[v[part] for v in values[layer]])]
        x = [a + b for a, b in zip(x, linear(heard, model["output", layer]))]
        hidden = [u.relu() for u in linear(rmsnorm(x), model["up", layer])]
        x = [a + b for a, b in zip(x, linear(hidden, model["down", layer]))]
    return linear(x, model["head"])

# %% 6. Loss -----------------------------------------------------------------------------------------------------------
def cross_entropy(logits, target):
    peak = max(logit.data for logit in logits)
    return sum((logit - peak).exp() for logit in logits).log() + peak - logits[target]

def surprise(tokens):
    keys, values = [[] for _ in range(layers)], [[] for _ in range(layers)]
    T = min(block, len(tokens) - 1)
    return sum(cross_entropy(gpt(tokens[t], t, keys, values), tokens[t + 1]) for t in range(T)) / T

# %% 7. Backward pass --------------------------------------------------------------------------------------------------
loss = surprise(encode(docs[0]))
loss.backward()
first_gradient = [p.grad for p in params]
for p in params:
    p.grad = 0.0

# %% 8. Adam -----------------------------------------------------------------------------------------------------------
beta1, beta2, epsilon = 0.85, 0.99, 1e-8
first, second = [0.0] * len(params), [0.0] * len(params)

def adam(step):
    rate = 0.01 * (1 - step / steps)
    unbias1, unbias2 = 1 - beta1 ** (step + 1), 1 - beta2 ** (step + 1)
    for i, p in enumerate(params):
        first[i] = beta1 * first[i] + (1 - beta1) * p.grad
        second[i] = beta2 * second[i] + (1 - beta2) * p.grad**2
        p.data -= rate * (first[i] / unbias1) / ((second[i] / unbias2) ** 0.5 + epsilon)
        p.grad = 0.0

# %% 9. Training loop --------------------------------------------------------------------------------------------------
def show(losses, seconds):
    step, recent = len(losses), losses[-100:]
    line = f"step {step:4d} / {steps:4d} | loss {losses[-1]:.4f}"
    if terminal:
        each = seconds / step
        print(f"\r{line} | mean {sum(recent) / len(recent):.4f} | {each * 1e3:6.1f} ms/name | {each * (steps - step):5.0f} s left ", end="\n" if step == steps else "", flush=True)
    else:
        print(line)

losses, seconds = [], 0.0
try:
    for step in range(0 if fast else steps):
        began = time.perf_counter()
        loss = surprise(encode(docs[step % len(docs)]))
        loss.backward()
        adam(step)
        seconds += time.perf_counter() - began
        losses.append(loss.data)
        show(losses, seconds)
except KeyboardInterrupt:
    print("stopped")

# %% 10. Inference -----------------------------------------------------------------------------------------------------
def pick(logits):
    peak = max(logit.data for logit in logits)
    chances = [math.exp((logit.data - peak) / temperature) for logit in logits]
    return random.choices(range(vocab), weights=chances)[0]

def speak():
    for i in range(samples):
        keys, values = [[] for _ in range(layers)], [[] for _ in range(layers)]
        tokens = [BOS]
        while len(tokens) <= block:
            token = pick(gpt(tokens[-1], len(tokens) - 1, keys, values))
            if token == BOS: break
            tokens.append(token)
        print(f"sample {i + 1:2d}: {decode(tokens)}")

if not fast:
    speak()
