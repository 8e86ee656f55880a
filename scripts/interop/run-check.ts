/** Runs a check with its client, and reads what it prints. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as z from "zod/mini";
import type { Measured } from "./claims.ts";
import type { Client } from "./clients.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const measured = z.object({
  case: z.string(),
  claim: z.string(),
  // JSON has no NaN: Python prints one, and JavaScript null.
  measured: z.catch(z.number(), Number.NaN),
});

/** Long enough for the slowest check on a crowded machine. */
const LIMIT_MS = 240_000;

/**
 * @param script the file in this folder, and what precedes the case folders
 * @throws Error if the program fails, or prints something else
 */
export async function runCheck(
  client: Client,
  script: readonly string[],
  folders: readonly string[],
): Promise<Measured[]> {
  const [file, ...words] = script;
  const [program, ...options] = client.command;
  const child = spawn(program, [...options, here + file, ...words, ...folders], {
    env: { ...process.env, ...client.environment },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
  });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`${file} ended with status ${code}: ${errors.trim().slice(-2000)}`);
  return output.split("\n").flatMap((line) => (line.startsWith("{") ? [lineOf(file, line)] : []));
}

function lineOf(file: string, line: string): Measured {
  try {
    return z.parse(measured, JSON.parse(line.replaceAll(/\b(?:NaN|-?Infinity)\b/g, "null")));
  } catch (cause) {
    throw new Error(`${file} printed a line that is no claim: ${line}`, { cause });
  }
}
