# microgpt: how a GPT is trained and how it speaks. This file reads a list of names, learns what
# names look like, and makes up names of its own. It is plain Python with nothing hidden, made to
# be read aloud from the first line to the last. GPT stands for generative pretrained transformer,
# and by the end all three words will be clear. The model is that of Andrej Karpathy's microgpt.
#
# A vector is a list of numbers, and a matrix is a list of vectors, its rows. The comments on the
# right give their shapes: [3] is a vector of 3 numbers, [2][3] is a matrix of 2 rows of 3 numbers.
# An arrow points from what goes into a function to what comes out of it.
import argparse, contextlib, gc, itertools, math, operator, pathlib, random, signal, sys, time

# %% 1. Setup -------------------------------------------------------------------------------------
# Here are all the choices we make. Each is explained in the section that it names. To try another
# one, change it here, or give it on the command line: python microgpt.py --steps 200
defaults = argparse.ArgumentDefaultsHelpFormatter
parser = argparse.ArgumentParser(usage=argparse.SUPPRESS, formatter_class=defaults)
choice = parser.add_argument
choice("--data", default="names.txt", help="the text to learn from, one name a line (section 2)")
choice("--seed", type=int, default=42, help="where the random numbers start (section 2)")
choice("--width", type=int, default=16, help="how many numbers stand for a token (section 4)")
choice("--block", type=int, default=16, help="how many tokens the model can look at (section 4)")
choice("--layers", type=int, default=1, help="layers, each with attention and an MLP (section 5)")
choice("--heads", type=int, default=4, help="attention heads in each layer (section 5)")
choice("--rate", type=float, default=0.01, help="how far the first steps go (section 8)")
choice("--steps", type=int, default=1000, help="training steps, one name per step (section 9)")
choice("--samples", type=int, default=20, help="names to make up after training (section 10)")
choice("--temperature", type=float, default=0.5, help="how much risk it takes (section 10)")
choice("--fast", action="store_true", help="train only with the fast engine (section 11)")
args = parser.parse_args([] if "ipykernel" in sys.modules else None)

bounds = dict(width=1, block=1, layers=1, heads=1, rate=0, steps=0, samples=0, temperature=0.01)
for flag, least in bounds.items():
    if not least <= getattr(args, flag) < 1e9:
        parser.error(f"--{flag} must be from {least} to below 1e9, not {getattr(args, flag)}")
width, block, layers, heads = args.width, args.block, args.layers, args.heads
if width % heads:
    parser.error(f"--heads must divide --width, but {heads} does not divide {width}")

# %% 2. Data and tokens ---------------------------------------------------------------------------
# Here are the names, one on each line of a file, which may also stand beside this script. They are
# sorted, so we shuffle them. The same seed always gives the same order.
try:
    path = pathlib.Path(args.data)
    if not path.exists():
        path = pathlib.Path(sys.argv[0]).resolve().parent / path
    docs = [line.strip() for line in path.read_text("utf-8-sig").split("\n") if line.strip()]
except (OSError, ValueError) as problem:
    parser.error(f"--data {args.data} cannot be read: {problem}")
if not docs:
    parser.error(f"--data {args.data} must hold at least one name, not none")
random.seed(args.seed)
random.shuffle(docs)

# A model works with numbers only. So we cut every name into tokens, which are single letters here,
# and give each token a number. One more token, BOS for "beginning of sequence", marks where a name
# begins. It also marks where a name ends, because there the next one could begin. All tokens
# together are the vocabulary. With a = 0, n = 13 and BOS = 26, "anna" becomes 26 0 13 13 0 26. The
# task is always the same: given the tokens so far, which token comes next?
letters = sorted(set("".join(docs)))
BOS = len(letters)
vocab = len(letters) + 1                                      # the size of the vocabulary

def encode(name):                                             # "anna" -> [26, 0, 13, 13, 0, 26]
    return [BOS] + [letters.index(letter) for letter in name] + [BOS]

with contextlib.suppress(AttributeError):                     # not every output can be set up so:
    sys.stdout.reconfigure(errors="replace")                  # show ? for a letter it lacks
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)             # stop when nobody reads on
print(f"num docs: {len(docs)}\nvocab size: {vocab}\ntokens: {docs[0]} ->", *encode(docs[0]))

# %% 3. Autograd ----------------------------------------------------------------------------------
# Learning means making an error smaller. Our error will be a single number, the loss, and it will
# be computed from thousands of other numbers. For each of them we must know: if this number grew a
# little, how fast would the loss grow? That is the derivative of the loss with respect to this
# number. From now on we call it the number's gradient. Autograd, short for automatic gradients, is
# a way to get all of them at once.
#
# A computation is a graph. Take c = a * b. Now c remembers two edges, one to a and one to b,
# because it was computed from them. The field calls a and b the children of c. Each edge carries a
# local gradient. If a grows a little, c grows b times as much, so the local gradient on the edge
# to a is b. In the same way, the local gradient on the edge to b is a. Here is a * b + a, for a =
# 2 and b = 3. The arrows show how it is computed, and each carries its local gradient.
#
#   b = 3 ---2---> a * b = 6 ---1---> a * b + a = 8
#   a = 2 ---3-------^                  ^
#     '----------------1----------------'
#
# The chain rule turns local gradients into gradients. Start at the result and walk back to a
# number, against the arrows, and multiply the local gradients on your way. Two paths lead back to
# a. One gives 1 * 3 and the other gives 1. If a grows a little, the result grows along both paths,
# so we add them up, and the gradient of a is 3 + 1 = 4. One path leads back to b, and the gradient
# of b is 1 * 2 = 2.
counter = itertools.count()                                   # 0, 1, 2, and so on

class Value:                                                  # a number that remembers
    def __init__(self, data, edges=()):
        self.data = data                                      # the number itself
        self.grad = 0.0                                       # its gradient, set by backward()
        self.edges = edges                                    # [(child, local_grad), ...]
        self.order = next(counter)                            # its children have lower numbers

    def __add__(self, other):                                 # local gradients 1 and 1
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):                                 # local gradients b and a
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def __pow__(self, power):                                 # power is a plain number
        slope = power * self.data ** (power - 1) if power else 0.0
        return Value(float(self.data ** power), [(self, slope)])

    # The derivative of exp is exp, and that of log is 1 / a. relu(a) is a if a > 0, otherwise 0.
    def exp(self): return Value(math.exp(self.data), [(self, math.exp(self.data))])
    def log(self): return Value(math.log(self.data), [(self, 1 / self.data)])
    def relu(self): return Value(max(self.data, 0.0), [(self, 1.0 if self.data > 0 else 0.0)])
    def __neg__(self): return self * -1                       # all others use those above
    def __sub__(self, other): return self + -other
    def __rsub__(self, other): return -self + other           # 2 - a, which starts with a number
    def __truediv__(self, other): return self * other ** -1
    def __rtruediv__(self, other): return self ** -1 * other  # 2 / a
    __radd__, __rmul__ = __add__, __mul__                     # 2 + a and 2 * a
    def __repr__(self): return f"Value(data={self.data}, grad={self.grad})"

    # A Value may have been used more than once. All its uses must pass their shares on to it
    # before it passes anything on to its own children. Results are made after their children, so
    # we go from the last Value made to the first.
    def backward(self):
        graph, new = set(), {self}
        while new:                                            # collect the graph, without leaves
            graph |= new
            new = {child for node in new for child, _ in node.edges if child.edges} - graph
        for node in graph:
            node.grad = 0.0
        self.grad = 1.0                                       # it grows as fast as itself
        for node in sorted(graph, key=lambda node: node.order, reverse=True):
            for child, local_grad in node.edges:
                child.grad += local_grad * node.grad          # the chain rule, path by path

# Let's try it on our picture. backward() first comes to the sum, which gives 1 to a * b and 1 to
# a. Then it comes to a * b, which gives 2 * 1 to b and 3 * 1 to a. Leaves such as a and b have no
# edges. backward() does not set them to 0, so over several calls they add up.
a, b = Value(2.0), Value(3.0)
(a * b + a).backward()
print(f"gradients of a * b + a at a = 2, b = 3: {a.grad} for a, {b.grad} for b")

# A dot product multiplies two vectors number by number and adds up the products. We will need many
# of them, so we make each a single Value. Out of * and +, one of 16 terms would take about 30.
def dot(x, y):                                                # [N], [N] -> a Value
    assert len(x) == len(y), "a dot product needs two vectors of the same length"
    total, edges = 0.0, []
    for xi, yi in zip(x, y):
        total += xi.data * yi.data
        edges += [(xi, yi.data), (yi, xi.data)]
    return Value(total, edges)

# %% 4. Parameters --------------------------------------------------------------------------------
# Everything that the model will ever know is in its parameters, the numbers of a few matrices.
# They start out random. If they were all equal, all numbers within a vector would be treated
# alike, get equal gradients, and stay equal forever. They also start out small, with a standard
# deviation of 0.08. Then at first no token looks much more likely than another, and the model has
# no strong opinion to unlearn.
#
# Each token has its row in the matrix "token". Such a row of width numbers is what the model sees
# of the token. It is called the token's embedding. Each position in a name has its row in
# "position". All the other matrices turn one vector into another, and section 5 tells what each of
# them is for. lm_head is short for language model head.
def matrix(nout, nin):                                        # -> [nout][nin]
    return [[Value(random.gauss(0, 0.08)) for _ in range(nin)] for _ in range(nout)]

model = {"token": matrix(vocab, width), "position": matrix(block, width)}
model["lm_head"] = matrix(vocab, width)
for layer in range(layers):
    for role in "query", "key", "value", "output":            # four matrices for attention
        model[role, layer] = matrix(width, width)
    model["up", layer] = matrix(4 * width, width)             # and two for the MLP
    model["down", layer] = matrix(width, 4 * width)
params = [param for rows in model.values() for row in rows for param in row]
untrained = [param.data for param in params]                  # their numbers before training
print(f"num params: {len(params)}")

# For every name we will put new numbers into the parameters. Parameters are leaves, so this is
# also the place to set their gradients back to 0.
def set_params(numbers):                                      # [params] -> nothing
    for param, number in zip(params, numbers):
        param.data, param.grad = number, 0.0

# %% 5. Forward pass ------------------------------------------------------------------------------
# A token and its position go in, and the logits come out. Every token of the vocabulary gets a
# logit, a number that is high if this token is likely to come next. We need four tools. The first
# adds two vectors.
def add(x, y):                                                # [N], [N] -> [N]
    return [xi + yi for xi, yi in zip(x, y)]

# linear takes the dot product of a vector x with every row of a matrix. A dot product measures how
# well two vectors match. It is large if both are long and point the same way, 0 if they are at
# right angles, and negative if they point in opposite directions. So each row of the matrix is a
# pattern, and the result says how well x matches each pattern.
def linear(x, w):                                             # [nin], [nout][nin] -> [nout]
    return [dot(x, row) for row in w]

# softmax turns scores into probabilities. exp makes them positive, and dividing by their total
# makes them sum to 1. The scores 2 and 1 become 0.73 and 0.27. If we first subtract the largest
# score, then every exp is divided by the same number, their total is, too, and the result stays as
# it was. But now exp cannot overflow, because no score is above 0.
def softmax(scores):                                          # [N] -> [N]
    largest = max(score.data for score in scores)
    exps = [(score - largest).exp() for score in scores]
    total = sum(exps)
    return [each / total for each in exps]

# rmsnorm gives a vector a standard size and keeps its direction. It divides by the root of the
# mean of the squares, so that afterwards the squares have a mean of 1. Without it, the next tool
# in line would see vectors of wildly different sizes. The 1e-5 keeps us from dividing by 0.
def rmsnorm(x):                                               # [N] -> [N] (Zhang, Sennrich 2019)
    scale = (dot(x, x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]

# In attention, every token gathers what it needs from the tokens before it, and from itself. Three
# matrices turn its vector into three new ones. Its query says what it is looking for. Its key says
# what it can be found by. Its value says what it has to tell, and has nothing to do with our class
# Value. The dot product of a token's query with an earlier token's key is a score: does this key
# answer that query? softmax turns the scores into weights. What the token hears is the sum of the
# values, each times its weight. Say there are two tokens with the scores 2 and 1 and the values
# [10, 0] and [0, 10]. The weights are 0.73 and 0.27, and what it hears is [7.3, 2.7].
#
# Several heads do this side by side. Each has its own slice of query, key and value, so that a
# token can look for several things at once. The output matrix mixes what the heads have heard.
# Nobody tells the heads what to look for. They find out in training.
#
# The lists keys and values hold the tokens so far and no others, so no token can look ahead. Such
# attention is called causal, and the two lists are called the KV cache. In training, gradients
# flow back through them to the earlier tokens.
head_width = width // heads
root = math.sqrt(head_width)

def attention(x, layer, keys, values):                        # [width] -> [width]
    query = linear(x, model["query", layer])                  # what am I looking for?
    keys.append(linear(x, model["key", layer]))               # what can I be found by?
    values.append(linear(x, model["value", layer]))           # what do I have to tell?
    heard = []
    for start in range(0, width, head_width):                 # head by head
        part = slice(start, start + head_width)
        scores = [dot(query[part], key[part]) / root for key in keys]
        weights = softmax(scores)                             # one for each token so far
        for i in range(start, start + head_width):            # number i of what is heard
            heard.append(dot(weights, [value[i] for value in values]))
    return linear(heard, model["output", layer])

# Two questions. Why does every position have an embedding? A sum does not depend on the order of
# its terms, so without them attention could not know which letter came first. Why do we divide by
# the root? Large scores would give one token nearly all the weight, and then hardly any gradient
# gets back through softmax. The terms of a dot product have both signs and partly cancel, so a sum
# of N terms grows like the root of N. Dividing by this root keeps scores small in wide heads, too.

# One vector x runs through the whole model. It is called the residual stream. In every layer,
# first attention and then the MLP reads a normed copy of x and adds what it finds to x. The
# derivative of a sum with respect to its terms is 1, so there is always a path on which gradients
# come back to the start undiminished, however many layers there are.
#
#   token + position --> norm --> x --+--------------------> + --+--------------> + --> logits
#                                     '--> norm, attention --^   '--> norm, MLP --^
#
# The MLP, short for multilayer perceptron, works on each token alone, on what attention has
# gathered. Each row of the matrix "up" is a pattern, and there are 4 * width of them. relu drops
# those that do not match. For each pattern that matches, the MLP adds a column of "down", times
# how well the pattern matches. Without relu, "up" and "down" could do no more than one matrix can.
# At the end, lm_head has a row for each token. How well x matches this row is the token's logit.
#
# This arrangement is the transformer (Vaswani and others, 2017). GPT-2 differs in details. Its
# norms have learned scales, and one stands before lm_head. In place of relu it has GELU, which is
# smooth, and it adds a learned number, a bias, to every result of linear.
def gpt(token, position, cache):                              # -> logits [vocab]
    x = rmsnorm(add(model["token"][token], model["position"][position]))
    for layer in range(layers):
        keys, values = cache[layer]                           # attention appends to them
        x = add(x, attention(rmsnorm(x), layer, keys, values))
        hidden = [match.relu() for match in linear(rmsnorm(x), model["up", layer])]
        x = add(x, linear(hidden, model["down", layer]))
    return linear(x, model["lm_head"])

# %% 6. Loss --------------------------------------------------------------------------------------
# How surprised is the model by the token that actually comes next? If the model gave this token
# the probability p, then the surprise is log(1 / p), with the natural logarithm. The surprise is 0
# if the model was certain and right. It is large if the model was almost certain of something
# else. Why a logarithm? The probability of a whole name is the product of the probabilities of its
# tokens, and the logarithm turns this product into a sum.
#
# A model that knows nothing gives each of 27 tokens the probability 1 / 27, and its surprise is
# log 27 = 3.30. The loss of a name is the mean surprise over its tokens, so that long and short
# names can be compared. It is called the cross-entropy.
def loss_of(tokens):                                          # [BOS ... BOS] -> a Value
    cache = [([], []) for _ in range(layers)]                 # keys and values, still empty
    T = min(block, len(tokens) - 1)                           # a name that is too long is cut
    surprises = []
    for t in range(T):
        probs = softmax(gpt(tokens[t], t, cache))
        surprises.append((1 / probs[tokens[t + 1]]).log())
    return sum(surprises) / T

# Let's see what the untrained model makes of the first name. It is a little worse than a model
# that knows nothing, because random numbers are random opinions.
example = encode(docs[0])
print(f"loss of a model that knows nothing: {math.log(vocab):.4f}")
print(f"loss of the untrained model for {docs[0]}: {loss_of(example).data:.4f}")

# %% 7. Backward pass -----------------------------------------------------------------------------
# That loss was made from thousands of Values, and one call of backward() gives every one of them
# its gradient. We only need those of the parameters. The function autograd is our first engine. It
# is given the numbers of all parameters and the tokens of one name, and it returns the loss and
# the gradients. Doing it this way, from the loss back, is called backpropagation.
def autograd(numbers, tokens):                                # -> loss, gradients [params]
    set_params(numbers)
    loss = loss_of(tokens)
    loss.backward()
    return loss.data, [param.grad for param in params]

# Is a gradient right? It is a slope, so we can measure it. We make one parameter a little larger,
# then a little smaller, and divide the change of the loss by the change of the parameter.
autograd(untrained, example)
param = model["token"][BOS][0]
param.data += 1e-5
above = loss_of(example).data
param.data -= 2e-5
below = loss_of(example).data
measured = (above - below) / 2e-5
print(f"gradient of one parameter: {param.grad:.9f} by backward(), {measured:.9f} measured")

# %% 8. Adam --------------------------------------------------------------------------------------
# The simplest way to learn is gradient descent. From every parameter it subtracts a small rate
# times its gradient. If the rate is small enough, the loss of this name gets smaller. But the next
# name may want the opposite. And some parameters always have large gradients, others always tiny
# ones, so that no rate is right for all of them.
#
# Adam (Kingma and Ba, 2015) keeps two running means for every parameter. The first moment is the
# mean of its recent gradients. What only one name wants mostly cancels out in it, and what many
# names want remains. The second moment is the mean of their squares, and its root is the typical
# size of this parameter's gradients. Adam moves every parameter by the rate times the first
# moment, divided by this size. If the gradient were always g, the moments would be g and g², and g
# / √g² is 1 or -1, whether g is large or tiny. If its sign keeps changing, the first moment is
# near 0, and the parameter hardly moves.
#
# A running mean takes a large share of its old value and a small share of the new one. With shares
# of 0.85 and 0.15 it reaches back over about 1 / 0.15 = 7 names. With 0.99 and 0.01 it reaches
# back over about 100. Both moments start at 0, and 0 is no gradient that we have seen. After n
# names, what we have really seen has the share 1 - 0.85 ** n, and so we divide by that. After one
# name this is 0.15, and after many names it is almost 1.
beta1, beta2 = 0.85, 0.99                                     # the shares of the old value

def adam(numbers, gradients, first, second, rate, n):         # [params] each, except rate and n
    first = [beta1 * m + (1 - beta1) * g for m, g in zip(first, gradients)]
    second = [beta2 * m + (1 - beta2) * g * g for m, g in zip(second, gradients)]
    seen1, seen2 = 1 - beta1 ** n, 1 - beta2 ** n
    numbers = [number - rate * (m1 / seen1) / (math.sqrt(m2 / seen2) + 1e-8)
               for number, m1, m2 in zip(numbers, first, second)]
    return numbers, first, second

# %% 9. Training loop -----------------------------------------------------------------------------
# Each training step takes one name. The engine computes the loss and the gradients, and Adam moves
# the parameters. That is all of training. Since each name is a random sample of all names, the
# field calls it stochastic gradient descent. The rate falls from step to step: it is bold at
# first, and so small at the end that what has been learned can settle.
#
# Some names are harder than others, so the loss jumps up and down. Watch the perplexity, which is
# exp of the mean loss of the last 100 names. A perplexity of 12 says that the model is as unsure,
# on average, as if it had to choose among 12 equally likely tokens. The bar shows one mark for
# each of these 12. It is an honest test, because every loss is computed before the model has
# learned from this name, and no name comes twice in a short run.
#
# Ctrl-C stops the training, and we go on with what has been learned by then.
if sys.implementation.name == "cpython":
    gc.disable()                                              # it looks for cycles; we make none
on_terminal = sys.stdout is not None and sys.stdout.isatty()

def train(engine, steps):                                     # -> numbers, losses, seconds a step
    numbers, losses, seconds = untrained, [], 0.0
    first, second = [0.0] * len(params), [0.0] * len(params)
    try:
        for step in range(steps):
            tokens = encode(docs[step % len(docs)])
            rate = args.rate * (1 - step / max(steps, args.steps))
            began = time.perf_counter()
            loss, gradients = engine(numbers, tokens)
            moved = adam(numbers, gradients, first, second, rate, step + 1)
            seconds += time.perf_counter() - began
            numbers, first, second = moved                    # the step is done, so keep it
            losses.append(loss)
            perplexity = math.exp(sum(losses[-100:]) / len(losses[-100:]))
            line = f"step {step + 1:4d} / {steps:4d} | loss {loss:.4f} | perplexity "
            line += f"{perplexity:#4.3g} {'#' * min(27, round(perplexity)):27}"
            stays = len(losses) % 100 == 0 or len(losses) == steps or not on_terminal
            print(line, end="\n" if stays else "\r", flush=True)
    except KeyboardInterrupt:
        print("\nstopped early")
    except ArithmeticError as problem:
        parser.error(f"--rate {args.rate} may be too high, the loss has no bound: {problem}")
    return numbers, losses, seconds / max(1, len(losses))

trained, losses, seconds = train(autograd, 0 if args.fast else args.steps)

# %% 10. Inference --------------------------------------------------------------------------------
# Using a trained model is called inference. Ours makes up names. It starts with BOS and draws the
# next token at random, according to the probabilities that it has just computed. It feeds this
# token back in, and goes on until it draws BOS again or the block is full. This is what generative
# means.
#
# The logits are first divided by a temperature. At 1 the model uses the probabilities that it has
# learned. Take two tokens with the probabilities 0.8 and 0.2, so that the first is 4 times as
# likely. To divide by 0.5 doubles the logits, and exp(2 x) is the square of exp(x). So now the
# first is 16 times as likely. A low temperature plays it safe, and a high one takes risks.
def generate(chance=random):                                  # -> a name
    cache = [([], []) for _ in range(layers)]
    name, token = "", BOS
    for position in range(block):
        logits = gpt(token, position, cache)
        probs = softmax([logit / args.temperature for logit in logits])
        token = chance.choices(range(vocab), [prob.data for prob in probs])[0]
        if token == BOS:
            break
        name += letters[token]
    return name

# Let's hear what it says before and after its training, and which of these names were among those
# it was trained on. Then we look into the model. Nobody has told it about vowels. Yet in our run,
# the embeddings closest to that of a vowel are those of the other vowels. They are used alike, and
# so they have become alike.
def show(trained, seen):                                      # [params], the names trained on
    set_params(untrained)
    print("before training:", *[generate(random.Random(i)) for i in range(min(3, args.samples))])
    set_params(trained)
    names = [generate() for _ in range(args.samples)]
    for i, name in enumerate(names, start=1):
        print(f"sample {i:2d}: {name}")
    print("seen in training:", *sorted(set(names) & set(seen)) or ["none"], sep="\n  ")

    where = {letter: [x.data for x in row] for letter, row in zip(letters, model["token"])}
    for letter in sorted(letters, key="".join(docs).count, reverse=True)[:3]:
        closest = sorted(letters, key=lambda other: math.dist(where[letter], where[other]))
        print(f"closest to {letter}:", *closest[1:5])         # closest[0] is the letter itself

if not args.fast:
    show(trained, docs[:len(losses)])

# %% 11. Encore: explicit backprop ----------------------------------------------------------------
# Our first engine makes a Value of every result and finds the gradients by itself. Now we build
# the same GPT on plain numbers and work out every derivative by hand. All tokens of a training
# name are known beforehand, so we can take them all at once. There are T of them, one in each row.
#
# Each tool is now a pair. The forward function computes y from x. The back function is given dy,
# the gradients of the loss with respect to y, and returns dx, the gradients with respect to x. One
# number x_j may move every y_i, and the paths add up. So dx_j is the sum over all i of dy_i times
# the derivative of y_i with respect to x_j. We write this sum as Σ_i.
sumprod = getattr(math, "sumprod", lambda x, y: sum(map(operator.mul, x, y)))

# linear and attention take whole matrices, and the other tools take one vector. The function rows
# applies such a tool row by row: rows(add, x, y) adds the first rows of x and y, then the second
# rows, and so on.
def rows(tool, *matrices):
    return [tool(*vectors) for vectors in zip(*matrices)]

def columns(x):                                               # [M][N] -> [N][M]
    return list(zip(*x))

# Linear. Each number of y is the dot product of a row of x and a row of w.
#     y_ti = Σ_j x_tj w_ij       row t of x with row i of w
#    dx_tj = Σ_i dy_ti w_ij      row t of dy with column j of w, because dy_ti is due to x_tj w_ij
#    dw_ij = Σ_t dy_ti x_tj      column i of dy with column j of x, summed over all tokens t,
#                                because w serves all of them
def linear_forward(x, w):                                     # [T][nin], [nout][nin] -> [T][nout]
    return [[sumprod(xt, wi) for wi in w] for xt in x]

def linear_back(dy, x, w):                                    # -> dx, dw
    return linear_forward(dy, columns(w)), linear_forward(columns(dy), columns(x))

# ReLU. The derivative is 1 where x is above 0. There y is above 0, too. Elsewhere it is 0.
def relu_forward(x):                                          # [N] -> [N]
    return [max(xi, 0.0) for xi in x]

def relu_back(dy, y):                                         # -> dx
    return [di if yi > 0 else 0.0 for di, yi in zip(dy, y)]

# RMSNorm. y_i = s x_i, where s = u^(-1/2), and u is the mean of all x² plus 1e-5.
#     The derivative of u with respect to x_j is 2 x_j / N.
#     The derivative of s with respect to u is -1/2 u^(-3/2) = -1/2 s³.
#     So the derivative of s with respect to x_j is -s³ x_j / N.
#     Every y_i depends on x_j through s. This gives x_i times -s³ x_j / N. Because y = s x, it is
#     the same as -s y_i y_j / N. And y_j also depends on x_j directly, which gives s.
#     dx_j = s dy_j - Σ_i dy_i s y_i y_j / N = s (dy_j - y_j Σ_i dy_i y_i / N)
def rmsnorm_forward(x):                                       # [N] -> [N]
    s = (sumprod(x, x) / len(x) + 1e-5) ** -0.5
    return [s * xi for xi in x]

def rmsnorm_back(dy, x, y):                                   # -> dx
    s = (sumprod(x, x) / len(x) + 1e-5) ** -0.5
    mean = sumprod(dy, y) / len(x)
    return [s * (di - yi * mean) for di, yi in zip(dy, y)]

# Softmax. y_i = exp(x_i) / S, where S is the sum of all exp(x).
#     The derivative of S with respect to x_j is exp(x_j).
#     The derivative of 1 / S with respect to x_j is -exp(x_j) / S².
#     Every y_i depends on x_j through S. This gives -exp(x_i) exp(x_j) / S² = -y_i y_j.
#     And y_j also depends on x_j directly, which gives exp(x_j) / S = y_j.
#     dx_j = y_j dy_j - Σ_i dy_i y_i y_j = y_j (dy_j - Σ_i dy_i y_i)
def softmax_forward(x):                                       # [N] -> [N]
    largest = max(x)
    exps = [math.exp(xi - largest) for xi in x]
    total = sum(exps)
    return [each / total for each in exps]

def softmax_back(dy, y):                                      # -> dx
    total = sumprod(dy, y)
    return [yi * (di - total) for di, yi in zip(dy, y)]

# Attention. Each head has its own slice of q, k and v. For one head:
#     score_tj = Σ_i q_ti k_ji / root           linear, with the keys as w
#     weight_tj = softmax of row t, taken over the tokens j up to t; for later tokens it is 0
#     heard_ti = Σ_j weight_tj v_ji             row t of weight with column i of v
# And back:
#     dweight_tj = Σ_i dheard_ti v_ji           row t of dheard with row j of v
#     dv_ji = Σ_t weight_tj dheard_ti           column j of weight with column i of dheard
#     dscore is given by softmax's rule. Its factor y_j is 0 for later tokens: no gradient there.
#     dq and dk are those of linear, divided by the root.
def split(x):                                                 # [T][width] -> one matrix per head
    return [[row[i:i + head_width] for row in x] for i in range(0, width, head_width)]

def join(parts):                                              # one matrix per head -> [T][width]
    return [list(itertools.chain(*pieces)) for pieces in zip(*parts)]

def attention_forward(q, k, v):                               # -> heard [T][width], weights
    heard, weights = [], []
    for qh, kh, vh in zip(split(q), split(k), split(v)):
        weight = []
        for t, score in enumerate(linear_forward(qh, kh)):
            so_far = softmax_forward([each / root for each in score[:t + 1]])
            weight.append(so_far + [0.0] * (len(score) - t - 1))
        weights.append(weight)
        heard.append(linear_forward(weight, columns(vh)))
    return join(heard), weights

def attention_back(dheard, q, k, v, weights):                 # -> dq, dk, dv, [T][width] each
    backs = []
    for dh, qh, kh, vh, weight in zip(split(dheard), split(q), split(k), split(v), weights):
        dscore = rows(softmax_back, linear_forward(dh, vh), weight)
        dq, dk = linear_back([[each / root for each in row] for row in dscore], qh, kh)
        backs.append((dq, dk, linear_forward(columns(weight), columns(dh))))
    return [join(parts) for parts in zip(*backs)]

# The loss of one token is log(1 / p), and p is the softmax of its logits at the target, the token
# that came. The derivative with respect to p is -1 / p, and with respect to all other
# probabilities it is 0. We put this into softmax's rule. The sum Σ_i dy_i y_i is -1 / p times p,
# which is -1. So for the target, dx is p (-1 / p + 1) = p - 1. For any other token it is its own
# probability times (0 + 1). In short, it is what the model said minus what was true.
#
# Now the whole model. It goes forward through the steps 1 to 9 of every layer, and then back
# through the same steps, from 9 to 1. What was used more than once gets gradients from every use,
# and they add up. So it is with x, x1 and n, and with the row of a letter that comes twice. What
# the model said minus what was true stands in dlogits, where i == target counts as 1 or 0. It is
# divided by T, because the loss is a mean.
roles = "query", "key", "value", "output", "up", "down"

def explicit(numbers, tokens):                                # -> loss, gradients [params]
    left = iter(numbers)                                      # put them into matrices again
    w = {name: [list(itertools.islice(left, len(row))) for row in m] for name, m in model.items()}
    inputs, targets = tokens[:-1][:block], tokens[1:][:block]
    T = len(inputs)
    sums = rows(add, [w["token"][token] for token in inputs], w["position"])
    x = x0 = rows(rmsnorm_forward, sums)
    kept = []
    for layer in range(layers):                               # forward
        wq, wk, wv, wo, wu, wd = [w[role, layer] for role in roles]
        n = rows(rmsnorm_forward, x)                          # 1
        q = linear_forward(n, wq)                             # 2
        k = linear_forward(n, wk)                             # 3
        v = linear_forward(n, wv)                             # 4
        a, weights = attention_forward(q, k, v)               # 5
        x1 = rows(add, x, linear_forward(a, wo))              # 6
        n1 = rows(rmsnorm_forward, x1)                        # 7
        hidden = rows(relu_forward, linear_forward(n1, wu))   # 8
        kept.append((x, n, q, k, v, a, weights, x1, n1, hidden))
        x = rows(add, x1, linear_forward(hidden, wd))         # 9
    probs = rows(softmax_forward, linear_forward(x, w["lm_head"]))
    loss = sum(math.log(1 / row[target]) for row, target in zip(probs, targets)) / T
    dlogits = [[(prob - (i == target)) / T for i, prob in enumerate(row)]
               for row, target in zip(probs, targets)]
    dw = {name: [[0.0] * width for _ in model[name]] for name in ("token", "position")}
    dx, dw["lm_head"] = linear_back(dlogits, x, w["lm_head"])
    for layer in reversed(range(layers)):                     # back
        wq, wk, wv, wo, wu, wd = [w[role, layer] for role in roles]
        x, n, q, k, v, a, weights, x1, n1, hidden = kept[layer]
        dhidden, dwd = linear_back(dx, hidden, wd)            # 9
        dmatch = rows(relu_back, dhidden, hidden)             # 8, its relu
        dn1, dwu = linear_back(dmatch, n1, wu)                # 8, its linear
        dx1 = rows(add, dx, rows(rmsnorm_back, dn1, x1, n1))  # 7; step 9 used x1, too
        da, dwo = linear_back(dx1, a, wo)                     # 6
        dq, dk, dv = attention_back(da, q, k, v, weights)     # 5
        dn_v, dwv = linear_back(dv, n, wv)                    # 4
        dn_k, dwk = linear_back(dk, n, wk)                    # 3
        dn_q, dwq = linear_back(dq, n, wq)                    # 2
        dn = rows(add, dn_q, rows(add, dn_k, dn_v))           # 2, 3 and 4 used n
        dx = rows(add, dx1, rows(rmsnorm_back, dn, x, n))     # 1; step 6 used x, too
        dw.update(zip([(role, layer) for role in roles], (dwq, dwk, dwv, dwo, dwu, dwd)))
    for t, row in enumerate(rows(rmsnorm_back, dx, sums, x0)):
        dw["position"][t] = row
        dw["token"][inputs[t]] = add(dw["token"][inputs[t]], row)
    return loss, [each for name in model for row in dw[name] for each in row]

# %% 12. The two engines compared -----------------------------------------------------------------
# Do the two engines agree? We try the first name, and the longest, which may be longer than the
# block. They must find the same loss and the same gradients, except for the rounding of floats.
gaps = []
for name in docs[0], max(docs, key=len):
    loss, gradients = autograd(untrained, encode(name))
    explicit_loss, explicit_gradients = explicit(untrained, encode(name))
    largest = max(map(abs, gradients)) or 1.0
    gaps += [abs(a - b) / largest for a, b in zip(gradients, explicit_gradients)]
    if not (math.isclose(loss, explicit_loss) and all(gap < 1e-9 for gap in gaps)):
        sys.exit("THE TWO ENGINES DISAGREE")
set_params(trained)
print(f"the engines agree: all {len(params)} gradients to {max(gaps):.0e} of the largest")

# Now the explicit engine trains, from the same start, on the same names, with the same Adam, and
# the same losses race past. Why is it faster? It makes no Values and keeps no edges. It does only
# the arithmetic. PyTorch, the library in which most models are written, combines the two. It has
# autograd, but each of its nodes is a whole matrix, and each of its edges knows a back function
# like ours.
if args.fast:
    trained, losses, seconds = train(explicit, args.steps)
    show(trained, docs[:len(losses)])
else:
    _, explicit_losses, explicit_seconds = train(explicit, len(losses))
    if explicit_losses:
        gap = max(abs(a - b) for a, b in zip(losses, explicit_losses))
        print(f"{len(explicit_losses)} losses agree to {gap:.0e}")
        print(f"milliseconds a name: autograd {seconds * 1e3:.2f}, explicit "
              f"{explicit_seconds * 1e3:.2f}, {seconds / explicit_seconds:.1f} times as fast")

# And that is all of it. In a thousand steps on short names, attention has hardly lowered the loss.
# It shows its worth in longer training and in longer texts. The models that you can talk to are
# made in the same way, but millions of times larger, with many layers, and they have read billions
# of times as much. Their tokens are pieces of words. Our training, in which a model only learns
# what comes next, is the "pretrained" in their name. After it they are trained further, to answer
# questions and to be of help.
