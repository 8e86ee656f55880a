/** `nopeek chat`: loads a model once and continues one prompt after another. */
import { NopeekError } from "../../../errors.ts";
import { withEscapes } from "../../options/escapes.ts";
import { reportImpossibleStops } from "../../options/unknown-characters.ts";
import { explainError } from "../../shared/explain-error.ts";
import { buildOn, type OpenModel, onlyGPT, readModel } from "../../shared/open-model.ts";
import { Terminal } from "../../terminal/output.ts";
import { checkSampleFlags, sampleSettingsOf } from "../sample/flags.ts";
import { ChatSession } from "./chat-session.ts";
import type { ChatFlags } from "./flags.ts";
import { openInput } from "./input.ts";
import { helpLines, parseLine, type Request, settingsLine } from "./slash-commands.ts";

export async function chat(run: string | undefined, given: ChatFlags): Promise<void> {
  const flags: ChatFlags = { ...given, strategy: "sample" };
  checkSampleFlags(flags);
  const terminal = new Terminal();
  const conversation = new Conversation(terminal, flags, await openNamed(run, flags, terminal));
  const input = openInput(flags.prompts, conversation.interrupt);
  if (input.interactive) conversation.introduce();
  try {
    for (let line = await input.next(); line !== null; line = await input.next()) {
      if (!(await conversation.take(line, input.interactive))) break;
    }
  } finally {
    input.close();
    await conversation.close();
  }
}

/** Carries out the lines of the input, and shows what follows from them. */
class Conversation {
  readonly #terminal: Terminal;
  readonly #flags: ChatFlags;
  readonly #session: ChatSession;

  constructor(terminal: Terminal, flags: ChatFlags, opened: OpenModel) {
    this.#terminal = terminal;
    this.#flags = flags;
    this.#session = new ChatSession(terminal, opened, flags);
    reportImpossibleStops(terminal, opened.tokenizer, flags.stop, "--stop");
  }

  introduce(): void {
    this.#terminal.note("The model continues the text that you type; it is not trained to answer questions.");
    this.#terminal.note("/help lists the commands; Ctrl-C stops a continuation, Ctrl-D leaves.");
  }

  /** Stops the current continuation; false if there is none. */
  readonly interrupt = (): boolean => {
    if (!this.#session.generating) return false;
    this.#session.interrupt();
    return true;
  };

  /**
   * Carries out a line. An error is printed, and the conversation continues; without a person who reads it, the program
   * exits with 1 at the end.
   *
   * @returns whether another line may follow
   */
  async take(line: string, interactive: boolean): Promise<boolean> {
    try {
      return await this.#carryOut(parseLine(line, this.#session.flags), interactive);
    } catch (error) {
      if (!(error instanceof NopeekError)) throw error;
      this.#terminal.note(`nopeek: ${explainError(error)}`);
      if (!interactive) process.exitCode = 1;
      return true;
    }
  }

  async close(): Promise<void> {
    await this.#session.opened.backend.close();
  }

  async #carryOut(request: Request, interactive: boolean): Promise<boolean> {
    const note = (line: string) => this.#terminal.note(line);
    const before = this.#session.flags;
    switch (request.kind) {
      case "quit":
        return false;
      case "say":
        await this.#say(request.prompt, interactive);
        break;
      case "set":
        this.#session.flags = request.flags;
        if (request.flags.stop !== before.stop)
          reportImpossibleStops(this.#terminal, this.#session.opened.tokenizer, request.flags.stop, "/stop");
        if (interactive) note(request.shown);
        break;
      case "model": {
        const opened = await openNamed(
          request.run,
          { ...this.#flags, model: undefined, step: undefined },
          this.#terminal,
        );
        await this.#session.replaceModel(opened).backend.close();
        break;
      }
      case "reset":
        this.#session.reset();
        break;
      case "help":
        for (const each of helpLines()) note(each);
        break;
      case "settings":
        note(settingsLine(this.#session.flags, sampleSettingsOf(this.#session.flags).temperature));
        break;
    }
    return true;
  }

  async #say(line: string, interactive: boolean): Promise<void> {
    const { json, echo, fresh, escapes } = this.#flags;
    const prompt = escapes ? withEscapes(line, "the prompt") : line;
    if (fresh) this.#session.reset();
    const { flags } = this.#session;
    let begun = false;
    const show = (piece: string) => {
      if (json) return;
      // What a person typed is on the screen already.
      if (!begun && echo !== false && !interactive) this.#terminal.text(prompt);
      begun = true;
      this.#terminal.text(piece);
    };
    const { continuation, ended } = await this.#session.say(prompt, show);
    if (json) {
      const { seed, overflow } = flags;
      this.#terminal.json({
        prompt,
        ...continuation.toJSON(ended),
        seed,
        settings: sampleSettingsOf(flags),
        overflow,
      });
    } else {
      this.#terminal.text("\n");
    }
  }
}

async function openNamed(run: string | undefined, flags: ChatFlags, terminal: Terminal): Promise<OpenModel> {
  const saved = readModel(flags, run, terminal);
  return onlyGPT(await buildOn(saved, flags, flags.threads ?? 1), saved.path);
}
