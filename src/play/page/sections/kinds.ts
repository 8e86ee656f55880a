import type { App } from "../app.ts";

export function mountKinds(_body: HTMLElement, _app: App): void {}
