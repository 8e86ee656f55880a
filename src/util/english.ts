/** The English messages of the validator, which it leaves out unless asked for them. */
import en from "zod/v4/locales/en.js";

/** Pass this to `safeParse` where the message of an issue is shown. */
export const IN_ENGLISH = { error: en().localeError };
