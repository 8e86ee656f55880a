import { describe, expect, it } from "vitest";
import { explainStop } from "../../../../src/cli/commands/train/explain-stop.ts";
import { resolveSettings } from "../../../../src/config/settings.ts";
import { EarlyStopping } from "../../../../src/train/early-stopping.ts";

function after(training: number, validation: number): EarlyStopping {
  const patience = new EarlyStopping();
  patience.trained(2);
  patience.evaluated(10, 2.5);
  patience.trained(training);
  patience.evaluated(20, validation);
  return patience;
}

const words = (patience: EarlyStopping, changes = {}) =>
  explainStop(patience, resolveSettings({ patience: 1, layers: 4, heads: 4, dModel: 12 }, changes)).join(
    "\n",
  );

describe("explainStop", () => {
  it("reports overfitting with its figures and remedies", () => {
    const text = words(after(1, 3));
    for (const part of [
      "stopped after step 20: 1 evaluation without a lower validation loss (--patience 1)",
      'lowest after step 10: 2.5000, saved as "best"; now 3.0000',
      "2.0000 then, 1.0000 now",
      "This is overfitting",
      "more dropout (--dropout 0.1), a smaller model (--layers 2 or --d-model 8), more text",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("suggests only possible remedies", () => {
    const smallest = words(after(1, 3), { dropout: 0.5, layers: 1, dModel: 4 });
    expect(smallest).toContain("What may help: more text.");
    expect(words(after(1, 3), { dropout: 0.45 })).toContain("--dropout 0.5)");
  });

  it("does not report a plateau as overfitting", () => {
    const text = words(after(2.5, 3), { schedule: "constant", learningRate: 3e-3 });
    expect(text).toContain("This is not overfitting");
    expect(text).toContain("--learning-rate 0.001");
    expect(text).toContain("--schedule linear");
  });
});
