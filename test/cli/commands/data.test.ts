/** Texts from files, folders, standard input and the network, and repeating a run from its config. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { nopeekHere, succeedHere } from "../../support/in-process.ts";
import {
  expectComplaint,
  MAIN,
  makeFolderWithText,
  makeText,
  nopeek,
  TINY,
  TRAIN,
  WORDS,
} from "../../support/program.ts";

const [ONE, TWO] = [makeText(WORDS, 101), makeText(WORDS.slice(3), 97)];
// Neither ends with a newline. Joined, each one does.
const { folder, text: JOINED, at } = makeFolderWithText(`${ONE}\n${TWO}\n`);
mkdirSync(at("texts", "b"), { recursive: true });
writeFileSync(at("texts", "a.txt"), ONE);
writeFileSync(at("texts", "b", "two.txt"), TWO);
writeFileSync(at("texts", ".hidden"), Buffer.from([0xff, 0xfe, 0xff]));
const short = ["--preset", "gpt2-style", "--steps", 5, "--eval-batches", 1, "--dropout", 0.1];
const weights = (run: string, step = "step-000005") => readFileSync(at(run, step, "model.safetensors"));

describe("a text of several files", () => {
  it("equals one file with the same contents, and a resumed run finds it again", async () => {
    await succeedHere(folder, ...TRAIN, "--out", "one", ...short);
    const many = ["texts/a.txt", "texts/b/two.txt"];
    const { stderr } = await succeedHere(
      folder,
      "train",
      "--data",
      ...many,
      "--out",
      "many",
      ...TINY,
      ...short,
    );
    expect(stderr).toContain("in 2 files, joined in order");
    expect(stderr).toMatch(/distinct characters; the rarest: ".*" \d+×/);
    expect(stderr).toMatch(/[\d.]+ training tokens per parameter/);
    await succeedHere(folder, "train", "--data", "texts", "--out", "folder", ...TINY, ...short);
    expect(weights("many").equals(weights("one"))).toBe(true);
    expect(weights("folder").equals(weights("one"))).toBe(true);
    for (const run of ["one", "many"])
      await succeedHere(folder, "train", "--resume", "--out", run, "--steps", 7);
    expect(weights("many", "step-000007").equals(weights("one", "step-000007"))).toBe(true);
  });

  it("can come from standard input", () => {
    const words = ["train", "--data", "-", "--out", "piped", ...TINY, ...short].map(String);
    const { status } = spawnSync(process.execPath, [MAIN, ...words], { cwd: folder, input: JOINED });
    expect(status).toBe(0);
    expect(weights("piped").equals(weights("one"))).toBe(true);
    const resumed = spawnSync(process.execPath, [MAIN, "train", "--resume", "--out", "piped"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(resumed.stderr).toContain("pass the same text with --data");
  });
});

describe("--config", () => {
  it("repeats a run from its config bit for bit, with the steps that a resume added; flags override it", async () => {
    const end = "step-000007";
    await succeedHere(folder, "train", "--config", "one/config.json", "--out", "again", "--threads", 1);
    expect(weights("again", end).equals(weights("one", end))).toBe(true);
    expect(readFileSync(at("again", "config.json"))).toEqual(readFileSync(at("one", "config.json")));
    await succeedHere(folder, "train", "--config", "one/config.json", "--out", "other", "--seed", 2);
    expect(weights("other", end).equals(weights("one", end))).toBe(false);
    writeFileSync(
      at("changed.json"),
      readFileSync(at("one", "config.json"), "utf8").replace(/"sha256": "./, "$&0"),
    );
    const outcome = await nopeekHere(folder, "train", "--config", "changed.json", "--out", "changed");
    expectComplaint(outcome, 2, "text.txt: is not the text that this run was started on");
  });
});

describe("nopeek data", () => {
  it("lists the available texts", async () => {
    const { stdout } = await succeedHere(folder, "data");
    expect(stdout).toContain("tinyshakespeare");
    expect(stdout).toContain("https://raw.githubusercontent.com/karpathy/char-rnn/");
  });

  it("saves nothing but the expected text, and explains network errors", async () => {
    const server = createServer((request, response) => {
      response.statusCode = request.url === "/input.txt" ? 200 : 404;
      response.end("First Citizen:\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the server has no port");
    const url = `http://127.0.0.1:${address.port}`;
    const get = (from: string) =>
      nopeekHere(folder, "data", "tinyshakespeare", "--url", from, "--out", "got.txt");
    expect((await get(`${url}/input.txt`)).stderr).toContain("returned a different text: its SHA-256 is");
    expect((await get(`${url}/none`)).stderr).toContain("the server answered 404");
    await new Promise((resolve) => server.close(resolve));
    const gone = await get(`${url}/input.txt`);
    expect(gone.code).toBe(1);
    expect(gone.stderr).toContain("cannot be reached: ");
    expect(gone.stderr).toContain("check the network connection");
    expect(readdirSync(folder).filter((name) => name.startsWith("got"))).toEqual([]);
    writeFileSync(at("got.txt"), "my own");
    expect((await get(url)).stderr).toContain("already exists and is not tinyshakespeare");
    expect(readFileSync(at("got.txt"), "utf8")).toBe("my own");
  });

  it("refuses a folder and a pipe in place of its file", async () => {
    mkdirSync(at("place"));
    const folderGiven = await nopeekHere(folder, "data", "tinyshakespeare", "--out", "place");
    expectComplaint(folderGiven, 1, "place: is a folder", "--out place/tinyshakespeare.txt");
    if (spawnSync("mkfifo", [at("pipe")]).status !== 0) return;
    const pipeGiven = await nopeekHere(folder, "data", "tinyshakespeare", "--out", "pipe");
    expectComplaint(pipeGiven, 1, "pipe: already exists and is not tinyshakespeare");
  });
});

describe("a text that is not a file", () => {
  it.runIf(existsSync("/dev/zero"))("is refused at once", async () => {
    symlinkSync("/dev/zero", at("endless"));
    expect(spawnSync("mkfifo", [at("waiting")]).status).toBe(0);
    for (const data of ["endless", "waiting", "/dev/null"]) {
      const outcome = await nopeekHere(folder, ...TRAIN, "--data", data, "--out", "never");
      expectComplaint(outcome, 1, `${data}: is a pipe or a device, not a file`);
    }
  });

  it.runIf(existsSync("/proc/self"))("is refused in a config too, such as a folder without end", async () => {
    const config = readFileSync(at("one", "config.json"), "utf8");
    for (const path of ["/proc/self", "endless", "waiting"]) {
      writeFileSync(at("hostile.json"), config.replace(/"path": "[^"]*"/, `"path": "${path}"`));
      // The folder /proc/self/fd of this process has whatever other tests have opened, text too.
      const run = path === "/proc/self" ? nopeek : nopeekHere;
      const outcome = await run(folder, "train", "--config", "hostile.json", "--out", "never");
      expectComplaint(outcome, 1, path, path === "/proc/self" ? "is empty" : "is a pipe or a device");
    }
  });

  it.runIf(existsSync("/proc/self/status"))("ends where the file did when it was opened", async () => {
    const outcome = await nopeekHere(folder, ...TRAIN, "--data", "/proc/self/status", "--out", "never");
    expectComplaint(outcome, 1, "/proc/self/status: is empty");
  });
});
