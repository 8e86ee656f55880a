import { ConfigError } from "../errors.ts";
import type { Settings } from "./settings-type.ts";

/** @throws ConfigError for settings that contradict each other */
export function checkTogether(settings: Settings): void {
  const { dModel, heads, minLearningRate, learningRate, schedule, minLength, maxLength, skipSpikes } =
    settings;
  const { documents, split, kvHeads, headSize, qkNorm, qkNormWeights } = settings;
  if (headSize === 0 && dModel % heads !== 0) {
    throw new ConfigError(
      `\`dModel\` must be a multiple of \`heads\`: got ${dModel} channels for ${heads} heads`,
    );
  }
  if (kvHeads > 0 && heads % kvHeads !== 0) {
    throw new ConfigError(
      `\`heads\` must be a multiple of \`kvHeads\`, because each head of keys serves the same number of query heads: got ${heads} and ${kvHeads}`,
    );
  }
  if (qkNormWeights && !qkNorm) {
    throw new ConfigError("`qkNormWeights` are the weights of `qkNorm`: turn that on too");
  }
  if (schedule !== "constant" && minLearningRate > learningRate) {
    throw new ConfigError(
      `\`minLearningRate\` must not be above \`learningRate\`: got ${minLearningRate} and ${learningRate}`,
    );
  }
  if (skipSpikes > 0 && skipSpikes <= 1) {
    throw new ConfigError(
      `\`skipSpikes\` must be 0, or more than 1: got ${skipSpikes}; 10 is a usual choice`,
    );
  }
  if (split === "shuffle" && documents === "none") {
    throw new ConfigError(
      "`split` shuffle chooses documents: set `documents` to lines, paragraphs or files too, so that it is known what they are",
    );
  }
  if (minLength > maxLength) {
    throw new ConfigError(`\`minLength\` must not be above \`maxLength\`: got ${minLength} and ${maxLength}`);
  }
}
