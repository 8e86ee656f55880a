/** The command that resumes a run. */
import type { Backend } from "../../../backend/backend.ts";
import { isFast } from "../../../backend/names.ts";
import { STDIN } from "../../../data/text-files.ts";
import { shellWord } from "../../../util/format.ts";
import type { RunPlan } from "./plan-run.ts";

/**
 * The command that resumes a run. It repeats what config.json does not hold: another text or backend, and the number of
 * threads if the bits depend on it.
 */
export function resumeCommand(plan: RunPlan, path: string, backend: Backend): string {
  const { config, flags } = plan;
  const words = ["npx nopeek train --resume --out", shellWord(path)];
  const data = flags.data?.map(shellWord).join(" ");
  const known = (config.corpus?.paths ?? [config.corpus?.path ?? ""]).map(shellWord).join(" ");
  if (data !== undefined && (data !== known || flags.data?.includes(STDIN))) words.push(`--data ${data}`);
  if (flags.validation !== undefined) words.push(`--validation ${flags.validation.map(shellWord).join(" ")}`);
  if (flags.cache !== undefined) words.push(`--cache ${shellWord(flags.cache)}`);
  if (backend.library !== null || backend.name === "reference") words.push(`--backend ${backend.name}`);
  if (isFast(backend)) words.push("--fast");
  if (backend.library !== null) words.push(`--threads ${backend.threads}`);
  return words.join(" ");
}
