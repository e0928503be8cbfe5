"""microgpt: how a GPT is trained and how it speaks, from the first line to the last, with nothing hidden.
Shapes stand in brackets: [3] is a list of 3 numbers, [2][3] a list of 2 such lists; [width] holds width numbers."""
import argparse, collections, gc, itertools, math, operator, pathlib, random, signal, statistics, sys, time
# %% 1. Setup ----------------------------------------------------------------------------------------------------------
# Every experiment begins with choices. Each row is a knob: its name, its value, the least it may be, what it means.
# Change it here, or for one run: `python microgpt.py --steps 200`. Below, flags are read, and impossible ones refused;
# a letter that cannot be shown becomes ?, and `| head` ends the run.
if sys.version_info < (3, 10): sys.exit("microgpt needs Python 3.10 or newer")
script = pathlib.Path(globals().get("__file__", "microgpt.py"))         # a notebook has no __file__
knobs = [
    ("steps", 1000, 0, "training steps; each one learns from one name"),
    ("layers", 1, 1, "layers, each one attention and one MLP, stacked on the residual stream"),
    ("width", 16, 1, "numbers in the vector that stands for a token"),
    ("heads", 4, 1, "attention heads of a layer; they divide the width among them"),
    ("block", 16, 1, "context: the most tokens that the model can look at"),
    ("seed", 42, None, "where the random numbers start; the same seed repeats the same run"),
    ("temperature", 0.5, 0.01, "daring in speech: near 0 only the likeliest token, 1 the model's own odds"),
    ("samples", 20, 0, "names to speak after training"),
    ("data", str(script.resolve().with_name("names.txt")), None, "text file to learn from, one name a line"),
]
if hasattr(sys.stdout, "reconfigure"): sys.stdout.reconfigure(errors="replace")
parser = argparse.ArgumentParser(prog="microgpt", usage=argparse.SUPPRESS, description=__doc__)
for knob, value, least, meaning in knobs:
    parser.add_argument("--" + knob, type=type(value), default=value, help=f"{meaning} (default: %(default)s)")
parser.add_argument("--fast", action="store_true", help="train with the explicit engine of section 11 alone")
as_command = pathlib.Path(sys.argv[0]).name == script.name              # a notebook has arguments of its own
chosen = parser.parse_args(sys.argv[1:] if as_command else [])
for knob, value, least, meaning in knobs:
    if least is not None and not getattr(chosen, knob) >= least:        # (nan is not >= anything)
        parser.error(f"--{knob} must be at least {least}, not {getattr(chosen, knob)}")
steps, layers, width, heads = chosen.steps, chosen.layers, chosen.width, chosen.heads
block, seed, temperature, samples = chosen.block, chosen.seed, chosen.temperature, chosen.samples
if width % heads: parser.error(f"--heads must divide --width, but {heads} does not divide {width}")
if as_command and hasattr(signal, "SIGPIPE"): signal.signal(signal.SIGPIPE, signal.SIG_DFL)

# %% 2. Data and tokens ------------------------------------------------------------------------------------------------
# A model knows only numbers. Every letter that occurs gets one, its token; one more token, BOS, beginning of sequence,
# stands before and after every name. So "anna" becomes 26 0 13 13 0 26, and the task is always: which token comes next?
try:
    docs = [line.strip() for line in pathlib.Path(chosen.data).read_text("utf-8-sig").split("\n") if line.strip()]
except (OSError, ValueError) as problem:
    parser.error(f"cannot read --data {chosen.data!r}: {problem}; any UTF-8 text with one name a line will do")
if not docs: parser.error(f"no name in --data {chosen.data!r}; any UTF-8 text with one name a line will do")
random.seed(seed)                                                       # from here on, chance is repeatable
random.shuffle(docs)
letters = sorted(set("".join(docs)))                                    # a letter's token is its index in letters
BOS, vocab = len(letters), len(letters) + 1                             # BOS is the last of vocab tokens

def encode(name):                                                       # "anna" -> [26, 0, 13, 13, 0, 26]
    return [BOS] + [letters.index(letter) for letter in name] + [BOS]   # (an unknown letter is refused)
def decode(tokens):                                                     # [26, 0, 13, 13, 0, 26] -> "anna"
    return "".join(letters[token] for token in tokens if token != BOS)
print(f"num docs: {len(docs)}\nvocab size: {vocab}\nas tokens: {docs[0]} ->", *encode(docs[0]))

# %% 3. Autograd -------------------------------------------------------------------------------------------------------
# To learn, the model must know of each of its numbers: if it grew, how much would the loss, the error, grow? That slope
# is its gradient, its blame. So a result keeps edges, (child, local_grad): what it was made from, and how strongly each
# moves it. The chain rule follows them back from the loss: along a path it multiplies, where paths meet it adds.
if sys.implementation.name == "cpython": gc.disable()                   # faster; graphs have no cycles for gc to find
births = itertools.count()                                              # 0, 1, 2, ...: each Value takes the next
class Value:
    def __init__(self, data, edges=()):
        self.data = data                                                # the number
        self.grad = 0.0                                                 # the slope of the loss in it
        self.edges = edges                                              # what made it: [(child, local_grad), ...]
        self.birth = next(births)                                       # later than those of its children

    def __add__(self, other):                                           # a + b moves as either moves
        other = other if isinstance(other, Value) else Value(other)     # (a plain number will do, too)
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):                                           # a * b moves b times as fast as a
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    # Four with slopes: a ** k has k a ** (k - 1), exp(a) has exp(a), log(a) has 1 / a, relu has 1 above 0, else 0.
    def __pow__(self, k): return Value(self.data ** k, [(self, k * self.data ** (k - 1) if k else 0.0)])
    def exp(self): return Value(math.exp(self.data), [(self, math.exp(self.data))])
    def log(self): return Value(math.log(self.data), [(self, 1 / self.data)])
    def relu(self): return Value(max(self.data, 0.0), [(self, 1.0 if self.data > 0 else 0.0)])
    def __neg__(self): return self * -1                                 # the rest is put together from these
    def __sub__(self, other): return self + -other
    def __rsub__(self, other): return -self + other                     # 2 - a: the number stands on the left
    def __truediv__(self, other): return self * other ** -1
    def __rtruediv__(self, other): return self ** -1 * other            # 2 / a
    __radd__, __rmul__ = __add__, __mul__                               # 2 + a, 2 * a; sum() begins with 0 + a
    def __repr__(self): return f"Value(data={self.data}, grad={self.grad})"

    def backward(self):                                                 # fills in every grad, from here back
        graph, found = set(), {self}
        while found:                                                    # collect all results, but no leaves (no edges)
            graph |= found
            found = {child for node in found for child, _ in node.edges if child.edges} - graph
        for node in graph:
            node.grad = 0.0                                             # results begin anew; only leaves add up
        self.grad = 1.0                                                 # the loss moves exactly as itself
        for node in sorted(graph, key=lambda node: -node.birth):        # youngest first: a result before its children
            for child, local_grad in node.edges:                        # its users came first: grad is complete
                child.grad += local_grad * node.grad                    # the chain rule

def dot(a, b):                                                          # [n], [n] -> a0 * b0 + a1 * b1 + ...
    total, edges = 0.0, []
    for x, y in zip(a, b):
        total += x.data * y.data
        edges += [(x, y.data), (y, x.data)]
    return Value(total, edges)                                          # one node; + and * would make 2n - 1

#   b ---2---> a * b ---1---> a * b + a     The graph of a * b + a, on every edge its local_grad for a = 2, b = 3.
#   a ---3-------^                ^         Two paths lead back to a: its gradient is 1 * 3 + 1 = 4.
#   '--------------1--------------'         One leads back to b: its gradient is 1 * 2 = 2.
a, b = Value(2.0), Value(3.0)
(a * b + a).backward()
print(f"slopes of a * b + a at a = 2, b = 3: {a.grad} in a, {b.grad} in b")

# %% 4. Parameters -----------------------------------------------------------------------------------------------------
# All that the model will ever know, its parameters, sits in matrices. Random at first: equal ones would get equal
# gradients. Rows of token and position (wte, wpe) are embeddings; the rest, [out][in], turn a vector [in] into [out].
def matrix(rows, columns):                                              # -> [rows][columns]; 0.08: weak opinions only
    return [[Value(random.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]

model = {"token": matrix(vocab, width), "position": matrix(block, width), "lm_head": matrix(vocab, width)}
for layer in range(layers):                                             # four for attention, two for the MLP
    model |= {(role, layer): matrix(width, width) for role in ("query", "key", "value", "output")}
    model |= {("up", layer): matrix(4 * width, width), ("down", layer): matrix(width, 4 * width)}
params = [p for rows in model.values() for row in rows for p in row]
start = [p.data for p in params]                                        # as they are before training
print(f"num params: {len(params)}")

def set_params(numbers):                                                # [params]: new numbers, and no blame yet
    for p, number in zip(params, numbers):
        p.data, p.grad = number, 0.0

# %% 5. Forward pass ---------------------------------------------------------------------------------------------------
# A token goes in; the logits come out, a score for every possible next token. A dot product measures a match, large
# where two vectors point the same way. Each head asks a question of its own, in its slice of the width.
head_width = width // heads
head_slices = [slice(i, i + head_width) for i in range(0, width, head_width)]
root = math.sqrt(head_width)                                            # n random terms spread as √n: softmax is mild

def add(a, b):                                                          # [n], [n] -> [n]
    return [ai + bi for ai, bi in zip(a, b)]
def linear(x, w):                                                       # [in], [out][in] -> [out]
    return [dot(x, row) for row in w]

def softmax(scores):                                                    # [n] -> [n], none below 0, of sum 1
    peak = max(score.data for score in scores)                          # exp of a large score would overflow, so
    exps = [(score - peak).exp() for score in scores]                   # subtract it; exp(-peak) cancels in e / total
    total = sum(exps)
    return [e / total for e in exps]

def rmsnorm(x):                                                         # [n] -> [n], to mean square 1, unless tiny
    scale = (dot(x, x) / len(x) + 1e-5) ** -0.5                         # 1e-5: never divide by 0
    return [xi * scale for xi in x]                                     # (Zhang and Sennrich, 2019)

#   token + position --> norm --> x --+---------------------> + --+---------------> + --> x --> logits     (one layer)
#                                     '--> norm, attention ---^   '--> norm, MLP ---^
# x is the residual stream. Attention holds its query against the key of each token so far, its own included; the better
# the match, the more of that token's value is heard. A weighted sum knows no order: so places have vectors, too. The
# MLP, or multilayer perceptron, digests what was heard; without ReLU, a bend at 0, two linear maps would be but one.
def gpt(token, position, cache):                                        # -> logits, [vocab]
    x = rmsnorm(add(model["token"][token], model["position"][position]))
    for layer in range(layers):
        keys, values = cache[layer]                                     # KV cache [past][width]; blame flows through it
        n = rmsnorm(x)                                                  # a copy at one scale; x itself flows on
        q = linear(n, model["query", layer])                            # what am I looking for?
        keys.append(linear(n, model["key", layer]))                     # what can I be found by?
        values.append(linear(n, model["value", layer]))                 # what do I tell those who find me?
        heard = []
        for head in head_slices:                                        # each head asks the past a question
            scores = [dot(q[head], k[head]) / root for k in keys]       # [past]: how well does each key match?
            weights = softmax(scores)                                   # [past]: attention weights, how much to hear
            columns = zip(*[v[head] for v in values])                   # [head_width][past]: what each one says
            heard += [dot(weights, column) for column in columns]       # their voices, mixed by weight
        x = add(x, linear(heard, model["output", layer]))               # what it heard is added to x
        u = linear(rmsnorm(x), model["up", layer])                      # the MLP: wide,
        h = [ui.relu() for ui in u]                                     # nothing below 0,
        x = add(x, linear(h, model["down", layer]))                     # narrow again, and added to x
    return linear(x, model["lm_head"])                                  # how well does each token fit next?

# %% 6. Loss -----------------------------------------------------------------------------------------------------------
# How surprised is the model by the token that really comes next? By -log of the probability it gave that token, the
# cross-entropy. To know nothing is to give each of 27 tokens 1/27, and costs ln 27 = 3.30: near what step 1 will show.
def cross_entropy(logits, target):                                      # [vocab], a token -> loss; refuses p = 0
    return -softmax(logits)[target].log()                               # sure and right costs 0; sure and wrong, much
def surprise(tokens):                                                   # [BOS ... BOS] -> mean cross-entropy
    cache = [([], []) for _ in range(layers)]                           # nothing heard yet
    T = min(block, len(tokens) - 1)                                     # T guesses; a longer name is cut
    return sum(cross_entropy(gpt(tokens[t], t, cache), tokens[t + 1]) for t in range(T)) / T

loss = surprise(encode(docs[0]))
print(f"to know nothing costs ln {vocab} = {math.log(vocab):.4f}; {docs[0]} costs the untrained model {loss.data:.4f}")

# %% 7. Backward pass --------------------------------------------------------------------------------------------------
# One name, one loss, thousands of Values: backward() tells each its share of the blame. Is it right? A gradient is a
# slope, so it can be tried out: make one parameter a little larger, then a little smaller, and see the loss move.
loss.backward()
p = model["token"][BOS][0]                                              # one parameter of them all
p.data += 1e-5                                                          # a little larger,
above = surprise(encode(docs[0])).data
p.data -= 2e-5                                                          # a little smaller
below = surprise(encode(docs[0])).data
print(f"slope in token[BOS][0]: {p.grad:.9f} by backward(), {(above - below) / 2e-5:.9f} by trying it out")
set_params(start)                                                       # the slate is wiped clean

# %% 8. Adam -----------------------------------------------------------------------------------------------------------
# A small step against the gradient lowers this name's loss, but may raise another's. So Adam (Kingma and Ba, 2015)
# steps by running means, the moment estimates: what single names want cancels out, what all want remains. The root of
# the mean square divides, so that large and tiny gradients step alike: by about the rate, or less where names disagree.
beta1, beta2, epsilon = 0.85, 0.99, 1e-8                                # means over about 1 / (1 - beta) names: 7, 100
def adam(step, numbers, gradient, moments):                             # [n], [n], [2][n] -> [n]; renews moments
    rate = 0.01 * (1 - step / steps)                                    # learning rate: bold first, almost 0 at last
    bias1, bias2 = 1 - beta1 ** (step + 1), 1 - beta2 ** (step + 1)     # (from 0, a steady g makes m = bias1 g: undo)
    moments[0] = [beta1 * m + (1 - beta1) * g for m, g in zip(moments[0], gradient)]
    moments[1] = [beta2 * v + (1 - beta2) * g * g for v, g in zip(moments[1], gradient)]
    return [p - rate * (m / bias1) / (math.sqrt(v / bias2) + epsilon) for p, m, v in zip(numbers, *moments)]

# %% 9. Training loop --------------------------------------------------------------------------------------------------
# Three acts for every name: form the loss, ask for gradients, let Adam correct. That is all of training. The loss jumps
# as names differ; watch its mean. Ctrl-C ends training early, and the model speaks with what it has learned by then.
def autograd(numbers, tokens):                                          # [params], [BOS ... BOS] -> loss, [params]
    set_params(numbers)
    loss = surprise(tokens)                                             # form the loss,
    loss.backward()                                                     # ask for gradients, and then, in train:
    return loss.data, [p.grad for p in params]

def train(engine, goal, quiet=False):                                   # -> [params], losses, µs a sample
    numbers, moments = start, [[0.0] * len(start), [0.0] * len(start)]
    losses, seconds = [], 0.0
    try:
        for step in range(goal):
            tokens = encode(docs[step % len(docs)])                     # after the last name, the first again
            began = time.perf_counter()
            loss, gradient = engine(numbers, tokens)
            numbers = adam(step, numbers, gradient, moments)            # let Adam correct
            seconds += time.perf_counter() - began
            losses.append(loss)
            if not quiet: show(engine.__name__, losses, seconds, goal)
    except KeyboardInterrupt:
        print("\nstopped early")
    return numbers, losses, seconds / max(1, len(losses)) * 1e6

terminal = sys.stdout is not None and sys.stdout.isatty()
def show(name, losses, seconds, goal):                                  # a line a step; on a terminal, one for all
    done, mean, each = len(losses), statistics.fmean(losses[-100:]), seconds / len(losses)
    line = f"step {done:4d} / {goal:4d} | loss {losses[-1]:.4f}"
    if terminal:
        line += f" | mean {mean:.2f} | {name} {each * 1e3:6.1f} ms | {each * (goal - done):4.0f} s left"
    print(line, end="\r" if terminal and done < goal else "\n", flush=True)

def draw(losses):                                                       # exp(loss), perplexity: a die of so many sides
    tenth = max(1, math.ceil(len(losses) / 10))
    for at in range(0, len(losses), tenth):
        mean = statistics.fmean(losses[at:at + tenth])
        bar = "#" * round(26 * min(1, math.exp(mean) / vocab))          # the right edge: it knows nothing
        print(f"from step {at + 1:4d} | mean loss {mean:.4f} | between {math.exp(mean):4.1f} {bar:<26}| {vocab}")

autograd_steps = 0 if chosen.fast else steps                            # --fast: section 12 trains instead
trained, losses, pace = train(autograd, autograd_steps)
draw(losses)

# %% 10. Inference -----------------------------------------------------------------------------------------------------
# To speak: begin with BOS, draw the next token at random by its probability, feed it back in, until BOS comes up again
# or the block is full. The logits are divided by a temperature: below 1, likely tokens get likelier; above, less so.
def speak(rng):                                                         # rng: a source of random numbers
    cache = [([], []) for _ in range(layers)]
    tokens = [BOS]                                                      # begin with the boundary,
    for position in range(block):
        logits = gpt(tokens[-1], position, cache)
        odds = softmax([logit / temperature for logit in logits])
        tokens += rng.choices(range(vocab), [p.data for p in odds])     # say a letter, hear it, say the next,
        if tokens[-1] == BOS: break                                     # until the boundary comes again
    return decode(tokens)

def perform(trained):                                                   # before, after, and what it has found out
    set_params(start)
    print("before training:", ", ".join(speak(random.Random(i)) for i in range(min(3, samples))))
    set_params(trained)
    names = [speak(random) for _ in range(samples)]
    for i, name in enumerate(names, start=1):
        print(f"sample {i:2d}: {name}")
    print("in the training data:", ", ".join(name for name in names if name in docs) or "none")
    embedding = {letter: [p.data for p in row] for letter, row in zip(letters, model["token"])}
    for letter, count in collections.Counter("".join(docs)).most_common(3):
        nearest = sorted((o for o in letters if o != letter), key=lambda o: math.dist(embedding[letter], embedding[o]))
        print(f"embeddings nearest to that of {letter}:", *nearest[:4])
if autograd_steps: perform(trained)

# %% 11. Encore: explicit backprop -------------------------------------------------------------------------------------
# The same GPT on plain numbers, a whole name at once: x is [T][width]. Every part is a pair. Forward makes y from x.
# Back is given dy, the slope of the loss in y, and returns dx: dx_j = Σ_i dy_i times the slope of y_i in x_j.
sumprod = getattr(math, "sumprod", lambda a, b: sum(map(operator.mul, a, b)))
def transpose(a):                                                       # [m][n] -> [n][m]: aᵀ
    return list(zip(*a))
def matmul(a, b):                                                       # [m][k], [k][n] -> [m][n]: a b
    columns = transpose(b)
    return [[sumprod(row, column) for column in columns] for row in a]
def rows(rule, *xs):                                                    # a rule for vectors, on each row of xs
    return [rule(*vectors) for vectors in zip(*xs)]

# Linear: y_i = Σ_j w_ij x_j, at every t. So dx_j = Σ_i dy_i w_ij; and as w serves every t, dw_ij = Σ_t dy_ti x_tj.
def linear_forward(x, w):                                               # y = x wᵀ: each row of x with each of w
    return [[sumprod(row, weights) for weights in w] for row in x]
def linear_back(dy, x, w):                                              # dx = dy w, dw = dyᵀ x
    return matmul(dy, w), matmul(transpose(dy), x)

def relu_forward(x):                                                    # [n] -> [n]: y = x, or 0 where x is below 0
    return [xi if xi > 0 else 0.0 for xi in x]
def relu_back(dy, y):                                                   # dx = dy, or 0 where y is 0
    return [d if yi > 0 else 0.0 for d, yi in zip(dy, y)]

# RMSNorm: y_i = s x_i with s = (Σ x_j² / n + 1e-5)^(-1/2). The slope of s in x_j is -1/2 (...)^(-3/2) 2 x_j / n, which
# is -s³ x_j / n. Product rule: the slope of y_i in x_j is -x_i s³ x_j / n = -s y_i y_j / n, and s more if i = j. Summed
# over i: dx_j = s dy_j - Σ_i dy_i s y_i y_j / n = s (dy_j - y_j Σ_i dy_i y_i / n).
def rmsnorm_forward(x):                                                 # [n] -> [n]: y = s x
    s = (sumprod(x, x) / len(x) + 1e-5) ** -0.5
    return [s * xi for xi in x]
def rmsnorm_back(dy, x, y):                                             # dx = s (dy - y mean(dy y))
    s = (sumprod(x, x) / len(x) + 1e-5) ** -0.5
    mean = sumprod(dy, y) / len(x)
    return [s * (d - yi * mean) for d, yi in zip(dy, y)]

# Softmax: y_i = exp(x_i) / S with S = Σ_j exp(x_j). The slope of 1 / S in x_j is -exp(x_j) / S². So y_i has the slope
# -y_i y_j in x_j, and y_i more if i = j. Summed: dx_j = y_j dy_j - Σ_i dy_i y_i y_j = y_j (dy_j - Σ_i dy_i y_i).
def softmax_forward(x):                                                 # [n] -> [n]: y = exp(x) / sum(exp(x))
    peak = max(x)
    exps = [math.exp(xi - peak) for xi in x]
    total = sum(exps)
    return [e / total for e in exps]
def softmax_back(dy, y):                                                # dx = y (dy - sum(dy y))
    total = sumprod(dy, y)
    return [yi * (d - total) for d, yi in zip(dy, y)]

# Cross-entropy: -log p[target] of p = softmax(logits). Its slope in p[target] is -1 / p[target], in the others 0. So
# the sum in softmax's rule is -1, which leaves p_j (dp_j + 1): p_j, but p_j - 1 at the target: p - onehot(target).
def cross_entropy_forward(logits, targets):                             # [T][vocab], [T] -> mean of -log p[target]
    return statistics.fmean([-math.log(softmax_forward(x)[target]) for x, target in zip(logits, targets)])
def cross_entropy_back(logits, targets):                                # dlogits = (p - onehot(target)) / T
    ps = rows(softmax_forward, logits)
    return [[(pi - (i == target)) / len(ps) for i, pi in enumerate(p)] for p, target in zip(ps, targets)]

# A head: s = q kᵀ is linear, with w = k; p = softmax(s / root), no future; y = p v is linear, with w = vᵀ, dw = dvᵀ.
def split(x):                                                           # [T][width] -> [heads][T][head_width]
    return [[row[head] for row in x] for head in head_slices]
def join(xs):                                                           # [heads][T][head_width] -> [T][width]
    return [[number for part in parts for number in part] for parts in zip(*xs)]
def past_only(s):                                                       # [T][T]: s / root; the future -inf, so p = 0
    return [[si / root for si in row[:t + 1]] + [-math.inf] * (len(s) - t - 1) for t, row in enumerate(s)]
def attention_forward(q, k, v):                                         # -> y [T][width], p [heads][T][T]
    p = [rows(softmax_forward, past_only(s)) for s in map(linear_forward, split(q), split(k))]
    return join(map(matmul, p, split(v))), p
def attention_back(dy, q, k, v, p):                                     # -> dq, dk, dv, [T][width] each
    backs = []
    for dy_h, q_h, k_h, v_h, p_h in zip(split(dy), split(q), split(k), split(v), p):
        dp = matmul(dy_h, transpose(v_h))                               # dp = dy vᵀ
        ds = [[d / root for d in row] for row in rows(softmax_back, dp, p_h)]
        dq, dk = linear_back(ds, q_h, k_h)                              # dq = ds k, dk = dsᵀ q
        backs.append((dq, dk, matmul(transpose(p_h), dy_h)))            # dv = pᵀ dy
    return [join(parts) for parts in zip(*backs)]

# A layer goes forward, 1 to 9, hands y to all that comes after, and waits for dy, the slope of the loss in y. Then it
# goes back, 9 to 1. What was used more than once is blamed more than once, and the blames add up.
def from_layer(layer, x0, targets, w, dw):                              # [T][width] -> loss, dx0; fills in dw
    if layer == layers:                                                 # after the last: logits, loss, and back
        logits = linear_forward(x0, w["lm_head"])
        loss = cross_entropy_forward(logits, targets)
        dx0, dw["lm_head"] = linear_back(cross_entropy_back(logits, targets), x0, w["lm_head"])
        return loss, dx0

    n = rows(rmsnorm_forward, x0)                                       # 1
    q = linear_forward(n, w["query", layer])                            # 2
    k = linear_forward(n, w["key", layer])                              # 3
    v = linear_forward(n, w["value", layer])                            # 4
    a, p = attention_forward(q, k, v)                                   # 5
    x = rows(add, x0, linear_forward(a, w["output", layer]))            # 6
    m = rows(rmsnorm_forward, x)                                        # 7
    h = rows(relu_forward, linear_forward(m, w["up", layer]))           # 8
    y = rows(add, x, linear_forward(h, w["down", layer]))               # 9

    loss, dy = from_layer(layer + 1, y, targets, w, dw)

    dh, dw["down", layer] = linear_back(dy, h, w["down", layer])        # 9
    du = rows(relu_back, dh, h)                                         # 8: h = relu(u), u = m wᵀ
    dm, dw["up", layer] = linear_back(du, m, w["up", layer])
    dx = rows(add, dy, rows(rmsnorm_back, dm, x, m))                    # 7: x went past the MLP and into it
    da, dw["output", layer] = linear_back(dx, a, w["output", layer])    # 6
    dq, dk, dv = attention_back(da, q, k, v, p)                         # 5
    dn_v, dw["value", layer] = linear_back(dv, n, w["value", layer])    # 4
    dn_k, dw["key", layer] = linear_back(dk, n, w["key", layer])        # 3
    dn_q, dw["query", layer] = linear_back(dq, n, w["query", layer])    # 2
    dn = rows(add, dn_q, rows(add, dn_k, dn_v))                         # n went into 4, 3 and 2
    return loss, rows(add, dx, rows(rmsnorm_back, dn, x0, n))           # 1: x0 went past attention and into it

def explicit(numbers, tokens):                                          # [params], [BOS ... BOS] -> loss, [params]
    supply = iter(numbers)
    w = {name: [list(itertools.islice(supply, len(row))) for row in m] for name, m in model.items()}
    dw = {name: [[0.0] * width for _ in model[name]] for name in ("token", "position")}
    inputs, targets = tokens[:-1][:block], tokens[1:][:block]
    embedded = rows(add, [w["token"][token] for token in inputs], w["position"][:len(inputs)])
    x = rows(rmsnorm_forward, embedded)
    loss, dx = from_layer(0, x, targets, w, dw)
    for t, row in enumerate(rows(rmsnorm_back, dx, embedded, x)):
        dw["position"][t] = row
        dw["token"][inputs[t]] = add(dw["token"][inputs[t]], row)       # add up: a letter may come twice
    return loss, [g for name in model for row in dw[name] for g in row]

# %% 12. The speed of the two ------------------------------------------------------------------------------------------
# Same start, same names, same steps: so the losses repeat, but for rounding, which grows over a long training. First,
# do the engines agree on the loss and every gradient? Then explicit is timed as autograd was: forward, backward, Adam.
gaps = []
for name in docs[0], max(docs, key=len):                                # the longest is cut, if any is
    loss, gradient = autograd(start, encode(name))
    explicit_loss, explicit_gradient = explicit(start, encode(name))
    largest = max(map(abs, gradient)) or 1.0                            # (all 0: nothing to be relative to)
    gaps += [abs(a - b) / largest for a, b in zip(gradient, explicit_gradient, strict=True)]
    if not (math.isclose(loss, explicit_loss) and all(gap <= 1e-9 for gap in gaps)):
        sys.exit(f"THE TWO ENGINES DISAGREE: losses {loss} and {explicit_loss}, gradients by {max(gaps):.0e}")
set_params(trained)                                                     # (autograd had set them to start)
goal = len(losses) if autograd_steps else steps                         # as many steps as autograd has made
again, explicit_losses, explicit_pace = train(explicit, goal, quiet=autograd_steps > 0 and not terminal)
if not autograd_steps:
    draw(explicit_losses)
    perform(again)
if explicit_losses:
    print(f"\n{'engine':<20}{'µs/sample':>12}{'speedup':>10}")
    if losses: print(f"{'scalar autograd':<20}{pace:>12.1f}{1:>9.1f}x")
    print(f"{'explicit backprop':<20}{explicit_pace:>12.1f}" + (f"{pace / explicit_pace:>9.1f}x" if losses else ""))
print(f"largest gradient difference, relative, at start, all {len(params)} parameters: {max(gaps):.1e}")
if losses and explicit_losses:
    gap = max(abs(a - b) for a, b in zip(losses, explicit_losses))
    print(f"largest loss difference over {len(explicit_losses)} steps: {gap:.1e}")
