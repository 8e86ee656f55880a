import type { App } from "../app.ts";

export function mountPadding(_body: HTMLElement, _app: App): void {}
