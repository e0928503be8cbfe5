# microgpt: how a GPT is trained and how it speaks. This file reads a list of names, learns what
# names look like, and makes up names of its own. It is plain Python with nothing hidden, written
# to be read aloud from the first line to the last. GPT stands for generative pretrained
# transformer. By the end all three words will be clear. The model is Andrej Karpathy's microgpt.
#
# A vector is a list of numbers, and a matrix is a list of vectors, its rows. The comments on the
# right give their shapes: [3] is a vector of 3 numbers, and [2][3] is a matrix with 2 such rows.
import argparse, contextlib, gc, itertools, math, operator, pathlib, random, signal, sys, time

# %% 1. Setup -------------------------------------------------------------------------------------
# These are the settings you can change, the hyperparameters. Each help text names the section that
# explains it. To try another value, edit it here or say: python microgpt.py --steps 200. The rest
# of this section reads the command line and refuses values that make no sense.
defaults = argparse.ArgumentDefaultsHelpFormatter
parser = argparse.ArgumentParser(usage=argparse.SUPPRESS, formatter_class=defaults)
choice = parser.add_argument
choice("--data", default="names.txt", help="the text to learn from, one name per line (section 2)")
choice("--seed", type=int, default=42, help="where random numbers start (section 2)")
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
        parser.error(f"--{flag} must be from {least} to below 1e9, not {getattr(args, flag)}")
width, block, layers, heads = args.width, args.block, args.layers, args.heads
if width % heads:                                               # each head gets an equal slice
    parser.error(f"--heads must divide --width, but {heads} does not divide {width}")

# %% 2. Data and tokens ---------------------------------------------------------------------------
# Our data is a list of first names from many cultures, one per line. We look for the file in the
# current folder, then beside this script. One seed always shuffles it in the same way.
try:
    path = pathlib.Path(args.data)
    if not path.exists():
        path = pathlib.Path(sys.argv[0]).resolve().parent / path
    docs = [line.strip() for line in path.read_text("utf-8-sig").split("\n") if line.strip()]
except (OSError, ValueError) as problem:
    parser.error(f"--data {args.data!r} cannot be read: {problem}")
if not docs:
    parser.error(f"--data {args.data!r} must hold at least one name, not none")
random.seed(args.seed)
random.shuffle(docs)

# A model works with numbers only. So we cut every name into tokens, which are single letters here,
# and give each token a number. One more token, called BOS for "beginning of sequence", marks where
# a name begins. We put it after the name as well, where it says that the name is over. All tokens
# together are the vocabulary. With a = 0, n = 13 and BOS = 26, "anna" becomes 26 0 13 13 0 26. The
# task is always the same: given the tokens so far, which token comes next?
letters = sorted(set("".join(docs)))
BOS = len(letters)
vocab = len(letters) + 1                                        # the size of the vocabulary

def encode(name):                                               # "anna" -> [26, 0, 13, 13, 0, 26]
    return [BOS] + [letters.index(letter) for letter in name] + [BOS]

# These three lines keep odd terminals and closed pipes from crashing the program.
with contextlib.suppress(AttributeError):                       # some systems lack these
    sys.stdout.reconfigure(errors="replace")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
print(f"num docs: {len(docs)}\nvocab size: {vocab}\ntokens: {docs[0]} ->", *encode(docs[0]))

# %% 3. Autograd ----------------------------------------------------------------------------------
# Learning means making an error smaller. Our error will be a single number, the loss, and it will
# be computed from thousands of other numbers. For each of them we must know: if this number grew a
# little, how fast would the loss grow? That is the derivative of the loss with respect to this
# number. We'll call it the number's gradient, though strictly the gradient is the list of all
# these derivatives. Autograd, short for automatic gradients, gets all of them at once.
#
# A computation is a graph: numbers joined by edges. Take c = a * b. Now c remembers two edges, one
# to a and one to b. We call a and b the children of c. They were there first, but we will start
# from c and go down to them, as in a family tree. A number that was not computed from others has
# no children. It is called a leaf. Each edge carries a local gradient. If a grows a little, c
# grows b times as much, so the local gradient on the edge to a is b. In the same way, the local
# gradient on the edge to b is a.
#
# The chain rule turns local gradients into gradients. Walk from the result back to a number, and
# multiply the local gradients along the way. If several paths lead back to the same number, then
# this number moves the result a little along each of them. Small moves add up, so we add up the
# paths.
counter = itertools.count()                                     # 0, 1, 2, and so on

class Value:                                                    # a number that remembers
    def __init__(self, data, edges=()):
        self.data = data                                        # the number itself
        self.grad = 0.0                                         # its gradient, set by backward()
        self.edges = edges                                      # [(child, local_grad), ...]
        self.order = next(counter)                              # a number above its children's

    def __add__(self, other):                                   # local gradients 1 and 1
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):                                   # local gradients b and a
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    # The derivative of exp is exp itself, that of log a is 1 / a, and that of a ** power is
    # power * a ** (power - 1). relu makes negative numbers 0, so its derivative is 1 or 0.
    def __pow__(self, power):                                   # if power is 0, the slope is 0
        slope = power * self.data ** (power - 1) if power else 0.0
        return Value(float(self.data ** power), [(self, slope)])
    def exp(self): return Value(math.exp(self.data), [(self, math.exp(self.data))])
    def log(self): return Value(math.log(self.data), [(self, 1 / self.data)])
    def relu(self): return Value(max(self.data, 0.0), [(self, 1.0 if self.data > 0 else 0.0)])
    def __neg__(self): return self * -1                         # all others use those above
    def __sub__(self, other): return self + -other
    def __rsub__(self, other): return -self + other             # 2 - a: the plain number is first
    def __truediv__(self, other): return self * other ** -1
    def __rtruediv__(self, other): return self ** -1 * other    # 2 / a
    __radd__, __rmul__ = __add__, __mul__                       # 2 + a; sum() starts with 0 + a
    def __repr__(self): return f"Value(data={self.data}, grad={self.grad})"

    # First we collect the graph: the result, its children, their children, and so on. A Value may
    # have been used more than once, and every use adds to its gradient. Only a complete gradient
    # may be passed on to the children. So we go from the last Value made to the first.
    def backward(self):
        graph, new = set(), {self}
        while new:                                              # all results, without the leaves
            graph |= new
            new = {child for node in new for child, _ in node.edges if child.edges} - graph
        for node in graph:
            node.grad = 0.0
        self.grad = 1.0                                         # d self / d self
        for node in sorted(graph, key=lambda node: node.order, reverse=True):
            for child, local_grad in node.edges:
                child.grad += local_grad * node.grad            # the chain rule, edge by edge

# Let's try it on a * b + a, for a = 2 and b = 3. The arrows show how it is computed. The edges
# lead the other way, back from each result. The local gradient is in brackets on each arrow.
#
#   b = 3 --(2)--> a * b = 6 --(1)--> a * b + a = 8
#   a = 2 --(3)------^                  ^
#     '---------------(1)---------------'
#
# Two paths lead back to a. They give 1 * 3 and 1, which add up to 4. One leads back to b, and
# gives 1 * 2. backward() doesn't have to walk every path. It first comes to the sum, which gives 1
# to a * b and 1 to a. Then it comes to a * b, which gives 2 to b and 3 to a. Since every number
# first collects what all its uses give it, one look at each edge is enough. Leaves such as a and b
# are not set to 0 first. So if they are used in several losses, the gradients of these losses add
# up, until we set them to 0.
#
# Why does the order matter? Take h = 2 * a, then g = 3 * h, and then g + h, which is 8 a. So h is
# used by g and by the sum. It gets 3 from g and 1 from the sum, and passes 2 * 4 = 8 on to a. If h
# had its turn before g, it would have only the 1 from the sum, and a would get 2 instead of 8.
a, b = Value(2.0), Value(3.0)
(a * b + a).backward()
print(f"gradients of a * b + a at a = 2, b = 3: {a.grad} for a, {b.grad} for b")

# A dot product multiplies two vectors element by element and adds up the products. We will need
# many of them, so each becomes a single Value. As in any product, the local gradient of each
# element is its partner. In dot(x, x) each element is its own partner, so it gets two edges, and
# the gradient 2 x. Built from * and +, a dot product of 16 terms would make about 30 Values.
def dot(x, y):                                                  # [N], [N] -> a Value
    assert len(x) == len(y), "a dot product needs two vectors of the same length"
    total, edges = 0.0, []
    for xi, yi in zip(x, y):
        total += xi.data * yi.data
        edges += [(xi, yi.data), (yi, xi.data)]
    return Value(total, edges)

# %% 4. Parameters --------------------------------------------------------------------------------
# Everything that the model will ever know is in its parameters, numbers in a few matrices. They
# start out random, drawn from a normal distribution around 0. If they were all equal, then all
# numbers in the vector of a token would be computed in the same way and stay equal forever. A
# vector of 16 equal numbers is worth no more than a single number. The standard deviation, their
# typical distance from 0, is 0.08. Small parameters make small results. So at first the model
# finds all tokens about equally likely, and has no strong opinions to unlearn.
#
# Each token has a row of numbers in the matrix "token". This row is called the token's embedding,
# and it is all that the model ever sees of the token. Each position in a name has an embedding,
# too, in the matrix "position". All the other matrices turn one vector into another. Each of their
# rows makes one number of the result, by a dot product. So a matrix [nout][nin] makes nout numbers
# out of nin. Section 5 explains what each matrix is for. Here they only get their sizes.
def matrix(nout, nin):                                          # -> [nout][nin]
    return [[Value(random.gauss(0, 0.08)) for _ in range(nin)] for _ in range(nout)]

model = {"token": matrix(vocab, width), "position": matrix(block, width)}
model["lm_head"] = matrix(vocab, width)                         # makes the logits of section 5
for layer in range(layers):
    for role in "query", "key", "value", "output":              # to gather from other tokens
        model[role, layer] = matrix(width, width)
    model["up", layer] = matrix(4 * width, width)               # up and down make the MLP
    model["down", layer] = matrix(width, 4 * width)
params = [param for rows in model.values() for row in rows for param in row]
untrained = [param.data for param in params]                    # their numbers before training
print(f"num params: {len(params)}")

# In training, every name changes the numbers of the parameters a little. This function puts the
# new numbers in. Since parameters are leaves, it also sets their gradients back to 0.
def set_params(numbers):                                        # one number for each parameter
    for param, number in zip(params, numbers):
        param.data, param.grad = number, 0.0

# %% 5. Forward pass ------------------------------------------------------------------------------
# A token and its position go in, and the logits come out. Every token of the vocabulary gets a
# logit, a number that is high if this token is likely to come next. We first make four tools. add
# adds two vectors.
def add(x, y):                                                  # [N], [N] -> [N]
    return [xi + yi for xi, yi in zip(x, y)]

# linear takes the dot product of a vector x with every row of a matrix. A dot product measures how
# well two vectors match. It is large if both are long and point the same way. It is 0 if they are
# at right angles, and negative if they point in opposite directions. So each row of the matrix is
# a pattern, and the result says how well x matches each pattern.
def linear(x, w):                                               # [nin], [nout][nin] -> [nout]
    return [dot(x, row) for row in w]

# softmax turns scores into probabilities. exp makes them positive, and dividing by their total
# makes them sum to 1. The scores 2 and 1 become 0.73 and 0.27. We will use it twice: for the
# weights in attention, and for the probabilities of the next token. The scores 1 and 0 would also
# become 0.73 and 0.27, because only differences count: exp(2) / exp(1) is exp(2 - 1). So we may
# first subtract the largest score from all of them. We do it because exp of a large score is too
# large for a float. The result does not depend on what we subtract, so it needs no gradient, and
# we subtract a plain number.
def softmax(scores):                                            # [N] -> [N]
    largest = max(score.data for score in scores)
    exps = [(score - largest).exp() for score in scores]
    total = sum(exps)
    return [each / total for each in exps]

# rmsnorm gives a vector a standard size and keeps its direction (Zhang and Sennrich, 2019). RMS
# stands for the root of the mean of the squares, and every number is divided by it. After that,
# the mean of the squares is 1. Without this, the numbers could grow or shrink on their way through
# the model, until the gradients are too large or too small to learn from. The 1e-5 keeps us from
# dividing by 0.
def rmsnorm(x):                                                 # [N] -> [N]
    scale = (dot(x, x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]

# Now the plan of the model. The embedding of the token and the embedding of its position are added
# up to a single vector, called x. Can a sum still tell which letter it is, and where it stands? It
# can, because both embeddings are learned, and 16 numbers have room for both. Then x runs through
# the layers, and each layer changes it in nine steps:
#
#   1  normalize a copy of x                     7  normalize a copy of the new x
#   2  make a query from the copy                8  match the copy with many patterns
#   3  make a key from the copy                  9  turn the matches into a vector,
#   4  make a value from the copy                   and add it to x
#   5  gather from the tokens so far
#   6  mix what was gathered, and add it to x
#
#   token + position --> norm --> x --+------------------> + --+------------------> + --> logits
#                                     '--> steps 1 to 6 ---^   '--> steps 7 to 9 ---^
#
# Steps 1 to 6 are called attention, and steps 7 to 9 are called the MLP. Both add to x. They never
# replace it. So x is called the residual stream: a layer only has to find the residual, which is
# what x still lacks. This also helps the gradients. The derivative of a sum with respect to each
# of its terms is 1. So there is always a path on which gradients come back along x undiminished,
# however many layers there are.

# Attention is how tokens learn from each other. The query of a token says what it is looking for.
# The key says how others can find it. The value says what it tells those that find it. (This value
# has nothing to do with our class Value.) Say our token has the query [2, 2, 0, 0], and there are
# two tokens with the keys [2, 0, 1, 0] and [0, 1, 0, 3]. The dot products of the query with the
# keys are 4 and 2. We divide them by 2, the root of the number of elements, and get the scores 2
# and 1. softmax turns these scores into the weights 0.73 and 0.27. If the values of the two tokens
# are [10, 0, 0, 0] and [0, 10, 0, 0], then our token hears 0.73 times the first and 0.27 times the
# second, which is [7.3, 2.7, 0, 0]. We say that our token attends to these two.
#
# Why do we divide by the root? Toss 4 coins that say 1 or -1, and add up. The sum is typically
# about 2 away from 0. With 100 coins it is about 10. So the size of a random sum grows like the
# root of the number of its terms, and longer vectors have larger dot products. Without the
# division, softmax could give nearly all the weight to one token. Section 11 will show that then
# hardly any gradient comes back through it.
#
# A token may look for several things at once. So query, key and value are cut into slices, here
# four of 4 numbers each, and step 5 is done with every slice separately. Each slice is called a
# head. Training decides what each head looks for. In step 6, the matrix "output" mixes what the
# heads have heard. What is heard is a sum, and a sum doesn't depend on the order of its terms.
# That's why x also contains the position: without it, attention could not tell which letter came
# first.
#
# Each token first adds its own key and value to two lists, keys and values, and then gathers from
# all that is in them. So it hears itself and the tokens before it, but nobody can look ahead. Such
# attention is called causal. The keys and values of earlier tokens never change, so we make them
# only once. The two lists are called the KV cache. In training, gradients flow back through them
# to the earlier tokens.
head_width = width // heads
root = math.sqrt(head_width)

def attention(n, layer, keys, values):                          # [width] -> [width]
    query = linear(n, model["query", layer])                    # 2: what am I looking for?
    keys.append(linear(n, model["key", layer]))                 # 3: what can others find me by?
    values.append(linear(n, model["value", layer]))             # 4: what do I tell them?
    heard = []                                                  # 5: each head listens
    for start in range(0, width, head_width):
        head = slice(start, start + head_width)
        scores = [dot(query[head], key[head]) / root for key in keys]
        weights = softmax(scores)                               # one for each token so far
        for i in range(start, start + head_width):              # number i of what is heard
            heard.append(dot(weights, [value[i] for value in values]))
    return linear(heard, model["output", layer])                # 6: mix what the heads heard

# The MLP then works on what was gathered, for each token by itself. (MLP is short for multilayer
# perceptron, an old name.) In step 8, each row of the matrix "up" is a pattern, and there are
# 4 * width of them, a common choice. relu sets the negative matches to 0. In step 9, the matrix
# "down" has one column for each pattern. Each match multiplies its column, and these columns are
# added up. (linear takes one row after the other, but it forms the same sums.) So the MLP says:
# the better x matches this pattern, the more of that column I add. Without relu it would be worth
# little. Two matrices, one after the other, can do no more than a single matrix, because sums of
# sums of x are again sums of x.
#
# In gpt, cache has two lists for each layer, the keys and the values of the tokens so far.
def gpt(token, position, cache):                                # -> logits [vocab]
    x = rmsnorm(add(model["token"][token], model["position"][position]))
    for layer, (keys, values) in enumerate(cache):
        n = rmsnorm(x)                                          # 1: normalize a copy
        x = add(x, attention(n, layer, keys, values))           # 2 to 6
        n = rmsnorm(x)                                          # 7: normalize a copy
        matches = linear(n, model["up", layer])                 # 8: [4 * width] matches
        hidden = [match.relu() for match in matches]            # 8: no negative ones
        x = add(x, linear(hidden, model["down", layer]))        # 9: add what follows
    return linear(x, model["lm_head"])                          # how well each token matches

# At the end, each row of lm_head is the pattern of one token, and the logit says how well x
# matches it. All this is a transformer (Vaswani and others, 2017): layer by layer, it transforms
# the vector of a token into one that says what comes next. GPT-2 follows the same plan. It has
# another kind of norm, and one more before lm_head. Our x is normalized once before the first
# layer, so that the stream starts at a standard size.

# %% 6. Loss --------------------------------------------------------------------------------------
# How surprised is the model by the token that actually comes next? If the model gave this token
# the probability p, then the surprise is log(1 / p), with the natural logarithm. Books write it as
# minus log p, which is the same. If p is 1, the surprise is 0. If p is one half, it is 0.69, and
# if p is one in a thousand, it is 6.91. Why a logarithm? The probability of a whole name is the
# product of the probabilities of its tokens. The logarithm turns this product into a sum, so that
# every token has a surprise of its own.
#
# A model that knows nothing gives each of 27 tokens the probability 1 / 27, and its surprise is
# log 27 = 3.30. Every position of a name is an example to learn from: a name of 8 letters gives 9
# predictions, the last one for the closing BOS. After each prediction the true token goes in, not
# the model's guess, which is called teacher forcing. The loss of the name is the mean of the
# surprises, so that long and short names can be compared. It is called the cross-entropy.
def loss_of(tokens):                                            # [BOS ... BOS] -> a Value
    cache = [([], []) for _ in range(layers)]                   # keys and values, still empty
    T = min(block, len(tokens) - 1)                             # predictions; long names are cut
    surprises = []
    for t in range(T):
        probs = softmax(gpt(tokens[t], t, cache))
        surprises.append((1 / probs[tokens[t + 1]]).log())
    return sum(surprises) / T

# Let's see what the untrained model makes of the first name. Its loss is a little above that of a
# model that knows nothing, because a random opinion is a little worse than none.
example = encode(docs[0])
print(f"loss of a model that knows nothing: {math.log(vocab):.4f}")
print(f"loss of the untrained model for {docs[0]}: {loss_of(example).data:.4f}")

# %% 7. Backward pass -----------------------------------------------------------------------------
# That loss was built from thousands of Values. One call of backward() gives every one of them its
# gradient. We only need those of the parameters. So the function autograd is given the numbers of
# all parameters and the tokens of one name, and it returns the loss and the gradients. We call it
# an engine, and section 11 will build another one. Computing gradients this way, from the loss
# back to the parameters, is called backpropagation.
def autograd(numbers, tokens):                                  # -> loss, gradients [params]
    set_params(numbers)                                         # also sets all gradients to 0
    loss = loss_of(tokens)
    loss.backward()
    return loss.data, [param.grad for param in params]

# Is a gradient right? It is a slope, so we can measure it. We make one parameter a little larger,
# then a little smaller, and divide the change of the loss by the change of the parameter. The next
# call of set_params will put the parameter right again.
autograd(untrained, example)                                    # leaves its gradients in the model
param = model["token"][BOS][0]
param.data += 1e-5
above = loss_of(example).data
param.data -= 2e-5
below = loss_of(example).data
measured = (above - below) / 2e-5
print(f"gradient of one parameter: {param.grad:.9f} by backward(), {measured:.9f} measured")

# %% 8. Adam --------------------------------------------------------------------------------------
# A gradient says how fast the loss grows with a parameter. So the simplest way to learn is to move
# every parameter a little the other way: we subtract its gradient times a small number, the
# learning rate. This is called gradient descent. If the rate is small enough, the loss of this
# name gets smaller. But the next name may want the opposite. Besides, some parameters have large
# gradients and others have tiny ones, and both may need to change a lot. No single rate is right
# for all of them.
#
# Adam (Kingma and Ba, 2015) helps with both. It keeps two running means for every parameter. The
# first moment is the mean of its recent gradients. If the names disagree, their gradients mostly
# cancel out in it. If they agree, it stays large. The second moment is the mean of the squares of
# its gradients. Squares can't cancel out, because they are never negative. So the root of their
# mean is the typical size of a gradient of this parameter. Adam divides the first moment by this
# size, multiplies the result by the rate, and subtracts it from the parameter. If the gradient
# were always g, the moments would be g and g², and g / √g² would be 1 or -1, whether g is large or
# tiny. So all parameters whose gradients agree move at the same pace. If the sign of the gradient
# keeps changing, the first moment is near 0, and the parameter hardly moves.
#
# To update the first running mean, we take 0.85 times its old value and add 0.15 times the new
# gradient. With every name, the older gradients lose 15 % of their weight. After 7 names they have
# a third of it, because 0.85 ** 7 is 0.32. The second mean takes 0.99 and 0.01, so it remembers
# about a hundred names. There is no law in these numbers. (Longer trainings use 0.9 and 0.999.)
#
# Both means start at 0, so at first they are too small. After the first name, the first moment is
# only 0.15 times the gradient. So we divide it by 0.15, which is 1 - 0.85. The second moment is
# only 0.01 times the square, so we divide it by 0.01, which is 1 - 0.99. After a number of names,
# called count in the code, the divisors are 1 - 0.85 ** count and 1 - 0.99 ** count. Soon they are
# nearly 1. This is called bias correction. The 1e-8 keeps us from dividing by 0.
beta1, beta2 = 0.85, 0.99                                       # how much of the old value stays

def adam(numbers, gradients, first, second, rate, count):       # all but rate, count: [params]
    first = [beta1 * m + (1 - beta1) * g for m, g in zip(first, gradients)]
    second = [beta2 * m + (1 - beta2) * g * g for m, g in zip(second, gradients)]
    seen1, seen2 = 1 - beta1 ** count, 1 - beta2 ** count
    numbers = [number - rate * (m1 / seen1) / (math.sqrt(m2 / seen2) + 1e-8)
               for number, m1, m2 in zip(numbers, first, second)]
    return numbers, first, second

# %% 9. Training loop -----------------------------------------------------------------------------
# Each training step takes one name. The engine computes the loss and the gradients, and Adam moves
# the parameters. That is all there is to training. It is called stochastic gradient descent,
# because every step sees one random name and not all of them, so its gradients only estimate what
# all names together would want. Larger models take a batch of many examples in each step. The rate
# falls in a straight line, from args.rate at the first step almost to 0 at the last one. Large
# steps learn fast, and small ones at the end keep the last names from undoing what all the others
# taught. You can stop the training with Ctrl-C. Then we go on with the last complete step.
#
# Some names are harder than others, so the loss jumps up and down. Watch the perplexity instead,
# which is exp of the mean loss of the last 100 names. exp undoes the logarithm: a model that knows
# nothing has the loss log 27 and the perplexity 27. A perplexity of 12 says that the model is as
# unsure, on average, as if it had to choose among 12 equally likely tokens. The bar shows one mark
# for each of those tokens, up to 25. Watch it shrink. This measure is honest, because every loss
# is computed before the model has learned from this name, and in a thousand steps no name comes
# twice. When names do come again, a model can learn them by heart. This is called overfitting.
# Then you have to measure the loss on held-out names, which are never used for training.
#
# Python's garbage collector looks for objects that refer to each other in a circle. Our Values
# never do, because edges only lead to older Values. So we switch it off and save its time.
if sys.implementation.name == "cpython":
    gc.disable()

def train(engine, steps):                                       # -> numbers, losses, seconds
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

def report(losses, steps):                                      # the next line may overwrite this
    done, recent = len(losses), losses[-100:]
    perplexity = math.exp(sum(recent) / len(recent))
    passing = done % 100 and done < steps and sys.stdout and sys.stdout.isatty()
    print(f"step {done:4d} / {steps:4d} | loss {losses[-1]:.4f} | perplexity {perplexity:#4.3g} "
          f"{'#' * min(25, round(perplexity)):25}", end="\r" if passing else "\n", flush=True)

trained, losses, seconds = train(autograd, 0 if args.fast else args.steps)

# %% 10. Inference --------------------------------------------------------------------------------
# Using a trained model is called inference. Ours makes up names. It starts with BOS, computes the
# probabilities of the next token, and draws one at random: a token with the probability 0.2 is
# drawn one time in five. It feeds this token back in, and goes on until it draws BOS again or the
# block is full. That's what generative means, and predicting each token from those before it is
# called autoregressive.
#
# The logits are first divided by a temperature. At 1 the model uses the probabilities that it has
# learned. Take two tokens with the probabilities 0.8 and 0.2. The exp of the first logit is 4
# times that of the second. A temperature of 0.5 doubles the logits, and exp(2 x) is the square of
# exp(x). So now the first token is 16 times as likely as the second. A low temperature plays it
# safe, and a high one takes risks.
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

# Let's hear what the model says before and after its training, and which of these names it was
# trained on. It has seen only a thousand of the names in the file. So it may also make up one of
# the others, which it has never seen. With --fast, nothing is trained yet, and all this follows in
# section 12.
#
# Then we look into the model. Nobody told it about vowels. Yet in our run, the letters whose
# embeddings are closest to those of a, i and e, the most frequent letters, are the other vowels.
# They are followed by much the same letters, and so they have become alike. What has attention
# done? On our short names and in a thousand steps, very little. Without it, the mean loss of the
# last hundred names is 2.4755, and with it 2.4715. (You can measure this yourself in exercise 11
# of the README.) A table that counts which letter follows which comes to 2.594 on the same names,
# as docs/parts.py shows. Attention pays in longer texts, longer trainings and larger models.
def show(trained, seen):                                        # [params], the names trained on
    set_params(untrained)
    print("before training:", *[generate(random.Random(i)) for i in range(min(3, args.samples))])
    set_params(trained)
    names = [generate() for _ in range(args.samples)]
    for i, name in enumerate(names, start=1):
        print(f"sample {i:2d}: {name}")
    known = sorted(set(names) & set(seen)) or ["none"]
    print("seen in training:", *known, sep="\n  ")

    where = {letter: [x.data for x in row] for letter, row in zip(letters, model["token"])}
    for letter in sorted(letters, key="".join(docs).count, reverse=True)[:3]:
        closest = sorted(letters, key=lambda other: math.dist(where[letter], where[other]))
        print(f"closest to {letter}:", *closest[1:5])           # closest[0] is the letter itself

if not args.fast:
    show(trained, docs[:len(losses)])

# %% 11. Encore: explicit backprop ----------------------------------------------------------------
# Our first engine makes a Value of every result and finds the gradients by itself. Now we build
# the same GPT on plain numbers and work out every derivative by hand. All tokens of a training
# name are known beforehand, so we can take them all at once. A matrix x now has T rows, one for
# each of the T tokens that the model predicts from.
#
# Most functions become a pair. The forward function computes y from x. The backward function is
# given dy, the gradient of the loss with respect to y, and it returns dx, the gradient with
# respect to x. (Say "d y". It is a list with one number for each number of y.) One number x_j may
# change every y_i, and so it reaches the loss along many paths, which add up. So dx_j is the sum,
# over all i, of dy_i times the derivative of y_i with respect to x_j. We write this sum as Σ_i.
#
# A few helpers first. sumprod is the dot product of plain numbers. Python has it since 3.12, and
# for older versions we make it. dots takes the dot product of every row of a with every row of b.
# It does what linear does, for many vectors at once. columns turns a matrix on its side: its
# columns become rows. rows applies a function to the first row of each matrix, then to the second
# row of each, and so on. So rows(add, a, b) adds two matrices.
sumprod = getattr(math, "sumprod", lambda a, b: sum(map(operator.mul, a, b)))

def dots(a, b):                                                 # [A][N], [B][N] -> [A][B]
    return [[sumprod(row, other) for other in b] for row in a]

def columns(a):                                                 # [A][B] -> [B][A]
    return list(zip(*a))

def rows(function, *matrices):                                  # stops with the shortest matrix
    return [function(*vectors) for vectors in zip(*matrices)]

# Linear. y = dots(x, w), for x [T][nin] and w [nout][nin]. Here t counts the tokens, j the numbers
# of a row of x, and i those of a row of y.
#     y_ti = Σ_j x_tj w_ij                      row t of x with row i of w
#     x_tj changes y_ti for every i, by w_ij:
#     dx_tj = Σ_i dy_ti w_ij                    row t of dy with column j of w
#     w_ij changes y_ti for every t, by x_tj:
#     dw_ij = Σ_t dy_ti x_tj                    column i of dy with column j of x
def linear_back(dy, x, w):                                      # -> dx, dw
    return dots(dy, columns(w)), dots(columns(dy), columns(x))

# ReLU. The derivative is 1 where x, and so y, is above 0. Elsewhere the derivative is 0.
def relu_forward(x):                                            # [N] -> [N]
    return [max(xi, 0.0) for xi in x]

def relu_back(dy, y):                                           # -> dx
    return [di if yi > 0 else 0.0 for di, yi in zip(dy, y)]

# RMSNorm. y_i = s x_i, where s = u^(-1/2), and u is the mean of all x² plus 1e-5.
#     The derivative of u with respect to x_j is 2 x_j / N.
#     The derivative of s with respect to u is -1/2 u^(-3/2) = -1/2 s³.
#     So the derivative of s with respect to x_j is -1/2 s³ 2 x_j / N = -s³ x_j / N.
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
#     If one y is 1 and all others are 0, every dx_j is 0: no gradient gets back.
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

# Attention. Scores are dot products, as in linear, and so is what is heard. Between them stands
# softmax. So the way back needs no new rule. For one head, token t gathers from an earlier token
# e, or from itself:
#     score_te = Σ_i q_ti k_ei / root           row t of q with row e of k
#     weight_te = softmax of row t of score     0 for a later e, whose score we set to -∞
#     heard_ti = Σ_e weight_te v_ei             row t of weight with column i of v
# And back:
#     weight_te changes heard_ti for every i, by v_ei:
#     dweight_te = Σ_i dheard_ti v_ei           row t of dheard with row e of v
#     v_ei changes heard_ti for every t, by weight_te:
#     dv_ei = Σ_t weight_te dheard_ti           column e of weight with column i of dheard
#     dscore_te follows by softmax's rule       row t of dweight and of weight
#     q_ti changes score_te for every e, by k_ei / root:
#     dq_ti = Σ_e dscore_te k_ei / root         row t of dscore with column i of k
#     k_ei changes score_te for every t, by q_ti / root:
#     dk_ei = Σ_t dscore_te q_ti / root         column e of dscore with column i of q
# For example, if token 3 gives token 1 the weight 0.7, then 0.7 times the gradient of what token 3
# hears goes back to the value of token 1. The same token 1 gets more from tokens 1, 2, 4 and so
# on, and all this is added up, in the sum over t. In the code, dscore is divided by root first,
# and then dq and dk are what linear_back gives for x = q and w = k.
def attention_forward(q, k, v):                                 # -> heard [T][width], weights
    heard, weights = [], []
    for qh, kh, vh in zip(split(q), split(k), split(v)):
        scores = [[each / root if e <= t else -math.inf for e, each in enumerate(row)]
                  for t, row in enumerate(dots(qh, kh))]
        weight = rows(softmax_forward, scores)
        weights.append(weight)
        heard.append(dots(weight, columns(vh)))
    return join(heard), weights

def attention_back(dheard, q, k, v, weights):                   # -> dq, dk, dv, [T][width] each
    backs = []
    for dh, qh, kh, vh, weight in zip(split(dheard), split(q), split(k), split(v), weights):
        dweight = dots(dh, vh)                                  # [T][T]
        dscore = rows(softmax_back, dweight, weight)            # [T][T]
        dq, dk = linear_back([[each / root for each in row] for row in dscore], qh, kh)
        dv = dots(columns(weight), columns(dh))
        backs.append((dq, dk, dv))
    return [join(parts) for parts in zip(*backs)]

# Cross-entropy. The surprise is log(1 / p) = -log p, where p is the probability of the target, the
# token that actually came. Its derivative with respect to p is -1 / p, and with respect to all
# other probabilities it is 0. We put this dy into softmax's rule. The sum Σ_i dy_i y_i is -1 / p
# times p, which is -1. So the logit of the target gets p (-1 / p + 1) = p - 1. The logit of
# another token gets that token's probability times (0 + 1). In short, the gradients of the logits
# are the predicted probabilities, minus 1 at the target. A step of training makes each logit move
# against its gradient: the target's goes up, and the others go down, most of all those that the
# model thought likely. Everything is divided by T, because the loss is a mean.

# Now the whole model. It goes forward through steps 1 to 9 of every layer, and then back through
# the same steps, from 9 to 1. What was used more than once gets gradients from every use, and they
# add up. A sum, as in steps 6 and 9, passes its gradient on to both its terms unchanged. Tokens
# and positions that the name does not use keep the gradient 0. The names are those of section 5,
# with q, k and v for query, key and value. x1 is x after step 6, and n1 is its normalized copy.
# The numbers come as one long list. The first two lines cut it into matrices again: each islice
# takes the next numbers, as many as one row has.
def explicit(numbers, tokens):                                  # -> loss, gradients [params]
    left = iter(numbers)
    w = {name: [list(itertools.islice(left, len(row))) for row in m] for name, m in model.items()}
    inputs, targets = tokens[:-1][:block], tokens[1:][:block]
    T = len(inputs)
    sums = rows(add, [w["token"][token] for token in inputs], w["position"])
    x = x0 = rows(rmsnorm_forward, sums)
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
        dx1 = rows(add, dx, rows(rmsnorm_back, dn1, x1, n1))    # 7: the copy and x1 itself
        # 6: the output; again dx1 goes to both terms, to x and to attention
        dheard, dw["output", layer] = linear_back(dx1, heard, w["output", layer])
        dq, dk, dv = attention_back(dheard, q, k, v, weights)   # 5
        # 4, 3 and 2: value, key and query were all made from n
        dn_v, dw["value", layer] = linear_back(dv, n, w["value", layer])
        dn_k, dw["key", layer] = linear_back(dk, n, w["key", layer])
        dn_q, dw["query", layer] = linear_back(dq, n, w["query", layer])
        dn = rows(add, dn_q, rows(add, dn_k, dn_v))
        dx = rows(add, dx1, rows(rmsnorm_back, dn, x, n))       # 1: the copy and x itself
    for t, (token, row) in enumerate(zip(inputs, rows(rmsnorm_back, dx, sums, x0))):
        dw["position"][t] = row
        dw["token"][token] = add(dw["token"][token], row)       # a letter may come twice
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
set_params(trained)                                             # back to the trained model
print(f"the engines agree: all {len(params)} gradients to {max(gaps):.0e} of the largest")

# Now the explicit engine trains, from the same start, on the same names, with the same Adam, and
# for as many steps. You will see the same losses again. Why is it faster? It makes no Values and
# keeps no edges. It does only the arithmetic, mostly in functions of Python that are written in C,
# a much faster language. PyTorch, the library in which most models are written, combines the two
# engines. It has autograd, but each node of its graph is an operation on whole matrices and knows
# its own backward function, like our pairs.
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

# And that's all of it. The models you can talk to are made in the same way, but many millions of
# times larger, with many layers, and they have read billions of times as much. Their tokens are
# pieces of words. Our training, in which a model only learns what comes next, is the "pretrained"
# in GPT. After that, they are trained further, to answer questions and to be helpful.
