/**
 * The errors that nopeek throws on purpose. Each message says what is wrong, with the values, and what would
 * be right; a person can act on it without a stack trace. Anything else that is thrown is a bug of ours.
 */

/** The root of every error that a user can cause and mend. */
export class NopeekError extends Error {
  override name = "NopeekError";
}

/** Shapes, axes or sizes that do not fit together. */
export class ShapeError extends NopeekError {
  override name = "ShapeError";
}

/** A tensor used where it cannot be: freed, of another context, outside a scope, differentiated twice. */
export class TensorError extends NopeekError {
  override name = "TensorError";
}

/** A setting that is unknown, out of range, or at odds with another. */
export class ConfigError extends NopeekError {
  override name = "ConfigError";
}

/** Text that cannot be turned into tokens, or token ids outside the vocabulary. */
export class TokenError extends NopeekError {
  override name = "TokenError";
}

/** A corpus that cannot be read or trained on. */
export class DataError extends NopeekError {
  override name = "DataError";
}

/** A checkpoint or run directory that is missing, damaged, of another version or of another shape. */
export class CheckpointError extends NopeekError {
  override name = "CheckpointError";
}

/** A backend that cannot start, or that this machine does not have. */
export class BackendError extends NopeekError {
  override name = "BackendError";
}

/** Training that cannot go on: a loss or a gradient that is not finite. */
export class TrainingError extends NopeekError {
  override name = "TrainingError";
}

/** Prompts or settings that nothing can be sampled with. */
export class SampleError extends NopeekError {
  override name = "SampleError";
}

/** Logits that no token can be chosen from: whoever samples has done nothing wrong, the model is broken. */
export class LogitsError extends SampleError {
  override name = "LogitsError";
}
