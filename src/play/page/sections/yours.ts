/** Section 8: a person's own text and run, in and out. */
import { html, render } from "lit-html";
import { plural } from "../../../util/format.ts";
import { printableLine } from "../../../util/printable.ts";
import type { RunState } from "../../protocol.ts";
import type { App } from "../app.ts";
import { droppedFiles, filesOf, type GivenFile } from "../dropped-files.ts";
import { Refusal } from "../engine-client.ts";
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

  constructor(body: HTMLElement, app: App) {
    this.#body = body;
    this.#app = app;
    app.onChange((state, before) => {
      if (state.run?.text !== before.run?.text || state.run?.contextLength !== before.run?.contextLength)
        this.#draw();
    });
    acceptDrops((files) => void this.#attempt(() => this.#take(files)));
    this.#draw();
  }

  /** Does what a person asked for. A refusal is shown, and changes nothing else. */
  async #attempt(action: () => Promise<string>): Promise<void> {
    [this.#message, this.#refusal] = ["reading …", null];
    this.#draw();
    try {
      this.#message = await action();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      [this.#message, this.#refusal] = [null, error.message];
    }
    this.#draw();
    this.#body.scrollIntoView({ block: "nearest" });
  }

  async #take(files: readonly GivenFile[]): Promise<string> {
    const [first] = files;
    if (files.length !== 1) throw new Refusal(`${plural(files.length, "file")}: drop one text`);
    return this.#useText({ name: first.path, file: first.file });
  }

  async #useText(text: { name: string; file: Blob } | null): Promise<string> {
    const link = readLink(location.hash);
    const request = { recipe: link.recipe, changes: changesIn(link), text };
    const { text: name } = await this.#app.engine.ask("useText", request);
    await this.#app.engine.ask("start", null);
    return `A new run is in training, on ${printableLine(name)}.`;
  }

  #draw(): void {
    const { run } = this.#app.state;
    render(
      html`<div class="row">
          ${this.#chooser("Choose a text")}
        </div>
        <p class="drop">or drop a text, anywhere on this page</p>
        ${this.#paste()}
        <p role="status" class=${this.#message === null ? "" : "note"}>${this.#message ?? ""}</p>
        ${this.#refusal === null ? "" : html`<p class="refused" role="alert">${printableLine(this.#refusal)}</p>`}
        ${run === null ? "" : this.#inTraining(run)}`,
      this.#body,
    );
  }

  #chooser(label: string) {
    const choose = ({ currentTarget }: Event) => {
      const input = currentTarget instanceof HTMLElement ? currentTarget.nextElementSibling : null;
      if (input instanceof HTMLInputElement) input.click();
    };
    const take = ({ target }: Event) => {
      if (!(target instanceof HTMLInputElement)) return;
      const files = filesOf(target);
      // The same file can be chosen again after it was changed.
      target.value = "";
      if (files.length > 0) void this.#attempt(() => this.#take(files));
    };
    return html`<span><button @click=${choose}>${label}</button><input type="file" hidden @change=${take}></span>`;
  }

  #paste() {
    const use = (event: SubmitEvent) => {
      event.preventDefault();
      const { target } = event;
      const area = target instanceof HTMLFormElement ? target.querySelector("textarea") : null;
      if (area === null) return;
      void this.#attempt(() => this.#useText({ name: PASTED, file: new Blob([area.value]) }));
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
    const back = () => void this.#attempt(() => this.#useText(null));
    return html`<p>In training: <b class="name">${printableLine(text)}</b>, ${plural(characters, "character")}, in windows of ${contextLength}.
      ${isOwnText ? html`The link in the address bar does not hold this text. <button @click=${back}>Back to the tales</button>` : ""}</p>`;
  }
}

/** Accepts files that are dropped anywhere on the page. */
function acceptDrops(take: (files: readonly GivenFile[]) => void): void {
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  const mark = (isOver: boolean) => document.body.classList.toggle("dropping", isOver);
  window.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark(true);
  });
  window.addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) mark(false);
  });
  window.addEventListener("drop", (event) => {
    mark(false);
    if (!hasFiles(event) || event.dataTransfer === null) return;
    event.preventDefault();
    void droppedFiles(event.dataTransfer).then(take);
  });
}
