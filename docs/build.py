"""Writes docs/index.html: microgpt.py in three columns, code, talk and the numbers of a real run, and a live model.

    python -m pip install pygments && (cd docs && npm ci) && python docs/build.py

The lecture is run as it stands, with its default choices, under a recorder of which it knows nothing: a counter before
every statement, and a look at what a statement has made at the moment when it has run, the first time, or in the
forward pass the first time for a token late in a name. The scripts in model/, pictures/ and view/ are bundled by
esbuild. The same sources give the same page: what comes from the clock is written as a dash, and what is only rounding,
which differs between versions of Python, as <1e-14.
"""
import argparse
import ast
import array
import base64
import collections
import gc
import hashlib
import html
import io
import itertools
import json
import math
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import tokenize

DOCS = pathlib.Path(__file__).resolve().parent
ROOT = DOCS.parent
SCRIPT = ROOT / "microgpt.py"
PAGE = DOCS / "index.html"
SOURCES = ("package.json", "package-lock.json", "parts.json",
           *sorted(str(path.relative_to(DOCS)) for folder in ("model", "pictures", "view") for path in (DOCS / folder).iterdir()))
FEW = 3                                                 # numbers shown of a row
LATE = 4                                                # the position of the token whose forward pass is shown
FORWARD = "add", "linear", "softmax", "rmsnorm", "gpt"

# Where a picture stands: beside the thought that has this line, by how the line begins.
PICTURES = {
    "letters = sorted(": ["pairs"], "a, b = Value(2.0)": ["graph"], "shapes = ": ["matrices"],
    "# Now the plan of the model": ["layer"], "# Attention is how": ["attention"], "def loss_of(": ["surprise"],
    "index = BOS * width": ["tangent"], "def adam(": ["adam"], "def train(": ["loss"], "def generate(": ["odds"],
    "def show(": ["map"], "# Now the whole model.": ["staircase"], "if args.fast:": ["race"],
}
AFTER = {9: ["runs", "parts", "own-data"]}              # and at the end of a section, each by itself

# What a line makes, as the pictures call it: the first line of this function that begins so.
MAKES = {
    ("", "print(f\"num docs"): "tokens",
    ("gpt", "x = rmsnorm("): "x0", ("gpt", "n = rmsnorm(x)"): "n",
    ("gpt", "query = "): "query", ("gpt", "keys.append("): "key", ("gpt", "values.append("): "value",
    ("gpt", "weights = "): "weights", ("gpt", "heard += "): "heard", ("gpt", "x = add(x, linear(heard"): "x1 output",
    ("gpt", "hidden = [match"): "hidden", ("gpt", "x = add(x, linear(hidden"): "x2",
    ("gpt", "return "): "logits",
    ("loss_of", "probs = "): "probs", ("loss_of", "surprises.append("): "surprises", ("loss_of", "return "): "loss",
    ("generate", "logits = "): "logits", ("generate", "probs = "): "probs",
    ("train", "numbers, means, squares, losses"): "losses",
    ("explicit", "sums = "): "sums", ("explicit", "x = x0 = "): "x0", ("explicit", "n = "): "n", ("explicit", "q = "): "query",
    ("explicit", "k = "): "key", ("explicit", "v = "): "value", ("explicit", "heard, "): "heard",
    ("explicit", "x1 = "): "x1", ("explicit", "n1 = "): "n1", ("explicit", "hidden = rowwise("): "hidden",
    ("explicit", "x = rowwise(add, x1"): "x2", ("cross_entropy", "probs = "): "probs", ("cross_entropy", "loss = "): "loss",
    ("cross_entropy", "return loss, "): "logits", ("explicit", "dhidden, "): "hidden", ("explicit", "dx1 = "): "x1",
    ("explicit", "dheard, "): "heard", ("explicit", "dn = "): "n",
}
LIVE = "gpt", "loss_of"                                 # functions whose lines show the live model's numbers, too

# The colour of a number, by the name of the lecture that holds it. All others are tensors.
KINDS = {
    "gradient": "grad local_grad slope gradients explicit_gradients measured dx dy dw dq dk dv dn dx1 dn1 dn_q dn_k "
                "dn_v dmatches dlogits dhidden dheard da db dh dqh dkh dweights dcolumns dscores dproducts "
                "rmsnorm_back.mean softmax_back.mean",
    "loss": "loss losses explicit_loss explicit_losses surprises",
    "time": "began seconds explicit_seconds",
}
KIND_OF = {name: kind for kind, names in KINDS.items() for name in names.split()}   # "explicit.row": only in that function
RETURNS = {"loss_of": ["loss"], "autograd": ["loss", "gradient"], "explicit": ["loss", "gradient"],
           "train": ["tensor", "loss", "time"], "dots_back": ["gradient"] * 2, "relu_back": ["gradient"],
           "rmsnorm_back": ["gradient"], "softmax_back": ["gradient"], "attention_back": ["gradient"] * 3,
           "cross_entropy": ["loss", "gradient"]}


# ---- The sources, and what marks a page as made from them ----

def questions():
    """The README's question for each section, and its answer where one stands: {number: (question, answer)}."""
    readme = (ROOT / "README.md").read_text("utf-8")
    rows = [line.strip("| ").split(" | ") for line in readme.split("\n") if re.match(r"\| (section|\d+\.) ", line)]
    column = next(place for place, title in enumerate(rows[0]) if "question" in title)
    folded = re.search(r"<summary>\s*Answers\s*</summary>(.*?)</details>", readme, re.S)
    listed = re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", folded.group(1) if folded else "", re.M | re.S)
    answers = {number: " ".join(answer.split()) for number, answer in listed}
    numbers = [row[0].split(".")[0] for row in rows[1:]]
    return {int(number): (row[column].strip(), answers.get(number, "")) for number, row in zip(numbers, rows[1:])}


def glossary():
    """The README's words of the field: {word: the sentence that says what it means}, in its order."""
    readme = (ROOT / "README.md").read_text("utf-8")
    part = re.search(r"^## Words\n(.*?)^## ", readme, re.M | re.S)[1]
    items = re.findall(r"^- \*\*(.+?)\*\*: (.*?)(?=^- |\Z)", part, re.M | re.S)
    return {word: " ".join(says.split()) for word, says in items}


def fingerprint():
    """One sha256 over everything that the page is made from."""
    sources = [SCRIPT, ROOT / "names.txt", DOCS / "build.py", *(DOCS / part for part in SOURCES)]
    digest = hashlib.sha256()
    for text in [path.read_text("utf-8") for path in sources] + [json.dumps([questions(), glossary()], ensure_ascii=False)]:
        digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()


# ---- The recorder: runs the lecture and keeps what each line made ----

class Clock(float):
    """A number that comes from the clock. What is computed from it is one, too, and it is written as a dash."""

    def __format__(self, form):
        width = re.match(r"(?:.?[<>=^])?[-+ ]?z?#?0?(\d*)", form).group(1)
        return "–".rjust(int(width or 0))

    def __repr__(self):
        return "–"

    __str__ = __repr__


for name in "add", "sub", "mul", "truediv", "floordiv", "mod", "pow":
    for name in f"__{name}__", f"__r{name}__":
        setattr(Clock, name, lambda self, other, form=getattr(float, name): Clock(form(self, other)))
for name in "__neg__", "__pos__", "__abs__":
    setattr(Clock, name, lambda self, form=getattr(float, name): Clock(form(self)))
Clock.__round__ = lambda self, digits=None: self


class Screen(io.TextIOBase):
    """Stands in for standard output and notes which line of the lecture printed what."""

    def __init__(self, line_of):
        self.line_of, self.printed = line_of, collections.defaultdict(list)

    def write(self, text):
        frame = sys._getframe(1)
        while frame.f_code.co_filename != str(SCRIPT):
            frame = frame.f_back
        self.printed[self.line_of[frame.f_lineno]].append(text)
        return len(text)

    def reconfigure(self, **options):
        """As standard output has it; there is no letter that this screen cannot show."""


class Recorder:
    """Rewrites the lecture's syntax tree: counts how often each line runs, notes what it made the first time."""

    def __init__(self, source):
        self.source = source
        self.made = collections.defaultdict(list)       # line -> what it made, as notes
        self.count = {}                                 # line -> how often it ran
        self.calls = set()                              # lines that define a function: counted when called
        self.fresh, self.line_of_hook = [], []          # by hook: still to be noted?
        self.function_of_hook = []                      # by hook: the function that it stands in
        self.late = False                               # is the forward pass that of the token that is shown?
        self.function = ""                              # the one that is being rewritten
        self.graph = []                                 # the first graph that backward() walked
        tree = ast.parse(source)
        self.line_of = {}                               # any line of a statement -> its first line
        for node in ast.walk(tree):                     # (inner statements come later and win)
            if isinstance(node, ast.stmt):
                self.line_of.update(dict.fromkeys(range(node.lineno, node.end_lineno + 1), node.lineno))
        self.labels = self.worked_example(tree)
        tree.body = self.block(tree.body, None)
        self.tree = ast.fix_missing_locations(tree)

    def worked_example(self, tree):
        """The expressions of the first backward() outside a function, in the order in which they are computed."""
        for statement in tree.body:
            call = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "backward":
                def inner(node):
                    if isinstance(node, ast.BinOp):
                        return [*inner(node.left), *inner(node.right), ast.unparse(node)]
                    return []
                return inner(call.func.value)

    # -- rewriting --

    def hook(self, text, at):
        """These statements, as if they stood on that line."""
        nodes = ast.parse(text).body
        for node in itertools.chain.from_iterable(map(ast.walk, nodes)):
            if isinstance(node, (ast.stmt, ast.expr)):
                node.lineno = node.end_lineno = at
                node.col_offset = node.end_col_offset = 0
        return nodes

    def counter(self, line):
        if line in self.count: return []
        self.count[line] = 0
        return self.hook(f"_count[{line}] += 1", line)

    def noter(self, line, targets, learned=False):
        """Note these (label, expression, kind) the first time; learned: their gradients are already there."""
        if not targets: return []
        pairs = "".join(f"({label!r}, {expression}, {kind!r})," for label, expression, kind in targets)
        hook = self.new_hook(line)
        return self.hook(f"if _fresh[{hook}]: _note({hook}, [{pairs}], {learned})", line)

    def new_hook(self, line):
        self.fresh.append(True)
        self.line_of_hook.append(line)
        self.function_of_hook.append(self.function)
        return len(self.fresh) - 1

    def names(self, target):
        """The (label, expression, kind) of everything that is assigned."""
        if isinstance(target, (ast.Tuple, ast.List)):
            return [each for element in target.elts for each in self.names(element)]
        label = ast.get_source_segment(self.source, target)
        return [] if label == "_" else [(label, ast.unparse(target), kind_of(label, self.function))]

    def block(self, statements, parent):
        return [new for statement in statements for new in self.statement(statement, parent)]

    def statement(self, node, parent):
        line = node.lineno
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant): return [node]
        if isinstance(node, ast.FunctionDef):
            outer, self.function = self.function, node.name
            arguments = [(a.arg, a.arg, kind_of(a.arg, node.name)) for a in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]]
            start = self.hook("_late(position)", line) if node.name == "gpt" else []
            start += self.counter(line) + self.noter(line, arguments)
            self.calls.add(line)
            node.body = start + self.block(node.body, line)
            if node.name == "backward": node.body += self.hook("_after_backward(self)", node.body[-1].lineno)
            self.function = outer
            return [node]
        before = [] if line == parent else self.counter(line)
        if isinstance(node, ast.Return) and node.value:
            value, at = node.value, line
            keep = self.hook("_value = 0", at)
            keep[0].value = value
            parts = value.elts if isinstance(value, ast.Tuple) else [value]
            kinds = RETURNS.get(self.function, ["tensor"] * len(parts))
            made = [("→", "_value", kinds[0])] if len(parts) == 1 else [
                ("" if index else "→", f"_value[{index}]", kind) for index, kind in zip(range(len(parts)), kinds, strict=True)]
            return before + keep + self.noter(line, made) + self.hook("return _value", at)
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            return before + [node] + self.noter(line, [each for target in targets for each in self.names(target)])
        if isinstance(node, ast.Expr):
            learned = ast.unparse(node.value).endswith(".backward()")
            return before + [node] + self.noter(line, self.receivers(node.value), learned)
        if isinstance(node, ast.For):
            hook = self.new_hook(line)
            each = self.hook(f"_each({hook}, 0)", line)[0].value
            each.args[1] = node.iter
            node.iter = each
            pairs = "".join(f"({label!r}, {expression}, {kind!r})," for label, expression, kind in self.names(node.target))
            node.body = self.hook(f"if _fresh[{hook}]: _note({hook}, [{pairs}])", line) + self.block(node.body, line)
            node.orelse = self.block(node.orelse, line)
            return before + [node]
        for part in "body", "orelse", "finalbody":
            if hasattr(node, part): setattr(node, part, self.block(getattr(node, part), line))
        for handler in getattr(node, "handlers", []):
            handler.body = self.counter(handler.lineno) + self.block(handler.body, handler.lineno)
        return before + [node]

    def receivers(self, call):
        """What a call for its effect has changed: `keys.append(...)` keys, `random.shuffle(docs)` docs."""
        if not (isinstance(call, ast.Call) and isinstance(call.func, (ast.Attribute, ast.Name))): return []
        if isinstance(call.func, ast.Name): return []
        inside = [node for node in ast.walk(call.func.value) if isinstance(node, ast.Name)]
        if isinstance(call.func.value, ast.Name) and call.func.value.id in self.modules:
            inside = [node for node in call.args if isinstance(node, ast.Name)]
        return [(name, name, kind_of(name, self.function)) for name in dict.fromkeys(node.id for node in inside) if name not in self.modules]

    @property
    def modules(self):
        imported = re.findall(r"^import (.*)$", self.source, re.M)
        return [name for line in imported for name in line.split(", ")] + ["sys.stdout", "sys", "parser"]

    # -- running --

    def note(self, hook, pairs, learned=False):
        """Keep what a statement has made, as it is now."""
        if self.function_of_hook[hook] in FORWARD and not self.late: return
        self.fresh[hook] = False
        for name, value, kind in pairs:
            if type(value).__name__ == "Value" and not self.is_value(value): continue      # not yet complete
            note = {"name": name, "kind": kind, **self.describe(value)}
            if learned and "values" in note:
                note["grad"] = " ".join(number(value.grad) for value in note["values"]) + ("\u00a0…" if note["more"] else "")
            self.made[self.line_of_hook[hook]].append(note)

    def begin_forward(self, position):
        self.late = position == LATE

    def each(self, hook, iterable):
        if isinstance(iterable, set) and self.fresh[hook]:      # its order would change from run to run
            self.fresh[hook] = False
            self.made[self.line_of_hook[hook]].append({"name": "", "plain": True, "text": f"{len(iterable)}, in no order"})
        return iterable

    def after_backward(self, root):
        """Keep the first graph that was walked, for the picture of section 3."""
        if self.graph: return
        graph, stack = {}, [root]
        while stack:
            node = stack.pop()
            if id(node) not in graph:
                graph[id(node)] = node
                stack += [child for child, _ in node.edges]
        born = sorted(graph.values(), key=lambda node: node.order)
        place = {id(node): index for index, node in enumerate(born)}
        names = [name for name, value in self.space.items() if any(value is node for node in born)]
        leaves = [next(name for name in names if self.space[name] is node) for node in born if not node.edges]
        for node, label in zip(born, [*leaves, *self.labels], strict=True):
            edges = [[place[id(child)], slope] for child, slope in node.edges]
            self.graph.append({"label": label, "data": node.data, "grad": node.grad, "edges": edges})

    def run(self):
        """Run the lecture from top to bottom with its default choices; its global names stay in self.space."""
        self.space = {"__name__": "__main__", "__file__": str(SCRIPT), "_count": self.count, "_fresh": self.fresh,
                      "_note": self.note, "_each": self.each, "_late": self.begin_forward, "_after_backward": self.after_backward}
        screen = Screen(self.line_of)
        stdout, argv, clock, folder = sys.stdout, sys.argv, time.perf_counter, os.getcwd()
        sys.stdout, sys.argv, time.perf_counter = screen, [str(SCRIPT)], lambda: Clock(clock())
        os.chdir(ROOT)                                  # the lecture looks for its names there first
        try:
            exec(compile(self.tree, str(SCRIPT), "exec"), self.space)
        finally:
            sys.stdout, sys.argv, time.perf_counter = stdout, argv, clock
            os.chdir(folder)
            gc.enable()
            if hasattr(signal, "SIGPIPE"): signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        rounding = re.compile(r"\b\d(?:\.\d+)?e-(?:1[4-9]|[2-9]\d|\d{3})\b")
        self.printed = {line: rounding.sub("<1e-14", "".join(texts)) for line, texts in screen.printed.items()}

    # -- describing --

    def describe(self, value):
        """A note on a value: its shape in the lecture's notation, a few of its numbers, the Values among them."""
        if isinstance(value, (list, tuple)):
            shape, inner, more = self.shape(value)
            if not value: return {"text": "()" if isinstance(value, tuple) else "[]", "plain": True}
            if shape and not (isinstance(value, tuple) and isinstance(value[0], (list, tuple))):
                return {"shape": shape, **self.row(inner, more)}
            if isinstance(value, tuple):
                return {"text": f"({', '.join(map(self.short, value[:FEW]))}{', …' if len(value) > FEW else ''})", "plain": True}
            few = 1 if isinstance(value[0], tuple) else FEW
            shown = ", ".join(map(self.short, value[:few])) + (", …" if len(value) > few else "")
            return {"shape": f"[{len(value)}]", "text": shown, "plain": True}
        if self.is_value(value):
            return {"text": number(value.data, True), "values": [value], "more": False}
        return {"text": self.short(value), "plain": not self.is_number(value)}

    def is_value(self, value):
        return type(value).__name__ == "Value" and hasattr(value, "edges")

    def is_number(self, value):
        return isinstance(value, (int, float)) and not isinstance(value, bool) or self.is_value(value)

    def shape(self, value):
        """([27][16], the first row, is it cut?) of nested lists of numbers; None for anything else."""
        sizes = ""
        while isinstance(value, (list, tuple)) and len(value) and all(isinstance(v, (list, tuple)) for v in value):
            lengths = {len(v) for v in value}
            if not all(self.shape(v)[0] or not len(v) for v in value[:3]): return None, [], False
            sizes += f"[{len(value)}]"
            if len(lengths) > 1:
                return sizes + "[…]", value[0], True
            value = value[0]
        if isinstance(value, (list, tuple)) and all(map(self.is_number, value)) and len(set(map(self.is_value, value))) < 2:
            return f"{sizes}[{len(value)}]", value, bool(sizes) and sizes != "[1]"
        return None, [], False

    def row(self, row, more):
        if not row: return {"text": ""}
        if not self.is_number(row[0]): return {"text": "…"}
        begin = 0
        if "untrained" in self.space and len(row) == len(self.space["untrained"]) > FEW:  # parameters that move: those of BOS
            begin = self.space["BOS"] * self.space["width"]
        few = row[begin:begin + FEW]
        more = more or len(row) > FEW
        exact = all(isinstance(v, int) for v in few)
        text = " ".join(str(v) if exact else number(v.data if self.is_value(v) else v) for v in few)
        note = {"text": (f"from {begin}: " if begin else "") + text + ("\u00a0…" if more else "")}
        if few and self.is_value(few[0]): note.update(values=list(few), more=more)
        return note

    def short(self, value, room=44):
        """A value in a few characters."""
        if self.is_value(value): return number(value.data, True)
        if isinstance(value, bool) or value is None: return str(value)
        if isinstance(value, float): return number(value, True)
        if isinstance(value, int): return str(value)
        if isinstance(value, pathlib.Path): value = str(value)
        if isinstance(value, str):
            value = value.replace(f"{ROOT}/", "")
            return repr(value if len(value) <= room else value[:room - 1] + "…")
        if isinstance(value, slice): return f"{value.start}:{value.stop}"
        if isinstance(value, (list, tuple)):
            shape = self.shape(value)[0]
            if shape: return shape
            few = ", ".join(self.short(element, 16) for element in value[:2])
            brackets = "()" if isinstance(value, tuple) else "[]"
            return f"{brackets[0]}{few}{', …' if len(value) > 2 else ''}{brackets[1]}"
        if isinstance(value, dict):
            few = [f"{key if isinstance(key, str) else ' '.join(map(str, key))} {self.short(element, 16)}"
                   for key, element in value.items()]
            if len(few) > 3: few[1:-1] = ["…"]
            return f"{{{len(value)}}} {', '.join(few)}"
        if isinstance(value, set): return f"{{{len(value)}}}"
        if isinstance(value, argparse.Namespace):
            few = ", ".join(f"{name} {self.short(each)}" for name, each in itertools.islice(vars(value).items(), 3))
            return few + ", …"
        if isinstance(value, itertools.count): return repr(value)
        if isinstance(value, type): return "a class"
        if callable(value): return "a function"
        if hasattr(value, "__next__"): return "an iterator"
        return type(value).__name__


def kind_of(label, function=""):
    """Gradient, loss, time or tensor, by the name: of `child.grad` it is grad, of `dw["position"][t]` it is dw."""
    first, attribute = re.match(r"(\w+)(?:\.(\w+))?", label).groups()
    return KIND_OF.get(f"{function}.{first}") or KIND_OF.get(attribute or first, "tensor")


def number(x, alone=False):
    """A number in few digits: five significant ones where it stands alone, two decimals in a row of large ones."""
    if isinstance(x, Clock): return "–"
    if isinstance(x, int): return str(x)
    if 0 < abs(x) < 1e-14: return "<1e-14"
    if alone: return f"{x:.1f}" if x.is_integer() else f"{x:.5g}"
    if x == 0: return "0"
    return f"{x:.2f}" if abs(x) >= 0.095 else f"{x:.3f}" if abs(x) >= 1e-3 else f"{x:.1g}"


# ---- Data for the pictures ----

def bigram(docs, letters, block):
    """The mean loss of a table that knows only which token follows which, by plain counts, on the names it counted."""
    BOS = len(letters)
    token = {letter: index for index, letter in enumerate(letters)}
    pairs = [list(itertools.pairwise([BOS, *map(token.get, name), BOS]))[:block] for name in docs]
    count = collections.Counter(itertools.chain.from_iterable(pairs))
    total = collections.Counter(first for first, _ in itertools.chain.from_iterable(pairs))
    return statistics.fmean(statistics.fmean(-math.log(count[pair] / total[pair[0]]) for pair in name) for name in pairs)


def packed(numbers):
    """Floats as text: their bytes, little end first, in base64."""
    raw = array.array("d", numbers)
    if sys.byteorder == "big": raw.byteswap()
    return base64.b64encode(raw.tobytes()).decode()


def data_of(recorder):
    space = recorder.space
    knobs = "width", "block", "layers", "heads", "seed", "rate", "steps", "samples", "temperature"
    return {
        "knobs": {knob: getattr(space["args"], knob) for knob in knobs},
        "docs": "\n".join(space["docs"]),
        "letters": space["letters"],
        "untrained": packed(space["untrained"]),
        "trained": packed(space["trained"]),
        "losses": space["losses"],
        "graph": recorder.graph,
        "bigram": bigram(space["docs"], space["letters"], space["block"]),
        "parts": json.loads((DOCS / "parts.json").read_text("utf-8")),
        "page": {"sources": fingerprint()},
    }


# ---- The page ----

def typeset(markup):
    """x_tj and m^(-1/2) with their signs lowered and raised. The marks stay in the text, unseen, so that it can be searched."""
    mark = '<span class="mark">{}</span>'.format
    markup = re.sub(r"(?<![\w<>/])([A-Za-zΣ]+)_([a-z]{1,2})(?!\w)", rf"\1{mark('_')}<sub>\2</sub>", markup)
    return re.sub(r"\^\((.+?)\)", rf"{mark('^(')}<sup>\1</sup>{mark(')')}", markup)


def inline(text):
    """Words of a comment or of the README as HTML: `code`, *stress*, and shapes such as [out][in]."""
    pieces = []
    for piece in re.split(r"(`[^`]+`)", text):
        if piece.startswith("`") and piece.endswith("`") and len(piece) > 2:
            pieces.append(f"<code>{html.escape(piece[1:-1], quote=False)}</code>")
            continue
        piece = html.escape(piece, quote=False)
        piece = re.sub(r"(Σ_\w+) ", "\\1\u00a0", re.sub(r" ([=/]|\*\*?) ", "\u00a0\\1\u00a0", piece))     # a formula breaks elsewhere,
        piece = re.sub(r"(?<!\S)-+\w[^\s.,]*", r'<span class="whole">\g<0></span>', piece)         # and never after a minus
        piece = re.sub(r"(?<!\w)(?:\[[^\[\]()]+\])+", r'<span class="shape">\g<0></span>', piece)
        pieces.append(typeset(re.sub(r"(?<!\w)\*([^*\s][^*]*)\*(?!\w)", r"<em>\1</em>", piece)))
    return "".join(pieces)


def explained(markup, meanings, shown):
    """Marks the words of the field in HTML text. The first use of each, which is not in shown yet, can be reached by keys."""
    def mark(found):
        word = next(word for word in meanings if word.lower() == found[1].lower())
        reached = "" if word in shown else ' tabindex="0"'
        shown.add(word)
        says = html.escape(f"{word}: {meanings[word]}")
        return f'<span class="word" data-says="{says}"{reached}>{found[0]}</span>'

    listed = "|".join(map(re.escape, meanings))
    pieces = re.split(r"(<code>.*?</code>|<[^>]*>)", markup)
    return "".join(piece if piece.startswith("<") else re.sub(rf"(?<![\w-])({listed})(e?s)?(?![\w-])", mark, piece, flags=re.I)
                   for piece in pieces)


def highlight(source):
    """The lines of the code as HTML, comments left out."""
    from pygments.lexers import PythonLexer
    from pygments.token import Token
    kinds = [(Token.Comment, None), (Token.Keyword, "k"), (Token.Operator.Word, "k"), (Token.Literal.String, "s"),
             (Token.Literal.Number, "m"), (Token.Name.Function, "d"), (Token.Name.Class, "d")]
    lines = [[]]
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        style = next((style for general, style in kinds if kind in general), "")
        for index, part in enumerate(text.split("\n")):
            if index: lines.append([])
            if not part or style is None: continue
            if lines[-1] and lines[-1][-1][0] == style: lines[-1][-1][1] += part
            else: lines[-1].append([style, part])
    shown = []
    for line in lines:
        if line: line[-1][1] = line[-1][1].rstrip()
        parts = [(style, html.escape(part, quote=False)) for style, part in line]
        shown.append("".join(f'<span class="{style}">{part}</span>' if style else part for style, part in parts))
    return shown


def samp(lines):
    """Printed lines, each a block of its own; --chars is the length of the longest."""
    blocks = "".join(f"<span>{html.escape(text.rstrip(), quote=False)}\n</span>" for text in lines)
    return f'<samp style="--chars:{max(len(text.rstrip()) for text in lines)}">{blocks}</samp>'


def numbers_html(recorder, line, live):
    if not (line in recorder.count or line in recorder.made): return ""
    parts = ['<span class="live"></span>'] if live else []
    for note in recorder.made.get(line, []):
        name, shape, text, grad = (html.escape(note.get(key, ""), quote=False) for key in ("name", "shape", "text", "grad"))
        text, grad = (re.sub(r"-?\de-\d+", r'<span class="whole">\g<0></span>', words) for words in (text, grad))
        words = [f'<span class="name">{name}</span>' if name else "", f'<span class="shape">{shape}</span>' if shape else "",
                 f'<span class="{"plain" if note.get("plain") else note["kind"]}">{text}</span>' if text else ""]
        if "grad" in note: words.append(f'<span class="grad">grad <span class="gradient">{grad}</span></span>')
        parts.append(f'<span class="note">{" ".join(filter(None, words))}</span>')
    printed = recorder.printed.get(line, "").strip("\n").split("\n")
    if printed != [""]:
        parts.append(samp(printed if len(printed) <= 3 else [printed[0], "⋮", printed[-1]]))
        if 3 < len(printed) <= 40:
            parts.append(f"<details><summary>all {len(printed)} lines</summary>{samp(printed)}</details>")
    times = recorder.count.get(line, 1)
    if times == 1 and not parts: return ""
    what = "called" if line in recorder.calls else "ran"
    count = f'<span class="count" title="{what} {times:,} times">{times:,}&thinsp;×</span>' if times != 1 else ""
    return f'<div class="notes">{"".join(parts)}</div>{count}'


def lecture(source):
    """The file as sections of thoughts. A thought is what stands between blank lines, a list of paragraphs and lines.

    Within a comment, an empty line begins a new paragraph. Lines that are indented within it keep their line breaks.
    """
    comments = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT: comments[token.start[0]] = token
    sections, thought, goes_on = [("0", "", [])], None, False
    for line, text in enumerate(source.split("\n")[:-1], start=1):
        comment = comments.get(line)
        heading = re.match(r"# %% (\d+)\. (.*?) -*$", text)
        if heading:
            sections.append((heading[1], heading[2], []))
            thought = None
            sections[-1][2].append(thought := [])
            thought.append(("heading", [(line, heading[0])]))
            continue
        if not text.strip():
            thought = None
            continue
        if thought is None: sections[-1][2].append(thought := [])
        if comment and not text[:comment.start[1]].strip():
            words = comment.string[1:]
            kind = "lines" if words.startswith("   ") else "paragraph"
            if words.strip():
                if not goes_on or not thought or thought[-1][0] != kind: thought.append((kind, []))
                thought[-1][1].append((line, words))
            goes_on = bool(words.strip())
        else:
            thought.append(("code", [(line, comment.string[1:].strip() if comment else "")]))
    return sections


def lines_html(lines):
    """A drawing in letters, or the lines of a derivation."""
    least = min(len(words) - len(words.lstrip()) for _, words in lines)
    lines = [(line, words[least:].rstrip()) for line, words in lines]
    drawn = any("--" in words or "|" in words for _, words in lines) or not any(re.match(r" *(\S+ = |The |So )", words) for _, words in lines)
    return drawing_html(lines) if drawn else derivation_html(lines)


def drawing_html(lines):
    drawn = "\n".join(f'<span data-talk="{line}">{html.escape(words, quote=False)}</span>' for line, words in lines)
    chars = max(len(words) for _, words in lines)
    return f'<div class="paragraph drawn" data-line="{lines[0][0]}" style="--chars:{chars}"><pre>{drawn}</pre></div>'


def derivation_html(lines):
    """Formulas, and what is said of each, which begins after a gap and may go on below; and sentences between them.

    A line that goes on with the sentence above is joined to it where there is not room for the whole line.
    """
    made, before, column = [], "", None                 # made: [(line, formula), [(line, words), ...]]
    for line, words in lines:
        indent = len(words) - len(words.lstrip())
        formula, gap, said = re.match(r"( *\S+ = .*?\S)( {3,}|$)(.*)|", words).groups()
        if column and indent == column: made[-1][1].append((line, words.strip()))
        elif formula:
            made.append(((line, formula), [(line, said)] if said else []))
            column = len(formula + gap) if said else None
        elif made and not made[-1][0] and words.lstrip()[0].islower() and not before.endswith((".", ":")):
            made[-1][1].append((line, words.strip()))
        else:
            made.append((None, [(line, words.strip())]))
            column = None
        before = words
    chars = max((len(formula[1]) for formula, said in made if formula and said), default=0)
    parts = []
    for formula, said in made:
        left = f'<span class="formula" data-talk="{formula[0]}">{typeset(html.escape(formula[1], quote=False))}</span>' if formula else ""
        right = "<br> ".join(f'<span data-talk="{line}">{inline(words)}</span>' for line, words in said)
        if left and right: right = f'<span class="said">{right}</span>'
        parts.append(f'<div class="{"pair" if left and right else "line"}">{left}{" " if left and right else ""}{right}</div>')
    return f'<div class="paragraph derivation" data-line="{lines[0][0]}" style="--chars:{chars}">{"".join(parts)}</div>'


def main_html(source, recorder):
    code, asked, meanings = highlight(source), questions(), glossary()
    plain = source.split("\n")
    parts = []
    placed, makes = set(), makes_of(source)
    for section, title, thoughts in lecture(source):
        shown = set()
        number_of = f'<span class="section-number">{section}.</span> ' if section != "0" else ""
        parts.append(f'<section class="section" id="section-{section}" data-section="{section}" data-title="{title}">')
        up = '<a class="up" href="#section-0" aria-label="To the contents"></a>'
        if title: parts.append(f"<h2>{number_of}{html.escape(title, quote=False)}{up}</h2>")
        for index, thought in enumerate(thoughts, start=1):
            if all(kind == "heading" for kind, _ in thought): continue
            short = " short" if len(thought) <= 8 else ""
            lines = range(thought[0][1][0][0], thought[-1][1][-1][0] + 1)
            figures = [(start, name) for start, names in PICTURES.items() for name in names
                       if any(plain[line - 1].startswith(start) for line in lines)]
            placed.update(start for start, _ in figures)
            parts.append(f'<div class="thought{short}" data-at="{section}.{index}">')
            blocks, rows = [], []
            for kind, lines in thought:
                first = lines[0][0]
                if kind == "paragraph":
                    words = " ".join(f'<span data-talk="{line}">{explained(inline(words.strip()), meanings, shown)}</span>' for line, words in lines)
                    (rows or blocks).append(f'<p class="paragraph" data-line="{first}">{words}</p>')
                elif kind == "lines":
                    (rows or blocks).append(lines_html(lines))
                elif kind == "code":
                    line, words = lines[0]
                    indent = len(plain[line - 1]) - len(plain[line - 1].lstrip())
                    talk = f'<div class="talk" data-talk="{line}">{explained(inline(words), meanings, shown)}</div>' if words else ""
                    part, live = makes.get(line, ("", False))
                    made = numbers_html(recorder, line, live)
                    made = f'<div class="numbers">{made}</div>' if made else ""
                    part = f' data-part="{part}"' if part else ""
                    rows.append(f'<div class="row" id="L{line}" style="--indent:{indent}"{part}><span class="no">{line}</span>'
                                f'<code class="code"><span class="lead">{" " * indent}</span>{code[line - 1].lstrip(" ")}</code>{talk}{made}</div>')
            if figures:
                drawn = "".join(f'<figure class="picture" data-picture="{name}"></figure>' for _, name in figures)
                blocks = [f'<div class="beside"><div class="words">{"".join(blocks)}</div><div class="drawn-beside">{drawn}</div></div>']
            parts += [*blocks, *rows, "</div>"]
        for picture in AFTER.get(int(section), []):
            parts.append(f'<figure class="picture alone" data-picture="{picture}" data-at="{section}.{picture}"></figure>')
        if int(section) in asked:
            question, answer = asked[int(section)]
            folded = f"<details><summary>Answer</summary><p>{inline(answer)}</p></details>" if answer else ""
            parts.append(f'<aside class="question" data-at="{section}.question" aria-label="Question of section {section}">'
                         f'<p><span class="label">Question</span> {inline(question)}</p>{folded}</aside>')
        parts.append("</section>")
    if missing := set(PICTURES) - placed: sys.exit(f"no thought has a line that begins with {sorted(missing)}")
    return "\n".join(parts)


def makes_of(source):
    """{line: (the parts that it makes, does it show the live model's numbers?)}, by the table MAKES."""
    found, plain = {}, source.split("\n")
    functions = {node.name: range(node.lineno, node.end_lineno + 1) for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    for (function, start), part in MAKES.items():
        lines = functions.get(function, range(1, len(plain) + 1))
        line = next((line for line in lines if plain[line - 1].strip().startswith(start)), None)
        if line is None: sys.exit(f"{function or 'the lecture'} has no line that begins with {start}")
        found[line] = part, function in LIVE
    return found


def bundled():
    """The scripts as one, and the worker within it, by esbuild."""
    esbuild = DOCS / "node_modules" / "esbuild" / "bin" / "esbuild"
    if not esbuild.exists(): sys.exit("esbuild is missing: run `npm ci` in docs/ first")
    options = ["--bundle", "--minify-whitespace", "--charset=utf8", "--target=es2022", "--log-level=warning", "--legal-comments=none"]

    def bundle(entry, *more):
        command = [str(esbuild), str(DOCS / entry), *options, *more]
        return subprocess.run(command, cwd=DOCS, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout

    with tempfile.TemporaryDirectory() as folder:
        worker = pathlib.Path(folder) / "worker.txt"
        worker.write_text(bundle("model/worker.js", "--format=iife"), "utf-8")
        script = bundle("view/page.js", "--format=iife", f"--alias:worker-source={worker}", "--loader:.txt=text")
    used = "@preact/signals-core", "@dagrejs/dagre", "@dagrejs/graphlib"
    licences = [(DOCS / "node_modules" / name / "LICENSE").read_text("utf-8").strip() for name in used]
    return "".join(f"/* With {name}, under this licence:\n\n{licence}\n*/\n" for name, licence in zip(used, licences)) + script


def build():
    source = SCRIPT.read_text("utf-8")
    recorder = Recorder(source)
    recorder.run()
    data = data_of(recorder)
    style = [(DOCS / part).read_text("utf-8").strip() for part in ("view/style.css", "pictures/pictures.css")]
    contents = "".join(f'<li><a href="#section-{number}">{html.escape(title, quote=False)}</a></li>'
                       for number, title, _ in lecture(source) if title)
    listed = "".join(f"<dt>{html.escape(word)}</dt><dd>{inline(says)}</dd>" for word, says in glossary().items())
    fill = {
        "style": "\n".join(style), "script": bundled().replace("</script", "<\\/script"), "main": main_html(source, recorder), "contents": contents, "words": listed,
        "steps": f"{len(data['losses']):,}", "sources": data["page"]["sources"],
        "data": json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda mark: fill[mark[1]], (DOCS / "view" / "template.html").read_text("utf-8").strip()) + "\n"


if __name__ == "__main__":
    began = time.perf_counter()
    page = build()
    PAGE.write_text(page, "utf-8", newline="\n")
    print(f"{PAGE.relative_to(ROOT)}: {len(page.encode()) / 1000:.0f} kB, {time.perf_counter() - began:.0f} s")
