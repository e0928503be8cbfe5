"""The test of the tests: break the lecture on purpose, one place at a time, and see that the suite notices.

    python tests/mutants.py [part of a label]

Each mutant is microgpt.py with one piece of text replaced by another. The fast part of the suite runs against each, and
a mutant is killed if any test fails; tests of the page (columns, numbers of lines) do not take part. The unbroken
lecture runs first and must pass. Exit status 1 if a mutant survives.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARTS = ["output", "interrupt", "training", "gradients", "model", "explicit", "autograd", "sampler", "data", "command", "process"]
LIKELY = {1: "command", 2: "data", 3: "autograd", 4: "model", 5: "model", 6: "model", 7: "output", 8: "training",
          9: "output", 10: "sampler", 11: "explicit", 12: "output"}  # the part to begin with, by section
LIMIT = 300  # seconds for one run of the suite; a mutant that hangs is a mutant that is noticed

MUTANTS = [
    # (what is broken, the text as it stands, which must occur exactly once, the text instead)
    # section 1: the knobs, what is refused, and how
    ('an older Python is let in', 'sys.version_info < (3, 10)', 'sys.version_info < (3, 0)'),
    ('Python 3.10 is refused', 'sys.version_info < (3, 10)', 'sys.version_info < (3, 11)'),
    ('the names are looked for beside a link', 'script.resolve().with_name("names.txt")', 'script.with_name("names.txt")'),
    ('the names are looked for in the working directory', 'globals().get("__file__", "microgpt.py")', '"microgpt.py"'),
    ('the number of steps', '("steps", 1000, 0,', '("steps", 100, 0,'),
    ('a run of no layers', '("layers", 1, 1,', '("layers", 1, 0,'),
    ('a block of 0', '("block", 16, 1,', '("block", 16, 0,'),
    ('a temperature of 0', '("temperature", 0.5, 0.01,', '("temperature", 0.5, 0.0,'),
    ('at least one sample', '("samples", 20, 0,', '("samples", 20, 1,'),
    ('the default temperature', '("temperature", 0.5,', '("temperature", 0.7,'),
    ('flags are texts', 'type=type(value)', 'type=str'),
    ('the bounds for defaults', 'default=value, help', 'default=least, help'),
    ('help without the defaults', 'f"{meaning} (default: %(default)s)"', 'meaning'),
    ('the bound itself is refused', 'not getattr(chosen, knob) >= least', 'not getattr(chosen, knob) > least'),
    ('nan is let in', 'not getattr(chosen, knob) >= least', 'getattr(chosen, knob) < least'),
    ('bounds of 0 are not checked', 'if least is not None and not', 'if least and not'),
    ('a refusal names the default for the bound', 'must be at least {least}, not', 'must be at least {value}, not'),
    ('a refusal names the bound for the value', 'not {getattr(chosen, knob)}"', 'not {least}"'),
    ('a refusal names another flag', 'f"--{knob} must be', 'f"--steps must be'),
    ('heads that do not divide the width are let in', 'if width % heads:', 'if False:'),
    ('width and heads exchanged in the check', 'if width % heads:', 'if heads % width:'),
    ('width and heads exchanged in the refusal',
     'but {heads} does not divide {width}',
     'but {width} does not divide {heads}'),
    ("a notebook's arguments are taken", 'sys.argv[1:] if as_command else []', 'sys.argv[1:]'),
    ('steps and layers exchanged', 'heads = chosen.steps, chosen.layers,', 'heads = chosen.layers, chosen.steps,'),
    ('width and heads exchanged', 'chosen.width, chosen.heads', 'chosen.heads, chosen.width'),
    ('block and seed exchanged', 'samples = chosen.block, chosen.seed,', 'samples = chosen.seed, chosen.block,'),
    ('temperature and samples exchanged', 'chosen.temperature, chosen.samples', 'chosen.samples, chosen.temperature'),
    ('a letter that cannot be shown ends the run', 'sys.stdout.reconfigure(errors="replace")', 'pass'),
    ('every stream is thought to be reconfigurable', 'if hasattr(sys.stdout, "reconfigure"):', 'if True:'),
    ('a closed pipe leaves a traceback', 'signal.signal(signal.SIGPIPE, signal.SIG_DFL)', 'pass'),
    ("a notebook's pipes are touched", 'if as_command and hasattr(signal, "SIGPIPE")', 'if hasattr(signal, "SIGPIPE")'),
    # section 2: data and tokens
    ('a byte-order mark becomes a letter', 'utf-8-sig', 'utf-8'),
    ('any separator parts two names', '.split("\\n") if', '.splitlines() if'),
    ('spaces round a name stay', '[line.strip() for line in', '[line for line in'),
    ('empty lines are names', '.split("\\n") if line.strip()]', '.split("\\n")]'),
    ('bytes that are no text leave a traceback', 'except (OSError, ValueError) as', 'except OSError as'),
    ('a file that is not there leaves a traceback', 'except (OSError, ValueError) as', 'except ValueError as'),
    ("any trouble is taken for the user's", 'except (OSError, ValueError) as', 'except Exception as'),
    ('a path that cannot be one leaves a traceback',
     'except (OSError, ValueError) as',
     'except (OSError, UnicodeDecodeError) as'),
    ('a refusal of two lines', 'cannot read --data {chosen.data!r}:', 'cannot read --data {chosen.data}:'),
    ('a refusal names another file', 'no name in --data {chosen.data!r}', 'no name in --data {str(script)!r}'),
    ('no names are let in', 'if not docs: parser.error', 'if False: parser.error'),
    ('the seed is always the same', 'random.seed(seed)', 'random.seed(42)'),
    ('names are not shuffled', 'random.shuffle(docs)', 'pass'),
    ('letters are not sorted', 'letters = sorted(set("".join(docs)))', 'letters = sorted(set("".join(docs)), reverse=True)'),
    ('a token too many', 'len(letters), len(letters) + 1', 'len(letters), len(letters) + 2'),
    ('no boundary token before a name', 'return [BOS] + [letters.index', 'return [letters.index'),
    ('no boundary token after a name', 'for letter in name] + [BOS]', 'for letter in name]'),
    ('the boundary token is decoded', 'for token in tokens if token != BOS', 'for token in tokens if token != 0'),
    ('names are counted once each', 'num docs: {len(docs)}', 'num docs: {len(set(docs))}'),
    ('vocabulary without the boundary token', 'vocab size: {vocab}', 'vocab size: {BOS}'),
    ('the tokens of another name', '->", *encode(docs[0])', '->", *encode(docs[-1])'),
    # section 3: every local derivative, and the walk
    ('d(a + b)/da', '[(self, 1.0), (other, 1.0)]', '[(self, 2.0), (other, 1.0)]'),
    ('d(a * b): each factor moved by itself',
     '[(self, other.data), (other, self.data)]',
     '[(self, self.data), (other, other.data)]'),
    ('d(a ** k): factor k', 'k * self.data ** (k - 1) if k else 0.0', 'self.data ** (k - 1) if k else 0.0'),
    ('d exp(a)', '[(self, math.exp(self.data))]', '[(self, self.data)]'),
    ('log', 'Value(math.log(self.data)', 'Value(math.log2(self.data)'),
    ('negation', 'return self * -1', 'return self * 1'),
    ('number - a', 'return -self + other', 'return self + -other'),
    ('number / a', 'return self ** -1 * other', 'return self * other ** -1'),
    ('a Value shows its number twice', 'grad={self.grad})"', 'grad={self.data})"'),
    ('the order of the walk', 'key=lambda node: -node.birth', 'key=lambda node: node.birth'),
    ('blame replaces instead of adding', 'child.grad += local_grad * node.grad', 'child.grad = local_grad * node.grad'),
    ('results in between keep old blame', 'node.grad = 0.0', 'pass'),
    ('garbage is collected', 'if sys.implementation.name == "cpython": gc.disable()', 'if False: gc.disable()'),
    ('dot adds', 'total += x.data * y.data', 'total += x.data + y.data'),
    ('d dot/da', 'edges += [(x, y.data), (y, x.data)]', 'edges += [(x, x.data), (y, x.data)]'),
    ('the slopes of a and b exchanged', '{a.grad} in a, {b.grad} in b', '{b.grad} in a, {a.grad} in b'),
    # section 4: parameters
    ('the spread of the initial weights', 'random.gauss(0, 0.08)', 'random.gauss(0, 0.02)'),
    ('a position too many', '"position": matrix(block, width)', '"position": matrix(block + 1, width)'),
    ('query and key exchanged in the model', '("query", "key", "value", "output")', '("key", "query", "value", "output")'),
    ('an MLP half as wide', 'matrix(4 * width, width)', 'matrix(2 * width, width)'),
    ('no start', 'start = [p.data for p in params]', 'start = [0.0 for p in params]'),
    ('matrices are counted as parameters', 'num params: {len(params)}', 'num params: {len(model)}'),
    ('old blame is kept', 'p.data, p.grad = number, 0.0', 'p.data = number'),
    ('numbers are not set', 'p.data, p.grad = number, 0.0', 'p.grad = 0.0'),
    # section 5: forward pass
    ('the root of the whole width', 'root = math.sqrt(head_width)', 'root = math.sqrt(width)'),
    ('add subtracts', '[ai + bi for', '[ai - bi for'),
    ('softmax subtracts the least', 'peak = max(score.data', 'peak = min(score.data'),
    ('the embedding is not normed',
     'x = rmsnorm(add(model["token"][token], model["position"][position]))',
     'x = add(model["token"][token], model["position"][position])'),
    ('positions are not embedded', 'add(model["token"][token], model["position"][position])', 'model["token"][token]'),
    ('attention reads x without its norm', 'n = rmsnorm(x)', 'n = x'),
    ('the cache forgets the past',
     'keys.append(linear(n, model["key", layer]))',
     'keys[:] = [linear(n, model["key", layer])]'),
    ("the first layer's queries in every layer", 'model["query", layer])', 'model["query", 0])'),
    ('heads hold the whole query', 'dot(q[head], k[head]) / root', 'dot(q, k) / root'),
    ('attention past the residual stream',
     'x = add(x, linear(heard, model["output", layer]))',
     'x = linear(heard, model["output", layer])'),
    ('the MLP past the residual stream',
     'x = add(x, linear(h, model["down", layer]))',
     'x = linear(h, model["down", layer])'),
    ('the token embedding for the output head', 'return linear(x, model["lm_head"])', 'return linear(x, model["token"])'),
    # sections 6 and 7: loss and backward pass
    ('cross-entropy of the wrong token', '-softmax(logits)[target].log()', '-softmax(logits)[0].log()'),
    ('cross-entropy with the other sign', 'return -softmax(logits)', 'return softmax(logits)'),
    ('a long name is not cut', 'T = min(block, len(tokens) - 1)', 'T = len(tokens) - 1'),
    ('a long name is cut too early', 'T = min(block, len(tokens) - 1)', 'T = min(block - 1, len(tokens) - 1) or 1'),
    ('the end of a name is not guessed', 'T = min(block, len(tokens) - 1)', 'T = min(block, len(tokens) - 2)'),
    ('the loss is a sum, not a mean', 'for t in range(T)) / T', 'for t in range(T))'),
    ('each token is to guess itself', 'tokens[t + 1]) for t', 'tokens[t]) for t'),
    ('the loss at position 0 throughout', 'gpt(tokens[t], t, cache)', 'gpt(tokens[t], 0, cache)'),
    ('the logarithm to base 2', '{math.log(vocab):.4f}', '{math.log2(vocab):.4f}'),
    ('the cost of knowing nothing, without the boundary token', 'costs ln {vocab} =', 'costs ln {BOS} ='),
    ('the cost of the first name is that of knowing nothing', '{loss.data:.4f}', '{math.log(27):.4f}'),
    ('the trial goes back half as far', 'p.data -= 2e-5', 'p.data -= 1e-5'),
    ('the trial is divided by half as much', '{(above - below) / 2e-5:.9f}', '{(above - below) / 1e-5:.9f}'),
    ('the trial with the other sign', '{(above - below) / 2e-5:.9f}', '{(below - above) / 2e-5:.9f}'),
    ('the trial is not made', '{(above - below) / 2e-5:.9f}', '{p.grad:.9f}'),
    ('backward is not asked', '{p.grad:.9f} by', '{(above - below) / 2e-5:.9f} by'),
    ('another parameter is tried', 'p = model["token"][BOS][0]', 'p = model["token"][BOS][1]'),
    # section 8: Adam
    ('beta1', '0.85, 0.99, 1e-8', '0.9, 0.99, 1e-8'),
    ('beta2', '0.85, 0.99, 1e-8', '0.85, 0.999, 1e-8'),
    ('epsilon', '0.85, 0.99, 1e-8', '0.85, 0.99, 1e-6'),
    ('learning rate', 'rate = 0.01 * (1 - step / steps)', 'rate = 0.02 * (1 - step / steps)'),
    ('no decay of the learning rate', 'rate = 0.01 * (1 - step / steps)', 'rate = 0.01'),
    ('the learning rate reaches 0 a step early',
     'rate = 0.01 * (1 - step / steps)',
     'rate = 0.01 * (1 - (step + 1) / steps)'),
    ('bias correction of the first moment counts from 0',
     'bias1, bias2 = 1 - beta1 ** (step + 1)',
     'bias1, bias2 = 1 - beta1 ** (step + 2)'),
    ('bias correction of the second moment counts from 0', '1 - beta2 ** (step + 1)', '1 - beta2 ** (step + 2)'),
    ('no bias correction of the first moment', '(m / bias1)', 'm'),
    ('no bias correction of the second moment', 'math.sqrt(v / bias2)', 'math.sqrt(v)'),
    ("the first moment's news", '(1 - beta1) * g for', 'g for'),
    ("the first moment's memory", 'beta1 * m +', 'beta2 * m +'),
    ("the second moment's square", '(1 - beta2) * g * g for', '(1 - beta2) * abs(g) for'),
    ("the second moment's memory", 'beta2 * v +', 'beta1 * v +'),
    ('the second moment of a mean',
     '(1 - beta2) * g * g for v, g in zip(moments[1], gradient)]',
     '(1 - beta2) * g * g for v, g in zip(moments[1], moments[0])]'),
    ('epsilon inside the root', '(math.sqrt(v / bias2) + epsilon)', 'math.sqrt(v / bias2 + epsilon)'),
    ('Adam climbs', '[p - rate *', '[p + rate *'),
    # section 9: the loop, the line, the picture
    ('the engine keeps its own numbers', 'set_params(numbers)\n    loss = surprise', 'pass\n    loss = surprise'),
    ('a gradient with the other sign', 'return loss.data, [p.grad for', 'return loss.data, [-p.grad for'),
    ('the encore starts from the trained numbers',
     'numbers, moments = start,',
     'numbers, moments = [p.data for p in params],'),
    ('every step takes the first name', 'docs[step % len(docs)]', 'docs[0]'),
    ('the last name is left out', 'docs[step % len(docs)]', 'docs[step % (len(docs) - 1 or 1)]'),
    ('names do not come round', 'docs[step % len(docs)]', 'docs[min(step, len(docs) - 1)]'),
    ('the first name follows a step late', 'docs[step % len(docs)]', '(docs + docs[-1:])[step % (len(docs) + 1)]'),
    ('the second name comes first', 'docs[step % len(docs)]', 'docs[(step + 1) % len(docs)]'),
    ('a step too few', 'for step in range(goal):', 'for step in range(goal - 1):'),
    ('steps are counted from 1', 'for step in range(goal):', 'for step in range(1, goal + 1):'),
    ("Adam's numbers are lost", 'numbers = adam(step, numbers', 'adam(step, numbers'),
    ('Adam always takes the first step', 'numbers = adam(step, numbers', 'numbers = adam(0, numbers'),
    ('the clock leaves out the engine',
     'began = time.perf_counter()\n            loss, gradient = engine(numbers, tokens)',
     'loss, gradient = engine(numbers, tokens)\n            began = time.perf_counter() - 1'),
    ('seconds set instead of added', 'seconds += time.perf_counter()', 'seconds = time.perf_counter()'),
    ('the first loss for every loss', 'losses.append(loss)', 'losses.append(losses[0] if losses else loss)'),
    ('the loss of a step is lost', 'losses.append(loss)', 'losses.append(0.0)'),
    ('a quiet training speaks', 'if not quiet: show', 'if True: show'),
    ('training is always quiet', 'if not quiet: show', 'if False: show'),
    ('the line names one engine for both', 'show(engine.__name__,', 'show("autograd",'),
    ('Ctrl-C ends the run', 'except KeyboardInterrupt:', 'except ZeroDivisionError:'),
    ('any mistake is taken for Ctrl-C', 'except KeyboardInterrupt:', 'except (KeyboardInterrupt, Exception):'),
    ('an interrupted training says nothing', 'print("\\nstopped early")', 'pass'),
    ('an interrupted training says so twice', 'print("\\nstopped early")', 'print("\\nstopped early\\nstopped early")'),
    ('an interrupted training overwrites its line', 'print("\\nstopped early")', 'print("stopped early")'),
    ('an interrupted training forgets', 'return numbers, losses,', 'return start, losses,'),
    ('time by the steps that were planned', 'max(1, len(losses))', 'max(1, goal)'),
    ('no time without a step', 'max(1, len(losses))', 'len(losses)'),
    ('microseconds off by 1,000', '* 1e6', '* 1e3'),
    ('the sum of all times', 'seconds / max(1, len(losses)) * 1e6', 'seconds * 1e6'),
    ('a closed output is asked', 'sys.stdout is not None and sys.stdout.isatty()', 'sys.stdout.isatty()'),
    ('nothing is a terminal', 'sys.stdout is not None and sys.stdout.isatty()', 'False'),
    ('the mean of all losses', 'statistics.fmean(losses[-100:])', 'statistics.fmean(losses)'),
    ('the mean of 101 losses', 'statistics.fmean(losses[-100:])', 'statistics.fmean(losses[-101:])'),
    ('the median of the losses', 'statistics.fmean(losses[-100:])', 'statistics.median(losses[-100:])'),
    ('the first loss is printed', 'loss {losses[-1]:.4f}', 'loss {losses[0]:.4f}'),
    ('the mean is printed as the loss', 'loss {losses[-1]:.4f}', 'loss {mean:.4f}'),
    ('three digits of a loss', 'loss {losses[-1]:.4f}', 'loss {losses[-1]:.3f}'),
    ('the time of all steps in the line',
     'each = len(losses), statistics.fmean(losses[-100:]), seconds / len(losses)',
     'each = len(losses), statistics.fmean(losses[-100:]), seconds'),
    ('microseconds in the line', 'each * 1e3', 'each * 1e6'),
    ('the time that has gone', 'each * (goal - done)', 'each * done'),
    ('the time of the whole', 'each * (goal - done)', 'each * goal'),
    ('a step behind', 'step {done:4d}', 'step {done - 1:4d}'),
    ('the goal of another training', '/ {goal:4d}', '/ {steps:4d}'),
    ('the last line is left open', 'if terminal and done < goal else', 'if terminal else'),
    ('the line is closed a step early', 'terminal and done < goal', 'terminal and done < goal - 1'),
    ('a file gets carriage returns', 'if terminal and done < goal else', 'if done < goal else'),
    ('the line is not flushed', 'flush=True', 'flush=False'),
    ('eleven bars', 'math.ceil(len(losses) / 10)', 'len(losses) // 10'),
    ('no picture of no losses', 'max(1, math.ceil(len(losses) / 10))', 'math.ceil(len(losses) / 10)'),
    ('a bar of its first loss', 'statistics.fmean(losses[at:at + tenth])', 'losses[at]'),
    ('a bar of all so far', 'losses[at:at + tenth]', 'losses[:at + tenth]'),
    ('a bar beyond the edge', 'round(26 * min(1, math.exp(mean) / vocab))', 'round(26 * math.exp(mean) / vocab)'),
    ('a bar rounded down', 'round(26 * min(1,', 'int(26 * min(1,'),
    ('a bar of the loss', 'min(1, math.exp(mean) / vocab)', 'min(1, mean / math.log(vocab))'),
    ('a bar by the alphabet', 'math.exp(mean) / vocab', 'math.exp(mean) / 27'),
    ('perplexity without exp', '{math.exp(mean):4.1f}', '{mean:4.1f}'),
    ('perplexity to base 2', '{math.exp(mean):4.1f}', '{2 ** mean:4.1f}'),
    ('the first loss as the mean', 'mean loss {mean:.4f}', 'mean loss {losses[at]:.4f}'),
    ('bars begin at 0', 'from step {at + 1:4d}', 'from step {at:4d}'),
    ('--fast is not heard', 'autograd_steps = 0 if chosen.fast else steps', 'autograd_steps = steps'),
    ('--fast turned round', 'autograd_steps = 0 if chosen.fast else steps', 'autograd_steps = steps if chosen.fast else 0'),
    ('no picture of the first training', 'train(autograd, autograd_steps)\ndraw(losses)', 'train(autograd, autograd_steps)'),
    # section 10: speaking
    ('a name begins with a letter', 'tokens = [BOS]', 'tokens = [0]'),
    ('a name may exceed the block', 'for position in range(block):', 'for position in range(block + 1):'),
    ('a name stops short of the block', 'for position in range(block):', 'for position in range(block - 1):'),
    ('the model hears the boundary token only', 'gpt(tokens[-1], position, cache)', 'gpt(tokens[0], position, cache)'),
    ('speaking at position 0 throughout', 'gpt(tokens[-1], position, cache)', 'gpt(tokens[-1], 0, cache)'),
    ('temperature multiplies', 'logit / temperature for', 'logit * temperature for'),
    ('temperature is ignored', 'softmax([logit / temperature for logit in logits])', 'softmax(logits)'),
    ('a temperature of its own', 'logit / temperature for', 'logit / 0.5 for'),
    ('speaking goes on past the boundary token', 'if tokens[-1] == BOS: break', 'if False: break'),
    ('every token is alike', '[p.data for p in odds]', '[1.0 for p in odds]'),
    ('samples disturb each other', 'speak(random.Random(i))', 'speak(random)'),
    ('the untrained model says one name', 'speak(random.Random(i))', 'speak(random.Random(0))'),
    ('the untrained model says all samples', 'range(min(3, samples))', 'range(samples)'),
    ('the untrained model always speaks', 'range(min(3, samples))', 'range(3)'),
    ('the trained model speaks before training',
     'set_params(start)\n    print("before',
     'set_params(trained)\n    print("before'),
    ('the untrained model speaks after training', 'set_params(trained)\n    names', 'set_params(start)\n    names'),
    ('a sample too many', 'for _ in range(samples)]', 'for _ in range(samples + 1)]'),
    ('samples are counted from 0', 'enumerate(names, start=1)', 'enumerate(names)'),
    ('known names are called new', 'for name in names if name in docs', 'for name in names if name not in docs'),
    ('every name is known', 'for name in names if name in docs', 'for name in names if name'),
    ('parts of names are known', 'for name in names if name in docs', 'for name in names if name in "".join(docs)'),
    ('nothing is said where none is known', 'if name in docs) or "none")', 'if name in docs))'),
    ('neighbours in the output head', 'zip(letters, model["token"])', 'zip(letters, model["lm_head"])'),
    ('four letters have neighbours', 'most_common(3)', 'most_common(4)'),
    ('the commonest letters of one name', 'collections.Counter("".join(docs))', 'collections.Counter(docs[0])'),
    ('each letter counts once a name',
     'collections.Counter("".join(docs))',
     'collections.Counter("".join("".join(set(doc)) for doc in docs))'),
    ('a letter is its own neighbour', 'if o != letter)', 'if True)'),
    ('the second neighbour first', 'nearest[:4]', 'nearest[1:5]'),
    ('the farthest letters', 'math.dist(embedding[letter], embedding[o])', '-math.dist(embedding[letter], embedding[o])'),
    ('neighbours by one number',
     'math.dist(embedding[letter], embedding[o])',
     'abs(embedding[letter][0] - embedding[o][0])'),
    ('nobody speaks without a step', 'if autograd_steps: perform(trained)', 'if losses: perform(trained)'),
    ('with --fast the model speaks twice', 'if autograd_steps: perform(trained)', 'if True: perform(trained)'),
    # section 11: the explicit engine
    ('matmul takes rows for columns', 'columns = transpose(b)', 'columns = b'),
    ('linear_back: dw of the output', 'matmul(transpose(dy), x)', 'matmul(transpose(dy), dy)'),
    ('the ReLU gate', '[d if yi > 0 else 0.0 for d, yi in zip(dy, y)]', 'list(dy)'),
    ('explicit RMSNorm divides', 'return [s * xi for xi in x]', 'return [xi / s for xi in x]'),
    ('RMSNorm backward: projection', '[s * (d - yi * mean) for', '[s * d for'),
    ('explicit softmax does not subtract the peak', 'peak = max(x)', 'peak = 0.0'),
    ('the softmax Jacobian: the factor', '[yi * (d - total) for', '[(d - total) for'),
    ('explicit loss is a sum', 'return statistics.fmean([-math.log', 'return sum([-math.log'),
    ('the slope of the sum of losses', '(pi - (i == target)) / len(ps)', '(pi - (i == target))'),
    ('the future is heard', '[-math.inf] *', '[0.0] *'),
    ('explicit scores without their root', '[si / root for si', '[si for si'),
    ('d of the attention weights', 'matmul(dy_h, transpose(v_h))', 'matmul(dy_h, transpose(k_h))'),
    ("the softmax in the scores' gradient", 'rows(softmax_back, dp, p_h)', 'dp'),
    ('dv', 'matmul(transpose(p_h), dy_h)', 'matmul(p_h, dy_h)'),
    ('dw of the output head',
     'dx0, dw["lm_head"] = linear_back(cross_entropy_back(logits, targets), x0, w["lm_head"])',
     'dx0, dw["lm_head"] = linear_back(cross_entropy_back(logits, targets), x0, w["token"])'),
    ("explicit keys from the queries' weights",
     'k = linear_forward(n, w["key", layer])',
     'k = linear_forward(n, w["query", layer])'),
    ('explicit attention past the stream',
     'x = rows(add, x0, linear_forward(a, w["output", layer]))',
     'x = linear_forward(a, w["output", layer])'),
    ('explicit MLP past the stream',
     'y = rows(add, x, linear_forward(h, w["down", layer]))',
     'y = linear_forward(h, w["down", layer])'),
    ('dw of MLP down',
     'linear_back(dy, h, w["down", layer])',
     'linear_back(dy, [[2 * u for u in r] for r in h], w["down", layer])'),
    ('dw of MLP up', 'linear_back(du, m, w["up", layer])', 'linear_back(du, n, w["up", layer])'),
    ('dw of the attention output', 'linear_back(dx, a, w["output", layer])', 'linear_back(dx, n, w["output", layer])'),
    ('dn of the values', 'rows(add, dn_k, dn_v))', 'dn_k)'),
    ('dn of the queries', 'dn = rows(add, dn_q, rows(add, dn_k, dn_v))', 'dn = rows(add, dn_k, dn_v)'),
    ('dw of the values', 'linear_back(dv, n, w["value", layer])', 'linear_back(dv, m, w["value", layer])'),
    ('explicit positions from the end', 'w["position"][:len(inputs)])', 'w["position"][::-1][:len(inputs)])'),
    ('the first norm on the way back', 'enumerate(rows(rmsnorm_back, dx, embedded, x))', 'enumerate(dx)'),
    ('a repeated letter is blamed once', 'add(dw["token"][inputs[t]], row)', 'row'),
    # section 12: the check, the table, the differences
    ('the check: only the first name', 'for name in docs[0], max(docs, key=len):', 'for name in docs[0], docs[0]:'),
    ('the check: the shortest name', 'max(docs, key=len)', 'min(docs, key=len)'),
    ('the check: the second engine sees the first name',
     'explicit(start, encode(name))',
     'explicit(start, encode(docs[0]))'),
    ('the check: relative to the largest, signs and all', 'max(map(abs, gradient)) or 1.0', 'abs(max(gradient)) or 1.0'),
    ('the check: gradients of 0', 'max(map(abs, gradient)) or 1.0', 'max(map(abs, gradient))'),
    ('the check: relative to nothing', 'abs(a - b) / largest for', 'abs(a - b) for'),
    ('the check: a difference without abs', 'abs(a - b) / largest for', '(a - b) / largest for'),
    ('the check: a difference of 0', 'abs(a - b) / largest for', '0.0 / largest for'),
    ('the check: only the last name counts', 'gaps += [', 'gaps = ['),
    ('the check: a gradient may be missing', 'gradient, explicit_gradient, strict=True)', 'gradient, explicit_gradient)'),
    ('the check: a tolerance too large', 'gap <= 1e-9', 'gap <= 2e-8'),
    ('the check: a tolerance too small', 'gap <= 1e-9', 'gap <= 5e-11'),
    ('the check: a gradient that is no number',
     'not (math.isclose(loss, explicit_loss) and all(gap <= 1e-9 for gap in gaps))',
     '(not math.isclose(loss, explicit_loss) or any(gap > 1e-9 for gap in gaps))'),
    ('the check: any gradient will do', 'all(gap <= 1e-9 for gap in gaps)', 'any(gap <= 1e-9 for gap in gaps)'),
    ('the check: losses are not compared', 'math.isclose(loss, explicit_loss) and', 'True and'),
    ('the check: losses or gradients', 'math.isclose(loss, explicit_loss) and', 'math.isclose(loss, explicit_loss) or'),
    ('the check: losses to six digits',
     'math.isclose(loss, explicit_loss)',
     'math.isclose(loss, explicit_loss, rel_tol=1e-6)'),
    ('the check: losses to the last digit', 'math.isclose(loss, explicit_loss)', 'loss == explicit_loss'),
    ('the check: it goes on', 'sys.exit(f"THE', 'print(f"THE'),
    ('the check: losses exchanged', 'losses {loss} and {explicit_loss}', 'losses {explicit_loss} and {loss}'),
    ('the check: the smallest gap is named', 'by {max(gaps):.0e}', 'by {min(gaps):.0e}'),
    ('the trained numbers stay behind', '\nset_params(trained)', '\npass'),
    ('the encore makes all the steps', 'goal = len(losses) if autograd_steps else steps', 'goal = steps'),
    ('the encore is as long as the first training', 'goal = len(losses) if autograd_steps else steps', 'goal = len(losses)'),
    ('an interrupted training is made anew',
     'goal = len(losses) if autograd_steps else steps',
     'goal = len(losses) or steps'),
    ('the encore speaks in a file', 'quiet=autograd_steps > 0 and not terminal', 'quiet=False'),
    ('the encore is silent on a terminal', 'quiet=autograd_steps > 0 and not terminal', 'quiet=autograd_steps > 0'),
    ('--fast is silent', 'quiet=autograd_steps > 0 and not terminal', 'quiet=not terminal'),
    ('no picture with --fast', 'draw(explicit_losses)', 'draw(losses)'),
    ('with --fast the untrained model speaks', 'perform(again)', 'perform(trained)'),
    ("the scalar row shows the other's time", '{pace:>12.1f}{1:>9.1f}x', '{explicit_pace:>12.1f}{1:>9.1f}x'),
    ("the explicit row shows the other's time", '{explicit_pace:>12.1f}" +', '{pace:>12.1f}" +'),
    ('speedup inverted', '{pace / explicit_pace:>9.1f}x', '{explicit_pace / pace:>9.1f}x'),
    ('speedup of 1', '{pace / explicit_pace:>9.1f}x', '{1:>9.1f}x'),
    ('an autograd row without autograd', 'if losses: print(f"{\'scalar', 'if True: print(f"{\'scalar'),
    ('a speedup over nothing', '{pace / explicit_pace:>9.1f}x" if losses else "")', '{pace / explicit_pace:>9.1f}x")'),
    ('a table of nothing', '\nif explicit_losses:', '\nif True:'),
    ('the smallest gradient difference', '{max(gaps):.1e}', '{min(gaps):.1e}'),
    ('the first gradient difference', '{max(gaps):.1e}', '{gaps[0]:.1e}'),
    ('the differences of one name', '{max(gaps):.1e}', '{max(gaps[-len(params):]):.1e}'),
    ('all gaps are called parameters', 'all {len(params)} parameters', 'all {len(gaps)} parameters'),
    ('the smallest loss difference', 'gap = max(abs(a - b) for', 'gap = min(abs(a - b) for'),
    ('a loss difference without abs', 'gap = max(abs(a - b) for', 'gap = max(a - b for'),
    ('a loss difference of 0', 'gap = max(abs(a - b) for a, b in zip(losses, explicit_losses))', 'gap = 0.0'),
    ('the last loss difference',
     'gap = max(abs(a - b) for a, b in zip(losses, explicit_losses))',
     'gap = abs(losses[-1] - explicit_losses[-1])'),
    ('losses are compared with themselves', 'zip(losses, explicit_losses))', 'zip(losses, losses))'),
    ('differences over all the steps', 'over {len(explicit_losses)} steps', 'over {steps} steps'),
    ('a loss difference without a second training', 'if losses and explicit_losses:', 'if losses:'),
]


# The lecture compares its two engines itself and stops if they differ. That would kill most mutants before any test has
# looked at them, so it is switched off, except in the mutants of the check itself, which its own tests must kill.
CHECK = "if not (math.isclose(loss, explicit_loss) and all(gap <= 1e-9 for gap in gaps)):"


def suite_fails(label, source, section):
    """Run the fast tests against this source in a folder of its own. Returns the first failing test, '' if all pass."""
    parts = sorted(PARTS, key=lambda part: part != LIKELY[section])
    if label.startswith("the check"):
        parts = ["check", *parts]
    else:
        source = source.replace(CHECK, "if False:")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "microgpt.py").write_text(source, encoding="utf-8")
        for name in ("names.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, folder / name)
        shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", "--tb=no", "--assert=plain",
                   *[f"tests/test_{part}.py" for part in parts]]
        try:
            run = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", errors="replace",
                                 stdin=subprocess.DEVNULL, timeout=LIMIT, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        except subprocess.TimeoutExpired:
            return "(time limit)"
        if run.returncode == 0:
            return ""
        if run.returncode != 1:  # pytest could not run the tests at all: that is no verdict on the mutant
            raise RuntimeError(label + "\n" + run.stdout + run.stderr)
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
    chosen = [mutant for mutant in MUTANTS if " ".join(sys.argv[1:]) in mutant[0]]

    def verdict(mutant):
        label, old, new = mutant
        section = int(re.findall(r"^# %% (\d+)", source[:source.index(old) + len(old)], flags=re.MULTILINE)[-1])
        return suite_fails(label, source.replace(old, new), section)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        unbroken = [pool.submit(suite_fails, label, source, 1) for label in ("the check", "the lecture")]
        for failure in unbroken:
            if failure.result():
                sys.exit(f"the unbroken lecture fails {failure.result()}: no mutant can be judged")
        survivors = []
        for i, ((label, _, _), failure) in enumerate(zip(chosen, pool.map(verdict, chosen)), start=1):
            print(f"{i:3d} / {len(chosen)}  {'killed  ' if failure else 'SURVIVED'}  {label}" + (f"  by {failure}" if failure else ""),
                  flush=True)
            if not failure:
                survivors.append(label)
    print(f"mutants: {len(chosen) - len(survivors)} killed, {len(survivors)} survived, {time.monotonic() - began:.0f} s")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
