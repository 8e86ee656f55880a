/** The browser's database as a shelf for runs. */
import type { KeptRun } from "../protocol.ts";
import type { KeptFiles, Shelf } from "./kept-runs.ts";

const DATABASE = "nopeek play";
const STORES = ["runs", "files"] as const;

interface KeptRow extends KeptRun {
  /** When it was put first. */
  readonly order: number;
}

export const shelf: Shelf = {
  async list() {
    const rows: KeptRow[] = await inStores("readonly", ({ runs }) => runs.getAll());
    return rows.sort((a, b) => a.order - b.order).map(({ order: _, ...run }) => run);
  },
  async put(run, kept) {
    const rows: KeptRow[] = await inStores("readonly", ({ runs }) => runs.getAll());
    const last = rows.reduce((highest, { order }) => Math.max(highest, order), 0);
    const order = rows.find(({ id }) => id === run.id)?.order ?? last + 1;
    // Both in one transaction: a tab that is closed meanwhile keeps the checkpoint before.
    await inStores("readwrite", ({ runs, files }) => {
      runs.put({ ...run, order });
      return files.put({ id: run.id, ...kept });
    });
  },
  async get(id) {
    const found: (KeptFiles & { id: string }) | undefined = await inStores("readonly", ({ files }) =>
      files.get(id),
    );
    return found ?? null;
  },
  async remove(id) {
    await inStores("readwrite", ({ runs, files }) => {
      runs.delete(id);
      return files.delete(id);
    });
  },
};

/** Runs requests in one transaction and returns the result of the last one. */
async function inStores<T>(
  mode: IDBTransactionMode,
  body: (stores: Record<(typeof STORES)[number], IDBObjectStore>) => IDBRequest<T>,
): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((resolve, reject) => {
      const transaction = database.transaction(STORES, mode);
      const [runs, files] = STORES.map((name) => transaction.objectStore(name));
      const request = body({ runs, files });
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? new Error("the browser refused to store it"));
    });
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      for (const name of STORES) request.result.createObjectStore(name, { keyPath: "id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser has no database"));
  });
}
