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
SUITE = [f"tests/test_{part}.py" for part in ("autograd", "gradients", "model", "training", "sampler", "data", "command")]
LIMIT = 120  # seconds for one run of the suite; a mutant that hangs is a mutant that is noticed

MUTANTS = [
    # (what is broken, the text as it stands, which must occur exactly once, the text instead)
    # Value: every local derivative
    ("d(a + b)/da", "((self, 1.0), (other, 1.0))", "((self, 2.0), (other, 1.0))"),
    ("d(a + b)/db", "((self, 1.0), (other, 1.0))", "((self, 1.0), (other, 0.5))"),
    ("d(a * b): each factor moved by itself", "((self, other.data), (other, self.data))", "((self, self.data), (other, other.data))"),
    ("d(a * b)/db forgotten", "((self, other.data), (other, self.data))", "((self, other.data), (other, 1.0))"),
    ("d dot/da", "(*zip(a, b_data), *zip(b, a_data))", "(*zip(a, a_data), *zip(b, a_data))"),
    ("d dot/db", "(*zip(a, b_data), *zip(b, a_data))", "(*zip(a, b_data), *zip(b, b_data))"),
    ("dot loses its second half", "(*zip(a, b_data), *zip(b, a_data))", "tuple(zip(a, b_data))"),
    ("d(a ** k): factor k", "k * self.data ** (k - 1) if k", "self.data ** (k - 1) if k"),
    ("d(a ** k): exponent", "k * self.data ** (k - 1) if k", "k * self.data ** k if k"),
    ("d exp", "((self, math.exp(self.data)),)", "((self, 1.0),)"),
    ("d log", "((self, 1 / self.data),)", "((self, self.data),)"),
    ("d relu below zero", "1.0 if self.data > 0 else 0.0", "1.0"),
    ("d relu at zero", "1.0 if self.data > 0 else 0.0", "1.0 if self.data >= 0 else 0.0"),
    ("relu lets negatives through", "max(self.data, 0.0)", "self.data"),
    ("negation", "return self * -1 ", "return self * 1 "),
    ("a - b", "def __sub__(self, other): return self + -other", "def __sub__(self, other): return -self + other"),
    ("number - a", "def __rsub__(self, other): return -self + other", "def __rsub__(self, other): return self + -other"),
    ("a / b", "return self * other**-1", "return self * other"),
    ("number / a", "return self**-1 * other", "return self * other**-1"),
    # the walk
    ("the order of the walk", "in reversed(order)", "in order"),
    ("a node before its children", "stack.append((node, True))", "order.append(node)"),
    ("a shared node walked again", "seen.add(node)", "pass"),
    ("the loss does not move itself", "self.grad = 1.0", "self.grad = 0.5"),
    ("blame replaces instead of adding", "child.grad += local_grad * node.grad", "child.grad = local_grad * node.grad"),
    ("the chain rule without the chain", "child.grad += local_grad * node.grad", "child.grad += local_grad"),
    ("results in between keep old blame", "node.grad = 0.0", "pass"),
    # data and tokens
    ("names are not shuffled", "random.shuffle(docs)", "pass"),
    ("letters are not sorted", "letters = sorted(set(\"\".join(docs)))", "letters = sorted(set(\"\".join(docs)), reverse=True)"),
    ("no boundary token before a name", "return [BOS] + [letters.index", "return [letters.index"),
    ("no boundary token after a name", "for letter in name] + [BOS]", "for letter in name]"),
    ("a byte-order mark becomes a letter", "utf-8-sig", "utf-8"),
    # parameters and forward pass
    ("the spread of the initial weights", "random.gauss(0, 0.08)", "random.gauss(0, 0.02)"),
    ("softmax does not subtract the peak", "exps = [(score - peak).exp() for score in scores]", "exps = [score.exp() for score in scores]"),
    ("RMSNorm: its constant", "(Value.dot(x, x) / len(x) + 1e-5) ** -0.5", "(Value.dot(x, x) / len(x) + 1e-3) ** -0.5"),
    ("RMSNorm: sum instead of mean", "(Value.dot(x, x) / len(x) + 1e-5) ** -0.5", "(Value.dot(x, x) + 1e-5) ** -0.5"),
    ("positions are not embedded", "zip(what, where)", "zip(what, what)"),
    ("scores are not divided by the root of the head width", "[Value.dot(q[part], k[part]) / root for k", "[Value.dot(q[part], k[part]) for k"),
    ("attention past the residual stream", "x = [a + b for a, b in zip(x, linear(heard, model[\"output\", layer]))]",
     "x = [b for a, b in zip(x, linear(heard, model[\"output\", layer]))]"),
    ("the MLP past the residual stream", "x = [a + b for a, b in zip(x, linear(hidden, model[\"down\", layer]))]",
     "x = [b for a, b in zip(x, linear(hidden, model[\"down\", layer]))]"),
    ("the MLP reads x without its norm", "linear(rmsnorm(x), model[\"up\", layer])", "linear(x, model[\"up\", layer])"),
    ("the cache forgets the past", "keys[layer].append(linear(n, model[\"key\", layer]))", "keys[layer][:] = [linear(n, model[\"key\", layer])]"),
    # loss
    ("cross-entropy of the wrong token", "(logits[target] - peak)", "(logits[0] - peak)"),
    ("cross-entropy does not subtract the peak", "total = sum((logit - peak).exp() for logit in logits)", "total = sum(logit.exp() for logit in logits) / math.exp(peak)"),
    ("the loss is a sum, not a mean", "for t in range(T)) / T", "for t in range(T))"),
    ("each token is to guess itself", "tokens[t + 1]) for t", "tokens[t]) for t"),
    ("a long name is not cut at the block", "    T = min(block, len(tokens) - 1)  ", "    T = min(block - 1, len(tokens) - 1) or 1  "),
    ("the first gradients are not wiped away", "for p in params: p.grad = 0.0", "pass"),
    # Adam
    ("beta1", "0.85, 0.99, 1e-8", "0.9, 0.99, 1e-8"),
    ("beta2", "0.85, 0.99, 1e-8", "0.85, 0.999, 1e-8"),
    ("epsilon", "0.85, 0.99, 1e-8", "0.85, 0.99, 1e-6"),
    ("learning rate", "    rate = 0.01 * (1 - step / steps)  ", "    rate = 0.02 * (1 - step / steps)  "),
    ("learning-rate decay", "    rate = 0.01 * (1 - step / steps)  ", "    rate = 0.01  "),
    ("the first moment's news", "+ (1 - beta1) * p.grad ", "+ p.grad "),
    ("the second moment's square", "(1 - beta2) * p.grad * p.grad", "(1 - beta2) * abs(p.grad)"),
    ("bias correction of the first moment", "moment1[i] / bias1,", "moment1[i],"),
    ("bias correction of the second moment", "(moment2[i] / bias2) ** 0.5", "moment2[i] ** 0.5"),
    ("bias correction counts from 0", "bias1, bias2 = 1 - beta1 ** (step + 1)", "bias1, bias2 = 1 - beta1 ** (step + 2)"),
    ("epsilon inside the root", "rate * direction / (size + epsilon)", "rate * direction / (size**2 + epsilon) ** 0.5"),
    ("Adam climbs", "p.data -= rate", "p.data += rate"),
    ("gradients are not cleared", "        p.grad = 0.0", "        pass"),
    # training and speaking
    ("every step takes the first name", "        tokens, began = encode(docs[step % len(docs)]), time.perf_counter()\n        loss = surprise",
     "        tokens, began = encode(docs[0]), time.perf_counter()\n        loss = surprise"),
    ("temperature multiplies", "math.exp((score - peak) / temperature)", "math.exp((score - peak) * temperature)"),
    ("temperature is ignored", "[x.data for x in logits], temperature)", "[x.data for x in logits])"),
    ("speaking does not begin with the boundary token", "tokens = [BOS]  ", "tokens = [0]  "),
    ("speaking goes on past the boundary token", "if tokens[-1] == BOS: break", "if tokens[-1] == vocab: break"),
    ("a name may exceed the block", "for position in range(block):", "for position in range(block + 1):"),
    ("known names are called new", "n for n in names if n in docs", "n for n in names if n not in docs"),
    # the explicit engine: forward
    ("dot", "getattr(math, \"sumprod\", lambda a, b: sum(map(operator.mul, a, b)))", "lambda a, b: sum(map(operator.add, a, b))"),
    ("explicit RMSNorm: its constant", "(dot(row, row) / width + 1e-5)", "(dot(row, row) / width + 1e-4)"),
    ("the causal triangle", "probabilities(row[:t + 1], root) + [0.0] * (T - t - 1)", "probabilities(row, root)"),
    ("the causal triangle without its diagonal", "probabilities(row[:t + 1], root) + [0.0] * (T - t - 1)", "probabilities(row[:max(t, 1)], root) + [0.0] * (T - max(t, 1))"),
    ("explicit scores without their root", "probabilities(row[:t + 1], root)", "probabilities(row[:t + 1])"),
    ("explicit ReLU lets negatives through", "[[u if u > 0 else 0.0 for u in row]", "[[u if u > -1 else 0.0 for u in row]"),
    ("explicit loss of the wrong token", "(max(row) - row[target])", "(max(row) - row[0])"),
    ("explicit loss without the log of the total", "-math.log(max(p)) for p", "0.0 for p"),
    # the explicit engine: backward, line by line
    ("softmax and cross-entropy: onehot", "(p - (i == target)) / T", "p / T"),
    ("softmax and cross-entropy: mean", "(p - (i == target)) / T", "(p - (i == target))"),
    ("dw of the output head", "dots(transpose(d_logits), transpose(x))", "dots(transpose(d_logits), transpose(x0))"),
    ("dx of the output head", "dx = dots(d_logits, transpose(w[\"lm_head\"]))", "dx = dots(d_logits, transpose(w[\"token\"]))"),
    ("layers in forward order", "for layer in reversed(range(layers)):", "for layer in range(layers):"),
    ("dw of MLP down", "dots(transpose(dx), transpose(hidden))", "dots(transpose(dx), [[2 * h for h in r] for r in transpose(hidden)])"),
    ("dx of MLP down", "d_hidden = dots(dx, transpose(w[\"down\", layer]))", "d_hidden = dots(dx, w[\"up\", layer])"),
    ("the ReLU gate", "[d if h > 0 else 0.0 for d, h in zip(*rows)]", "[d for d, h in zip(*rows)]"),
    ("dw of MLP up", "dots(transpose(du), transpose(m))", "dots(transpose(du), transpose(n))"),
    ("dx of MLP up", "dm = dots(du, transpose(w[\"up\", layer]))", "dm = dots(du, w[\"down\", layer])"),
    ("the residual branch round the MLP", "dx = add(dx, normalize_back(dm, m, m_scale))", "dx = normalize_back(dm, m, m_scale)"),
    ("the blame through the MLP", "dx = add(dx, normalize_back(dm, m, m_scale))", "pass"),
    ("RMSNorm backward: projection", "s * (d - ni * c)", "s * d"),
    ("RMSNorm backward: scale", "s * (d - ni * c)", "d - ni * c"),
    ("RMSNorm backward: mean", "common = [dot(*rows) / width for rows in zip(n, dn)]", "common = [dot(*rows) for rows in zip(n, dn)]"),
    ("dw of the attention output", "dots(transpose(dx), heard)", "dots(transpose(dx), q)"),
    ("dx of the attention output", "d_heard = dots(transpose(w[\"output\", layer]), dx)", "d_heard = dots(w[\"output\", layer], dx)"),
    ("dv", "dv += dots(d_heard[part], transpose(p))", "dv += dots(d_heard[part], p)"),
    ("d of the attention probabilities", "dp = dots(transpose(d_heard[part]), transpose(v[part]))", "dp = dots(transpose(d_heard[part]), transpose(k[part]))"),
    ("the softmax Jacobian", "common = [dot(*rows) for rows in zip(p, dp)]", "common = [0.0 for rows in zip(p, dp)]"),
    ("the root in the scores' gradient", "[a * (d - c) / root for a, d in zip(pr, dr)]", "[a * (d - c) for a, d in zip(pr, dr)]"),
    ("dq", "dq += dots(k[part], ds)", "dq += dots(q[part], ds)"),
    ("dk", "dk += dots(q[part], transpose(ds))", "dk += dots(q[part], ds)"),
    ("dw of query, key and value", "grad[role, layer] = dots(d, transpose(n))", "grad[role, layer] = dots(d, transpose(m))"),
    ("query and key weights exchanged", "stacked = w[\"query\", layer] + w[\"key\", layer]", "stacked = w[\"key\", layer] + w[\"query\", layer]"),
    ("dx of query, key and value", "dn = dots(transpose(dq + dk + dv), transpose(stacked))", "dn = dots(transpose(dq + dk + dv), transpose(stacked[::-1]))"),
    ("the residual branch round attention", "dx = add(dx, normalize_back(dn, n, n_scale))", "dx = normalize_back(dn, n, n_scale)"),
    ("the first norm", "dx = normalize_back(dx, x0, x0_scale)", "pass"),
    ("position embeddings in the wrong rows", "\"position\": dx + [[0.0] * width] * (block - T)", "\"position\": [[0.0] * width] * (block - T) + dx"),
    ("a repeated letter collects blame once", "[a + b for a, b in zip(grad[\"token\"][token], d)]", "[b for a, b in zip(grad[\"token\"][token], d)]"),
    # the explicit Adam
    ("explicit learning-rate decay", "    rate = 0.01 * (1 - step / steps) * (1 - beta1)", "    rate = 0.01 * (1 - beta1)"),
    ("explicit bias correction of the first moment", "* (1 - beta1) / (1 - beta1 ** (step + 1))", "* (1 - beta1)"),
    ("explicit bias correction of the second moment", "((1 - beta2) / (1 - beta2 ** (step + 1))) ** 0.5", "(1 - beta2) ** 0.5"),
    ("explicit first moment", "beta1 * a + g for", "beta2 * a + g for"),
    ("explicit second moment", "beta2 * b + g * g for", "beta2 * b + g for"),
    ("explicit epsilon", "* spread + epsilon)", "* spread + 1e-6)"),
    # the proof and the manners
    ("a disagreement is let pass", "all(gap <= 1e-9 for gap in gaps)", "all(gap <= 1e9 for gap in gaps)"),
    ("a gradient that is no number is let pass", "if not all(gap <= 1e-9 for gap in gaps)", "if any(gap > 1e-9 for gap in gaps)"),
    ("with --fast the trained weights stay behind", "for p, number in zip(params, numbers): p.data = number", "pass"),
    ("the encore starts from the trained weights", "numbers, sum1, sum2 = start,", "numbers, sum1, sum2 = [p.data for p in params],"),
    ("sizes are not checked", "if least is not None and", "if least is None and"),
    ("heads are not checked", "if width % heads:", "if False:"),
    ("temperature is not checked", "if not 0 < temperature < math.inf:", "if not 0 <= temperature:"),
    ("Ctrl-C kills the training", "except KeyboardInterrupt: print(\"\\nstopped early\")\ndraw(losses)", "except ZeroDivisionError: print(\"\\nstopped early\")\ndraw(losses)"),
    ("a closed pipe leaves a traceback", "if kind is BrokenPipeError: sys.stdout = None", "if False: sys.stdout = None"),
]


# The lecture compares its two engines itself and stops if they differ. That would kill most mutants before any test has
# looked at them, so it is switched off, except in the mutants of that very line.
CHECK = "if not all(gap <= 1e-9 for gap in gaps)"
CHECKED = "tests/test_command.py::test_a_disagreement_of_the_engines_is_reported_loudly_and_ends_the_run_with_status_1"


def suite_fails(source):
    """Run the fast tests against this source in a folder of its own. Returns the first failing test, '' if all pass."""
    deselected = []
    if CHECK in source:
        source, deselected = source.replace(CHECK, "if False"), ["--deselect", CHECKED]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "microgpt.py").write_text(source, encoding="utf-8")
        for name in ("names.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, folder / name)
        shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", "--tb=no", *deselected, *SUITE]
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
    if source.count(CHECK) != 1:
        sys.exit(f"the lecture's own check is not in microgpt.py as '{CHECK}'")
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
