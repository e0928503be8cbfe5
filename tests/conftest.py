"""What the tests share: loading the lecture with chosen knobs, and running it as a command."""
import gc
import importlib.util
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "microgpt.py"
FIGURES = pathlib.Path(__file__).resolve().parent / "figures"


def load(*flags):
    """Run microgpt.py from top to bottom with these flags and return it as a module, its output discarded by pytest."""
    argv, hook = sys.argv, sys.excepthook
    sys.argv = [str(SCRIPT), *map(str, flags)]
    try:
        spec = importlib.util.spec_from_file_location("microgpt", SCRIPT)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.argv, sys.excepthook = argv, hook
        gc.enable()


def run(*flags, **options):
    """Run microgpt.py as a command and return the finished process, output as text."""
    options = {"capture_output": True, "text": True, "encoding": "utf-8", "timeout": 120, **options}
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, flags)], **options)


@pytest.fixture(scope="session")
def default():
    """The default model on the default data, untrained."""
    return load("--steps", 0, "--samples", 0)


@pytest.fixture(scope="session")
def deep():
    """3 layers, width 8, 2 heads, block 6, untrained."""
    return load("--steps", 0, "--samples", 0, "--layers", 3, "--width", 8, "--heads", 2, "--block", 6)
