import { describe, expect, it } from "vitest";
import { explainStop } from "../../../../src/cli/commands/train/explain-stop.ts";
import { resolveSettings } from "../../../../src/config/settings.ts";
import { EarlyStopping } from "../../../../src/train/early-stopping.ts";

const settings = resolveSettings({ patience: 1 });
const kind = { bitsPerByte: (lossNats: number) => lossNats / 2 };

describe("explainStop", () => {
  it("reports the steps and losses of the best and the latest evaluation", () => {
    const patience = new EarlyStopping();
    patience.trained(2);
    patience.evaluated(10, 2.5);
    patience.trained(1);
    patience.evaluated(20, 3);
    expect(explainStop(patience, settings, kind)).toEqual([
      "stopped after step 20: 1 evaluation without a lower validation loss (--patience 1)",
      'validation  lowest after step 10: 2.5000 nats, 1.2500 bits per byte, saved as "best"; now 3.0000 nats, 1.5000 bits per byte',
      "training    2.0000 then, 1.0000 now",
    ]);
  });

  it("has nothing to report without an evaluation", () => {
    expect(explainStop(new EarlyStopping(), settings, kind)).toEqual([]);
  });
});
