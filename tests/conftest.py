"""What the tests share: running the lecture in this process or as a command, edited or not, and watching what it says."""
import contextlib
import functools
import gc
import io
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import types

import pytest
from page import chromium  # noqa: F401 (the fixture of both files that test the page)

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "microgpt.py"
FIGURES = pathlib.Path(__file__).resolve().parent / "figures"
SOURCE = SCRIPT.read_text(encoding="utf-8")
SMALL = ["--width", 4, "--heads", 2, "--block", 5, "--data", FIGURES / "names.txt"]

# A suite that was started with interrupts ignored, as a shell script's & does, would hand that on to every run it
# starts, and none of them could be interrupted.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# PyPy says on standard error if it cannot find out the size of the processor's cache, unless it is told one.
os.environ.setdefault("PYPY_GC_NURSERY", "4M")


@functools.lru_cache(maxsize=None)
def compiled(source):
    return compile(source, str(SCRIPT), "exec")


def load(*flags, source=SOURCE, **names):
    """Run the lecture, or another source in its place, with these flags in this process, and return it as a module.

    names are put into the module before it runs, for what `before` has put into the source.
    """
    module = types.ModuleType("microgpt")
    vars(module).update(names, __file__=str(SCRIPT))
    argv, pipe = sys.argv, hasattr(signal, "SIGPIPE") and signal.getsignal(signal.SIGPIPE)
    sys.argv = [str(SCRIPT), *map(str, flags)]
    try:
        exec(compiled(source), vars(module))
        return module
    finally:
        sys.argv = argv
        if hasattr(signal, "SIGPIPE"):
            signal.signal(signal.SIGPIPE, pipe)
        gc.enable()


class Screen(io.StringIO):
    """Standard output that remembers what could be seen on it whenever it was flushed."""
    def __init__(self, terminal=False):
        super().__init__()
        self.terminal, self.seen = terminal, []

    def isatty(self):
        return self.terminal

    def flush(self):
        self.seen.append(self.getvalue())


def watch(*flags, terminal=False, **options):
    """Like load, but returns the module and the Screen on which it spoke."""
    screen = Screen(terminal)
    with contextlib.redirect_stdout(screen):
        return load(*flags, **options), screen


def before(section, insertion, source=SOURCE):
    """The source with these lines put in above the section of this number."""
    lines = source.split("\n")
    at, = [i for i, line in enumerate(lines) if line.startswith(f"# %% {section}. ")]
    return "\n".join(lines[:at] + [insertion] + lines[at:])


# The explicit engine with a forgery in it: forge(call, loss, gradients) may change the gradients and returns the loss.
# The first two calls are those of the comparison with the other engine.
FORGED = before(12, """
honest, calls = explicit, []
def explicit(numbers, tokens):
    loss, gradients = honest(numbers, tokens)
    calls.append((numbers, tokens))
    return forge(len(calls), loss, gradients), gradients
""")


def run(*flags, script=SCRIPT, python=(), env=None, **options):
    """Run microgpt.py as a command and return the finished process, its output as text. python: flags of Python's own."""
    options = {"capture_output": True, "text": True, "encoding": "utf-8", "timeout": 120, **options}
    env = {**os.environ, "PYTHONUTF8": "1", **(env or {})}
    return subprocess.run([sys.executable, *python, str(script), *map(str, flags)], env=env, **options)


def matrices(lecture, numbers=None):
    """{name: rows of plain numbers}: these numbers, or the untrained ones, in the layout of the lecture's model."""
    supply = iter(lecture.untrained if numbers is None else numbers)
    return {name: [[next(supply) for _ in range(nin)] for _ in range(nout)] for name, (nout, nin) in lecture.shapes.items()}


def model_of(lecture, numbers=None):
    """The lecture's model of these numbers, or of the untrained ones: its matrices, as Values."""
    return lecture.matrices([lecture.Value(number) for number in (lecture.untrained if numbers is None else numbers)])


@functools.lru_cache(maxsize=None)
def original(name):
    """The figures of the original microgpt of this name, and the flags that ask for the same run."""
    figures = json.loads((FIGURES / f"{name}.json").read_text(encoding="utf-8"))
    flags = [word for knob, value in figures["settings"].items() for word in (f"--{knob}", value)]
    return figures, [*flags, "--data", FIGURES / "names.txt"]


@functools.lru_cache(maxsize=None)
def repeated(name, *flags):
    """The module and the Screen of a run that repeats those figures."""
    return watch(*original(name)[1], *flags)


@pytest.fixture(scope="session")
def default():
    """The default model on the default data, untrained."""
    return load("--steps", 0, "--samples", 0)


@pytest.fixture(scope="session")
def deep():
    """3 layers, width 8, 2 heads, block 6, untrained."""
    return load("--steps", 0, "--samples", 0, "--layers", 3, "--width", 8, "--heads", 2, "--block", 6)


def drawn(lecture, size=0.3):
    """Numbers for the parameters. At a size of 0.3 attention is decided and no gradient is tiny."""
    draw = random.Random(3)
    return [draw.gauss(0, size) for _ in lecture.untrained]


class CtrlC:
    """In the place of perf_counter, which training reads twice a step: Ctrl-C falls into the step of this number."""
    def __init__(self, step):
        self.step, self.readings = step, 0

    def __call__(self):
        self.readings += 1
        if self.readings == 2 * self.step - 1:
            raise KeyboardInterrupt
        return float(self.readings)
