# microgpt: how a GPT is trained and how it speaks. This program reads a list of names, learns
# what names look like, and makes up new ones. GPT stands for generative pretrained
# transformer. At the end, you will know all three words. The original is Andrej Karpathy's.
#
# Sections 1 to 4 prepare the data and the model. Section 5 predicts the next letter, section 6
# says how wrong the prediction was, section 7 finds out how each number of the model affects
# this, section 8 corrects these numbers, and section 9 does this a thousand times. In section
# 10 the model speaks. Sections 11 and 12 build the model again in a faster way, and compare.
import argparse, contextlib, gc, heapq, itertools, math, operator, pathlib
import random, signal, sys, time

# %% 1. Setup -------------------------------------------------------------------------------------
# To change one of these settings, type for example: python microgpt.py --steps 200
settings = [                                                    # name, value, minimum, meaning
    ("seed", 42, 0, "the seed of the random numbers (section 2)"),
    ("width", 16, 1, "how many numbers represent a token (section 4)"),
    ("block", 16, 1, "how many tokens the model can look at (section 4)"),
    ("layers", 1, 1, "how many layers, each with attention and an MLP (section 5)"),
    ("heads", 4, 1, "how many attention heads in each layer (section 5)"),
    ("rate", 0.01, 0, "the learning rate at the start (section 8)"),
    ("steps", 1000, 0, "how many steps to train, one name per step (section 9)"),
    ("samples", 20, 0, "how many names to make up after training (section 10)"),
    ("temperature", 0.5, 0.01, "low for likely names, high for unusual ones (section 10)"),
]
parser = argparse.ArgumentParser(usage=argparse.SUPPRESS)       # keep error messages short
parser.add_argument("--data", default="names.txt", help="the names (section 2) [names.txt]")
parser.add_argument("--fast", action="store_true", help="use only the fast engine (section 11)")
for name, usual, minimum, meaning in settings:
    parser.add_argument("--" + name, type=type(usual), default=usual, help=f"{meaning} [{usual}]")
args = parser.parse_args([] if "ipykernel" in sys.modules else None)
for name, usual, minimum, meaning in settings:
    if not (minimum <= vars(args)[name] < 1e9):                 # also refuses nan, not a number
        parser.error(f"--{name} must be at least {minimum} and below 1e9, not {vars(args)[name]}")
width, block, layers, heads = args.width, args.block, args.layers, args.heads
if width % heads:                                               # all heads have the same size
    parser.error(f"--heads must divide --width, but {heads} does not divide {width}")

# %% 2. Data and tokens ---------------------------------------------------------------------------
# Our data is a list of first names from many languages. The code calls them docs, for
# documents. The file may be in the current folder or beside this script.
try:
    path = pathlib.Path(args.data)
    if not path.exists():
        path = pathlib.Path(sys.argv[0]).resolve().parent / path
    docs = [line.strip() for line in path.read_text("utf-8-sig").split("\n") if line.strip()]
except (OSError, ValueError) as problem:
    parser.error(f"--data {args.data!r} cannot be read: {problem}")
if not docs:
    parser.error(f"--data {args.data!r} must hold at least one name, but holds none")

# The file is in alphabetical order. Without shuffling, the model would spend all 1,000 steps
# on names that begin with "a" or "b". The same seed always gives the same order.
random.seed(args.seed)
random.shuffle(docs)

# A model is a function with many adjustable numbers in it, and training means adjusting them.
# A model can only work with numbers, so we cut every name into tokens, here single characters,
# and give each token a number. Before every name we put a special token called BOS, for
# "beginning of sequence". It is what the model sees when it has to predict the first letter.
# After the last letter the same token comes again. The model has to predict it there, as a
# sign that the name is over. So BOS is only read at the beginning, where it means start, and
# only predicted at the end, where it means stop.
#
# The set of all distinct tokens is called the vocabulary. In our file these are the letters a
# to z, with the numbers 0 to 25, and BOS, with the number 26. So "anna" becomes 26 0 13 13 0
# 26. The numbers are only labels. The fact that n is 13 and o is 14 doesn't make them similar.
#
# The task is always the same: given the tokens so far, which token comes next? A model that
# says how likely each token is to come next is called a language model.
letters = sorted(set("".join(docs)))
BOS = len(letters)
vocab = len(letters) + 1                                        # the size of the vocabulary

def encode(name):                                               # "anna" -> [26, 0, 13, 13, 0, 26]
    return [BOS] + [letters.index(letter) for letter in name] + [BOS]

# The next three lines have nothing to do with GPT. They keep the program from crashing on
# terminals that can't show every letter, and let it end quietly when another program stops
# reading its output.
with contextlib.suppress(AttributeError):                       # some systems lack these
    sys.stdout.reconfigure(errors="replace")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
print(f"num docs: {len(docs)}\nvocab size: {vocab}\ntokens: {docs[0]} ->", *encode(docs[0]))

# %% 3. Autograd ----------------------------------------------------------------------------------
# Here, learning means making an error smaller. Our error will be a single number, the loss,
# and it will be computed from thousands of other numbers. For each of them we ask: if this
# number grew a little, how fast would the loss grow? That is the derivative of the loss with
# respect to this number. We call it the number's gradient. (Strictly, it is a partial
# derivative, and the gradient is the list of all of them.) The code below finds all of them in
# a single backward pass. This method is called reverse-mode automatic differentiation, and in
# neural networks it is known as backpropagation. Code that does it is often called autograd.
#
# We can draw a computation as a graph. Its nodes are numbers, and they are joined by edges.
# Take c = a * b. Now c remembers two edges, one to a and one to b. We call a and b the
# children of c, because we will start at the result and go down from c to them. (Elsewhere
# they are called its inputs, or its parents.) A number that was not computed from others has
# no children, and is called a leaf.
#
# Each edge carries a local gradient. That is the derivative of the result with respect to this
# child. If the number a changes a little, c changes b times as much, so the local gradient on
# the edge to a is b. In the same way, the local gradient on the edge to b is a. In a + b, both
# local gradients are 1. For the other operations, calculus tells us the derivatives. exp(a) is
# e to the power a, and log is the natural logarithm:
#
#   operation     its local gradient
#   exp(a)        exp(a)
#   log(a)        1 / a
#   a ** power    power * a ** (power - 1)
#   relu(a)       0 if a < 0, 1 if a > 0
#
# Here power is a plain number. relu, short for rectified linear unit, turns negative numbers
# into 0. (At exactly 0 it has no derivative. We choose 0.)
#
# The chain rule turns local gradients into gradients. Walk from the result back to a number,
# and multiply the local gradients along the way. If several paths lead back to the same
# number, add up their contributions, because small changes that arrive by different paths add
# up. For example, x * x has two paths back to x. At x = 3, let x grow by 0.001. Then the first
# factor alone makes the result grow by 0.003, and so does the second. Together they make it
# grow by about 0.006, which is 2 * x * 0.001, as calculus says.
#
# There can be very many paths, so we don't walk them one by one. Instead, every node does its
# part only once: for each of its edges, it multiplies its own gradient by the local gradient,
# and passes the product on to the child. That only works once its own gradient is complete.
#
# Take h = 2 * a, then g = 3 * h, and then the sum g + h. The sum passes 1 on to g and 1 on to
# h. Then g passes 3 on to h. Now h has 1 + 3 = 4, and passes 2 * 4 = 8 on to a. That is right,
# because the sum is 8 * a. If h went before g, it would pass on only 2 * 1, and the 3 from g
# would come too late.
#
# When is a node's gradient complete? A node gets its gradient from the results that were
# computed from it, and all these are newer than the node, because a child is made before its
# result. So we number the nodes as they are made. A result that has received something but has
# not yet passed anything on is waiting. The newest waiting node always goes first. Every node
# whose turn comes later is older, because children are older than the nodes that lead to them.
# So no one is left to pass anything on to the newest one, and its gradient is complete.
#
# When Python sees a + b, it calls a.__add__(b). (This is called operator overloading.) So our
# class can record the edges while it computes.
counter = itertools.count()                                     # 0, 1, 2, and so on

class Value:                                                    # remembers how it was made
    __slots__ = "data", "grad", "edges", "order"                # only these four, to save memory
    def __init__(self, data, edges=()):
        self.data = data                                        # the number itself
        self.grad = 0.0                                         # its gradient, from backward()
        self.edges = edges                                      # [(child, local_grad), ...]
        self.order = next(counter)                              # its place in the order of making

    def __add__(self, other):                                   # a + b: both local gradients are 1
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):                                   # a * b: local gradients b and a
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def __pow__(self, power):                                   # power is a plain number
        return Value(math.pow(self.data, power), [(self, power * math.pow(self.data, power - 1))])
    def exp(self): return Value(math.exp(self.data), [(self, math.exp(self.data))])
    def log(self): return Value(math.log(self.data), [(self, self.data ** -1)])
    def relu(self): return Value(max(self.data, 0.0), [(self, 1.0 if self.data > 0 else 0.0)])
    def __neg__(self): return self * -1                         # built from those above
    def __sub__(self, other): return self + -other
    def __rsub__(self, other): return -self + other             # 2 - a calls a.__rsub__(2)
    def __truediv__(self, other): return self * other ** -1     # a / b is a times b to the -1
    def __rtruediv__(self, other): return self ** -1 * other    # 2 / a
    __radd__, __rmul__ = __add__, __mul__                       # 2 + a, 2 * a; sum() needs 0 + a
    def __repr__(self): return f"Value(data={self.data}, grad={self.grad})"

    # The list "waiting" is a priority queue: heappop takes out the entry with the lowest
    # number, so we store minus the order. Leaves don't wait, because they have no children.
    # Their gradients are not reset to 0. If you call backward() twice, they add up, so we will
    # make new leaves for every name.
    def backward(self):
        self.grad = 1.0                                         # d(self) / d(self)
        waiting, found = [(-self.order, self)], {self}
        while waiting:
            _, node = heapq.heappop(waiting)
            grad = node.grad                                    # complete by now
            for child, local_grad in node.edges:
                if child.edges and child not in found:          # a result, and new
                    found.add(child)
                    child.grad = 0.0                            # forget earlier backward passes
                    heapq.heappush(waiting, (-child.order, child))
                child.grad += local_grad * grad                 # the chain rule, edge by edge

# Let's try it on a * b + a, for a = 2 and b = 3. The arrows are the edges. They lead from each
# result down to its children, with the local gradients in brackets. In a product, each edge
# carries the other factor, so the edge to b has a 2 and the edge to a has a 3.
#
#          a * b + a = 8
#           |        |
#          (1)      (1)
#           v        |
#       a * b = 6    |
#        |     |     |
#       (2)   (3)    |
#        v     v     v
#      b = 3    a = 2
#
# Two paths lead back to a. They contribute 1 * 3 and 1, so the gradient of a is 4. One path
# leads back to b, and the gradient of b is 1 * 2. backward() first comes to the sum, which
# gives 1 to a * b and 1 to a. Then it comes to a * b, which gives 2 to b and 3 to a.
#
a, b = Value(2.0), Value(3.0)
(a * b + a).backward()
print(f"gradients of a * b + a at a = 2, b = 3: {a.grad} for a, {b.grad} for b")

# A vector is a list of numbers, and a matrix is a list of vectors, its rows. Beside the code,
# [N] means a vector of N numbers, and [A][B] a matrix with A rows of B numbers.
#
# A dot product multiplies two vectors element by element and adds up the products. Built
# from * and +, a dot product of 16 terms would make about 30 Values. We will need many dot
# products, so we make each of them a single Value.
#
# As in any product, the local gradient of each element is the number that it is multiplied by,
# its partner. For example, if y holds the Values 3 and 4, then the dot product of [a, b] and y
# is 3 * a + 4 * b. So its local gradient for a is 3, and for b it is 4.
#
# zip makes the edges. zip(x, y_data) pairs each Value of x with its partner, a plain number,
# and zip(y, x_data) does the same for y. sumprod is the dot product of two lists of plain
# numbers. (Python has had it since version 3.12. For older versions we make our own.)
sumprod = getattr(math, "sumprod", lambda a, b: sum(map(operator.mul, a, b)))

def dot(x, y):                                                  # [N], [N] -> a Value
    assert len(x) == len(y), "a dot product needs two vectors of the same length"
    x_data, y_data = [xi.data for xi in x], [yi.data for yi in y]
    return Value(sumprod(x_data, y_data), [*zip(x, y_data), *zip(y, x_data)])

# %% 4. Parameters --------------------------------------------------------------------------------
# Everything that the model will ever know is in its parameters, the numbers in a few matrices.
# (Parameters are also called weights, but we will need that word for something else.)
#
# Each token has a row of numbers in the matrix "token". This row is called the token's
# embedding, and it is all that the model gets to see when this token comes in. At first its
# numbers are random. Training gives them a meaning. If two letters are used in similar ways,
# for example because the same letters tend to follow them, training can make their rows
# similar. In section 10 we will see whether it did. The length of the row is the width, or
# embedding dimension. Each position in a name has an embedding, too, in the matrix "position".
# The number of positions is the block size. The model never looks at more tokens than that, so
# this is also its context length.
#
# All the other matrices turn one vector into another. The dot product of the vector with the
# first row gives the first number of the result, its dot product with the second row gives the
# second number, and so on. For example, the matrix [[3, 4], [5, 6]] turns [1, 2] into
# [3 * 1 + 4 * 2, 5 * 1 + 6 * 2], or [11, 17]. In linear algebra, this is the product of a
# matrix and a vector. A matrix [nout][nin] turns nin numbers into nout numbers. A model that
# is built from such matrices, with simple functions such as relu between them, is called a
# neural network.
#
# The matrix that is used last is lm_head, short for language model head. It gives every token
# of the vocabulary one number, called its logit. The higher a logit is, compared with the
# others, the more likely this token is to come next, according to the model.
#
# The remaining matrices are grouped into layers. Each layer has four for attention and two for
# the MLP. Section 5 explains both. Their names are pairs, such as ("query", 0) for the query
# matrix of the first layer.
#
# First we write down the shapes. In our model, token and lm_head have 27 * 16 numbers each,
# position has 16 * 16, and the four matrices of attention have 16 * 16 each. Inside, the MLP
# uses vectors four times as long as the width, so its two matrices have 64 * 16 and 16 * 64.
# That makes 4,192 parameters. (That the width and the block size are both 16 is a
# coincidence.)
shapes = {"token": (vocab, width), "position": (block, width), "lm_head": (vocab, width)}
for layer in range(layers):
    for role in "query", "key", "value", "output":              # attention
        shapes[role, layer] = width, width
    shapes["up", layer] = 4 * width, width                      # the MLP
    shapes["down", layer] = width, 4 * width

# We will often want all parameters as one long list. This function cuts such a list into the
# matrices. iter keeps our place in the list, and each islice takes the next nin numbers, one
# row of a matrix. The result is a dictionary from each name to its matrix. Below, this
# dictionary is called model.
def matrices(numbers):                                          # [params] -> {name: [nout][nin]}
    rest = iter(numbers)
    return {name: [list(itertools.islice(rest, nin)) for _ in range(nout)]
            for name, (nout, nin) in shapes.items()}

# All parameters start as random numbers. If they all started equal, say at 0.1, then each of
# the 16 numbers of an embedding would have the same effect on the loss as any other, because
# nothing in the model would tell them apart. So they would all get the same gradient. They
# would stay equal forever, and do the work of just one number.
#
# To break this symmetry, we draw the parameters from a normal distribution around 0. Its
# standard deviation, roughly the typical distance from 0, is 0.08, which is simply a choice.
# Because the numbers in lm_head are small, too, the logits are small at first, and the
# untrained model has no strong preference for any token. The parameters are plain numbers.
# Whenever we need gradients, we will wrap each one in a Value.
untrained = [random.gauss(0, 0.08) for nout, nin in shapes.values() for _ in range(nout * nin)]
print(f"num params: {len(untrained)}")

# %% 5. Forward pass ------------------------------------------------------------------------------
# This section computes the logits for the next token from the tokens so far, which is called
# the forward pass. First, five small functions. The function add takes two vectors and adds
# them element by element, and transpose turns the columns of a matrix into rows.
def add(x, y):                                                  # [N], [N] -> [N]
    return [xi + yi for xi, yi in zip(x, y)]

def transpose(matrix):                                          # [A][B] -> [B][A]
    return list(zip(*matrix))

# linear takes the dot product of a vector x with every row of a matrix. A dot product measures
# how well two vectors match. Wherever two partners have the same sign, their product makes the
# sum larger. Wherever their signs differ, it makes the sum smaller. (It also grows with the
# size of the numbers.) Think of each row of the matrix as a pattern. Then the result says how
# well x matches each pattern.
def linear(x, matrix):                                          # [nin], [nout][nin] -> [nout]
    return [dot(x, row) for row in matrix]

# softmax turns scores into probabilities. exp makes them positive, and dividing by their total
# makes them sum to 1. Take the scores 2 and 1. exp(2) is 7.39 and exp(1) is 2.72, and
# 7.39 / (7.39 + 2.72) is 0.73. So they become 0.73 and 0.27. The largest score gets the
# largest share. Hence the name: it is a soft version of picking the maximum.
#
# We will use softmax in two places: for the weights in attention, and for the probabilities of
# the next token.
#
# The scores 1 and 0 would also become 0.73 and 0.27, because only differences count:
# exp(2) / exp(1) is exp(2 - 1). So we may subtract the same number from all the scores. We
# subtract the largest, because exp of a large number would overflow: it would be too large for
# a float. What we subtract doesn't change the result. So its gradient would be 0, and it can
# be a plain number.
def softmax(scores):                                            # [N] -> [N]
    largest = max(score.data for score in scores)
    exps = [(score - largest).exp() for score in scores]
    scale = sum(exps) ** -1                                     # 1 / total
    return [each * scale for each in exps]

# rmsnorm rescales a vector to a standard magnitude (Zhang and Sennrich, 2019). RMS stands for
# root mean square, the square root of the mean of the squares. We divide every number by it.
# After that, the mean of the squares is 1. (The 1e-5 changes it a little, but keeps us from
# dividing by 0. The usual RMSNorm also multiplies every number by a learned one.) Attention
# and the MLP will read normalized vectors, so they always get numbers of about the same size,
# even if x grows from layer to layer.
def rmsnorm(x):                                                 # [N] -> [N]
    scale = (dot(x, x) / len(x) + 1e-5) ** -0.5                 # 1 / root mean square
    return [xi * scale for xi in x]

# Now the plan of the model for one token, from top to bottom. Only attention looks at other
# tokens. The numbers on the right of the plan are the steps of a layer. The code below has the
# same numbers beside its lines.
#
#     token + position
#            |
#          norm
#            |
#            x ---> norm ---> attention   1 to 6
#            |                    |
#            + <------------------'
#            |
#            x ---> norm ---> MLP         7 to 9
#            |                 |
#            + <---------------'
#            |
#            x ---> lm_head ---> logits
#
# The embedding of a token and the embedding of its position are added together to make one
# vector, called x. Both are learned, so training can, for example, use the first ten numbers
# for the letter and the last six for the position. If the letter's embedding is near 0 in the
# last six, and the position's in the first ten, nothing is lost in the sum.
#
# Every position in a name has its own x. The two n's in anna share a row of the matrix token,
# but they have different positions, so they have different x's. The sum is small at first, so
# we normalize it, and x starts out with numbers of about size 1. (The first layer begins by
# normalizing it once more. That changes almost nothing, but this way all layers are the same.)
#
# Then come the layers. Each layer has two parts. The first, attention, lets a token listen to
# itself and the tokens before it. The second, the MLP, works on each token by itself. Each
# part reads a normalized copy of x and adds its result to x. At the end, lm_head makes the
# logits from x. (Most models normalize x once more before that. Ours leaves it out, to be
# simpler.) The part of the plan from the first x to the last x is one layer. With more layers,
# it repeats.
#
# The layers never replace x. They only add to it. This way of adding is called a residual
# connection, because what a layer adds is a residual, the difference between the new x and the
# old one. And x is called the residual stream. What comes later can build on what was added
# before: the MLP on attention, and the next layer, if there is one, on both.
#
# The stream also helps the gradients. The derivative of a sum with respect to each of its
# terms is 1. So there is always a path on which gradients come back along x through all the
# layers unchanged. On all other paths they are multiplied by many local gradients. If most of
# these are below 1 in size, the product nearly vanishes, and if most are above 1, it explodes.
# These are known as vanishing and exploding gradients.

# The MLP is the simpler part, so we begin with it. MLP is short for multilayer perceptron,
# also called a feed-forward network. Each row of its matrix "up" is a pattern, and linear says
# how well the normalized copy of x matches it. There are 4 * width patterns, a common choice.
# Then relu turns negative numbers into 0, so that only patterns with a positive match have an
# effect. A nonlinear function between two matrices, like this one, is called an activation
# function, and a pattern with its relu is called a neuron. The numbers that come out are
# called hidden, because they are neither input nor output.
#
# Then the matrix "down" turns these numbers back into a vector as long as x. Say there are two
# patterns, with the numbers 2 and 0 after relu, and a width of 2, and the rows of "down" are
# [1, 5] and [3, 7]. Then the result is [2 * 1 + 0 * 5, 2 * 3 + 0 * 7], or [2, 6]. This is 2
# times the first column, [1, 3]. So each pattern has a column of "down", and the better the
# pattern is matched, the more of its column is added to x.
#
# Why relu? Without it, a second matrix would gain us nothing. Suppose that "up" makes the
# numbers 2 * a + b and a, and that "down" takes 3 times the first plus 5 times the second.
# That is just 11 * a + 3 * b, and a single matrix could have made it. With relu in between,
# some of the matches are turned into 0. Which ones depends on x, so the MLP can do different
# things with different x's, and no single matrix can do that.

# Attention is how a token collects information from itself and the tokens before it. Because
# queries, keys and values all come from the same text, it is also called self-attention. From
# a normalized copy of its x, each token makes three vectors, with three matrices. The query
# says what this token is looking for. The key says how other tokens can find it. The value is
# what it tells the tokens that find it. (It has nothing to do with our class Value.) All three
# are just lists of numbers. Nobody writes these meanings into the three matrices. They come
# from training. In short:
#
#   query and keys --> scores --> softmax --> weights --> weighted sum of the values
#
# What makes a token easy to find is not always what it has to say, so key and value are
# different vectors. Query and key are different as well. If they were the same vector, a token
# would usually match itself best, because all the products in the dot product would be
# squares, which are never negative. In anna, for example, the second n might ask whether a
# vowel came before. The key of the first a might say that there is a vowel here, and its value
# might say which vowel it is.
#
# Here is how a token listens, with vectors of 4 numbers as an example. Suppose that its query
# is [2, 2, 0, 0]. It can listen to the token before it, which has the key [2, 0, 1, 0], and to
# itself, with the key [0, 1, 0, 3]. It compares its query with each of these keys by a dot
# product, and gets 4 and 2. We divide these by 2, the square root of the number of elements,
# for a reason that we will come to, and call the results scores. So the scores are 2 and 1.
# softmax turns them into weights, which are 0.73 and 0.27. We say that our token attends to
# these tokens, with these weights. Then it adds up the values, each multiplied by its weight.
# If the values of the two tokens are [10, 0, 0, 0] and [0, 10, 0, 0], the sum is
# [7.3, 2.7, 0, 0]. This is what our token has heard.
#
# At first the three matrices are random. But wherever listening more to a token would make the
# loss smaller, training tends to change the matrices so that the query and that token's key
# match better. In section 10, we will test how much attention helps with short names, and it
# will turn out to be very little.
#
# One softmax gives one set of weights, but a token may look for several things at once. So its
# query, key and value, of 16 numbers each, are cut into four slices of 4 numbers, and all this
# is done for each slice separately. Each slice comes from its own rows of the three matrices,
# so it can have a meaning of its own. Each of these computations is called a head, and
# together they make multi-head attention.
#
# One head might look for vowels, another for the beginning of the name. Nobody tells a head
# what to look for. Training decides that, and what a head looks for often has no simple name.
# At the end, the matrix "output" mixes what the heads have heard into one vector that can be
# added to x. Without it, what a head has heard could only be added to four of the 16 numbers
# of x.
#
# We go through a name token by token. Each token first appends its key to one list and its
# value to another, and then listens to everything in the two lists. It hears itself and the
# tokens before it, and nothing that comes later, because that is not in the lists yet.
# Attention of this kind is called causal.
#
# A later token can't change anything that was computed for an earlier one. So the keys and
# values in the lists stay as they are, and nothing has to be computed twice. The two lists are
# called the KV cache. The lists hold Values, so in training, gradients flow back along their
# edges to the earlier tokens. (Large models use a KV cache only when they generate text. In
# training, they handle all tokens at once, as we will in section 11.)

# Now the whole model, for one token. It follows the plan line by line. The cache holds one
# pair of lists for each layer: the keys and the values of the tokens before this one. So the
# loop over the cache is a loop over the layers. All vectors have width numbers, except for
# hidden, which has 4 * width. head is a Python slice, so query[head] is query[0:4] for the
# first head. For the weighted sum, transpose gives us the columns of the values: the first
# numbers of all the values, then the second numbers, and so on. In our example, the values
# were [10, 0, 0, 0] and [0, 10, 0, 0], so the first column is [10, 0]. Its dot product with
# the weights is 0.73 * 10 + 0.27 * 0 = 7.3, the first number of the sum. linear does this for
# every column.
head_width = width // heads
root = math.sqrt(head_width)                                    # the root of a head's width
slices = [slice(start, start + head_width) for start in range(0, width, head_width)]

def gpt(model, token, position, cache):                         # -> logits [vocab]
    x = rmsnorm(add(model["token"][token], model["position"][position]))
    for layer, (keys, values) in enumerate(cache):
        n = rmsnorm(x)                                          # 1: normalize a copy of x
        query = linear(n, model["query", layer])                # 2: what am I looking for?
        keys.append(linear(n, model["key", layer]))             # 3: how can others find me?
        values.append(linear(n, model["value", layer]))         # 4: what do I tell them?
        heard = []                                              # 5: listen (attend), head by head
        for head in slices:
            weights = softmax([dot(query[head], key[head]) / root for key in keys])
            columns = transpose([value[head] for value in values])
            heard += linear(weights, columns)                   # the weighted sum of the values
        x = add(x, linear(heard, model["output", layer]))       # 6: mix what was heard
        n = rmsnorm(x)                                          # 7: normalize a copy of the new x
        matches = linear(n, model["up", layer])                 # 8: match the patterns
        hidden = [match.relu() for match in matches]
        x = add(x, linear(hidden, model["down", layer]))        # 9: add up their columns
    return linear(x, model["lm_head"])                          # a logit for each token

# Why do we divide by the square root? A dot product is a sum. Imagine a sum of 4 terms that
# are each +1 or -1 at random. Some of them cancel. Typically the sum is about 2 away from 0,
# and a sum of 100 such terms is about 10 away from 0. That is the square root of the number of
# terms. (To see why, square the sum of 4 terms. The squares of the terms make 4. The products
# of two different terms are as often -1 as +1, so on average they make 0. So the square of the
# sum is 4 on average, and the sum is typically 2 away from 0.)
#
# The terms of a real dot product are not just +1 and -1, but if two vectors are unrelated,
# their signs are just as mixed, so the sum grows in the same way: with four times as many
# elements, it is typically twice as large.
#
# Dividing by the square root cancels this growth. Without it, and with long vectors, the
# scores could be so far apart that softmax gives one token a weight of nearly 1, and all
# others nearly 0. Then a small change in the scores would make almost no difference, the
# gradients of the scores would be nearly 0, and the matrices for query and key would hardly
# learn.
#
# What a token hears is a sum, and a sum does not depend on the order of its terms. The weights
# don't depend on it either, because they come only from comparing queries with keys. So
# without positions, our model, with its single layer, could not tell in which order the
# earlier letters came.
#
# The literature calls this scaled dot-product attention, and writes it as softmax(QKᵀ / √d) V,
# where the rows of Q, K and V are all the queries, keys and values, ᵀ means transposed, and √d
# is our root. Each token listens to itself and to all tokens before it. In a text that is
# twice as long, there are about four times as many pairs of tokens to compare. So the cost
# grows with the square of the length, and in very long texts this is most of the work.
#
# And that is a transformer (Vaswani and colleagues, 2017). Layer by layer, it transforms the
# vector of a token into one that says what comes next. The first transformers were made to
# translate. One half, the encoder, read a sentence, and the other half, the decoder, wrote its
# translation. A GPT is only the half that writes. It is called decoder-only. GPT-2 (Radford
# and colleagues, 2019) follows almost the same plan as our model. Its smallest version has 124
# million parameters: 12 layers, a width of 768 and a context of 1,024 tokens. It differs in
# details. It has other functions in place of rmsnorm and relu, called LayerNorm and GELU. It
# normalizes x before lm_head, and not after the embedding. It uses one matrix for both token
# and lm_head. And it adds a learned number, called a bias, to most results of linear.

# %% 6. Loss --------------------------------------------------------------------------------------
# How surprised is the model by the token that actually comes next? If the model gave this
# token a probability p, its surprise, or surprisal, is minus log p, with the natural
# logarithm. In textbooks this is the negative log-likelihood. If p is 1, the surprise is 0. If
# p is one half, it is 0.69, and if p is one in a thousand, it is 6.91.
#
# Why a logarithm? The probability of a whole name is the product of the probabilities of its
# tokens, each of them given the tokens before it. If "a" has a probability of 0.1 at the
# beginning, and "n" one of 0.5 after "a", then 0.1 * 0.5 = 0.05 is the probability that a name
# begins with "an". The logarithm turns this product into a sum, so the surprise of a name is
# the sum of the surprises of its tokens. A small surprise means a large probability. So when
# training makes the surprises small, it makes the training names more probable. This idea is
# called maximum likelihood.
#
# A model that knows nothing gives each of the 27 tokens a probability of 1 / 27, and its
# surprise is log 27 = 3.30. Every position in a name is an example to learn from: a name of 8
# letters gives 9 predictions, the last one for the BOS at the end. (The block has 16
# positions, so of a name with more than 15 letters only the first 16 predictions count. In our
# file, no name is that long.) Each token's target is the token after it. The targets come from
# the text itself, so nobody has to label anything. This is called self-supervised learning.
# For anna, zip makes the pairs (26, 0), (0, 13), (13, 13), (13, 0) and (0, 26). It stops
# there, because the last BOS has no target.
#
# After each prediction we feed in the true token, not the model's guess, so that a wrong guess
# doesn't spoil the rest. This is called teacher forcing. The loss of the name is the mean of
# the surprises and not their sum, so that a long name doesn't count more than a short one.
# This mean is called the cross-entropy loss.
def loss_of(model, tokens):                                     # [BOS ... BOS] -> a Value
    cache = [([], []) for _ in range(layers)]                   # keys and values, still empty
    surprises = []
    for position, (token, target) in enumerate(zip(tokens[:block], tokens[1:])):
        probs = softmax(gpt(model, token, position, cache))
        surprises.append(-probs[target].log())                  # minus log p
    return sum(surprises) / len(surprises)

# Let's see what the untrained model makes of the first name. Averaged over names, its loss is
# a little above 3.30. Why above? The probabilities are not exactly 1 / 27. They vary a little,
# at random. If the right token gets half of 1 / 27, that costs 0.69. If it gets one and a half
# times 1 / 27, that saves only 0.41. On average, random differences make the loss larger.
example = encode(docs[0])
loss = loss_of(matrices([Value(number) for number in untrained]), example)
print(f"loss of a model that knows nothing: {math.log(vocab):.4f}")
print(f"loss of the untrained model for {docs[0]}: {loss.data:.4f}")

# %% 7. Backward pass -----------------------------------------------------------------------------
# The loss that we just printed was built from nearly ten thousand Values. One call to its
# backward() gives every one of them a gradient. We need just those of the parameters. The rest
# are intermediate results and constants. Going back from the loss to the parameters is called
# the backward pass. The next function takes the numbers of all parameters and the tokens of
# one name, and it returns the loss and the gradients. We call such a function an engine.
# Section 11 will build another one.
def autograd(numbers, tokens):                                  # -> loss, gradients [params]
    params = [Value(number) for number in numbers]
    loss = loss_of(matrices(params), tokens)
    loss.backward()
    return loss.data, [param.grad for param in params]

# How do we know that a gradient is right? It is a slope, so we can measure it. We let autograd
# compute the loss twice, once with one parameter increased by 0.00001 and once with it
# decreased by 0.00001, and divide the change in the loss by the change in the parameter. This
# is called a gradient check.
#
# We take the first number in the embedding of BOS, because every name uses it. (The gradient
# of a number that is not used is 0, and checking it would prove nothing.) The matrix "token"
# is the first in the list of parameters, so its row for BOS starts at index BOS * width.
#
# This tests one gradient of thousands. To measure all 4,192 in this way would take 8,384
# forward passes. The backward pass finds them all at once, for about the cost of one more
# forward pass, because it uses every edge just once. That is why we need it. (Section 12 will
# compare all of them with those of a second engine.)
index = BOS * width
_, gradients = autograd(untrained, example)
higher, lower = untrained[:], untrained[:]
higher[index] += 1e-5
lower[index] -= 1e-5
measured = (autograd(higher, example)[0] - autograd(lower, example)[0]) / 2e-5
print(f"gradient of one parameter: {gradients[index]:.9f} by backward(), {measured:.9f} measured")

# %% 8. Adam --------------------------------------------------------------------------------------
# A gradient says how fast the loss grows with a parameter. So the simplest way to learn is to
# move every parameter a little in the opposite direction: we subtract its gradient times a
# small number, the learning rate. (Numbers like this one, which we choose ourselves, are
# called hyperparameters.) We move only a little, because a slope tells us nothing about what
# is far away. This is called gradient descent: the new number is number - rate * gradient. If
# the rate is small enough, the loss on this name goes down. (Nothing guarantees that this
# finds the best parameters of all. In practice it finds good ones.)
#
# But there are two problems. First, the gradients of the next name may have the opposite
# signs, and then the next step undoes much of the last one. Second, some parameters have large
# gradients and others tiny ones. The embedding of a rare letter, for example, gets a gradient
# of 0 from most names, and yet it has to be learned just as well as the others. As long as the
# size of the gradients decides how far a parameter moves, no single rate suits all parameters.
# We want the rate to set their pace, and not the size of the gradients.
#
# Adam helps with both problems (Kingma and Ba, 2015). It keeps two running means, also called
# exponential moving averages, for every parameter. A running mean is a mean that slowly
# forgets the past. One is the mean of the parameter's recent gradients. If the names disagree,
# their gradients mostly cancel out in this mean. If they agree, the mean is as large as they
# are. The other is the mean of the squares of these gradients. Squares can't cancel out,
# because they are never negative. So the root of their mean, the root mean square, is the
# typical size of a gradient of this parameter, whatever its sign. (The mean of the absolute
# values would be another typical size. Squares are simply what Adam uses.)
#
# In statistics, the mean of the gradients and the mean of their squares are called the first
# and the second moment, and Adam is short for adaptive moment estimation. Adam divides the
# first mean by the typical size, multiplies the result by the rate, and subtracts it from the
# parameter.
#
# Suppose that the gradient is always the same number g. Once they have settled, the two means
# are g and g², and g / √(g²) is 1 or -1, whether g is large or tiny. So all parameters whose
# gradients agree move by about the rate in every step. But if the sign of the gradient keeps
# changing, the mean is near 0, and the parameter moves by much less.
#
# To update the first mean, we take 0.85 times its old value and add 0.15 times the new
# gradient. With every name, the share of each older gradient shrinks by 15 percent. After 7
# names only a third of it is left, because 0.85 ** 7 is 0.32. For the second mean we take 0.99
# and 0.01. With these, it takes 110 names before only a third is left, so the size that we
# divide by changes slowly. For a parameter that gets a gradient from most names, a single
# unusual name has little effect on that size.
#
# Both means start at 0, so at first they are too small. After the first name, the first mean
# is only 0.15 times the gradient, so we divide it by 0.15. After the second name, it is
# 0.85 * 0.15 times the first gradient plus 0.15 times the second. In a mean, the factors
# should sum to 1. These sum to 0.2775, which is 1 - 0.85 ** 2, so we divide by that.
#
# In general, after count names, the factors sum to 1 - 0.85 ** count in the first mean and to
# 1 - 0.99 ** count in the second. This is called bias correction, and later it hardly matters.
# The 1e-8 keeps us from dividing by 0. (Textbooks write β₁ for 0.85, β₂ for 0.99, and ε for
# 1e-8.)
def adam(numbers, gradients, means, squares, rate, count):      # all the lists are [params]
    means = [0.85 * mean + 0.15 * g for mean, g in zip(means, gradients)]
    squares = [0.99 * square + 0.01 * g * g for square, g in zip(squares, gradients)]
    mean_sum, square_sum = 1 - 0.85 ** count, 1 - 0.99 ** count
    numbers = [number - rate * (mean / mean_sum) / (math.sqrt(square / square_sum) + 1e-8)
               for number, mean, square in zip(numbers, means, squares)]
    return numbers, means, squares

# So what about the rare letter? Suppose that we are late in training, so that bias correction
# no longer matters. If a gradient g comes after a long run of zeros, the first mean is 0.15 g.
# The second is 0.01 g², and its root is 0.1 g. So the parameter moves by 1.5 times the rate in
# a single step, even if g is small.
#
# With each of the next names, which don't contain the letter, the first mean shrinks to 0.85
# of what it was, and the root hardly changes. So the parameter moves by about 10 times the
# rate in total, because 1.5 * (1 + 0.85 + 0.85² + ...) is 1.5 / 0.15. That way, the embedding
# of a rare letter can move a useful distance, although it occurs in few names.
#
# 0.85 and 0.99 are choices. The usual ones are 0.9 and 0.999, and here they would do about as
# well. On a model this small, even plain gradient descent comes close, with a much larger
# rate. In large language models, Adam and its relatives are far ahead of it.

# %% 9. Training loop -----------------------------------------------------------------------------
# Each training step takes one name. The engine computes the loss and the gradients, and Adam
# moves the parameters. Because a step uses one name and not all of them, its gradients are
# only an estimate of the mean gradients over all the names. This idea is called stochastic
# gradient descent, and Adam is a refinement of it. In practice one takes a batch of many
# examples in each step, so that the estimate is better and parallel hardware is kept busy.
#
# How can we tell that the model is learning? Some names are harder than others, so the loss
# jumps up and down. Watch the perplexity instead, which is exp of the mean loss of the last
# 100 names. exp undoes the logarithm: a model that knows nothing has a loss of log 27 and a
# perplexity of 27. (At the very first step it is a little more, for the reason given in
# section 6.) Our model's perplexity falls quickly at first, and then slowly, to about 12. A
# table that only counts pairs of letters reaches about 13, as section 10 will show.
#
# A perplexity of 12 means that the model is as unsure as if it had to choose among 12 equally
# likely tokens. On new names it can't fall to 1, because nobody can know for certain which
# letter comes next. The mean over a hundred names still fluctuates, so small ups and downs
# mean nothing. Usually, the mean is over all tokens. Ours is over names, which gives a
# slightly different number.
#
# The next function prints a line of progress after each step. The bar at its end shows the
# perplexity, and is cut off at 30. In a terminal, each line overwrites the last, but every
# hundredth line stays. If the output goes to a file, all lines stay.
def report(losses, steps):
    step, recent = len(losses), losses[-100:]
    perplexity = math.exp(sum(recent) / len(recent))
    passing = step % 100 and step < steps and sys.stdout and sys.stdout.isatty()
    print(f"step {step:4d} / {steps:4d} | loss {losses[-1]:.4f} | perplexity {perplexity:#4.3g} "
          f"{'#' * min(30, round(perplexity)):30}", end="\r" if passing else "\n", flush=True)

# Here is the training loop. The rate falls linearly, almost to 0. This is called a
# learning rate schedule. Large steps learn fast, and small steps at the end let the parameters
# settle. With Adam, the parameters can move by about the rate in every step, so only a smaller
# rate lets them come to rest. (In the code, max keeps the rate from going below 0 if you call
# train yourself, with more steps than --steps.)
#
# You can stop the training with Ctrl-C. The program then discards the unfinished step, and
# goes on with what has been learned so far. (The variable "moved" keeps the new numbers until
# the whole step is complete.) If the rate is far too high, the numbers grow until Python can't
# compute with them any more, and the program says so.
def train(engine, steps):                                       # -> numbers, losses, time per name
    numbers, losses, seconds = untrained, [], 0.0
    means, squares = [0.0] * len(untrained), [0.0] * len(untrained)
    try:
        for step in range(steps):
            tokens = encode(docs[step % len(docs)])
            rate = args.rate * (1 - step / max(steps, args.steps))
            began = time.perf_counter()
            loss, gradients = engine(numbers, tokens)
            moved = adam(numbers, gradients, means, squares, rate, step + 1)
            seconds += time.perf_counter() - began
            numbers, means, squares, losses = *moved, losses + [loss]
            report(losses, steps)
    except KeyboardInterrupt:
        print("\nstopped early")
    except (ArithmeticError, ValueError) as problem:
        parser.error(f"--rate {args.rate} may be too high, the training diverged: {problem}")
    return numbers, losses, seconds / max(1, len(losses))

# We have 8,028 names, all different, and take a thousand steps. So no name comes twice, and
# each loss is computed before the model learns from the name, so it tests the model on a name
# that it has not yet seen. For this reason, our run needs no other names for testing.
#
# A longer run would go through the whole list several times, and each pass is called an epoch.
# Then a model with enough parameters could learn the names by heart and get worse on new ones.
# This is called overfitting. To detect it, you test the model on names that are never used for
# training, the validation set.

# The next two lines only save time. Python's garbage collector looks for objects that refer to
# each other in a cycle. It would find none among our Values, so we switch it off.
if sys.implementation.name == "cpython":
    gc.disable()
trained, losses, seconds = train(autograd, 0 if args.fast else args.steps)

# %% 10. Inference --------------------------------------------------------------------------------
# Using a trained model is called inference. Its parameters no longer change. Our model makes
# up names. It starts with BOS, computes the probabilities of the next token, and draws one at
# random: a token with probability 0.2 is drawn one time in five. This token is then the next
# input, and so it goes on, until BOS is drawn or the block is full. This is the "generative"
# in GPT. A model that continues from its own output, like this, is called autoregressive.
# Always taking the likeliest token is called greedy decoding. Ours would then say the same
# name every time.
#
# The logits are first divided by a temperature. At 1 the model uses the probabilities that it
# has learned. Take two tokens with probabilities 0.8 and 0.2. softmax makes probabilities that
# are proportional to exp of the logits, so exp of the first logit is 4 times exp of the
# second. A temperature of 0.5 doubles the logits, and exp(2 x) is the square of exp(x). Now
# the first token is 16 times as likely as the second.
#
# At a low temperature the model plays it safe, and near 0 it almost always takes the likeliest
# token. At a high one it takes risks. At our 0.5 the names sound better than they would at 1,
# but they are less varied. Try --fast --temperature 1 to hear the difference.
def generate(numbers):                                          # [params] -> a name
    model = matrices([Value(number) for number in numbers])     # gpt works on Values
    cache = [([], []) for _ in range(layers)]
    name, token = "", BOS
    for position in range(block):
        logits = gpt(model, token, position, cache)
        probs = softmax([logit / args.temperature for logit in logits])
        token = random.choices(range(vocab), [prob.data for prob in probs])[0]
        if token == BOS:
            break
        name += letters[token]
    return name

# Let's hear what the model says and, for comparison, what it said before training. We also
# print which of these names it was trained on. With the default settings, none of the twenty
# is among them. One of them, elina, appears elsewhere in our file, but was not among the
# thousand names used in training. So the model found a real name that it had never seen. The
# names from before training are random letters, and often as long as the block allows, because
# BOS comes only about once in 27 tokens.
#
# Then we look inside the model, at the embeddings of the three most frequent letters, a, i and
# e. Closest means the smallest distance, as math.dist measures it: the square root of the sum
# of the squared differences. Nobody told the model about vowels. Before training, as --steps 0
# would show, the closest to a were o, z, d and k. After it, they are the other vowels, and the
# same goes for i and e. That's probably because the same letters tend to follow all vowels.
# (With another seed, a consonant may slip in among them.)
def show(numbers, seen):                                        # [params], the names trained on
    names = [generate(numbers) for _ in range(args.samples)]
    for i, name in enumerate(names, start=1):
        print(f"sample {i:2d}: {name}")
    print("seen in training:", *(sorted(set(names) & set(seen)) or ["none"]), sep="\n  ")
    print("before training:", *[generate(untrained) for _ in range(3)])
    embedding = dict(zip(letters, matrices(numbers)["token"]))
    for letter in sorted(letters, key="".join(docs).count, reverse=True)[:3]:
        closest = sorted(letters, key=lambda other: math.dist(embedding[letter], embedding[other]))
        print(f"closest to {letter}:", *closest[1:5])           # closest[0] is the letter itself

if not args.fast:
    show(trained, docs[:len(losses)])

# How much do attention and positions help? Here is the mean loss of the last hundred names for
# our model, and for versions without one or both of these parts, each trained once in the same
# way. This is called an ablation. A bigram table only counts which token follows which. Every
# count starts at 1, so that no pair is impossible. For the probabilities, each count is
# divided by the total for its first token. The table, too, is tested on each name before it
# counts that name.
#
#           mean loss: lower is better
#   2.594   a bigram table
#   2.598   a model without attention and without positions
#   2.476   a model without attention
#   2.481   a model without positions
#   2.471   our model, with both
#
# In perplexity, the table reaches 13.4, and our model 11.8. After so short a run, a small GPT
# is better than counting pairs, but not by much. Take attention away, and almost nothing is
# lost. Take the positions away, and almost nothing is lost either. Take both away, and the
# model sees only the last letter, and is no better than the table.
#
# On short names and in a short run, either one alone does about as well as both. Probably both
# tell the model how long the name is so far. A position says so directly. Attention can say it
# without positions. If all tokens have equal weights, the weight of BOS is 1/3 among 3 tokens
# and 1/6 among 6, so it shows how long the name is. And don't read anything into the order of
# the last three figures. With other seeds, all the figures change by a few hundredths, and the
# last three can change places.
#
# So why attention at all? It can fetch something from far back in the text. In longer texts
# and larger models, that pays off. Even here, it begins to show in a longer training. With
# 5,000 steps, the mean loss of the last 500 names is 2.417 with attention and 2.438 without.
#
# (The figures come from changed copies of this program. To try it yourself, delete the line of
# step 6 in gpt, or leave out the position in the first line of gpt. You will see the
# perplexity, which is exp of these figures. The second engine will then disagree, and the
# program will end there.)

# %% 11. Encore: explicit backprop ----------------------------------------------------------------
# Our first engine turns every result into a Value and works out the gradients automatically.
# Now we build the same GPT on plain numbers and work out every derivative by hand. The tokens
# of a training name are all known beforehand, so in every layer we can first make the queries,
# keys and values of all tokens, and then let each token listen. On hardware that works in
# parallel, being able to do this is what made transformers fast to train. A matrix x now has T
# rows, one for each of the T input tokens.
#
# Most functions become a pair of functions. The forward function computes y from x. The
# backward function is given dy, and whatever it needs from x and y, and returns dx. In this
# section, dy is short for the gradient of the loss with respect to y, one number for each
# number in y, and dx is the same for x. One number x_j may affect every y_i, and every y_i
# feeds into the loss. So dx_j is the sum, over all i, of dy_i times the derivative of y_i with
# respect to x_j. We write Σ_i, and read it as "the sum over i".
#
# Two helpers first. dots takes the dot product of every row of a with every row of b. It does
# what linear does, for many vectors at once. rowwise applies a function row by row. For
# example, rowwise(add, a, b) adds the first rows of a and b, then the second rows, and so on.
# (The star means that it takes any number of matrices.)
def dots(a, b):                                                 # [A][N], [B][N] -> [A][B]
    return [[sumprod(row, other) for other in b] for row in a]

def rowwise(function, *matrices):                               # a list of the results
    return [function(*rows) for rows in zip(*matrices)]

# Dots. We begin with a single row of a. Then y_i is the dot product of this row with row i of
# b, which is Σ_j a_j b_ij. (Here b_ij is number j in row i of b.) In this sum, a_j is
# multiplied by b_ij. So b_ij is the local gradient for a_j, and a_j is the local gradient for
# b_ij:
#     da_j = Σ_i dy_i b_ij                      because a_j affects every y_i
#     db_ij = dy_i a_j                          because b_ij affects only y_i
# Take b = [[3, 4], [5, 6]] and the row [1, 2] of a, which gives the row [11, 17] of y. Say
# that its dy is [1, 0]. So if the 11 grows a little, the loss grows by the same amount, and if
# the 17 grows, the loss doesn't change. The 11 is 3 * 1 + 4 * 2. So da is [3, 4], and db is
# [[1, 2], [0, 0]].
#
# Now let a have a second row, [7, 8], and say that its dy is [0, 1]. Then its da is [5, 6],
# and its db is [[0, 0], [7, 8]]. Every row of a has its own da. But all rows use the same b,
# so what they contribute to db is added up, and db is [[1, 2], [7, 8]].
#
# Now for the code. dots always multiplies rows with rows. The sum for da_j runs over i, down a
# column of b, so we transpose b. In our example, transpose(b) is [[3, 5], [4, 6]], and the dot
# products of [1, 0] with its two rows make [3, 4]. The sum for db_ij runs over the rows of dy
# and of a, down a column of each, so we transpose both. In our example, the dot products of
# the rows of [[1, 0], [0, 1]] with those of [[1, 7], [2, 8]] make [[1, 2], [7, 8]].
def dots_back(dy, a, b):                                        # -> da, db, shaped like a and b
    da = dots(dy, transpose(b))                                 # Σ_i dy_i b_ij, for each row
    db = dots(transpose(dy), transpose(a))                      # dy_i a_j, summed over the rows
    return da, db

# ReLU. The derivative is 1 where x is above 0, and elsewhere it is 0. Since y is above 0
# exactly where x is, we can look at y.
def relu_forward(x):                                            # [N] -> [N]
    return [max(xi, 0.0) for xi in x]

def relu_back(dy, y):                                           # -> dx
    return [dyi if yi > 0 else 0.0 for dyi, yi in zip(dy, y)]

# RMSNorm. y_i = s x_i, where s = m^(-1/2), and m is 1e-5 plus the mean of the squares of all N
# numbers. First, how do m and s change with one of these numbers, x_j?
#     The derivative of m with respect to x_j is 2 x_j / N. Only one of the squares contains x_j.
#     The derivative of s with respect to m is -1/2 m^(-3/2) = -1/2 s³, because s is m^(-1/2).
#     So the derivative of s with respect to x_j is -1/2 s³ · 2 x_j / N = -s³ x_j / N.
# Now y_i = s x_i is a product, and its first factor, s, depends on x_j for every i. The
# derivative of y_i along this path is
#     x_i · (-s³ x_j / N) = -s (s x_i) (s x_j) / N = -s y_i y_j / N
# The second factor, x_i, depends on x_j only if i = j. So y_j has a second path from x_j, with
# the derivative s. We multiply by dy_i and add up over all i. The second path adds only one
# term, s dy_j:
#     dx_j = s dy_j - Σ_i dy_i s y_i y_j / N = s (dy_j - y_j Σ_i dy_i y_i / N)
def rmsnorm_forward(x):                                         # [N] -> [N]
    s = (sumprod(x, x) / len(x) + 1e-5) ** -0.5
    return [s * xi for xi in x]

def rmsnorm_back(dy, x, y):                                     # -> dx
    s = (sumprod(x, x) / len(x) + 1e-5) ** -0.5
    mean = sumprod(dy, y) / len(x)
    return [s * (dyj - yj * mean) for dyj, yj in zip(dy, y)]

# Softmax. y_i = exp(x_i) / total, where total is the sum of all exp(x). (Subtracting the
# largest x changes nothing.) This is the product of exp(x_i) and 1 / total. The second factor
# depends on x_j for every i.
#     The derivative of total with respect to x_j is exp(x_j).
#     The derivative of 1 / total with respect to x_j is -exp(x_j) / total².
#     Times exp(x_i), this makes -exp(x_i) exp(x_j) / total² = -y_i y_j.
# The first factor, exp(x_i), depends on x_j only if i = j. So y_j has a second path, with the
# derivative exp(x_j) / total = y_j. We multiply by dy_i and add up:
#     dx_j = y_j dy_j - Σ_i dy_i y_i y_j = y_j (dy_j - Σ_i dy_i y_i)
# Suppose that y_1 is 1 and all other y_j are 0. Then Σ_i dy_i y_i is dy_1. So dx_1 is
# 1 * (dy_1 - dy_1), which is 0, and every other dx_j is 0 because y_j is 0. No gradient gets
# back. This is what section 5 said about large scores.
def softmax_forward(x):                                         # [N] -> [N]
    largest = max(x)
    exps = [math.exp(xi - largest) for xi in x]
    total = sum(exps)
    return [each / total for each in exps]

def softmax_back(dy, y):                                        # -> dx
    mean = sumprod(dy, y)                                       # the mean of dy, weighted by y
    return [yj * (dyj - mean) for dyj, yj in zip(dy, y)]

# Attention. q, k and v are the queries, keys and values of all tokens, one row for each. split
# cuts such a matrix into one matrix for each head, and join puts the parts side by side again.
# With two heads, split cuts the row [1, 2, 3, 4] into [1, 2] and [3, 4]. In join, the function
# chain links such rows, and list turns them back into [1, 2, 3, 4].
def split(x):                                                   # [T][16] -> [4][T][4] by default
    return [[row[head] for row in x] for head in slices]

def join(parts):                                                # and back again
    return [list(itertools.chain(*rows)) for rows in zip(*parts)]

# For each head, dots(q, k) takes the dot product of every query with every key. Divided by
# root, these products are the scores. Since we now handle all tokens at once, we have to hide
# the later ones. A mask sets their scores to minus infinity. Then their weights are 0, because
# exp of minus infinity is 0. What a token hears is the dot product of its weights with every
# column of v, as in section 5.
def attention_forward(q, k, v):                                 # -> [T][16], weights [4][T][T]
    heard, weights = [], []
    for qh, kh, vh in zip(split(q), split(k), split(v)):        # head by head: [T][4] each
        scores = [[product / root if u <= t else -math.inf for u, product in enumerate(row)]
                  for t, row in enumerate(dots(qh, kh))]        # token t listens to token u
        weights.append(rowwise(softmax_forward, scores))
        heard.append(dots(weights[-1], transpose(vh)))
    return join(heard), weights

# So attention consists of dots, softmax and dots again, and we know the way back through each
# of them. Say that token t listens to token u. Then product_tu and weight_tu are single
# numbers, while q_t, k_u, v_u and heard_t are rows of numbers. On the way forward, they are
#     product_tu = q_t · k_u                    · means the dot product
#     weight_tu                                 from the row product_t / root, by softmax
#     heard_t = Σ_u weight_tu v_u               the weighted sum of the values
# and on the way back,
#     dweight_tu = dheard_t · v_u               because weight_tu multiplies all of v_u
#     dv_u = Σ_t weight_tu dheard_t             from every token t that listens
#     dscore_tu                                 from the row dweight_t, by softmax_back
#     dproduct_tu = dscore_tu / root            because a score is a product divided by root
#     dq_t = Σ_u dproduct_tu k_u                from every token u that is heard
#     dk_u = Σ_t dproduct_tu q_t                from every token t that listens
# Where a weight is 0, softmax_back makes dscore 0, too. So where a token can't listen, no
# gradient goes back. In the code, the first two rules are one call of dots_back, because heard
# is dots(weights, transpose(v)). So it returns the gradients of weights and of transpose(v),
# and we transpose the latter back. The last two rules are another call, because the products
# are dots(q, k).
#
# Here is the way back through the example of section 5. The query was [2, 2, 0, 0], the keys
# were [2, 0, 1, 0] and [0, 1, 0, 3], and the values were [10, 0, 0, 0] and [0, 10, 0, 0].
# Suppose that dheard is [0.1, 0, 0, 0]. Then dweights is [1, 0], and in softmax's rule, the
# sum Σ_i dy_i y_i is 1 * 0.73 + 0 * 0.27, which happens to be 0.73, too.
#                                  for the first          for the second
#     weights                      0.73                   0.27
#     dweights                     0.1 * 10 = 1           0
#     dscores                      0.73 (1 - 0.73) ≈ 0.2  0.27 (0 - 0.73) ≈ -0.2
#     dproducts                    0.2 / 2 = 0.1          -0.2 / 2 = -0.1
#     gradient of the key          0.1 times the query    -0.1 times the query
#     gradient of the value        0.73 times dheard      0.27 times dheard
# The gradient of the query is 0.1 times the first key minus 0.1 times the second, or
# [0.2, -0.1, 0.1, -0.3]. The loss grows with the first score, so training tends to lower that
# score, and then our token listens less to the first and more to the second.
def attention_back(dheard, q, k, v, weights):                   # -> dq, dk, dv: [T][16]
    dq, dk, dv = [], [], []
    for dh, qh, kh, vh, wh in zip(split(dheard), split(q), split(k), split(v), weights):
        dweights, dcolumns = dots_back(dh, wh, transpose(vh))
        dscores = rowwise(softmax_back, dweights, wh)
        dproducts = [[each / root for each in row] for row in dscores]
        dqh, dkh = dots_back(dproducts, qh, kh)
        dq.append(dqh)
        dk.append(dkh)
        dv.append(transpose(dcolumns))
    return join(dq), join(dk), join(dv)

# Cross-entropy. The surprise is -log p, where p is the probability of the target, the token
# that actually came next. Its derivative with respect to p is -1 / p, and with respect to all
# other probabilities it is 0. We put this dy into softmax's rule. The sum Σ_i dy_i y_i
# is -1 / p times p, which is -1. So the gradient of the target's logit is p times
# (-1 / p + 1), which is p - 1. The gradient of another token's logit is that token's
# probability times (0 - (-1)), which is that probability itself. In short, the gradients of
# the logits are the predicted probabilities, minus 1 at the target. (A vector with a 1 at the
# target and 0 elsewhere is called one-hot, so this is often written p - onehot.)
#
# A step of training tends to raise the logit of the target, and to lower the others,
# especially those that the model thought likely.
#
# And what if the model is confidently wrong? As we saw, softmax alone would pass hardly any
# gradient back. But p is then tiny and -1 / p is huge, and together they give p - 1,
# nearly -1. That's why softmax and the logarithm go so well together. All these gradients are
# divided by the number of targets, because the loss is a mean.
def cross_entropy(logits, targets):                             # -> loss, dlogits
    probs = rowwise(softmax_forward, logits)
    loss = sum(-math.log(row[target]) for row, target in zip(probs, targets)) / len(targets)
    for row, target in zip(probs, targets):
        row[target] -= 1.0                                      # now it is p - onehot
    return loss, [[each / len(targets) for each in row] for row in probs]

# Now the whole model. The function goes forward through steps 1 to 9 of every layer, and then
# back through the same steps, from 9 to 1. The steps are those of gpt, but each now works on
# all tokens at once.
#
# x1 is x after step 6, and n1 is its normalized copy. The list "kept" holds what the backward
# pass will need from each layer, including the x that came into it. (This is one reason why
# training needs more memory than inference.)
#
# On the way back we need only two rules besides our pairs. First, a sum, as in steps 6 and 9,
# passes its gradient on to both its terms unchanged. Second, whatever was used more than once
# gets a gradient from every use, and these are added up. This is the plan of section 5 once
# more, with all the arrows turned around. So read it from bottom to top. Where two arrows met
# at a + in the plan, the gradient now leaves in both directions. Where two arrows left x in
# the plan, two gradients now arrive and are added:
#
#     new dx, for the layer before
#            ^
#            + <--- norm <--- attention   6 to 1
#            |                    ^
#           dx1 ------------------'
#            ^
#            + <--- norm <--- MLP         9 to 7
#            |                 ^
#           dx ----------------'
#            ^
#     dx, from the layer after
#
# In the code, w holds the matrices of parameters, and dw their gradients, at first 0. The rows
# of token and position that this name does not use keep the gradient 0. From the first layer,
# the gradients go on through the first norm to the embeddings. At the end, all gradients are
# put into one list. It has the order of the parameters, because dw lists its matrices in the
# same order as w. The shapes beside the code are those of the default settings.
def explicit(numbers, tokens):                                  # -> loss, gradients [params]
    w, dw = matrices(numbers), matrices([0.0] * len(numbers))
    inputs, targets = tokens[:-1][:block], tokens[1:][:block]
    sums = [add(w["token"][token], w["position"][t]) for t, token in enumerate(inputs)]
    x = x0 = rowwise(rmsnorm_forward, sums)
    kept = []
    for layer in range(layers):                                 # forward
        n = rowwise(rmsnorm_forward, x)                         # 1: [T][16]
        q = dots(n, w["query", layer])                          # 2: [T][16]
        k = dots(n, w["key", layer])                            # 3: [T][16]
        v = dots(n, w["value", layer])                          # 4: [T][16]
        heard, weights = attention_forward(q, k, v)             # 5: [T][16] and [4][T][T]
        x1 = rowwise(add, x, dots(heard, w["output", layer]))   # 6
        n1 = rowwise(rmsnorm_forward, x1)                       # 7
        matches = dots(n1, w["up", layer])                      # 8: [T][64]
        hidden = rowwise(relu_forward, matches)
        kept.append((x, n, q, k, v, weights, heard, x1, n1, hidden))
        x = rowwise(add, x1, dots(hidden, w["down", layer]))    # 9
    loss, dlogits = cross_entropy(dots(x, w["lm_head"]), targets)
    dx, dw["lm_head"] = dots_back(dlogits, x, w["lm_head"])
    for layer in reversed(range(layers)):                       # back, from the last layer
        x, n, q, k, v, weights, heard, x1, n1, hidden = kept[layer]
        # 9 and 8: dx goes to both terms of the sum, to x1 and to the MLP
        dhidden, dw["down", layer] = dots_back(dx, hidden, w["down", layer])
        dmatches = rowwise(relu_back, dhidden, hidden)
        dn1, dw["up", layer] = dots_back(dmatches, n1, w["up", layer])
        # 7 and 6: x1 was used in step 7 and in the sum of step 9, so two gradients are added
        dx1 = rowwise(add, dx, rowwise(rmsnorm_back, dn1, x1, n1))
        dheard, dw["output", layer] = dots_back(dx1, heard, w["output", layer])
        # 5: back through attention
        dq, dk, dv = attention_back(dheard, q, k, v, weights)
        # 4 to 1: v, k and q were all made from n, and x was used in steps 1 and 6
        dn_v, dw["value", layer] = dots_back(dv, n, w["value", layer])
        dn_k, dw["key", layer] = dots_back(dk, n, w["key", layer])
        dn_q, dw["query", layer] = dots_back(dq, n, w["query", layer])
        dn = rowwise(add, dn_q, rowwise(add, dn_k, dn_v))
        dx = rowwise(add, dx1, rowwise(rmsnorm_back, dn, x, n))
    # each position occurs once, but a token may occur more than once, so there we add up
    for t, row in enumerate(rowwise(rmsnorm_back, dx, sums, x0)):
        dw["position"][t] = row
        dw["token"][inputs[t]] = add(dw["token"][inputs[t]], row)
    return loss, [each for matrix in dw.values() for row in matrix for each in row]

# %% 12. The two engines compared -----------------------------------------------------------------
# Do the two engines agree? We try them on the first name and on the longest in the file. (With
# a smaller block or longer names, it would be cut off.) They must find the same loss and the
# same gradients, up to rounding. We print the largest difference between their gradients,
# relative to the largest gradient.
gaps = []
for name in docs[0], max(docs, key=len):
    loss, gradients = autograd(untrained, encode(name))
    explicit_loss, explicit_gradients = explicit(untrained, encode(name))
    largest = max(map(abs, gradients)) or 1.0                   # 1.0 if all of them are 0
    gaps += [abs(a - b) / largest for a, b in zip(gradients, explicit_gradients)]
    if not (math.isclose(loss, explicit_loss) and all(gap < 1e-9 for gap in gaps)):
        sys.exit("the two engines disagree")
print(f"the engines agree: gradients differ by at most {max(gaps):.0e} of the largest one")

# Now we train with the explicit engine, from the same initial parameters, on the same names,
# with the same Adam. Every loss will be the same as before, up to rounding. (If you stopped
# the first training, this one stops after the same number of steps.)
#
# Why is this engine faster? It makes no Values and no edges. And on the way back, where
# autograd goes from edge to edge in Python, it computes dot products, and a built-in function
# does that in C. The price is that we had to work out every part by hand. Autograd does it for
# any model that is built from its operations.
#
# PyTorch, the most widely used library for deep learning, combines the two ideas. It has
# autograd, but each node of its graph is an operation on whole matrices and knows its own
# backward function, like our pairs.
print("training with the explicit engine:")
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

# And that is the whole algorithm. The models you can talk to are built on the same principles,
# but they are up to hundreds of millions of times larger, with dozens of layers, and they are
# trained on billions of times as much text. Their tokens are usually pieces of words.
#
# Training of this kind, in which a model only learns what comes next, is called pretraining.
# That is the P in GPT. Afterwards, such models are trained further, to answer questions and to
# be helpful. This is called post-training, and includes fine-tuning on good examples and
# learning from feedback.
#
# Still, what they do is what you have seen: they continue a text token by token, in the way
# that training has made likely, whether it is true or not. When such text is fluent but false,
# people call it a hallucination. Generative, pretrained, transformer: now you know all three
# words.
