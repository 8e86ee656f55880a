/** Other names of flags, as other programs call them. They are not listed in the help. */
import { type Command, InvalidArgumentError, Option } from "commander";

/** The names that people try, by the flag that they mean. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  "--learning-rate": ["--lr"],
  "--weight-decay": ["--wd"],
  "--batch-size": ["--batch", "--bs"],
  "--steps": ["--iters", "--iterations", "--max-iters", "--max-steps"],
  "--layers": ["--n-layer", "--num-layers"],
  "--heads": ["--n-head", "--num-heads"],
  "--d-model": ["--n-embd", "--hidden-size"],
  "--context-length": ["--block-size", "--context", "--seq-len"],
  "--tokens": ["--length", "--max-tokens", "--max-new-tokens"],
  "--temperature": ["--temp"],
  "--samples": ["--num-samples"],
};

/** Adds the other names of the flags that a command has. */
export function addAliases(command: Command): void {
  const known = new Map(command.options.map((option) => [option.long, option]));
  for (const [flag, aliases] of Object.entries(ALIASES)) {
    const meant = known.get(flag);
    if (meant === undefined) continue;
    for (const alias of aliases) {
      if (known.has(alias)) continue;
      const option = new Option(`${alias} <value>`).hideHelp();
      option.argParser((value: string, before: unknown) => {
        return meant.parseArg === undefined ? value : meant.parseArg(value, before);
      });
      command.addOption(option);
      // Runs after the listener that stores the value under the other name.
      command.on(`option:${option.name()}`, () => {
        const value: unknown = command.getOptionValue(option.attributeName());
        command.setOptionValueWithSource(meant.attributeName(), value, "cli");
      });
    }
  }
}

/** Adds `--epochs`, which explains how many steps to ask for. */
export function addEpochs(command: Command): void {
  const explain = (): never => {
    throw new InvalidArgumentError(
      "Training is counted in steps: an epoch has (training tokens) / (--batch-size × --context-length × --grad-accumulation) of them. Use --steps.",
    );
  };
  command.addOption(new Option("--epochs <count>").argParser(explain).hideHelp());
}
