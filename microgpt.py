"""microgpt: how a GPT is trained and how it speaks, from the first line to the last, with nothing hidden.
Shapes stand in brackets: [width] is a list of width numbers, [vocab][width] a list of vocab rows of that kind."""
import argparse, gc, itertools, math, operator, pathlib, random, statistics, sys, time

# %% 1. Setup ----------------------------------------------------------------------------------------------------------
# Every experiment begins with its choices. Each row is one knob: its name, its value, the least it may be, and what it
# means. The table is the command line too: `python microgpt.py --steps 200` turns a knob, `--help` shows them all.
knobs = [
    ("steps", 1000, 0, "training steps; each one learns from one name"),
    ("layers", 1, 1, "layers, each one attention and one MLP, stacked on the residual stream"),
    ("width", 16, 1, "numbers in the vector that stands for a token"),
    ("heads", 4, 1, "attention heads of a layer; they divide the width among them"),
    ("block", 16, 1, "context: the most tokens that the model can look at"),
    ("seed", 42, None, "where the random numbers start; the same seed repeats the same run"),
    ("temperature", 0.5, None, "daring in speech: near 0 only the likeliest letter, above 1 wild ones"),
    ("samples", 20, 0, "names to speak after training"),
    ("data", "names.txt", None, "text file to learn from, one name a line"),
]
here = pathlib.Path(globals().get("__file__", "microgpt.py"))                   # in a notebook there is no __file__
parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.error = lambda reason: parser.exit(2, f"microgpt: {reason}\n")           # a bad choice gets one sentence
for knob, value, least, meaning in knobs:
    parser.add_argument("--" + knob, type=type(value), default=value, help=f"{meaning} (default: {value})")
parser.add_argument("--fast", action="store_true", help="train with the explicit engine of section 11 alone")
parser.set_defaults(data=here.resolve().with_name("names.txt"))                 # names.txt lies beside this file
chosen = parser.parse_args(sys.argv[1:] if pathlib.Path(sys.argv[0]).name == here.name else [])
steps, layers, width, heads, block, seed, temperature, samples, data, fast = vars(chosen).values()
for knob, value, least, meaning in knobs:
    if least is not None and getattr(chosen, knob) < least: parser.error(f"--{knob} must be at least {least}")
if width % heads: parser.error(f"--heads must divide --width, but {heads} does not divide {width}")
if not 0 < temperature < math.inf: parser.error("--temperature must be a positive, finite number")
def farewell(kind, error, trace):                                               # Ctrl-C, or `| head` closing: no fuss
    if kind is BrokenPipeError: sys.stdout = None
    elif kind is not KeyboardInterrupt: sys.__excepthook__(kind, error, trace)
sys.excepthook = farewell
terminal = bool(sys.stdout) and sys.stdout.isatty()
if hasattr(sys.stdout, "reconfigure"): sys.stdout.reconfigure(errors="replace", line_buffering=True)

# %% 2. Data and tokens ------------------------------------------------------------------------------------------------
# A model knows only numbers. Every letter that occurs gets one, its token; one more token, BOS, stands where a name
# begins and where it ends. So a name becomes a list of integers, and the task is always: which token comes next?
try: docs = [line.strip() for line in pathlib.Path(data).read_text("utf-8-sig").split("\n") if line.strip()]
except (OSError, UnicodeDecodeError) as problem: parser.error(f"cannot read {data} as text: {problem}")
if not docs: parser.error(f"there is no name in {data}")
random.seed(seed)                                                               # from here on, chance is repeatable
random.shuffle(docs)
letters = sorted(set("".join(docs)))                                            # a letter's token: its place in here
BOS, vocab = len(letters), len(letters) + 1
def encode(name): return [BOS] + [letters.index(letter) for letter in name] + [BOS]
def decode(tokens): return "".join(letters[token] for token in tokens if token != BOS)

# %% 3. Autograd -------------------------------------------------------------------------------------------------------
# To learn, the model must know of each of its numbers: if it grew a little, how much would the loss grow? That slope is
# its gradient. So every result remembers its edges: the numbers it was made from, and how strongly each of them moves
# it, (child, local_grad). The chain rule follows the edges from the loss back to the first numbers, and multiplies.
class Value:
    """A number, data; the slope of the loss in it, grad; what it was made from, edges: ((child, local_grad), ...)."""
    __slots__ = ("data", "grad", "edges")
    def __init__(self, data, edges=()): self.data, self.grad, self.edges = data, 0.0, edges
    def __repr__(self): return f"Value(data={self.data}, grad={self.grad})"
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))       # d(a + b) = da + db
    def __mul__(self, other):                                                   # d(a * b) = b da + a db
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))
    @staticmethod
    def dot(a, b):                                                              # [n], [n] -> a0 * b0 + a1 * b1 + ...
        a_data, b_data = [x.data for x in a], [y.data for y in b]               # one result, 2n edges, by d(a * b)
        return Value(sum([x * y for x, y in zip(a_data, b_data)]), [*zip(a, b_data), *zip(b, a_data)])
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
    def backward(self):                                                         # blame, from the loss to the parameters
        order, seen, stack = [], set(), [(self, False)]
        while stack:                                                            # put every child before its parents
            node, children_done = stack.pop()
            if children_done: order.append(node)
            elif node not in seen:
                seen.add(node)
                node.grad = 0.0
                stack.append((node, True))                                      # it comes back after its children
                stack += [(child, False) for child, _ in node.edges if child.edges]
        self.grad = 1.0                                                         # the loss moves itself one to one
        for node in reversed(order):
            for child, local_grad in node.edges:
                child.grad += local_grad * node.grad                            # the chain rule, and all of learning

# %% 4. Parameters -----------------------------------------------------------------------------------------------------
# All that the model will ever know sits in a few matrices of numbers, random at first. A matrix [out][in] turns a
# vector [in] into a vector [out]. A layer has four for its attention and two for its MLP, four times as wide inside.
def matrix(rows, columns): return [[Value(random.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]
model = {"token": matrix(vocab, width), "position": matrix(block, width), "head": matrix(vocab, width)}
for layer in range(layers):
    model |= {(name, layer): matrix(width, width) for name in ("query", "key", "value", "output")}
    model |= {("up", layer): matrix(4 * width, width), ("down", layer): matrix(width, 4 * width)}
params = [p for rows in model.values() for row in rows for p in row]
start = [p.data for p in params]                                                # the encore will start here again
head_width = width // heads
parts = [slice(first, first + head_width) for first in range(0, width, head_width)]
print(f"num docs: {len(docs)}\nvocab size: {vocab}\nnum params: {len(params)}")

# %% 5. Forward pass ---------------------------------------------------------------------------------------------------
# A token goes in; a score for every possible next token comes out, the logits. On the way it is x, the residual stream:
# attention adds to it what the past has to say, the MLP what follows from that. The past is kept, as the KV cache.
def linear(x, w): return [Value.dot(row, x) for row in w]                       # [in], [out][in] -> [out]

def softmax(scores):                                                            # [n] -> [n]: all positive, sum 1
    peak = max(score.data for score in scores)                                  # exp of a large score would overflow
    exps = [(score - peak).exp() for score in scores]                           # less the peak: the same result
    total = sum(exps)
    return [e / total for e in exps]
def rmsnorm(x):                                                                 # [n] -> [n]: mean square 1
    scale = (Value.dot(x, x) / len(x) + 1e-5) ** -0.5                           # Zhang and Sennrich, 2019
    return [xi * scale for xi in x]

def gpt(token, position, keys, values):
    """The logits [vocab] of the next token. keys and values [layers][past][width] grow by one row in each layer."""
    x = rmsnorm([t + p for t, p in zip(model["token"][token], model["position"][position])])
    for layer in range(layers):
        n = rmsnorm(x)
        q = linear(n, model["query", layer])                                    # what am I looking for?
        keys[layer].append(linear(n, model["key", layer]))                      # what can I be found by?
        values[layer].append(linear(n, model["value", layer]))                  # what do I tell those who find me?
        heard = []
        for part in parts:                                                      # each head asks the past a question
            attention = softmax([Value.dot(q[part], k[part]) / head_width**0.5 for k in keys[layer]])
            heard += [Value.dot(attention, told) for told in zip(*[v[part] for v in values[layer]])]
        x = [a + b for a, b in zip(x, linear(heard, model["output", layer]))]
        hidden = [u.relu() for u in linear(rmsnorm(x), model["up", layer])]
        x = [a + b for a, b in zip(x, linear(hidden, model["down", layer]))]
    return linear(x, model["head"])                                             # how well does each token fit next?

# %% 6. Loss -----------------------------------------------------------------------------------------------------------
# How surprised is the model by the token that really comes next? By -log of the probability it gave that token, the
# cross-entropy, in nats. To know nothing is to give each of 27 tokens 1/27: the loss is then ln 27 = 3.30.
def cross_entropy(logits, target):                                              # -log(softmax(logits)[target])
    peak = max(logit.data for logit in logits)                                  # never the log of 0, however sure
    return sum((logit - peak).exp() for logit in logits).log() + peak - logits[target]
def surprise(tokens):                                                           # [BOS ... BOS] -> mean cross-entropy
    keys, values = [[] for _ in range(layers)], [[] for _ in range(layers)]
    ahead = enumerate(zip(tokens[:block], tokens[1:]))                          # position, a token, the next one
    losses = [cross_entropy(gpt(token, t, keys, values), target) for t, (token, target) in ahead]
    return sum(losses) / len(losses)

# %% 7. Backward pass --------------------------------------------------------------------------------------------------
# One name, one loss, and the act that all of this was for: backward() tells each parameter its share of the blame.
# Section 12 holds these first gradients against those worked out by hand. Then the slate is wiped clean.
gc.disable()                                                                    # a graph without cycles needs no search
loss = surprise(encode(docs[0]))
loss.backward()
first_gradient = [p.grad for p in params]
for p in params: p.grad = 0.0

# %% 8. Adam -----------------------------------------------------------------------------------------------------------
# A small step against the gradient lowers the loss. Adam (Kingma and Ba, 2015) keeps two running means, the moment
# estimates: of the gradient, for the direction, and of its square, whose root, the usual size, divides the step.
beta1, beta2, epsilon = 0.85, 0.99, 1e-8
moment1, moment2 = [0.0] * len(params), [0.0] * len(params)
def adam(step):
    rate = 0.01 * (1 - step / steps)                                            # bold at first, careful at the end
    for i, p in enumerate(params):
        moment1[i] = beta1 * moment1[i] + (1 - beta1) * p.grad
        moment2[i] = beta2 * moment2[i] + (1 - beta2) * p.grad**2
        direction = moment1[i] / (1 - beta1 ** (step + 1))                      # bias correction: both means began
        size = (moment2[i] / (1 - beta2 ** (step + 1))) ** 0.5                  # at 0, and this makes up for it
        p.data -= rate * direction / (size + epsilon)
        p.grad = 0.0

# %% 9. Training loop --------------------------------------------------------------------------------------------------
# Three acts for every name: form the loss, ask for gradients, let Adam correct. That is all of training.
# Ctrl-C ends it early, and the model speaks with what it has learned by then.
def show(losses, seconds):                                                      # one line for the step just done
    done, pace = len(losses), seconds / len(losses)
    print(f"step {done:4d} / {steps:4d} | loss {losses[-1]:.4f}", end="" if terminal else "\n")
    if terminal: print(f" | mean {statistics.fmean(losses[-100:]):.4f} | {pace * 1e3:.1f} ms/name"
                       f" | {pace * (steps - done):.0f} s left ", end="\r", flush=True)
def draw(losses):                                                               # how the loss fell, tenth by tenth
    tenth = max(1, len(losses) // 10)
    for at in range(0, len(losses), tenth):
        mean = statistics.fmean(losses[at:at + tenth])
        print(f"from step {at + 1:4d} | mean loss {mean:.4f} {'#' * round(12 * mean)}")
losses, seconds = [], 0.0
try:
    for step in range(0 if fast else steps):
        tokens, began = encode(docs[step % len(docs)]), time.perf_counter()
        loss = surprise(tokens)                                                 # form the loss,
        loss.backward()                                                         # ask for gradients,
        adam(step)                                                              # let Adam correct
        seconds += time.perf_counter() - began
        losses.append(loss.data)
        show(losses, seconds)
except KeyboardInterrupt: print("\nstopped early", end="")
draw(losses)

# %% 10. Inference -----------------------------------------------------------------------------------------------------
# To speak: begin with BOS, draw the next token at random by its probability, feed it back in, until BOS comes up again.
# A temperature below 1, which divides the logits, makes likely tokens likelier; above 1 it evens them out.
def probabilities(scores, temperature=1.0):                                     # softmax(scores / temperature)
    peak = max(scores)
    exps = [math.exp((score - peak) / temperature) for score in scores]
    total = sum(exps)
    return [e / total for e in exps]
def pick(logits): return random.choices(range(vocab), probabilities([l.data for l in logits], temperature))[0]
def speak():
    names = []
    for i in range(samples):
        keys, values = [[] for _ in range(layers)], [[] for _ in range(layers)]
        tokens = [BOS]
        for position in range(block):
            tokens.append(pick(gpt(tokens[-1], position, keys, values)))
            if tokens[-1] == BOS: break
        names.append(decode(tokens))
        print(f"sample {i + 1:2d}: {names[-1]}")
    print("in the training data:", ", ".join(name for name in names if name in docs) or "none", "(the rest is new)")
if not fast: speak()

# %% 11. Encore: explicit backprop -------------------------------------------------------------------------------------
# The same GPT on plain numbers, a whole name at once: x is [T][width], a row for each position. No graph remembers how
# numbers were made, so every derivative is written out. Backward is forward read from the bottom; dx is d(loss)/dx.
dot = getattr(math, "sumprod", lambda a, b: sum(map(operator.mul, a, b)))
def transpose(a): return list(zip(*a))                                          # [m][n] -> [n][m], aᵀ
def matmul(a, b): return [[dot(r, s) for s in b] for r in a]                    # [m][n], [k][n] -> [m][k], a bᵀ
def add(a, b): return [[x + y for x, y in zip(*rows)] for rows in zip(a, b)]
def normalize(x):                                                               # RMSNorm of each row: n = scale * x
    scales = [(dot(row, row) / width + 1e-5) ** -0.5 for row in x]
    return [[xi * scale for xi in row] for row, scale in zip(x, scales)], scales
def normalize_back(dn, n, scales):                                              # dx = scale * (dn - n * mean(n * dn))
    common = [dot(*rows) / width for rows in zip(n, dn)]
    return [[s * (d - ni * c) for d, ni in zip(*r)] for *r, s, c in zip(dn, n, scales, common)]

def explicit(numbers, tokens):                                                  # -> loss, gradient [params], kept
    supply, T, root, kept = iter(numbers), min(block, len(tokens) - 1), head_width**0.5, []
    w = {name: [list(itertools.islice(supply, len(row))) for row in rows] for name, rows in model.items()}
    x0, x0_scale = normalize(add([w["token"][token] for token in tokens[:T]], w["position"]))
    x = x0                                                                      # the residual stream, [T][width]
    for layer in range(layers):
        n, n_scale = normalize(x)
        q, k, v = [matmul(w[name, layer], n) for name in ("query", "key", "value")]
        attention, heard = [], []                                               # q, k, v and heard are [width][T]
        for part in parts:
            scores = matmul(transpose(q[part]), transpose(k[part]))             # q kᵀ; row t sees keys 0 to t
            attention.append([probabilities(row[:t + 1], root) + [0.0] * (T - t - 1) for t, row in enumerate(scores)])
            heard += matmul(v[part], attention[-1])
        x = add(x, matmul(transpose(heard), w["output", layer]))
        m, m_scale = normalize(x)
        h = [[u if u > 0 else 0.0 for u in row] for row in matmul(m, w["up", layer])]
        x = add(x, matmul(h, w["down", layer]))
        kept.append((attention, heard, n, n_scale, q, k, v, m, m_scale, h))
    logits, targets = matmul(x, w["head"]), tokens[1:]
    probs = [probabilities(row) for row in logits]
    loss = sum(max(row) - row[target] - math.log(max(p)) for row, p, target in zip(logits, probs, targets)) / T
                                                                                # cross-entropy: (probs - onehot) / T
    d_logits = [[(p - (i == target)) / T for i, p in enumerate(row)] for row, target in zip(probs, targets)]
    grad = {"head": matmul(transpose(d_logits), transpose(x))}                  # y = x wᵀ, and so dw = dyᵀ x,
    dx = matmul(d_logits, transpose(w["head"]))                                 # and dx = dy w: these two rules
    for layer in reversed(range(layers)):
        attention, heard, n, n_scale, q, k, v, m, m_scale, h = kept[layer]
        grad["down", layer] = matmul(transpose(dx), transpose(h))               # hold here, dw = dxᵀ h,
        dh = matmul(dx, transpose(w["down", layer]))                            # and dh = dx w
        du = [[d if u > 0 else 0.0 for d, u in zip(*r)] for r in zip(dh, h)]    # ReLU: blame passes open gates
        grad["up", layer] = matmul(transpose(du), transpose(m))                 # dw = duᵀ m,
        dm = matmul(du, transpose(w["up", layer]))                              # and dm = du w
        dx = add(dx, normalize_back(dm, m, m_scale))                            # x went past the MLP and into it
        grad["output", layer] = matmul(transpose(dx), heard)                    # dw = dxᵀ heard,
        d_heard = matmul(transpose(w["output", layer]), dx)                     # and d_heard = dx w, transposed
        dq, dk, dv = [], [], []
        for part, p in zip(parts, attention):
            dv += matmul(d_heard[part], transpose(p))                           # heard = p v, so dv = pᵀ d_heard,
            dp = matmul(transpose(d_heard[part]), transpose(v[part]))           # and dp = d_heard vᵀ
            common = [dot(*rows) for rows in zip(p, dp)]                        # softmax: ds = p * (dp - sum(p * dp))
            ds = [[a * (d - c) / root for a, d in zip(*r)] for *r, c in zip(p, dp, common)]
            dq += matmul(k[part], ds)                                           # scores = q kᵀ, so dq = ds k,
            dk += matmul(q[part], transpose(ds))                                # and dk = dsᵀ q
        for name, d in ("query", dq), ("key", dk), ("value", dv): grad[name, layer] = matmul(d, transpose(n))
        dn = matmul(transpose(dq + dk + dv), transpose(w["query", layer] + w["key", layer] + w["value", layer]))
        dx = add(dx, normalize_back(dn, n, n_scale))                            # x went past attention and into it
    dx = normalize_back(dx, x0, x0_scale)                                       # each row to its embeddings:
    grad |= {"position": dx + [[0.0] * width] * (block - T), "token": [[0.0] * width for _ in range(vocab)]}
    for token, d in zip(tokens, dx): grad["token"][token] = [a + b for a, b in zip(grad["token"][token], d)]
    return loss, [g for name in model for row in grad[name] for g in row], kept

def explicit_adam(step, numbers, m, v, gradient):                               # Adam; m, v are sums without 1 - beta
    rate = 0.01 * (1 - step / steps) * (1 - beta1) / (1 - beta1 ** (step + 1))
    spread, small, sqrt = ((1 - beta2) / (1 - beta2 ** (step + 1))) ** 0.5, epsilon, math.sqrt
    m, v = [beta1 * a + g for a, g in zip(m, gradient)], [beta2 * b + g * g for b, g in zip(v, gradient)]
    return [p - rate * a / (sqrt(b) * spread + small) for p, a, b in zip(numbers, m, v)], m, v

# %% 12. The speed of the two ------------------------------------------------------------------------------------------
# Same start, same names, same steps. First the proof: every gradient of the first step, side by side. Then the clock,
# around forward, backward and Adam and nothing else. With --fast, this is where the model is trained.
gradient = explicit(start, encode(docs[0]))[1]
gap = max(abs(a - b) for a, b in zip(gradient, first_gradient)) / max(map(abs, first_gradient))
if not gap <= 1e-9: sys.exit(f"THE TWO ENGINES DISAGREE: their gradients differ by {gap:.1e} of the largest")
numbers, m, v = start, [0.0] * len(start), [0.0] * len(start)
fast_losses, fast_seconds = [], 0.0
try:
    for step in range(steps if fast else len(losses)):
        tokens, began = encode(docs[step % len(docs)]), time.perf_counter()
        loss, gradient, kept = explicit(numbers, tokens)
        numbers, m, v = explicit_adam(step, numbers, m, v, gradient)
        fast_seconds += time.perf_counter() - began
        fast_losses.append(loss)
        if fast or terminal: show(fast_losses, fast_seconds)
except KeyboardInterrupt: print("\nstopped early", end="")
if fast:
    draw(fast_losses)
    for p, number in zip(params, numbers): p.data = number
    speak()
if fast_losses:
    slow, quick = seconds / max(1, len(losses)) * 1e6, fast_seconds / len(fast_losses) * 1e6
    print(f"\n{'engine':<20}{'µs/sample':>12}{'speedup':>10}")
    if losses: print(f"{'scalar autograd':<20}{slow:>12.1f}{1:>9.1f}x")
    print(f"{'explicit backprop':<20}{quick:>12.1f}" + (f"{slow / quick:>9.1f}x" if losses else ""))
print(f"largest gradient difference, first step, all {len(params)} parameters: {gap:.1e}")
loss_gap = max([abs(a - b) for a, b in zip(losses, fast_losses)], default=0.0)
if losses: print(f"largest loss difference over {len(fast_losses)} steps: {loss_gap:.1e}")
