"""microgpt: how a GPT is trained and how it speaks, from the first line to the last, with nothing hidden.
Shapes stand in brackets: [3] is a list of 3 numbers, [2][3] a list of 2 such lists; [width] holds width numbers."""
import argparse, gc, itertools, math, operator, pathlib, random, statistics, sys, time

# %% 1. Setup ----------------------------------------------------------------------------------------------------------
# Every experiment begins with its choices. Each row is one knob: its name, its value, the least it may be, its meaning.
# They are command-line flags too, as in `python microgpt.py --steps 200`. Below the table: housekeeping, to section 2.
knobs = [
    ("steps", 1000, 0, "training steps; each one learns from one name"),
    ("layers", 1, 1, "layers, each one attention and one MLP, stacked on the residual stream"),
    ("width", 16, 1, "numbers in the vector that stands for a token"),
    ("heads", 4, 1, "attention heads of a layer; they divide the width among them"),
    ("block", 16, 1, "context: the most tokens that the model can look at"),
    ("seed", 42, None, "where the random numbers start; the same seed repeats the same run"),
    ("temperature", 0.5, None, "daring in speech: near 0 only the likeliest token, 1 the model's own odds"),
    ("samples", 20, 0, "names to speak after training"),
    ("data", "names.txt", None, "text file to learn from, one name a line"),
]
def farewell(kind, error, trace):                                               # Ctrl-C, or `| head` closing: no fuss
    if kind is BrokenPipeError: sys.stdout = None
    elif kind is not KeyboardInterrupt: sys.__excepthook__(kind, error, trace)
sys.excepthook = farewell
gc.disable()                                                                    # no graph here is cyclic: refcounts do
terminal = hasattr(sys.stdout, "isatty") and sys.stdout.isatty()
if hasattr(sys.stdout, "reconfigure"): sys.stdout.reconfigure(errors="replace", line_buffering=True)
here = pathlib.Path(globals().get("__file__", "microgpt.py"))                   # in a notebook there is no __file__
parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
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
def show(losses, seconds, goal):                                                # one line for the step just done
    done, pace, mean = len(losses), seconds / len(losses), statistics.fmean(losses[-100:])
    line = f"step {done:4d} / {steps:4d} | loss {losses[-1]:.4f}"
    live = f" | mean {mean:.4f} | {pace * 1e3:7.1f} ms/name | {pace * (goal - done):5.0f} s left"
    print(line + live if terminal else line, end="\r" if terminal and done < goal else "\n", flush=True)
def draw(losses):                                                               # at most ten bars, of equal steps
    tenth = max(1, math.ceil(len(losses) / 10))
    for at in range(0, len(losses), tenth):
        mean = statistics.fmean(losses[at:at + tenth])
        print(f"from step {at + 1:4d} | mean loss {mean:.4f} {'#' * round(min(46, 12 * mean))}")

# %% 2. Data and tokens ------------------------------------------------------------------------------------------------
# A model knows only numbers. Every letter that occurs gets one, its token; one more token, BOS, beginning of sequence,
# stands before and after every name. So "anna" becomes 26 0 13 13 0 26, and the task is always: which token comes next?
try: docs = [line.strip() for line in pathlib.Path(data).read_text("utf-8-sig").split("\n") if line.strip()]
except (OSError, UnicodeDecodeError) as problem: parser.error(f"cannot read {str(data)!r} as text: {problem}")
if not docs: parser.error(f"there is no name in {str(data)!r}")
random.seed(seed)                                                               # from here on, chance is repeatable
random.shuffle(docs)
letters = sorted(set("".join(docs)))                                            # a letter's token: its index in letters
BOS, vocab = len(letters), len(letters) + 1                                     # BOS is the last of vocab tokens
def encode(name): return [BOS] + [letters.index(letter) for letter in name] + [BOS]
def decode(tokens): return "".join(letters[token] for token in tokens if token != BOS)

# %% 3. Autograd -------------------------------------------------------------------------------------------------------
# To learn, the model must know of each of its numbers: if it grew a little, how much would its error, the loss, grow?
# That slope is its gradient. So every result keeps edges, (child, local_grad): what it was made from, and how strongly
# each moves it. The chain rule follows them back from the loss: along a path it multiplies, where paths meet it adds.
class Value:
    """A number, data; the slope of the loss in it, grad; what it was made from, edges: ((child, local_grad), ...)."""
    __slots__ = ("data", "grad", "edges")
    def __init__(self, data, edges=()): self.data, self.grad, self.edges = data, 0.0, edges
    def __repr__(self): return f"Value(data={self.data}, grad={self.grad})"
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)             # a plain number will do, too
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))       # a + b moves as either moves
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)             # a * b moves b times as fast as a:
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))
    @staticmethod
    def dot(a, b):                                                              # [n], [n] -> a0 * b0 + a1 * b1 + ...
        a_data, b_data = [x.data for x in a], [y.data for y in b]               # one node where + and * would take 2n
        return Value(sum([x * y for x, y in zip(a_data, b_data)]), (*zip(a, b_data), *zip(b, a_data)))
    def __pow__(self, k): return Value(self.data**k, ((self, k * self.data ** (k - 1) if k else 0.0),))
    def exp(self): return Value(math.exp(self.data), ((self, math.exp(self.data)),))
    def log(self): return Value(math.log(self.data), ((self, 1 / self.data),))  # relu, below: max(a, 0), slope 1 or 0
    def relu(self): return Value(max(self.data, 0.0), ((self, 1.0 if self.data > 0 else 0.0),))
    def __neg__(self): return self * -1                                         # the rest is put together from these
    def __sub__(self, other): return self + -other
    def __rsub__(self, other): return -self + other
    def __truediv__(self, other): return self * other**-1
    def __rtruediv__(self, other): return self**-1 * other
    __radd__, __rmul__ = __add__, __mul__                                       # for 2 + a; and sum() begins with 0 + a
    def backward(self):                                                         # fills in every grad, from here back
        order, seen, stack = [], set(), [(self, False)]                         # a stack: no recursion limit to hit
        while stack:
            node, children_done = stack.pop()
            if children_done: order.append(node)                                # what it was made from stands before it
            elif node not in seen:
                seen.add(node)
                node.grad = 0.0                                                 # no edges, no reset: parameters add up
                stack.append((node, True))
                stack += [(child, False) for child, _ in node.edges if child.edges]
        self.grad = 1.0                                                         # the loss moves exactly as itself
        for node in reversed(order):                                            # its users came first: grad is complete
            for child, local_grad in node.edges:
                child.grad += local_grad * node.grad                            # the chain rule; used twice, it adds

# %% 4. Parameters -----------------------------------------------------------------------------------------------------
# All that the model will ever know, its parameters, sits in matrices, random at first. Two are tables: row i of token
# or position is the embedding of token or position i, a vector. The others, [out][in], turn a vector [in] into [out].
def matrix(rows, columns): return [[Value(random.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]
model = {"token": matrix(vocab, width), "position": matrix(block, width), "lm_head": matrix(vocab, width)}
for layer in range(layers):                                                     # four for attention, two for the MLP
    model |= {(role, layer): matrix(width, width) for role in ("query", "key", "value", "output")}
    model |= {("up", layer): matrix(4 * width, width), ("down", layer): matrix(width, 4 * width)}
params = [p for rows in model.values() for row in rows for p in row]            # all of them, in one fixed order
start = [p.data for p in params]                                                # section 12 will start here again
head_width, root = width // heads, (width // heads) ** 0.5                      # longer dots are larger: root evens out
parts = [slice(i, i + head_width) for i in range(0, width, head_width)]         # each head's share of a vector
print(f"num docs: {len(docs)}\nvocab size: {vocab}\nnum params: {len(params)}")

# %% 5. Forward pass ---------------------------------------------------------------------------------------------------
# A token goes in; the logits come out, a score for every possible next token. In between runs x, the residual stream:
# attention adds what tokens so far say, the MLP (linear, ReLU, linear) reworks it. KV cache: their keys and values.
def linear(x, w): return [Value.dot(row, x) for row in w]                       # [in], [out][in] -> [out]
def softmax(scores):                                                            # [n] -> [n]: all positive, sum 1
    peak = max(score.data for score in scores)                                  # exp of a large score would overflow;
    exps = [(score - peak).exp() for score in scores]                           # e**-peak cancels in the division below
    total = sum(exps)
    return [e / total for e in exps]
def rmsnorm(x):                                                                 # [n] -> [n], of mean square about 1
    scale = (Value.dot(x, x) / len(x) + 1e-5) ** -0.5                           # 1e-5: never divide by 0
    return [xi * scale for xi in x]                                             # (Zhang and Sennrich, 2019)
def gpt(token, position, keys, values):                                         # caches: [layers][past][width]
    what, where = model["token"][token], model["position"][position]            # [width]: which letter, which place
    x = rmsnorm([a + b for a, b in zip(what, where)])
    for layer in range(layers):
        n = rmsnorm(x)                                                          # a copy at one scale; x itself flows on
        q = linear(n, model["query", layer])                                    # what am I looking for?
        keys[layer].append(linear(n, model["key", layer]))                      # what can I be found by?
        values[layer].append(linear(n, model["value", layer]))                  # what do I tell those who find me?
        heard = []
        for part in parts:                                                      # each head asks the past a question
            scores = [Value.dot(q[part], k[part]) / root for k in keys[layer]]  # [past]: how well does k answer q?
            attention = softmax(scores)                                         # [past]: how much to hear from each
            told = zip(*[v[part] for v in values[layer]])                       # [head_width][past]: what each says
            heard += [Value.dot(attention, row) for row in told]                # their voices, mixed by attention
        x = [a + b for a, b in zip(x, linear(heard, model["output", layer]))]   # what it heard is added to x
        hidden = [u.relu() for u in linear(rmsnorm(x), model["up", layer])]     # the MLP: wide, nothing below zero,
        x = [a + b for a, b in zip(x, linear(hidden, model["down", layer]))]    # and narrow again, added as well
    return linear(x, model["lm_head"])                                          # how well does each token fit next?

# %% 6. Loss -----------------------------------------------------------------------------------------------------------
# How surprised is the model by the token that really comes next? By -log of the probability it gave that token, the
# cross-entropy. To know nothing is to give each of 27 tokens 1/27, and costs ln 27 = 3.30: near what step 1 will show.
def cross_entropy(logits, target):                                              # [vocab], a token -> -log(probability)
    peak = max(logit.data for logit in logits)                                  # as in softmax, against overflow
    total = sum((logit - peak).exp() for logit in logits)                       # p = exp(logit - peak) / total, and so
    return total.log() - (logits[target] - peak)                                # -log p = log(total) - (logit - peak)
def surprise(tokens):                                                           # [BOS ... BOS] -> mean cross-entropy
    keys, values = [[] for _ in range(layers)], [[] for _ in range(layers)]
    T = min(block, len(tokens) - 1)                                             # T guesses; a longer name is cut
    return sum(cross_entropy(gpt(tokens[t], t, keys, values), tokens[t + 1]) for t in range(T)) / T

# %% 7. Backward pass --------------------------------------------------------------------------------------------------
# One name, one loss, some ten thousand Values: backward() tells each its share of the blame. Section 12 will hold these
# first gradients against those worked out by hand. Then the slate is wiped clean, for training.
loss = surprise(encode(docs[0]))                                                # forward: the graph grows,
loss.backward()                                                                 # backward: blame flows through it
first_gradient = [p.grad for p in params]                                       # kept for section 12
for p in params: p.grad = 0.0                                                   # or training would add to it

# %% 8. Adam -----------------------------------------------------------------------------------------------------------
# A small step against the gradient lowers the loss. Adam (Kingma and Ba, 2015) keeps two moving averages, the moment
# estimates, of the gradient and of its square. It steps by the first over the root of the second: small ones count too.
beta1, beta2, epsilon = 0.85, 0.99, 1e-8                                        # memories of about 7 and of 100 steps
moment1, moment2 = [0.0] * len(params), [0.0] * len(params)
def adam(step):
    rate = 0.01 * (1 - step / steps)                                            # learning rate: first bold, then less
    bias1, bias2 = 1 - beta1 ** (step + 1), 1 - beta2 ** (step + 1)             # early averages are too small by this
    for i, p in enumerate(params):
        moment1[i] = beta1 * moment1[i] + (1 - beta1) * p.grad                  # most of the old mean, a little news
        moment2[i] = beta2 * moment2[i] + (1 - beta2) * p.grad * p.grad
        direction, size = moment1[i] / bias1, (moment2[i] / bias2) ** 0.5       # corrected: both began at 0
        p.data -= rate * direction / (size + epsilon)                           # epsilon: never divide by 0
        p.grad = 0.0

# %% 9. Training loop --------------------------------------------------------------------------------------------------
# Three acts for every name: form the loss, ask for gradients, let Adam correct. That is all of training. The loss jumps
# as names differ; watch its mean. Ctrl-C ends training early, and the model speaks with what it has learned by then.
losses, seconds = [], 0.0
try:
    for step in range(0 if fast else steps):
        tokens, began = encode(docs[step % len(docs)]), time.perf_counter()
        loss = surprise(tokens)                                                 # form the loss,
        loss.backward()                                                         # ask for gradients,
        adam(step)                                                              # let Adam correct
        seconds += time.perf_counter() - began
        losses.append(loss.data)
        show(losses, seconds, steps)
except KeyboardInterrupt: print("\nstopped early")
draw(losses)

# %% 10. Inference -----------------------------------------------------------------------------------------------------
# To speak: begin with BOS, draw the next token at random by its probability, feed it back in, until BOS comes up again
# or the block is full. The logits are divided by a temperature: below 1, likely tokens get likelier; above, less so.
def probabilities(scores, temperature=1.0):                                     # softmax again, for plain numbers
    peak = max(scores)
    exps = [math.exp((score - peak) / temperature) for score in scores]
    total = sum(exps)
    return [e / total for e in exps]
def pick(logits): return random.choices(range(vocab), probabilities([x.data for x in logits], temperature))[0]
def speak():                                                                    # says its names, one token at a time
    names = []
    for i in range(samples):
        keys, values = [[] for _ in range(layers)], [[] for _ in range(layers)]
        tokens = [BOS]                                                          # begin with the boundary,
        for position in range(block):
            tokens.append(pick(gpt(tokens[-1], position, keys, values)))        # say a letter, hear it, say the next,
            if tokens[-1] == BOS: break                                         # until the boundary comes again
        names.append(decode(tokens))
        print(f"sample {i + 1:2d}: {names[-1]}")
    if names: print("in the training data:", ", ".join(n for n in names if n in docs) or "none", "(the rest is new)")
if not fast: speak()

# %% 11. Encore: explicit backprop -------------------------------------------------------------------------------------
# The same GPT on plain numbers, a whole name at once: x is [T][width]; q, k, v lie on their side, [width][T], so that a
# head is a slice. Backward is forward read from the bottom; dx is d(loss)/dx. From y = x wᵀ: dw = dyᵀ x and dx = dy w.
dot = getattr(math, "sumprod", lambda a, b: sum(map(operator.mul, a, b)))       # sumprod: in C, from Python 3.12
def transpose(a): return list(zip(*a))                                          # [m][n] -> [n][m], aᵀ
def dots(a, b): return [[dot(r, s) for s in b] for r in a]                      # [m][n], [k][n] -> [m][k]: a bᵀ
def add(a, b): return [[x + y for x, y in zip(*rows)] for rows in zip(a, b)]
def normalize(x):                                                               # RMSNorm of each row: n = scale * x
    scales = [(dot(row, row) / width + 1e-5) ** -0.5 for row in x]
    return [[xi * scale for xi in row] for row, scale in zip(x, scales)], scales
def normalize_back(dn, n, scales):                                              # dx = scale * (dn - n * mean(n * dn))
    common = [dot(*rows) / width for rows in zip(n, dn)]                        # x moves scale too: subtract that share
    return [[s * (d - ni * c) for d, ni in zip(dr, nr)] for dr, nr, s, c in zip(dn, n, scales, common)]
def explicit(numbers, tokens):                                                  # -> loss, gradient, what forward kept
    supply, T, kept = iter(numbers), min(block, len(tokens) - 1), []
    w = {name: [list(itertools.islice(supply, len(row))) for row in rows] for name, rows in model.items()}
    x0, x0_scale = normalize(add([w["token"][token] for token in tokens[:T]], w["position"][:T]))
    x = x0                                                                      # the residual stream, [T][width]
    for layer in range(layers):
        n, n_scale = normalize(x)
        q, k, v = [dots(w[role, layer], n) for role in ("query", "key", "value")]
        attention, heard = [], []                                               # heads times [T][T]; [width][T]
        for part in parts:
            scores = dots(transpose(q[part]), transpose(k[part]))               # qᵀ k, past only; root as temperature
            attention.append([probabilities(row[:t + 1], root) + [0.0] * (T - t - 1) for t, row in enumerate(scores)])
            heard += dots(v[part], attention[-1])                               # column t has heard positions 0 to t
        x = add(x, dots(transpose(heard), w["output", layer]))
        m, m_scale = normalize(x)
        hidden = [[u if u > 0 else 0.0 for u in row] for row in dots(m, w["up", layer])]
        x = add(x, dots(hidden, w["down", layer]))
        kept.append((attention, heard, n, n_scale, q, k, v, m, m_scale, hidden))
    logits, targets = dots(x, w["lm_head"]), tokens[1:]
    probs = [probabilities(row) for row in logits]
    log_totals = [-math.log(max(p)) for p in probs]                             # the likeliest token has p = 1/total
    loss = sum(log + (max(row) - row[target]) for log, row, target in zip(log_totals, logits, targets)) / T

    d_logits = [[(p - (i == target)) / T for i, p in enumerate(row)] for row, target in zip(probs, targets)]
    grad = {"lm_head": dots(transpose(d_logits), transpose(x))}                 # dw = dyᵀ x; dots flips its 2nd: two ᵀ
    dx = dots(d_logits, transpose(w["lm_head"]))                                # dx = dy w; above, dy = probs - onehot
    for layer in reversed(range(layers)):
        attention, heard, n, n_scale, q, k, v, m, m_scale, hidden = kept[layer]
        grad["down", layer] = dots(transpose(dx), transpose(hidden))            # dw = dxᵀ hidden,
        d_hidden = dots(dx, transpose(w["down", layer]))                        # d_hidden = dx w; ReLU: 0 where it cut
        du = [[d if h > 0 else 0.0 for d, h in zip(*rows)] for rows in zip(d_hidden, hidden)]
        grad["up", layer] = dots(transpose(du), transpose(m))                   # dw = duᵀ m,
        dm = dots(du, transpose(w["up", layer]))                                # dm = du w
        dx = add(dx, normalize_back(dm, m, m_scale))                            # x went past the MLP and into it
        grad["output", layer] = dots(transpose(dx), heard)                      # dw = dxᵀ heardᵀ: it lies on its side
        d_heard = dots(transpose(w["output", layer]), dx)                       # d_heard = (dx w)ᵀ
        dq, dk, dv = [], [], []
        for part, p in zip(parts, attention):
            dv += dots(d_heard[part], transpose(p))                             # heard = v pᵀ, so dv = d_heard p,
            dp = dots(transpose(d_heard[part]), transpose(v[part]))             # dp = d_heardᵀ v
            common = [dot(*rows) for rows in zip(p, dp)]                        # ds = p * (dp - sum(p * dp)) / root
            ds = [[a * (d - c) / root for a, d in zip(pr, dr)] for pr, dr, c in zip(p, dp, common)]
            dq += dots(k[part], ds)                                             # scores = qᵀ k, so dq = k dsᵀ,
            dk += dots(q[part], transpose(ds))                                  # dk = q ds
        for role, d in ("query", dq), ("key", dk), ("value", dv): grad[role, layer] = dots(d, transpose(n))
        stacked = w["query", layer] + w["key", layer] + w["value", layer]       # n fed all three: [3 * width][width]
        dn = dots(transpose(dq + dk + dv), transpose(stacked))                  # and their blames add up
        dx = add(dx, normalize_back(dn, n, n_scale))                            # x went past attention and into it
    dx = normalize_back(dx, x0, x0_scale)
    grad |= {"position": dx + [[0.0] * width] * (block - T), "token": [[0.0] * width for _ in range(vocab)]}
    for token, d in zip(tokens, dx): grad["token"][token] = [a + b for a, b in zip(grad["token"][token], d)]
    return loss, [g for name in model for row in grad[name] for g in row], kept
def explicit_adam(step, numbers, sum1, sum2, gradient):                         # section 8; 1 - beta leaves the loops
    rate = 0.01 * (1 - step / steps) * (1 - beta1) / (1 - beta1 ** (step + 1))
    spread = ((1 - beta2) / (1 - beta2 ** (step + 1))) ** 0.5
    sum1, sum2 = [beta1 * a + g for a, g in zip(sum1, gradient)], [beta2 * b + g * g for b, g in zip(sum2, gradient)]
    return [p - rate * a / (math.sqrt(b) * spread + epsilon) for p, a, b in zip(numbers, sum1, sum2)], sum1, sum2

# %% 12. The speed of the two ------------------------------------------------------------------------------------------
# Same start, same names, same steps, so the losses repeat. First the check: all gradients of the first step, compared
# relative to the largest. Then the clock, around forward, backward and Adam. With --fast, the model is trained here.
gradient, largest = explicit(start, encode(docs[0]))[1], max(map(abs, first_gradient))
gaps = [abs(a - b) / largest for a, b in zip(gradient, first_gradient, strict=True)]
if not all(gap <= 1e-9 for gap in gaps): sys.exit(f"THE TWO ENGINES DISAGREE: gradients differ by {max(gaps):.0e}")
numbers, sum1, sum2 = start, [0.0] * len(start), [0.0] * len(start)             # the same training, once more
fast_losses, fast_seconds, goal = [], 0.0, steps if fast else len(losses)
try:
    for step in range(goal):
        tokens, began = encode(docs[step % len(docs)]), time.perf_counter()
        fast_loss, gradient, kept = explicit(numbers, tokens)
        numbers, sum1, sum2 = explicit_adam(step, numbers, sum1, sum2, gradient)
        fast_seconds += time.perf_counter() - began
        fast_losses.append(fast_loss)
        if fast or terminal: show(fast_losses, fast_seconds, goal)
except KeyboardInterrupt: print("\nstopped early")
if fast:
    draw(fast_losses)
    for p, number in zip(params, numbers): p.data = number
    speak()
if fast_losses:
    slow, quick = seconds / max(1, len(losses)) * 1e6, fast_seconds / len(fast_losses) * 1e6
    print(f"\n{'engine':<20}{'µs/sample':>12}{'speedup':>10}")
    if losses: print(f"{'scalar autograd':<20}{slow:>12.1f}{1:>9.1f}x")
    print(f"{'explicit backprop':<20}{quick:>12.1f}" + (f"{slow / quick:>9.1f}x" if losses else ""))
print(f"largest gradient difference, first step, all {len(params)} parameters: {max(gaps):.1e}")
loss_gap = max([abs(a - b) for a, b in zip(losses, fast_losses)], default=0.0)
if losses: print(f"largest loss difference over {len(fast_losses)} steps: {loss_gap:.1e}")
