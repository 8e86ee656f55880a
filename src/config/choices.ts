/** The values of the settings that are a choice, where other files need them. */

/** random: drawn from anywhere, with replacement; epochs: every token at most once per epoch. */
export const WINDOW_ORDERS = ["random", "epochs"] as const;
export type WindowOrderName = (typeof WINDOW_ORDERS)[number];

/** What a document is, if the text consists of several: a line, a paragraph or a file. */
export const DOCUMENTS = ["none", "lines", "paragraphs", "files"] as const;
export type DocumentsKind = (typeof DOCUMENTS)[number];

/** How the documents to validate with are chosen. */
export const SPLITS = ["tail", "shuffle"] as const;
export type SplitName = (typeof SPLITS)[number];

/** The kinds of model: a decoder, an encoder, or an encoder and a decoder with cross-attention. */
export const MODEL_KINDS = ["gpt", "encoder", "seq2seq"] as const;
export type ModelKind = (typeof MODEL_KINDS)[number];

/** The tasks for seq2seq models. */
export const TASKS = ["reverse", "sort"] as const;
export type Task = (typeof TASKS)[number];

/** What tokens are: characters, bytes, frequent sequences of bytes (byte-pair encoding), or what an imported model brings. */
export const TOKENIZERS = ["char", "byte", "bpe", "huggingface"] as const;
export type TokenizerKind = (typeof TOKENIZERS)[number];
