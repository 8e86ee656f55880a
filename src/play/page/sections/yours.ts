/** Section 8: a person's own text and run, in and out. */
import { html, render } from "lit-html";
import { formatCount, plural } from "../../../util/format.ts";
import { printableLine } from "../../../util/printable.ts";
import type { SavedRun } from "../../engine/saved-run.ts";
import type { GivenFile, RunState } from "../../protocol.ts";
import type { App } from "../app.ts";
import { resumeCommand } from "../commands.ts";
import { acceptDrops, chooseFiles } from "../dropped-files.ts";
import { changesIn, readLink } from "../link.ts";

const PASTED = "pasted-text.txt";

export function mountYours(body: HTMLElement, app: App): void {
  new YoursSection(body, app);
}

class YoursSection {
  readonly #body: HTMLElement;
  readonly #app: App;
  #message: string | null = null;
  #refusal: string | null = null;
  /** Whether a run waits for its text. */
  #needsText = false;
  #saved: Omit<SavedRun, "bytes"> | null = null;

  constructor(body: HTMLElement, app: App) {
    this.#body = body;
    this.#app = app;
    app.onChange(({ run }, before) => {
      const shown = (state: RunState | null) =>
        `${state?.text} ${state?.contextLength} ${state?.stepsDone === 0}`;
      if (shown(run) !== shown(before.run)) this.#draw();
    });
    acceptDrops((files) => {
      this.#body.parentElement?.scrollIntoView({ block: "nearest" });
      void this.#take(files);
    });
    this.#draw();
  }

  /** Does what a person asked for. A refusal is shown, and changes nothing else. */
  async #attempt(doing: string, action: () => Promise<string | null>): Promise<void> {
    [this.#message, this.#refusal] = [doing, null];
    this.#draw();
    try {
      this.#message = await action();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      [this.#message, this.#refusal] = [null, error.message];
    }
    this.#draw();
  }

  #take(given: readonly GivenFile[] | Promise<GivenFile[]>): Promise<void> {
    return this.#attempt("reading …", async () => {
      const files = await given;
      if (files.length === 0) return null;
      const { message, needsText } = await this.#app.engine.ask("takeFiles", { ...openRequest(), files });
      this.#needsText = needsText;
      if (needsText) return message;
      this.#saved = null;
      await this.#app.engine.ask("start", null);
      return message;
    });
  }

  #save(): Promise<void> {
    return this.#attempt("saving …", async () => {
      const { bytes, ...saved } = await this.#app.engine.ask("save", null);
      download(`${saved.folder}.zip`, bytes);
      this.#saved = saved;
      return null;
    });
  }

  #draw(): void {
    const { run } = this.#app.state;
    const [message, refusal] = [this.#message, this.#refusal];
    render(
      html`<div class="row">
          ${this.#chooser("Choose a text or a .zip", false)}
          ${this.#chooser("Choose a run folder", true)}
          <button ?disabled=${(run?.stepsDone ?? 0) === 0} @click=${() => void this.#save()}>Save this run</button>
        </div>
        <p class="drop">or drop a text, a run folder or a saved .zip, anywhere on this page</p>
        <p role="status" class=${message === null ? "" : "note"}>${printableLine(message ?? "")}
          ${this.#needsText ? html` <button @click=${this.#forget}>Leave that run</button>` : ""}</p>
        ${refusal === null ? "" : html`<p class="refused" role="alert">${printableLine(refusal)}</p>`}
        ${this.#saved === null ? "" : savedNote(this.#saved)}
        ${run === null ? "" : this.#inTraining(run)}
        ${this.#paste()}`,
      this.#body,
    );
  }

  readonly #forget = () =>
    void this.#attempt("", async () => {
      await this.#app.engine.ask("forgetWaiting", null);
      this.#needsText = false;
      return null;
    });

  #chooser(label: string, folder: boolean) {
    const choose = () =>
      chooseFiles(this.#body, folder, (files) => {
        if (files.length > 0) void this.#take(files);
      });
    return html`<button @click=${choose}>${label}</button>`;
  }

  #paste() {
    const use = (event: SubmitEvent) => {
      event.preventDefault();
      const area = this.#body.querySelector("textarea");
      if (area !== null) void this.#take([{ path: PASTED, file: new Blob([area.value]) }]);
    };
    return html`<details>
      <summary>Paste a text</summary>
      <form class="paste" @submit=${use}>
        <textarea rows="6" aria-label="Text to train on" spellcheck="false"></textarea>
        <button>Train on this text</button>
      </form>
    </details>`;
  }

  #inTraining({ text, characters, contextLength, isOwnText }: RunState) {
    const back = () =>
      void this.#attempt("reading …", async () => {
        await this.#app.engine.ask("useTales", openRequest());
        await this.#app.engine.ask("start", null);
        return "A new run trains on the tales.";
      });
    return html`<p>In training: <b class="name">${printableLine(text)}</b>, ${plural(characters, "character")}, in windows of ${formatCount(contextLength)}.
      ${isOwnText ? html`This text stays in this page; the link in the address bar does not hold it. <button @click=${back}>Back to the tales</button>` : ""}</p>`;
  }
}

function savedNote({ folder, textFile, isPure }: Omit<SavedRun, "bytes">) {
  return html`<div class="note">
    <p>Saved as <b class="name">${printableLine(folder)}.zip</b>${textFile === null ? "" : ", with its text"}. Unzip it, and continue in a terminal${isPure ? ", to the same bits" : ""}:</p>
    <pre>${resumeCommand({ folder, textFile })}</pre>
    ${isPure ? "" : html`<p>Some of its steps were made without the causal mask, and no command repeats those. The rest of the run has the mask. NOTE.txt in the folder says so.</p>`}
  </div>`;
}

/** The settings of a new run, as the link has them. */
function openRequest() {
  const link = readLink(location.hash);
  return { recipe: link.recipe, changes: changesIn(link) };
}

function download(name: string, bytes: Uint8Array<ArrayBuffer>): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: "application/zip" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
