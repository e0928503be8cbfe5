# microgpt: how a GPT is trained and how it speaks. This file reads a list of names, learns what
# names look like, and makes up names of its own. It is plain Python with nothing hidden, written
# to be read aloud. GPT stands for generative pretrained transformer. By the end all three words
# will be clear. The model is Andrej Karpathy's microgpt. A run takes less than a minute.
#
# A vector is a list of numbers, and a matrix is a list of vectors, its rows. The comments on the
# right give their shapes: [3] is a vector of 3 numbers, and [2][3] is a matrix with 2 such rows.
import argparse, contextlib, gc, itertools, math, operator, pathlib, random, signal, sys, time

# %% 1. Setup -------------------------------------------------------------------------------------
# These are the settings you can change. Those that shape the model and its training are called
# hyperparameters. Each help text names the section that explains it. To try another, edit it or
# type: python microgpt.py --steps 200. The code below only checks the command line.
defaults = argparse.ArgumentDefaultsHelpFormatter
parser = argparse.ArgumentParser(usage=argparse.SUPPRESS, formatter_class=defaults)
choice = parser.add_argument
choice("--data", default="names.txt", help="the text to learn from, one name per line (section 2)")
choice("--seed", type=int, default=42, help="the seed of the random numbers (section 2)")
choice("--width", type=int, default=16, help="how many numbers stand for a token (section 4)")
choice("--block", type=int, default=16, help="how many tokens the model can look at (section 4)")
choice("--layers", type=int, default=1, help="layers, each with attention and an MLP (section 5)")
choice("--heads", type=int, default=4, help="attention heads in each layer (section 5)")
choice("--rate", type=float, default=0.01, help="the learning rate at the start (section 8)")
choice("--steps", type=int, default=1000, help="training steps, one name per step (section 9)")
choice("--samples", type=int, default=20, help="names to make up after training (section 10)")
choice("--temperature", type=float, default=0.5, help="how much risk to take (section 10)")
choice("--fast", action="store_true", help="train only with the fast engine (section 11)")
args = parser.parse_args([] if "ipykernel" in sys.modules else None)

bounds = dict(width=1, block=1, layers=1, heads=1, rate=0, steps=0, samples=0, temperature=0.01)
for flag, least in bounds.items():
    if not (least <= getattr(args, flag) < 1e9):
        parser.error(f"--{flag} must be at least {least} and below 1e9, not {getattr(args, flag)}")
width, block, layers, heads = args.width, args.block, args.layers, args.heads
if width % heads:                                               # each head gets an equal slice
    parser.error(f"--heads must divide --width, but {heads} does not divide {width}")

# %% 2. Data and tokens ---------------------------------------------------------------------------
# Our data (docs, for documents) is a list of first names from many cultures, one per line, in the
# current folder or beside this script. The same seed always shuffles it the same way.
try:
    path = pathlib.Path(args.data)
    if not path.exists():
        path = pathlib.Path(sys.argv[0]).resolve().parent / path
    docs = [line.strip() for line in path.read_text("utf-8-sig").split("\n") if line.strip()]
except (OSError, ValueError) as problem:
    parser.error(f"--data {args.data!r} cannot be read: {problem}")
if not docs:
    parser.error(f"--data {args.data!r} must hold at least one name, but holds none")
random.seed(args.seed)
random.shuffle(docs)

# A model can only work with numbers. So we cut every name into tokens, which are single letters
# here, and give each token a number. Before every name we put a special token called BOS, for
# "beginning of sequence". The same token follows the name and marks its end: where a name ends,
# the next may begin. The set of all tokens is called the vocabulary. With a = 0, n = 13 and
# BOS = 26, "anna" becomes 26 0 13 13 0 26. The task is always the same: given the tokens so far,
# which token comes next?
letters = sorted(set("".join(docs)))
BOS = len(letters)
vocab = len(letters) + 1                                        # the size of the vocabulary

def encode(name):                                               # "anna" -> [26, 0, 13, 13, 0, 26]
    return [BOS] + [letters.index(letter) for letter in name] + [BOS]

# These three lines keep odd terminals from crashing the program, and let it end quietly when a
# pipe is closed.
with contextlib.suppress(AttributeError):                       # some systems lack these
    sys.stdout.reconfigure(errors="replace")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
print(f"num docs: {len(docs)}\nvocab size: {vocab}\ntokens: {docs[0]} ->", *encode(docs[0]))

# %% 3. Autograd ----------------------------------------------------------------------------------
# Learning means making an error smaller. Our error will be a single number, the loss, and it will
# be computed from thousands of other numbers. For each of them we must know: if this number grew a
# little, how fast would the loss grow? That is the derivative of the loss with respect to this
# number. We call it the number's gradient. (Strictly, the list of all these derivatives is the
# gradient of the loss.) Autograd, short for automatic gradients, finds all of them in a single
# pass backward. Textbooks call it reverse-mode automatic differentiation.
#
# A computation is a graph: numbers joined by edges. Take c = a * b. Now c remembers two edges, one
# to a and one to b. We call a and b the children of c, because we will walk from c down to them.
# (Unlike real children, they are older than c.) A number that was not computed from others has no
# children. It is called a leaf. Each edge carries a local gradient. If a changes a little, c
# changes b times as much, so the local gradient on the edge to a is b. In the same way, the local
# gradient on the edge to b is a. In a + b, both local gradients are 1. For the other operations,
# calculus tells us: the derivative of exp is exp itself, that of log a is 1 / a, and that of
# a ** power is power * a ** (power - 1). relu makes negative numbers 0, so its derivative is 0 for
# them, and 1 for positive ones. (At 0 we take 0.)
#
# The chain rule turns local gradients into gradients. Walk from the result back to a number, and
# multiply the local gradients along the way. If several paths lead back to the same number, add up
# their contributions. For example, x * x has two paths back to x. At x = 3, let x grow by 0.001.
# Then the first factor alone makes the result grow by 0.003, and so does the second. Together they
# make it grow by about 0.006.
#
# In Python, a + b calls a.__add__(b). If a is a plain number, as in 2 + b, Python calls
# b.__radd__(2).
counter = itertools.count()                                     # 0, 1, 2, and so on

class Value:                                                    # a number that remembers
    def __init__(self, data, edges=()):
        self.data = data                                        # the number itself
        self.grad = 0.0                                         # its gradient, from backward()
        self.edges = edges                                      # [(child, local_grad), ...]
        self.order = next(counter)                              # later Values have higher numbers

    def __add__(self, other):                                   # local gradients: both are 1
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):                                   # each is the other factor
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def __pow__(self, power):                                   # a ** 0 is always 1, so slope 0
        slope = power * self.data ** (power - 1) if power else 0.0
        return Value(float(self.data ** power), [(self, slope)])
    def exp(self): return Value(math.exp(self.data), [(self, math.exp(self.data))])
    def log(self): return Value(math.log(self.data), [(self, 1 / self.data)])
    def relu(self): return Value(max(self.data, 0.0), [(self, 1.0 if self.data > 0 else 0.0)])
    def __neg__(self): return self * -1                         # the rest is made from the above
    def __sub__(self, other): return self + -other
    def __rsub__(self, other): return -self + other             # 2 - a
    def __truediv__(self, other): return self * other ** -1
    def __rtruediv__(self, other): return self ** -1 * other    # 2 / a
    __radd__, __rmul__ = __add__, __mul__                       # 2 + a; sum() starts with 0 + a
    def __repr__(self): return f"Value(data={self.data}, grad={self.grad})"

    # First we collect every Value that has something to pass on: this result, its children, their
    # children, but no leaves. A Value that was used more than once gets a share from every use,
    # and it may pass on its gradient only when it has all its shares. Children are always made
    # first, so we go from the last Value made to the first, a topological order.
    def backward(self):
        graph, new = set(), {self}
        while new:                                              # a leaf has no edges: left out
            graph |= new
            new = {child for node in new for child, _ in node.edges if child.edges} - graph
        for node in graph:
            node.grad = 0.0
        self.grad = 1.0                                         # d self / d self
        for node in sorted(graph, key=lambda node: node.order, reverse=True):
            for child, local_grad in node.edges:
                child.grad += local_grad * node.grad            # the chain rule, edge by edge

# Let's try it on a * b + a, for a = 2 and b = 3. The arrows show how it is computed. The edges
# lead the other way, back from each result. Their local gradients are in brackets: the 2 beside b
# is a, and the 3 beside a is b.
#
#   b = 3 --(2)--> a * b = 6 --(1)--> a * b + a = 8
#   a = 2 --(3)------^                  ^
#     '---------------(1)---------------'
#
# Two paths lead back to a. They contribute 1 * 3 and 1, which add up to 4. One leads back to b,
# and contributes 1 * 2. backward() doesn't have to walk every path. It first comes to the sum,
# which gives 1 to a * b and 1 to a. Then it comes to a * b, which gives 2 to b and 3 to a. Each
# edge is visited only once. That matters: y = x + x has two paths to x, and y + y already has
# four. The number of paths can double with every operation, but an operation only adds its own few
# edges. Leaves such as a and b are not set to 0 at the beginning. So the gradients of several
# calls add up in them, until we set them to 0 ourselves.
#
# Why does the order matter? Take h = 2 * a, then g = 3 * h, and then g + h, which is 8 a. So h is
# used by g and by the sum. It gets 3 from g and 1 from the sum, and passes 2 * 4 = 8 on to a. If h
# went before g, it would have only the 1 from the sum, and a would get 2 instead of 8.
a, b = Value(2.0), Value(3.0)
(a * b + a).backward()
print(f"gradients of a * b + a at a = 2, b = 3: {a.grad} for a, {b.grad} for b")

# A dot product multiplies two vectors element by element and adds up the products. We will need
# many, so we make each dot product a single Value. As in any product, the local gradient of each
# element is its partner. In dot(x, x) each element is its own partner, so it gets two edges, and
# the gradient 2 x. Built from * and +, a dot product of 16 terms would make about 30 Values. Now
# it makes one.
def dot(x, y):                                                  # [N], [N] -> a Value
    assert len(x) == len(y), "a dot product needs two vectors of the same length"
    total, edges = 0.0, []
    for xi, yi in zip(x, y):
        total += xi.data * yi.data
        edges += [(xi, yi.data), (yi, xi.data)]
    return Value(total, edges)

# %% 4. Parameters --------------------------------------------------------------------------------
# Everything that the model will ever know is in its parameters, the numbers in a few matrices. A
# model that is built from such matrices, with simple functions between them, is called a neural
# network, and its parameters are also called its weights. Each token has a row of numbers in the
# matrix "token". This row is called the token's embedding, and it is all that the model ever sees
# of the token. The length of the row is the width, or embedding dimension. Each position in a name
# has an embedding, too, in the matrix "position". The number of positions is the block size. The
# model never looks at more tokens than that, so it is also called the context length.
#
# All the other matrices turn one vector into another. Each of their rows makes one number of the
# result, by a dot product. So a matrix [nout][nin] makes nout numbers out of nin. (Many networks
# also add a learned number to each result, a bias. We leave it out.) A layer is one round of
# attention and MLP, which section 5 explains. Attention has four matrices in every layer, and the
# MLP has two. The last matrix is called lm_head, for "language model head". It gives each token a
# score, its logit. The higher the logit, the likelier the model thinks that this token comes next.
#
# All parameters start at random. Nothing in the model treats one place in a vector differently
# from another. So if all parameters were equal, all 16 numbers of an embedding would get the same
# gradients, stay equal forever, and be worth no more than one number. The parameters are drawn
# from a normal distribution around 0. Its standard deviation, the typical distance from 0, is
# 0.08. This choice keeps the logits small at first, roughly between -1 and 1, so that the model
# has only weak opinions to unlearn.
def matrix(nout, nin):                                          # -> [nout][nin]
    return [[Value(random.gauss(0, 0.08)) for _ in range(nin)] for _ in range(nout)]

model = {"token": matrix(vocab, width), "position": matrix(block, width)}
model["lm_head"] = matrix(vocab, width)                         # makes a logit for each token
for layer in range(layers):
    for role in "query", "key", "value", "output":              # attention
        model[role, layer] = matrix(width, width)
    model["up", layer] = matrix(4 * width, width)               # the MLP
    model["down", layer] = matrix(width, 4 * width)
params = [param for m in model.values() for row in m for param in row]
untrained = [param.data for param in params]                    # their numbers before training
print(f"num params: {len(params)}")

# The parameters are Values, but Adam and our second engine will work on a list of their plain
# numbers. This function puts such numbers into the parameters. Since these are leaves, it also
# sets their gradients to 0.
def set_params(numbers):                                        # one number for each parameter
    for param, number in zip(params, numbers):
        param.data, param.grad = number, 0.0

# %% 5. Forward pass ------------------------------------------------------------------------------
# A token and its position go in, together with what was kept from the earlier tokens, and the
# logits come out. This direction is the forward pass. First we need four small functions. The
# first one, add, adds two vectors number by number.
def add(x, y):                                                  # [N], [N] -> [N]
    return [xi + yi for xi, yi in zip(x, y)]

# linear takes the dot product of a vector x with every row of a matrix. A dot product measures how
# well two vectors match. It is positive if they point roughly the same way, 0 if they are at right
# angles, and negative if they point away from each other. It also grows with their lengths. So
# each row of the matrix is a pattern, and the result says how well x matches each pattern.
def linear(x, w):                                               # [nin], [nout][nin] -> [nout]
    return [dot(x, row) for row in w]

# softmax turns scores into probabilities. exp makes them positive, and dividing by their total
# makes them sum to 1. The scores 2 and 1 become 0.73 and 0.27. We will use it twice: for the
# weights in attention, and for the probabilities of the next token. The scores 1 and 0 would also
# become 0.73 and 0.27, because only differences count: exp(2) / exp(1) is exp(2 - 1). So we may
# first subtract the largest score from all of them. We do it because exp of a large score is too
# large for a float, which is called an overflow. Since the result does not depend on what we
# subtract, the gradient of what we subtract is 0. So we can take it as a plain number, with no
# edge back to the scores.
def softmax(scores):                                            # [N] -> [N]
    largest = max(score.data for score in scores)
    exps = [(score - largest).exp() for score in scores]
    total = sum(exps)
    return [each / total for each in exps]

# rmsnorm gives a vector a standard size and keeps its direction (Zhang and Sennrich, 2019). RMS
# stands for root mean square, the square root of the mean of the squares. Every number is divided
# by it, or multiplied by mean ** -0.5, which is the same. After that, the mean of the squares is
# 1. Without this, the numbers could grow from layer to layer. If each layer only doubled them, 20
# layers would make them a million times as large. The 1e-5 keeps us from dividing by 0. (The
# original also learns a factor for each number, which we leave out.)
def rmsnorm(x):                                                 # [N] -> [N]
    scale = (dot(x, x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]

# Now the plan of the model. The embedding of a token and the embedding of its position are added
# together to make one vector, called x. This may look odd, since nobody can tell from 7 whether it
# was 3 + 4 or 2 + 5. But both embeddings are learned, and a vector has 16 numbers. So training can
# use some of them for the letter, and others for the position. In every layer, first attention and
# then the MLP reads a normalized copy of x, and adds what it finds to x.
#
#   token + position --> norm --> x --+-----------------> + --+-----------> + --> lm_head, logits
#                                     '-> norm, attention ^   '-> norm, MLP ^
#
# Nothing ever replaces x. The layers only add to it. So a layer only has to find what is missing,
# the residual, and x is called the residual stream. (Such an addition is also called a skip
# connection.) A later layer can use what an earlier one has found. That is one reason why large
# models have many. This also helps the gradients. The derivative of a sum with respect to each of
# its terms is 1. So there is always a path on which gradients come back along x through all the
# layers, multiplied by nothing but 1.

# Attention is how tokens pass information to each other. From a normalized copy of its x, called n
# in the code, each token makes three vectors, with three matrices. The query says what this token
# is looking for. The key says how other tokens can find it. The value is what it tells the tokens
# that find it. (This value has nothing to do with our class Value.) Query and key need different
# matrices. With one matrix for both, every token would tend to look for tokens like itself. Say
# our token has the query [2, 2, 0, 0]. It can listen to the token before it, with the key
# [2, 0, 1, 0], and to itself, with the key [0, 1, 0, 3]. The dot products of the query with these
# keys are 4 and 2. We divide them by 2, the square root of 4, the number of elements, and get the
# scores 2 and 1. softmax turns these into the weights 0.73 and 0.27. Now say that the values of
# the two tokens are [10, 0, 0, 0] and [0, 10, 0, 0]. Our token hears 0.73 times the first and 0.27
# times the second, which comes to [7.3, 2.7, 0, 0]. We say that it attends to these tokens, with
# these weights.
#
# A token may look for several things at once. So query, key and value are cut into slices, here
# four of 4 numbers each, and all this is done with every slice separately. This is called
# multi-head attention. One head might look for the last vowel, another for the beginning of the
# name. What each head looks for is learned. At the end, the matrix "output" mixes what the heads
# have heard.
#
# Each token first adds its own key and value to two lists, keys and values, and then listens to
# all that is in them. So it hears the tokens before it, and itself, but it can't look ahead. This
# is called causal attention. Since no token is changed by a later one, the lists can be kept, and
# nothing is computed twice. When a trained model generates, such lists are called the KV cache. In
# training, gradients flow back through them to the earlier tokens.
#
# Here is a layer in nine steps. The first six are attention. The last three are the MLP, which we
# explain below.
#
#   1  normalize a copy of x
#   2  make its query
#   3  make its key
#   4  make its value
#   5  listen to the tokens so far, with each head
#   6  mix what the heads heard, and add it to x
#   7  normalize a copy of x
#   8  match it with the patterns, and set negative matches to 0
#   9  turn the matches back into a vector, and add it to x
head_width = width // heads
root = math.sqrt(head_width)

def attention(n, layer, keys, values):                          # -> [width]
    query = linear(n, model["query", layer])                    # 2: what am I looking for?
    keys.append(linear(n, model["key", layer]))                 # 3: what can others find me by?
    values.append(linear(n, model["value", layer]))             # 4: what do I tell them?
    heard = []                                                  # 5: in each head, a slice
    for start in range(0, width, head_width):
        head = slice(start, start + head_width)
        scores = [dot(query[head], key[head]) / root for key in keys]
        weights = softmax(scores)                               # one for each token so far
        for i in range(start, start + head_width):              # the weighted sum at place i
            heard.append(dot(weights, [value[i] for value in values]))
    return linear(heard, model["output", layer])                # 6: mix what the heads heard

# Why do we divide by the square root? Imagine that you take 4 steps, each to the left or to the
# right at random. The square of your distance from the start is 4 on average, so you are typically
# 2 steps away. After 100 steps you are typically 10 away. The terms of a dot product are such
# steps, so dot products are typically larger if the vectors have more elements. Without the
# division, softmax could easily give one token a weight of nearly 1, and all others nearly 0. Then
# a small change in the scores would make almost no difference. So the gradients of the scores
# would be nearly 0, and queries and keys would hardly learn.
#
# What is heard is a sum, and a sum does not depend on the order of its terms. So in one layer,
# attention alone could not tell which of the earlier letters came first. That's why x contains the
# position. And each token listens to all tokens before it. So in a text that is twice as long,
# there are four times as many pairs of tokens to compare. In long texts, this is most of the work.

# The MLP treats each token by itself. It reads a normalized copy of x, which now includes what was
# heard. MLP stands for multilayer perceptron. Many textbooks call it the feed-forward network.
# Each row of its matrix "up" is a pattern, and linear says how well the copy matches it. There are
# 4 * width patterns, a common choice. relu sets the negative matches to 0. Textbooks call each
# pattern with its relu a neuron, and all of them together a hidden layer. Then the matrix "down"
# turns the matches back into a vector. Say there are two patterns, with the matches 2 and 0, and
# the rows of "down" are [1, 5] and [3, 7]. The dot products are 2 and 6, which is twice the first
# column. So each pattern owns a column of "down", and the better it is matched, the more of its
# column is added to x. Without relu, the second matrix would be of no use. Multiplying by 2 and
# then by 3 is multiplying by 6. In the same way, two matrices in a row are no better than one.
#
# The cache of gpt has two lists for each layer, the keys and the values of the tokens so far.
def gpt(token, position, cache):                                # -> logits [vocab]
    x = rmsnorm(add(model["token"][token], model["position"][position]))
    for layer, (keys, values) in enumerate(cache):
        n = rmsnorm(x)                                          # 1: normalize a copy
        x = add(x, attention(n, layer, keys, values))           # 2 to 6
        n = rmsnorm(x)                                          # 7: normalize a copy
        matches = linear(n, model["up", layer])                 # 8: [4 * width]
        hidden = [match.relu() for match in matches]            # 8: still [4 * width]
        x = add(x, linear(hidden, model["down", layer]))        # 9: back to [width]
    return linear(x, model["lm_head"])                          # a logit for each token

# Why is x also normalized at the very beginning? The embeddings start small, and this gives the
# stream a standard size, before anything is added to it. In the first layer, step 1 then changes
# almost nothing.
#
# All this is a transformer (Vaswani and colleagues, 2017), in the form called decoder-only. You
# can remember the name this way: layer by layer, it transforms the vector of a token into one that
# says what comes next. GPT-2 follows the same plan. Some differences: it has layer norm instead of
# RMSNorm, GELU instead of relu, and biases. It normalizes x before lm_head and not at the
# beginning, and it uses one matrix both as token and as lm_head.

# %% 6. Loss --------------------------------------------------------------------------------------
# How surprised is the model by the token that actually comes next? If the model gave this token a
# probability p, then the surprise is log(1 / p), with the natural logarithm. Textbooks write it as
# minus log p, which is the same, and call it the negative log-likelihood. If p is 1, the surprise
# is 0. If p is one half, it is 0.69, and if p is one in a thousand, it is 6.91. Why a logarithm?
# The probability of a whole name is the product of the probabilities of its tokens, each of them
# given the tokens before it. The logarithm turns this product into a sum, so the surprise of a
# name is the sum of the surprises of its tokens.
#
# A model that knows nothing gives each of 27 tokens a probability of 1 / 27, and its surprise is
# log 27 = 3.30. Every position in a name is an example to learn from: a name of 8 letters gives 9
# predictions, the last one for the closing BOS. (Names longer than the block are cut off.) After
# each prediction the true token goes in, not the model's guess. This is called teacher forcing.
# The loss of the name is the mean of the surprises, so that long and short names can be compared.
# Textbooks call it the cross-entropy.
def loss_of(tokens):                                            # [BOS ... BOS] -> a Value
    cache = [([], []) for _ in range(layers)]                   # keys and values, still empty
    surprises = []
    for position, (token, target) in enumerate(zip(tokens[:block], tokens[1:])):
        probs = softmax(gpt(token, position, cache))
        surprises.append((1 / probs[target]).log())
    return sum(surprises) / len(surprises)

# Let's see what the untrained model makes of the first name. Usually its loss is a little above
# that of a model that knows nothing, because on average random opinions are a little worse than
# none. For a single name it can go either way.
example = encode(docs[0])
print(f"loss of a model that knows nothing: {math.log(vocab):.4f}")
print(f"loss of the untrained model for {docs[0]}: {loss_of(example).data:.4f}")

# %% 7. Backward pass -----------------------------------------------------------------------------
# That loss was built from thousands of Values. One call of backward() gives every one of them its
# gradient. We only need those of the parameters. The others were needed on the way. The next
# function takes the numbers of all parameters and the tokens of one name, and it returns the loss
# and the gradients. This direction, from the loss back to the parameters, is the backward pass,
# and the method is called backpropagation. We call such a function an engine, and this one is
# named autograd, after its method. Section 11 will build another.
def autograd(numbers, tokens):                                  # -> loss, gradients [params]
    set_params(numbers)                                         # also sets all gradients to 0
    loss = loss_of(tokens)
    loss.backward()
    return loss.data, [param.grad for param in params]

# How do we know that a gradient is right? It is a slope, so we can measure it. We make one
# parameter a little larger, then a little smaller, and divide the change in the loss by the change
# in the parameter. (With a much smaller change, rounding would spoil the result.) This is called a
# gradient check. Section 12 will compare all the gradients.
which = BOS * width                                             # a number that every name uses
_, gradients = autograd(untrained, example)
up, down = untrained[:], untrained[:]
up[which] += 1e-5
down[which] -= 1e-5
measured = (autograd(up, example)[0] - autograd(down, example)[0]) / 2e-5
print(f"gradient of one parameter: {gradients[which]:.9f} by backward(), {measured:.9f} measured")

# %% 8. Adam --------------------------------------------------------------------------------------
# A gradient says how fast the loss grows with a parameter. So the simplest way to learn is to move
# every parameter a little the other way: we subtract its gradient times a small number, the
# learning rate. This is called gradient descent. We go downhill from where we are. If the rate is
# small enough, the loss of this name gets smaller. But there are two problems. First, the next
# name may want the opposite. Second, some parameters have large gradients and others tiny ones.
# The embedding of a rare letter, for example, gets no gradient from most names, and yet it must be
# learned just as well as the others. So no single rate suits all parameters.
#
# Adam, for adaptive moment estimation (Kingma and Ba, 2015), deals with both. It keeps two running
# means for every parameter, called its moments. The first moment, m in the code, is the mean of
# its recent gradients. If the names disagree, their gradients mostly cancel out in it. If they
# agree, it stays large. The second moment, v in the code, is the mean of the squares of its
# gradients. Squares can't cancel out, because they are never negative. So the root of their mean
# is the typical size of a gradient of this parameter. Adam divides the first moment by this size,
# multiplies the result by the rate, and subtracts it from the parameter. If the gradient were
# always g, the moments would be g and g², and g / √g² would be 1 or -1, whether g is large or
# tiny. So all parameters whose gradients agree move at the same pace, by about the rate in each
# step. If the sign of the gradient keeps changing, the first moment is near 0, and the parameter
# hardly moves.
#
# To update the first running mean, we take 0.85 times its old value and add 0.15 times the new
# gradient. This is called an exponential moving average. With every name, the older gradients lose
# 15 percent of their weight. After 7 names a third of it is left, because 0.85 ** 7 is 0.32. The
# second mean takes 0.99 and 0.01. It needs 110 names to fade to a third, so it remembers much
# longer. And the rare letter? If a gradient g comes after a long run of zeros, m is 0.15 g, and v
# is 0.01 g², whose root is 0.1 g. So the parameter moves by 1.5 times the rate at once, and by
# about 10 times the rate until m has faded, however small g is. These numbers are choices. Adam's
# usual ones are 0.9 and 0.999.
#
# Both means start at 0, so at first they are too close to 0. After the first name, the first
# moment is only 0.15 times the gradient. So we divide it by 0.15. After the second name, the
# gradients have the weights 0.15 and 0.85 * 0.15, together 0.2775, so we divide by 0.2775. This is
# 1 - 0.85 ** 2, and after count names it is 1 - 0.85 ** count. In the same way, the second moment
# is divided by 1 - 0.99 ** count. This is called bias correction, and later it hardly matters. The
# 1e-8 keeps us from dividing by 0.
beta1, beta2 = 0.85, 0.99                                       # how much of the old value stays

def adam(numbers, gradients, first, second, rate, count):       # all the lists are [params]
    first = [beta1 * m + (1 - beta1) * g for m, g in zip(first, gradients)]
    second = [beta2 * v + (1 - beta2) * g * g for v, g in zip(second, gradients)]
    weight1, weight2 = 1 - beta1 ** count, 1 - beta2 ** count
    numbers = [number - rate * (m / weight1) / (math.sqrt(v / weight2) + 1e-8)
               for number, m, v in zip(numbers, first, second)]
    return numbers, first, second

# %% 9. Training loop -----------------------------------------------------------------------------
# Each training step takes one name. The engine computes the loss and the gradients, and Adam moves
# the parameters. That is all there is to training. Every step sees one name of the shuffled list
# instead of all of them, so its gradients only estimate those of all names together. This idea is
# called stochastic gradient descent, and Adam is a refinement of it. Larger models take many
# examples in each step, a batch. The rate falls in a straight line, from args.rate at the first
# step almost to 0 at step args.steps (even if fewer steps are made, as in section 12 after
# Ctrl-C). Large steps learn fast, and small ones at the end keep the last names from undoing what
# all the others taught. You can stop the training with Ctrl-C. Then we go on from the last
# complete step.
#
# Some names are harder than others, so the loss jumps up and down. Watch the perplexity instead,
# which is exp of the mean loss of the last 100 names. exp undoes the logarithm: a model that knows
# nothing has a loss of log 27 and a perplexity of 27. A perplexity of 12 says that the model is as
# unsure, on average, as if it had to choose among 12 equally likely tokens. (Textbooks take the
# mean over tokens, not over names.) It can't fall to 1, because nobody can know for certain which
# letter comes next. The bar shows it, cut off at 25 marks. It shrinks, though not at every step,
# because a hundred names are still a small sample. No name comes twice in a thousand steps, and
# each loss is computed before the model learns from the name. So the model is always tested on
# something new. If names came again and again, a model could learn them by heart and get worse on
# new ones. This is called overfitting. Then you would have to test it on names that are never used
# for training, a validation set.
def train(engine, steps):                                       # -> numbers, losses, time per name
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
            numbers, first, second = moved                      # the step is complete
            losses.append(loss)
            report(losses, steps)
    except KeyboardInterrupt:
        print("\nstopped early")
    except ArithmeticError as problem:
        parser.error(f"--rate {args.rate} may be too high, the training diverged: {problem}")
    return numbers, losses, seconds / max(1, len(losses))

def report(losses, steps):                                      # on a terminal, lines are updated
    done, recent = len(losses), losses[-100:]
    perplexity = math.exp(sum(recent) / len(recent))
    passing = done % 100 and done < steps and sys.stdout and sys.stdout.isatty()
    print(f"step {done:4d} / {steps:4d} | loss {losses[-1]:.4f} | perplexity {perplexity:#4.3g} "
          f"{'#' * min(25, round(perplexity)):25}", end="\r" if passing else "\n", flush=True)

# Python's garbage collector looks for objects that refer to each other in a circle. Our Values
# never do, because edges only lead to older Values, and Python frees them anyway when nothing
# refers to them. So we switch the collector off and save the time.
if sys.implementation.name == "cpython":
    gc.disable()
trained, losses, seconds = train(autograd, 0 if args.fast else args.steps)

# %% 10. Inference --------------------------------------------------------------------------------
# Using a trained model is called inference. Ours makes up names. It starts with BOS, computes the
# probabilities of the next token, and draws one at random: a token with probability 0.2 is drawn
# one time in five. It feeds this token back in, and goes on until it draws BOS again or the block
# is full. That's what generative means. A model that predicts each token from those before it is
# called autoregressive.
#
# The logits are first divided by a temperature. At 1 the model uses the probabilities that it has
# learned. Take two tokens with probabilities 0.8 and 0.2. The exp of the first logit is 4 times
# that of the second. A temperature of 0.5 doubles the logits, and exp(2 x) is the square of
# exp(x). So now the first token is 16 times as likely as the second. A low temperature plays it
# safe, and near 0 it almost always takes the likeliest token. A high one takes risks. Our 0.5
# flatters the model a little.
def generate(chance=random):                                    # chance makes the random draws
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

# Let's hear what the model says before and after its training. Did it only repeat the names it was
# trained on? Or did it even find names that are in the file, but weren't among those it was
# trained on? (With --fast, nothing is trained yet, and all this follows in section 12.)
#
# Then we look inside the model. Nobody told it about vowels. Yet in our run, the letters whose
# embeddings are closest to those of a, i and e, the most frequent letters, are the other vowels.
# That's probably because much the same letters follow them.
#
# How much has attention helped? On short names and in a thousand steps, hardly at all. These are
# mean losses of the last hundred names (measured by docs/parts.py):
#
#   2.594   a table that learns only how often each letter follows another
#   2.598   a model without attention and positions, which sees the last letter only
#   2.476   a model without attention, which sees the last letter and its position
#   2.471   our model
#
# With only a hundred names, differences of a few thousandths may be chance. Almost all that our
# model knows beyond the table comes from the position. Attention pays off with longer texts,
# longer training and larger models.
def show(trained, seen):                                        # [params], the names trained on
    set_params(untrained)
    print("before training:", *[generate(random.Random(i)) for i in range(min(3, args.samples))])
    set_params(trained)
    names = [generate() for _ in range(args.samples)]
    for i, name in enumerate(names, start=1):
        print(f"sample {i:2d}: {name}")
    unseen = set(docs) - set(seen)
    for title, others in ("seen in training", seen), ("in the file, but never seen", unseen):
        print(f"{title}:", *(sorted(set(names) & set(others)) or ["none"]), sep="\n  ")

    where = {letter: [x.data for x in row] for letter, row in zip(letters, model["token"])}
    for letter in sorted(letters, key="".join(docs).count, reverse=True)[:3]:
        closest = sorted(letters, key=lambda other: math.dist(where[letter], where[other]))
        print(f"closest to {letter}:", *closest[1:5])           # closest[0] is the letter itself

if not args.fast:
    show(trained, docs[:len(losses)])

# %% 11. Encore: explicit backprop ----------------------------------------------------------------
# Our first engine turns every result into a Value and finds the gradients by itself. Now we build
# the same GPT on plain numbers and work out every derivative by hand. The tokens of a training
# name are all known beforehand. So in every layer, we can first make the queries, keys and values
# of all tokens, and then let each token listen. (On hardware that works in parallel, this is what
# made transformers fast to train.) A matrix x now has T rows, one for each of the T tokens that
# the model predicts from.
#
# Most functions become a pair. The forward function computes y from x. The backward function is
# given dy. This is not the differential of calculus, but short for the gradient of the loss with
# respect to y, one number for each number of y. It returns dx, the same for x. One number x_j may
# affect every y_i, and each of these is a path to the loss. So dx_j is the sum, over all i, of
# dy_i times the derivative of y_i with respect to x_j. We write this sum as Σ_i.
#
# A few helpers first. sumprod is the dot product of plain numbers. Python has had it since 3.12.
# For older versions we make our own. dots takes the dot product of every row of a with every row
# of b. It does what linear does, for many vectors at once. In linear algebra, this is the product
# of a and b transposed. columns is the transpose: the columns become rows. rows applies a function
# to the first row of each matrix, then to the second row of each, and so on, up to the end of the
# shortest. So rows(add, a, b) adds two matrices.
sumprod = getattr(math, "sumprod", lambda a, b: sum(map(operator.mul, a, b)))

def dots(a, b):                                                 # [A][N], [B][N] -> [A][B]
    return [[sumprod(row, other) for other in b] for row in a]

def columns(a):                                                 # [A][B] -> [B][A]
    return list(zip(*a))

def rows(function, *matrices):                                  # one result for each row
    return [function(*vectors) for vectors in zip(*matrices)]

# Linear. y = dots(x, w), for x [T][nin] and w [nout][nin]. So y_ti is number i in row t of y. For
# example, let w be [[3, 4], [5, 6]]. If one row of x is [1, 2], the row of y is [11, 17]. If the
# row of dy is [1, 0], only the first number of y counts. So the row of dx is [3, 4], which is the
# first row of w. The first row of dw gets [1, 2], which is x.
#     y_ti = Σ_j x_tj w_ij                      row t of x with row i of w
#     x_tj affects y_ti for every i, with the local gradient w_ij:
#     dx_tj = Σ_i dy_ti w_ij                    row t of dy with column j of w
#     w_ij affects y_ti for every t, with the local gradient x_tj:
#     dw_ij = Σ_t dy_ti x_tj                    column i of dy with column j of x
def linear_back(dy, x, w):                                      # -> dx, dw, shaped like x and w
    return dots(dy, columns(w)), dots(columns(dy), columns(x))

# ReLU. The derivative is 1 where x, and so y, is above 0. Elsewhere the derivative is 0.
def relu_forward(x):                                            # [N] -> [N]
    return [max(xi, 0.0) for xi in x]

def relu_back(dy, y):                                           # -> dx
    return [di if yi > 0 else 0.0 for di, yi in zip(dy, y)]

# RMSNorm. y_i = s x_i, where s = u^(-1/2), and u is 1e-5 plus the mean of the squares x_i².
#     The derivative of u with respect to x_j is 2 x_j / N.
#     The derivative of s with respect to u is -1/2 u^(-3/2) = -1/2 s³.
#     So the derivative of s with respect to x_j is -1/2 s³ · 2 x_j / N = -s³ x_j / N.
#     Every y_i depends on x_j through s. This gives x_i times -s³ x_j / N. Since s x_i = y_i and
#     s x_j = y_j, this is -s y_i y_j / N.
#     For i = j, y_j also depends on x_j directly. This adds s.
#     dx_j = s dy_j - Σ_i dy_i s y_i y_j / N = s (dy_j - y_j Σ_i dy_i y_i / N)
def rmsnorm_forward(x):                                         # [N] -> [N]
    s = (sumprod(x, x) / len(x) + 1e-5) ** -0.5
    return [s * xi for xi in x]

def rmsnorm_back(dy, x, y):                                     # -> dx
    s = (sumprod(x, x) / len(x) + 1e-5) ** -0.5
    mean = sumprod(dy, y) / len(x)
    return [s * (di - yi * mean) for di, yi in zip(dy, y)]

# Softmax. y_i = exp(x_i) / S, where S is the sum of all exp(x).
#     The derivative of S with respect to x_j is exp(x_j).
#     The derivative of 1 / S with respect to x_j is -exp(x_j) / S².
#     Every y_i depends on x_j through S. This gives -exp(x_i) exp(x_j) / S² = -y_i y_j.
#     For i = j, the numerator exp(x_i) also depends on x_j. This adds exp(x_j) / S = y_j.
#     dx_j = y_j dy_j - Σ_i dy_i y_i y_j = y_j (dy_j - Σ_i dy_i y_i)
#     If one y is 1 and all others are 0, every dx_j is 0. No gradient gets back.
def softmax_forward(x):                                         # [N] -> [N]
    largest = max(x)
    exps = [math.exp(xi - largest) for xi in x]
    total = sum(exps)
    return [each / total for each in exps]

def softmax_back(dy, y):                                        # -> dx
    total = sumprod(dy, y)
    return [yi * (di - total) for di, yi in zip(dy, y)]

# split cuts a matrix into one matrix for each head, and join puts them side by side again.
def split(x):                                                   # [T][width] -> a list of heads
    return [[row[i:i + head_width] for row in x] for i in range(0, width, head_width)]

def join(parts):                                                # the other way
    return [list(itertools.chain(*pieces)) for pieces in zip(*parts)]

# Attention. Both the scores and what is heard are dot products, as in linear, and softmax stands
# between them. So the backward pass needs no new rule. But now all tokens are there at once, and a
# mask must hide the later ones. It gives them the weight 0, and then softmax's rule gives their
# scores the gradient 0. For one head, token t listens to an earlier token e, or to itself:
#     score_te = Σ_i q_ti k_ei / root           row t of q with row e of k
#     weight_te = softmax of row t of score     a mask sets later scores to -∞, and exp(-∞) is 0
#     heard_ti = Σ_e weight_te v_ei             row t of weight with column i of v
# The backward pass:
#     weight_te affects heard_ti for every i, with the local gradient v_ei:
#     dweight_te = Σ_i dheard_ti v_ei           row t of dheard with row e of v
#     v_ei affects heard_ti for every t, with the local gradient weight_te:
#     dv_ei = Σ_t weight_te dheard_ti           column e of weight with column i of dheard
#     By softmax's rule, with f for any token:
#     dscore_te = weight_te (dweight_te - Σ_f dweight_tf weight_tf)
#     q_ti affects score_te for every e, with the local gradient k_ei / root:
#     dq_ti = Σ_e dscore_te k_ei / root         row t of dscore with column i of k
#     k_ei affects score_te for every t, with the local gradient q_ti / root:
#     dk_ei = Σ_t dscore_te q_ti / root         column e of dscore with column i of q
# Take the example of section 5, where a token hears [7.3, 2.7, 0, 0]. Say dheard is
# [0.1, 0, 0, 0]. Its dot products with the two values give dweight, which is [1, 0]. The Σ in
# softmax's rule is 0.73 * 1, so dscore is 0.73 * (1 - 0.73) = 0.2 and 0.27 * (0 - 0.73) = -0.2. A
# positive gradient means that the loss grows with the score. So training lowers it, and our token
# will listen less to the first and more to the second. The value of the first gets 0.73 times
# dheard, and that of the second 0.27 times. All later tokens that listen to a token send it such
# shares, and the sums over t add them up. In the code, dscore is divided by root first. Then the
# scores are dots(q, k), a linear with x = q and w = k, and linear_back gives dq and dk.
def head_forward(q, k, v):                                      # -> heard, weights, of one head
    scores = [[each / root if e <= t else -math.inf for e, each in enumerate(row)]
              for t, row in enumerate(dots(q, k))]
    weights = rows(softmax_forward, scores)
    return dots(weights, columns(v)), weights

def head_back(dheard, q, k, v, weights):                        # -> dq, dk, dv, of one head
    dscores = rows(softmax_back, dots(dheard, v), weights)
    dq, dk = linear_back([[each / root for each in row] for row in dscores], q, k)
    return dq, dk, dots(columns(weights), columns(dheard))

# And now for all heads. rows takes the heads one by one, as it takes rows.
def attention_forward(q, k, v):                                 # -> heard [T][width], weights
    heard, weights = zip(*rows(head_forward, split(q), split(k), split(v)))
    return join(heard), weights

def attention_back(dheard, q, k, v, weights):                   # -> dq, dk, dv, [T][width] each
    parts = rows(head_back, split(dheard), split(q), split(k), split(v), weights)
    return [join(part) for part in zip(*parts)]

# Cross-entropy. The surprise is log(1 / p) = -log p, where p is the probability of the target, the
# token that actually came next. Its derivative with respect to p is -1 / p, and with respect to
# all other probabilities it is 0. We put this dy into softmax's rule. The sum Σ_i dy_i y_i is
# -1 / p times p, which is -1. So the logit of the target gets p (-1 / p + 1) = p - 1. The logit of
# another token gets that token's probability times (0 + 1). In short, the gradients of the logits
# are the predicted probabilities, minus 1 at the target. So a step of training tends to raise the
# logit of the target. It tends to lower the others, especially those that the model thought
# likely. And what if the model is quite sure and wrong? Softmax alone would pass hardly any
# gradient back. But p is then tiny, -1 / p is huge, and the product is p - 1, nearly -1. That's
# why softmax and the logarithm go so well together. All these gradients are divided by T, because
# the loss is a mean.

# Now the whole model. It goes forward through steps 1 to 9 of every layer, and then back through
# the same steps, from 9 to 1. Anything that was used more than once gets gradients from every use,
# and they add up. A sum, as in steps 6 and 9, passes its gradient on to both its terms unchanged.
# Tokens and positions that the name does not use keep the gradient 0, so the gradients of these
# two matrices start as zeros. Since the name has fewer positions than the block, rows stops at its
# end. The variables are named as in section 5, with q, k and v for query, key and value. x1 is x
# after step 6, and n1 is its normalized copy. The numbers come as one long list, and the first two
# lines cut it into matrices again. Each islice takes the next numbers from the list, as many as
# one row has. At the end, the gradients are returned in the same order.
def explicit(numbers, tokens):                                  # -> loss, gradients [params]
    left = iter(numbers)
    w = {name: [list(itertools.islice(left, len(row))) for row in m] for name, m in model.items()}
    inputs, targets = tokens[:-1][:block], tokens[1:]
    T = len(inputs)
    sums = rows(add, [w["token"][token] for token in inputs], w["position"])
    x = normed = rows(rmsnorm_forward, sums)
    kept = []
    for layer in range(layers):                                 # forward
        n = rows(rmsnorm_forward, x)                            # 1
        q = dots(n, w["query", layer])                          # 2
        k = dots(n, w["key", layer])                            # 3
        v = dots(n, w["value", layer])                          # 4
        heard, weights = attention_forward(q, k, v)             # 5
        x1 = rows(add, x, dots(heard, w["output", layer]))      # 6
        n1 = rows(rmsnorm_forward, x1)                          # 7
        hidden = rows(relu_forward, dots(n1, w["up", layer]))   # 8
        kept.append((x, n, q, k, v, heard, weights, x1, n1, hidden))
        x = rows(add, x1, dots(hidden, w["down", layer]))       # 9
    probs = rows(softmax_forward, dots(x, w["lm_head"]))
    loss = sum(math.log(1 / row[target]) for row, target in zip(probs, targets)) / T
    dlogits = [[prob / T for prob in row] for row in probs]
    for row, target in zip(dlogits, targets):
        row[target] -= 1 / T
    dw = {name: [[0.0] * width for _ in model[name]] for name in ("token", "position")}
    dx, dw["lm_head"] = linear_back(dlogits, x, w["lm_head"])
    for layer in reversed(range(layers)):                       # back, from the last layer
        x, n, q, k, v, heard, weights, x1, n1, hidden = kept[layer]
        # 9 and 8: the MLP; dx goes to both terms of the sum, to x1 and to the MLP
        dhidden, dw["down", layer] = linear_back(dx, hidden, w["down", layer])
        dn1, dw["up", layer] = linear_back(rows(relu_back, dhidden, hidden), n1, w["up", layer])
        dx1 = rows(add, dx, rows(rmsnorm_back, dn1, x1, n1))    # 7: x1 was used here and in 9
        # 6: the output; again dx1 goes to both terms, to x and to attention
        dheard, dw["output", layer] = linear_back(dx1, heard, w["output", layer])
        dq, dk, dv = attention_back(dheard, q, k, v, weights)   # 5
        # 4, 3 and 2: value, key and query were all made from n
        dn_v, dw["value", layer] = linear_back(dv, n, w["value", layer])
        dn_k, dw["key", layer] = linear_back(dk, n, w["key", layer])
        dn_q, dw["query", layer] = linear_back(dq, n, w["query", layer])
        dn = rows(add, dn_q, rows(add, dn_k, dn_v))
        dx = rows(add, dx1, rows(rmsnorm_back, dn, x, n))       # 1: x was used here and in 6
    for t, (token, row) in enumerate(zip(inputs, rows(rmsnorm_back, dx, sums, normed))):
        dw["position"][t] = row
        dw["token"][token] = add(dw["token"][token], row)       # a letter may come twice
    return loss, [each for name in model for row in dw[name] for each in row]

# %% 12. The two engines compared -----------------------------------------------------------------
# Do the two engines agree? We try them on the first name, and on the longest, which may be longer
# than the block. They must find the same loss and the same gradients, except for the rounding of
# floats. We print the largest difference between two gradients, divided by the largest gradient.
gaps = []
for name in docs[0], max(docs, key=len):
    loss, gradients = autograd(untrained, encode(name))
    explicit_loss, explicit_gradients = explicit(untrained, encode(name))
    largest = max(map(abs, gradients)) or 1.0
    gaps += [abs(a - b) / largest for a, b in zip(gradients, explicit_gradients)]
    if not (math.isclose(loss, explicit_loss) and all(gap < 1e-9 for gap in gaps)):
        sys.exit("THE TWO ENGINES DISAGREE")
set_params(trained)                                             # for those who play with it
print(f"the engines agree: all {len(params)} gradients to {max(gaps):.0e} of the largest")

# Now the explicit engine trains, from the same start, on the same names, with the same Adam, and
# for as many steps. You will see the same losses again. Why is this engine faster? It makes no
# Values and keeps no edges. It does only the arithmetic, mostly in built-in functions. These are
# written in C, and run much faster than Python. But we had to work out every part by hand, whereas
# autograd does it for any model. PyTorch, the library in which most models are written, combines
# the two engines. It has autograd, but each node of its graph is an operation on whole matrices
# and knows its own backward function, like our pairs.
if args.fast:
    trained, losses, seconds = train(explicit, args.steps)
    show(trained, docs[:len(losses)])
else:
    _, explicit_losses, explicit_seconds = train(explicit, len(losses))
    if explicit_losses:
        gap = max(abs(a - b) for a, b in zip(losses, explicit_losses))
        print(f"{len(explicit_losses)} losses differ by at most {gap:.0e}")
        print(f"milliseconds per name: autograd {seconds * 1e3:.2f}, explicit "
              f"{explicit_seconds * 1e3:.2f}, {seconds / explicit_seconds:.1f} times as fast")

# And that's all of it. The models you can talk to are made in the same way, but they are millions
# of times larger, with many layers, and they have read billions of times as much. Their tokens are
# pieces of words. Our training, in which a model only learns what comes next, is the "pretrained"
# in GPT. After pretraining, such models are trained further, to answer questions and to be
# helpful. Still, what they do is what you have seen: they continue a text token by token, in the
# way that training has made likely, whether it is true or not. Generative, pretrained,
# transformer: you have now seen what each word means, down to the last line.
