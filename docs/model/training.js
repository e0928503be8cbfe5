// Training with Adam, and its whole history: any step can be asked for again, exactly as it was.

const BETA1 = 0.85;
const BETA2 = 0.99;
const MARKS = 50; // so many states are kept; what lies between is trained again when it is asked for

export class Training {
  constructor(gpt, tokensOf, docs, untrained, { rate, steps }) {
    Object.assign(this, { gpt, tokensOf, docs, rate, steps });
    this.every = Math.max(10, Math.ceil(steps / MARKS));
    this.gradients = new Float64Array(gpt.count);
    this.state = {
      step: 0,
      numbers: Float64Array.from(untrained),
      first: new Float64Array(gpt.count),
      second: new Float64Array(gpt.count),
    };
    this.losses = [];
    this.kept = [copy(this.state)];
  }
  get step() {
    return this.state.step;
  }
  get numbers() {
    return this.state.numbers;
  }
  get done() {
    return this.diverged || this.step >= this.steps;
  }

  advance() {
    const loss = this.learn(this.state);
    this.diverged = !Number.isFinite(loss);
    if (this.diverged) return;
    this.losses.push(loss);
    if (this.step === this.kept.length * this.every) this.kept.push(copy(this.state));
  }

  // One step. A loss that is no number, or infinite, ends the training and changes nothing.
  learn(state) {
    const { numbers, first, second, step } = state;
    const { gradients } = this;
    const tokens = this.tokensOf(this.docs[step % this.docs.length]);
    const loss = this.gpt.explicit(numbers, tokens, gradients);
    if (!Number.isFinite(loss)) return loss;
    const rate = this.rate * (1 - step / this.steps);
    const seen1 = 1 - BETA1 ** (step + 1);
    const seen2 = 1 - BETA2 ** (step + 1);
    for (let i = 0; i < numbers.length; i++) {
      const g = gradients[i];
      first[i] = BETA1 * first[i] + (1 - BETA1) * g;
      second[i] = BETA2 * second[i] + (1 - BETA2) * g * g;
      numbers[i] -= (rate * (first[i] / seen1)) / (Math.sqrt(second[i] / seen2) + 1e-8);
    }
    state.step++;
    return loss;
  }

  // The state after so many steps: { step, numbers, first, second }. It may lie beyond what has been trained.
  at(step) {
    if (step === this.step) return copy(this.state);
    const state = copy(this.kept[Math.min(Math.floor(step / this.every), this.kept.length - 1)]);
    while (state.step < step && Number.isFinite(this.learn(state))) {
      if (state.step === this.kept.length * this.every) this.kept.push(copy(state));
    }
    return state;
  }
}

function copy({ step, numbers, first, second }) {
  return { step, numbers: numbers.slice(), first: first.slice(), second: second.slice() };
}
