/**
 * The errors that nopeek throws on purpose. Each message says what is wrong, the values, and what would be right, so
 * that a user can act on it without a stack trace. Any other exception is a bug in nopeek.
 */

/**
 * The base class of all errors that a user can cause and fix.
 *
 * @example
 * try {
 *   resolveSettings({ dModel: 30, heads: 4 });
 * } catch (error) {
 *   if (error instanceof NopeekError) console.error(error.message);
 *   else throw error;
 * }
 */
export class NopeekError extends Error {
  override name = "NopeekError";
}

/** An argument of a type that TypeScript would have refused, in a call from JavaScript. */
export class ArgumentError extends NopeekError {
  override name = "ArgumentError";
}

/** Shapes, axes or sizes that do not fit together. */
export class ShapeError extends NopeekError {
  override name = "ShapeError";
}

/** Invalid use of a tensor: freed, from another context, outside a scope, or differentiated twice. */
export class TensorError extends NopeekError {
  override name = "TensorError";
}

/** A setting that is unknown, out of range, or contradicts another. */
export class ConfigError extends NopeekError {
  override name = "ConfigError";
}

/** Text that cannot be tokenized, or token ids outside the vocabulary. */
export class TokenError extends NopeekError {
  override name = "TokenError";
}

/** A corpus that cannot be read or trained on. */
export class DataError extends NopeekError {
  override name = "DataError";
}

/** A checkpoint or run directory that is missing or damaged, or has another version or shape. */
export class CheckpointError extends NopeekError {
  override name = "CheckpointError";
}

/** A backend that is not available on this machine, or cannot start. */
export class BackendError extends NopeekError {
  override name = "BackendError";
}

/** Training that cannot continue because a loss or a gradient is not finite. */
export class TrainingError extends NopeekError {
  override name = "TrainingError";
}

/** A prompt or a setting that is invalid for sampling. */
export class SampleError extends NopeekError {
  override name = "SampleError";
}

/** Logits from which no token can be chosen. The model is broken, not the call. */
export class LogitsError extends SampleError {
  override name = "LogitsError";
}
