"""The test of the tests: break the lecture on purpose, one place at a time, and see that the suite notices.

    python tests/mutants.py

Each mutant is microgpt.py with one piece of text replaced by another. The fast part of the suite runs against each, and
a mutant is killed if any test fails. The unbroken lecture runs first and must pass. Exit status 1 if a mutant survives.
"""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUITE = [f"tests/test_{part}.py" for part in ("autograd", "model", "gradients", "training", "sampler", "data", "command")]
LIMIT = 120  # seconds for one run of the suite; a mutant that hangs is a mutant that is noticed

MUTANTS = [
    # (what is broken, the text as it stands, which must occur exactly once, the text instead)
]


def suite_fails(source):
    """Run the fast tests against this source in a folder of its own. Returns the first failing test, '' if all pass."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "microgpt.py").write_text(source, encoding="utf-8")
        for name in ("names.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, folder / name)
        shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", "--tb=no", *SUITE]
        try:
            run = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", errors="replace",
                                 stdin=subprocess.DEVNULL, timeout=LIMIT, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        except subprocess.TimeoutExpired:
            return "(time limit)"
        if run.returncode == 0:
            return ""
        if run.returncode != 1:  # pytest could not run the tests at all: that is no verdict on the mutant
            raise RuntimeError(run.stdout + run.stderr)
        return next((line.split(" ")[1].split("/")[-1] for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))), "?")


def main():
    began = time.monotonic()
    source = (ROOT / "microgpt.py").read_text(encoding="utf-8")
    for label, old, new in MUTANTS:
        if source.count(old) != 1 or old == new:
            sys.exit(f"mutant '{label}': its text occurs {source.count(old)} times in microgpt.py, not once")
    if len({source.replace(old, new) for _, old, new in MUTANTS}) != len(MUTANTS):
        sys.exit("two mutants are the same")
    failure = suite_fails(source)
    if failure:
        sys.exit(f"the unbroken lecture fails {failure}: no mutant can be judged")
    survivors = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = pool.map(lambda mutant: suite_fails(source.replace(mutant[1], mutant[2])), MUTANTS)
        for i, ((label, _, _), failure) in enumerate(zip(MUTANTS, verdicts), start=1):
            print(f"{i:3d} / {len(MUTANTS)}  {'killed  ' if failure else 'SURVIVED'}  {label}" + (f"  by {failure}" if failure else ""),
                  flush=True)
            if not failure:
                survivors.append(label)
    print(f"mutants: {len(MUTANTS) - len(survivors)} killed, {len(survivors)} survived, {time.monotonic() - began:.0f} s")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
