/** What processes other than number 0 do in `nopeek eval`: their batches of the evaluation. */
import { join } from "node:path";
import { runOnRanks } from "../../../distributed/jobs.ts";
import { ConfigError } from "../../../errors.ts";
import { EncoderDecoder } from "../../../nn/encoder-decoder.ts";
import { threadsOf } from "../../options/settings-flags.ts";
import { RUNS } from "../../shared/find-model.ts";
import { openBackend } from "../../shared/open-backend.ts";
import { asProcess, type JoinedProcess } from "../../shared/processes/join.ts";
import { evaluatePart, evaluateStrings } from "./evaluation.ts";
import { type EvalFlags, readPart } from "./part.ts";
import { receiveModel } from "./send-model.ts";

const silent = { note: () => {}, status: () => {} };

/** Evaluates with process 0, which alone prints the result. */
export function follow(flags: EvalFlags, joined: JoinedProcess<EvalFlags>): Promise<void> {
  return asProcess(joined, async () => {
    const { communicator, ended } = joined;
    const backend = await openBackend(flags, threadsOf(flags));
    const { config, model, sha256 } = await receiveModel(communicator, backend);
    const runJobs = runOnRanks(communicator);
    if (model instanceof EncoderDecoder) await evaluateStrings(model, config.settings, runJobs);
    else {
      const part = await readPart(flags, config, join(RUNS, "run"), silent);
      if (part.sha256 !== sha256)
        throw new ConfigError(
          "its text is not the one that process 0 reads: its SHA-256 differs; copy the same files to every host",
        );
      await evaluatePart(model, part, runJobs);
    }
    ended();
    await backend.close();
  });
}
