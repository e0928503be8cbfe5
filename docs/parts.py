"""What each part of the model buys: parts.json, and its picture, parts-light.svg and parts-dark.svg.

    python -m pip install matplotlib && python docs/parts.py

A part is taken out of microgpt.py by small edits of its text, in both engines, and what is left is run with
--fast. It compares its engines itself, so a wrong edit ends in a disagreement. Every run sees the
same names in the same order, and each loss that it prints was formed before it learned from that name. Two
tables of counts learn in the same way, name by name: how often each token came, and how often it came after
the token before it. All counts start at 1 (add-one smoothing). The README has the tables that this prints.
With another --seed, which gives other names and another start, nothing is written.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import io
import json
import math
import os
import pathlib
import re
import runpy
import statistics
import subprocess
import sys
import tempfile

DOCS = pathlib.Path(__file__).resolve().parent
SCRIPT = DOCS.parent / "microgpt.py"
NAMES = DOCS.parent / "names.txt"
STEPS = 1000, 5000
NOTHING, WHOLE = "knowing nothing", "the whole"

ATTENTION = ('x = add(x, linear(heard, model["output", layer]))',        # in gpt
             'x1 = rowwise(add, x, dots(heard, w["output", layer]))',    # in explicit, forward
             "dx1 = rowwise(add, dx, rowwise(rmsnorm_back, dn1, x1, n1))",        # in explicit, back
             'dheard, dw["output", layer] = dots_back(dx1, heard, w["output", layer])')
MLP = ('x = add(x, linear(hidden, model["down", layer]))',
       'x = rowwise(add, x1, dots(hidden, w["down", layer]))',
       "dx = rowwise(add, dx1, rowwise(rmsnorm_back, dn, x, n))",
       'dhidden, dw["down", layer] = dots_back(dx, hidden, w["down", layer])')
SILENT = "[[0.0] * width for _ in inputs]"                   # no gradient comes back to this part
ADAM = """\
    numbers = [number - rate * (mean / mean_sum) / (math.sqrt(square / square_sum) + 1e-8)
               for number, mean, square in zip(numbers, means, squares)]
"""
DESCENT = [(ADAM, "    numbers = [number - rate * g for number, g in zip(numbers, gradients)]\n")]

NO_POSITION = [
    ('add(model["token"][token], model["position"][position])', 'model["token"][token]'),
    ('[add(w["token"][token], w["position"][t]) for t, token in enumerate(inputs)]',
     '[w["token"][token] for token in inputs]'),
    ('dw["position"][t] = row', "pass")]
NO_ATTENTION = [
    (ATTENTION[0], "pass"),
    (ATTENTION[1], "x1 = x"),
    (ATTENTION[3], ATTENTION[3].replace("dx1,", SILENT + ","))]

# A variant: its edits, (old, new) each, and the flags of its run.
VARIANTS = {
    "plain gradient descent, rate 0.01": (DESCENT, ["--rate", "0.01"]),
    "plain gradient descent, rate 0.1": (DESCENT, ["--rate", "0.1"]),
    "no residual stream": ([
        (ATTENTION[0], 'x = linear(heard, model["output", layer])'),
        (MLP[0], 'x = linear(hidden, model["down", layer])'),
        (ATTENTION[1], 'x1 = dots(heard, w["output", layer])'),
        (MLP[1], 'x = dots(hidden, w["down", layer])'),
        (ATTENTION[2], "dx1 = rowwise(rmsnorm_back, dn1, x1, n1)"),
        (MLP[2], "dx = rowwise(rmsnorm_back, dn, x, n)")], []),
    "no position": (NO_POSITION, []),
    "no MLP": ([
        (MLP[0], "pass"),
        (MLP[1], "x = x1"),
        (MLP[3], MLP[3].replace("dx,", SILENT + ","))], []),
    "no attention": (NO_ATTENTION, []),
    "no attention, no position": (NO_ATTENTION + NO_POSITION, []),
    WHOLE: ([], []),
}


def edited(edits):
    """The text of the lecture after these edits. Each must fit at exactly one place."""
    text = SCRIPT.read_text("utf-8")
    for old, new in edits:
        found = text.count(old)
        if found != 1:
            sys.exit(f"{SCRIPT.name} must have this once, but has it {found} times:\n{old}")
        text = text.replace(old, new)
    return text


def trained(variant, steps, seed):
    """The losses that a run of this variant prints, one for each name."""
    edits, flags = VARIANTS[variant]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / SCRIPT.name
        path.write_text(edited(edits), "utf-8")
        flags = ["--data", NAMES, "--fast", "--samples", 0, "--steps", steps, "--seed", seed, *flags]
        command = [sys.executable, *map(str, [path, *flags])]
        process = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8")
    if process.returncode or "the engines agree" not in process.stdout:
        sys.exit(f"{variant}: {process.stdout[-200:]}")
    return [float(loss) for loss in re.findall(r"^step .*? loss (\S+)", process.stdout, re.M)]


def counted(seed):
    """The losses of nothing and of the two tables of counts, for as many names as the longest run sees."""
    sys.argv[1:] = ["--data", str(NAMES), "--fast", "--samples", "0", "--steps", "0", "--seed", str(seed)]
    with contextlib.redirect_stdout(io.StringIO()):
        lecture = runpy.run_path(str(SCRIPT))
    vocab, block = lecture["vocab"], lecture["block"]
    losses = {}
    for table in NOTHING, "letter counts", "bigram counts":
        losses[table] = []
        pairs, contexts = collections.Counter(), collections.Counter()
        for name in lecture["docs"][:max(STEPS)]:
            tokens = lecture["encode"](name)[:block + 1]
            before = tokens if table == "bigram counts" else [None] * block
            seen = list(zip(before, tokens[1:]))
            surprises = [math.log((contexts[pair[0]] + vocab) / (pairs[pair] + 1)) for pair in seen]
            losses[table].append(sum(surprises) / len(surprises))
            if table != NOTHING:
                pairs.update(seen)
                contexts.update(pair[0] for pair in seen)
    return losses


def measured(seed):
    """{steps: {variant: [a loss for each name]}}"""
    counts = counted(seed)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {(steps, variant): pool.submit(trained, variant, steps, seed)
                for steps in sorted(STEPS, reverse=True) for variant in VARIANTS}
        return {steps: dict({table: losses[:steps] for table, losses in counts.items()},
                            **{variant: runs[steps, variant].result() for variant in VARIANTS})
                for steps in STEPS}


def tenths(losses):
    size = len(losses) // 10
    return [round(statistics.mean(losses[i * size:(i + 1) * size]), 3) for i in range(10)]


def against(losses, whole):
    """How much more the last tenth costs than the whole's, and the standard error of this mean."""
    gaps = [a - b for a, b in list(zip(losses, whole))[-len(whole) // 10:]]
    return [round(statistics.mean(gaps), 3), round(statistics.stdev(gaps) / math.sqrt(len(gaps)), 3)]


def table(figures):
    """The figures as two tables in Markdown: the last tenths, and every tenth."""
    head = [""]
    for steps in figures:
        head += [f"{int(steps):,} steps", "more than the whole"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for variant in figures[str(STEPS[0])]:
        cells = [variant]
        for each in figures.values():
            gap, error = each[variant]["more"]
            more = f"{gap:.3f} ± {error:.3f}" if variant != WHOLE else ""
            cells += [f"{each[variant]['tenths'][-1]:.3f}", more]
        lines.append("| " + " | ".join(cells) + " |")
    for steps, each in figures.items():
        lines += ["", f"| {int(steps):,} steps | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 |", "|---" * 11 + "|"]
        for variant, figure in each.items():
            lines.append(f"| {variant} | " + " | ".join(f"{mean:.3f}" for mean in figure["tenths"]) + " |")
    return "\n".join(lines)


THEMES = {                                                   # ink, faint lines, and a colour for each variant
    "light": ("#1f2328", "#d1d9e0", ["#0550ae", "#0e7490", "#b35900", "#8250df", "#1a7f37", "#cf222e", "#7d6608"]),
    "dark": ("#f0f6fc", "#3d444d", ["#79c0ff", "#39a0c9", "#f0883e", "#bc8cff", "#56d364", "#ff7b72", "#d2b53f"]),
}
DASHES = {NOTHING: (0, (1, 1.5)), "letter counts": (0, (3, 1.5)), "bigram counts": (0, (6, 1.5))}


def spread(heights, gap):
    """These heights, sorted and moved apart: what would overlap becomes a stack around its mean."""
    stacks = []                                              # [lowest height, how many], from below
    for height in sorted(heights):
        stacks.append([height, 1])
        while len(stacks) > 1 and stacks[-2][0] + gap * stacks[-2][1] > stacks[-1][0]:
            (low, below), (high, above) = stacks[-2:]
            low = (low * below + (high - gap * below) * above) / (below + above)
            stacks[-2:] = [[low, below + above]]
    return [low + gap * i for low, count in stacks for i in range(count)]


def draw(figures, theme):
    """A panel for each training, a line for each variant, and at its end its name and its last mean."""
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    ink, faint, colours = THEMES[theme]
    style = {"text.color": ink, "axes.edgecolor": faint, "axes.labelcolor": ink, "xtick.color": ink,
             "ytick.color": ink, "axes.spines.top": False, "axes.spines.right": False, "font.size": 10,
             "svg.hashsalt": "parts"}
    with plt.rc_context(style):
        picture, panels = plt.subplots(1, len(figures), figsize=(12, 5.6), sharey=True)
        for panel, (steps, each) in zip(panels, figures.items()):
            order = sorted(each, key=lambda variant: each[variant]["tenths"][-1])
            places = spread([each[variant]["tenths"][-1] for variant in order], 0.048)
            for variant, place in zip(order, places):
                means, weight = each[variant]["tenths"], "bold" if variant == WHOLE else "normal"
                plain = variant in DASHES or variant == WHOLE
                colour = ink if plain else colours[list(VARIANTS).index(variant)]
                panel.plot(range(1, 11), means, color=colour, linewidth=2.6 if variant == WHOLE else 1.5,
                           linestyle=DASHES.get(variant, "-"), alpha=0.6 if variant in DASHES else 1)
                panel.plot([10.1, 10.6], [means[-1], place], color=faint, linewidth=0.8, clip_on=False)
                label = f"{means[-1]:.3f}  {variant.replace('plain ', '')}"
                panel.text(10.7, place, label, va="center", color=colour, weight=weight)
            panel.set_title(f"{int(steps):,} steps", loc="left", weight="bold")
            panel.set_xlabel("tenth of the training")
            panel.set_xticks(range(1, 11))
            panel.set_xlim(1, 10)
            panel.grid(axis="y", color=faint, linewidth=0.5)
            panel.tick_params(length=0)
        panels[0].set_ylabel("mean loss of its names")
        picture.subplots_adjust(left=0.05, right=0.77, wspace=0.93, top=0.93, bottom=0.1)
        picture.savefig(DOCS / f"parts-{theme}.svg", transparent=True, metadata={"Date": None})
        plt.close(picture)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=42)
    seed = parser.parse_args().seed
    losses = measured(seed)
    figures = {str(steps): {variant: {"tenths": tenths(each), "more": against(each, run[WHOLE])}
                            for variant, each in run.items()} for steps, run in losses.items()}
    print(table(figures))
    if seed == 42:
        (DOCS / "parts.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
        for theme in THEMES:
            draw(figures, theme)


if __name__ == "__main__":
    main()
