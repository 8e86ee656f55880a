/**
 * A custom layer: a class with parameters and a forward pass. Two of them learn XOR, which one cannot.
 *
 *   npx tsx docs/examples/custom-layer.ts
 */
import {
  Context,
  type NamedTensors,
  openDoubleBackend,
  parametersOf,
  Random,
  SGD,
  type Tensor,
} from "nopeek";
import { linear, mean, multiply, subtract, tanh } from "nopeek/ops";

/** y = tanh(x·W + b): (…, inputs) → (…, outputs). */
class TanhLayer {
  readonly weight: Tensor;
  readonly bias: Tensor;

  constructor(context: Context, inputs: number, outputs: number, random: Random) {
    const values = Array.from({ length: inputs * outputs }, () => random.normal());
    this.weight = context.parameter([inputs, outputs], values);
    this.bias = context.parameter([outputs], new Array<number>(outputs).fill(0));
  }

  forward(x: Tensor): Tensor {
    return tanh(linear(x, this.weight, this.bias));
  }

  /** What an optimizer trains and a checkpoint stores, by name. */
  parameters(): NamedTensors {
    return parametersOf({ weight: this.weight, bias: this.bias });
  }
}

const backend = await openDoubleBackend();
const context = new Context(backend);
const random = Random.of(2);
const hidden = new TanhLayer(context, 2, 4, random);
const output = new TanhLayer(context, 4, 1, random);
const optimizer = new SGD(parametersOf({ hidden, output }), { learningRate: 0.3 });

const inputs = [-1, -1, -1, 1, 1, -1, 1, 1];
const targets = [-1, 1, 1, -1];
const predict = () => output.forward(hidden.forward(context.constant([4, 2], inputs)));

for (let step = 0; step < 500; step++) {
  await context.scope("grad", () => {
    const error = subtract(predict(), context.constant([4, 1], targets));
    mean(multiply(error, error)).backward();
  });
  optimizer.step();
  optimizer.zeroGrad();
}
const answers = await context.noGrad(() => predict().read());
for (const i of targets.keys()) {
  console.log(`${inputs[2 * i]} xor ${inputs[2 * i + 1]} = ${answers[i].toFixed(1)}`);
}
await backend.close();
