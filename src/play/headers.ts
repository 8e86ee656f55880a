/** The headers of every answer: `nopeek play` sends them, and the service worker of the static site adds them. */

/** What the page may load and run. Nothing comes from another host, and the markup contains neither scripts nor styles. */
const POLICY: readonly string[] = [
  "default-src 'none'",
  // Compiling the kernels is allowed; eval is not.
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
];

/** For a meta element, in which browsers ignore rules about frames. */
export const META_POLICY = POLICY.join("; ");

export const HEADERS: Readonly<Record<string, string>> = {
  // Together these two isolate the page, so browsers give it memory that threads share.
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": [...POLICY, "frame-ancestors 'none'"].join("; "),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};
