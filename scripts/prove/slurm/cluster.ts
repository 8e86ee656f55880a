/** A Slurm of two nodes on this machine, with all its files in one folder, from which nothing is left when it closes. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const NODES = ["n1", "n2"];
const APART = ["--mount", "--uts"];
/**
 * Two hosts have their own names and their own shared memory. Without that, tasks of both nodes open the same memory,
 * and crash. Both nodes name a folder for PMIx alike, too.
 */
const SECOND_NODE = `
  echo "$2" > /proc/sys/kernel/hostname && mount --bind "$0" "$1" && mount -t tmpfs none /dev/shm &&
  exec slurmd -D -N "$2"`;
/** How long the daemons may take to start, and a command to end. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 100;

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** What is missing for a Slurm here; null if nothing is. */
export function missingForSlurm(): string | null {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "it needs root on Linux";
  const programs = ["slurmctld", "slurmd", "munged", "sbatch", "srun", "unshare", "mount"];
  const missing = programs.filter((name) => !succeeds("sh", ["-c", `command -v ${name}`]));
  if (missing.length > 0) return `${missing.join(", ")} not found`;
  return succeeds("unshare", [...APART, "true"]) ? null : "no namespace can be made here";
}

function succeeds(program: string, words: readonly string[]): boolean {
  return spawnSync(program, words, { stdio: "ignore", env: environment() }).status === 0;
}

function environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, ...more };
}

export class SlurmCluster {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #daemons: ChildProcess[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
    this.#env = environment({
      SLURM_CONF: join(folder, "slurm.conf"),
      // Both nodes are this host, which may have no other network, and fewer processors than they have tasks. Containers
      // often forbid reading the memory of another process.
      OMPI_MCA_btl_tcp_if_include: "lo",
      OMPI_MCA_btl_vader_single_copy_mechanism: "none",
      OMPI_MCA_mpi_yield_when_idle: "1",
    });
  }

  /**
   * Starts two nodes with four processors each and two partitions, of which "urgent" displaces jobs of "usual".
   *
   * @param folder an empty folder
   * @throws Error with what the daemons printed, if no job can be run
   */
  static async start(folder: string): Promise<SlurmCluster> {
    const cluster = new SlurmCluster(folder);
    try {
      await cluster.#startDaemons();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  async #startDaemons(): Promise<void> {
    const own = (...names: readonly string[]) => join(this.#folder, ...names);
    for (const name of ["munge", "state", "pmix", "pmix-n2", ...NODES.map((node) => `spool-${node}`)])
      mkdirSync(own(name));
    const [first, second, third] = await freePorts(3);
    writeFileSync(own("slurm.conf"), configuration(this.#folder, first, [second, third]));
    writeFileSync(own("mpi.conf"), `PMIxCliTmpDirBase=${own("pmix")}\n`);
    writeFileSync(own("munge", "key"), crypto.getRandomValues(new Uint8Array(128)), { mode: 0o600 });
    const munge = ["pid", "log", "seed"].map((name) => `--${name}-file=${own("munge", name)}`);
    const key = [`--key-file=${own("munge", "key")}`, `--socket=${own("munge", "socket")}`];
    this.#start("munged", ["--foreground", "--force", ...key, ...munge]);
    this.#start("slurmctld", ["-D"]);
    this.#start("slurmd", ["-D", "-N", NODES[0]]);
    this.#start("unshare", [...APART, "sh", "-c", SECOND_NODE, own("pmix-n2"), own("pmix"), NODES[1]]);
    await this.#until("both nodes are idle", async () => {
      const { output } = await this.run("sinfo", [
        "--noheader",
        "--Node",
        "--partition=usual",
        "--format=%T",
      ]);
      return output.trim() === "idle\nidle";
    });
  }

  /** Whether this plugin of srun works: Slurm lists one whose library is missing, too. */
  async supports(plugin: string): Promise<boolean> {
    const { output } = await this.run("srun", ["--mpi=list"]);
    return (
      output.includes(plugin) && !(plugin === "pmix" && this.#log().includes("can not load PMIx library"))
    );
  }

  /** Runs one of Slurm's commands. */
  async run(program: string, words: readonly string[], folder = this.#folder): Promise<Ended> {
    const child = spawn(program, words, { cwd: folder, env: this.#env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    const [code] = await once(child, "close");
    clearTimeout(timer);
    return { code, output };
  }

  /** @throws Error if the condition is not met in time */
  async #until(what: string, condition: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS;
    while (!(await condition())) {
      const ended = this.#daemons.find(({ exitCode, signalCode }) => (exitCode ?? signalCode) !== null);
      if (ended !== undefined || performance.now() > endMs)
        throw new Error(`Slurm: waited in vain until ${what}\n${this.#log()}`);
      await pause(LOOK_MS);
    }
  }

  /** Ends all jobs, waits until nothing of them runs, and ends the daemons. */
  async close(): Promise<void> {
    const runs = this.#daemons.every(({ exitCode, signalCode }) => (exitCode ?? signalCode) === null);
    try {
      if (runs && this.#daemons.length > 0) {
        await this.run("scancel", ["--partition=usual"]);
        await this.run("scancel", ["--partition=urgent"]);
        await this.#until("no job is left", async () => (await this.run("squeue", ["-h"])).output === "");
      }
    } finally {
      // Backwards: munged, the first, serves the others.
      for (const daemon of this.#daemons.reverse()) {
        const closed = once(daemon, "exit");
        if ((daemon.exitCode ?? daemon.signalCode) === null && daemon.kill("SIGTERM")) await closed;
      }
    }
  }

  #start(program: string, words: readonly string[]): void {
    const log = openSync(join(this.#folder, "daemons.log"), "a");
    const daemon = spawn(program, words, { env: this.#env, cwd: this.#folder, stdio: ["ignore", log, log] });
    daemon.on("error", () => {});
    this.#daemons.push(daemon);
  }

  #log(): string {
    return readFileSync(join(this.#folder, "daemons.log"), "utf8");
  }
}

function configuration(folder: string, port: number, [first, second]: readonly number[]): string {
  const [host] = hostname().split(".");
  const at = (name: string) => join(folder, name);
  const node = (name: string, port: number) =>
    `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${port} CPUs=4 RealMemory=100`;
  return `ClusterName=nopeek
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${port}
SlurmUser=root
AuthType=auth/munge
# A job that was put back into the queue waits until its credentials have expired.
AuthInfo=socket=${at("munge/socket")},cred_expire=5
StateSaveLocation=${at("state")}
SlurmdSpoolDir=${at("spool-%n")}
SlurmctldPidFile=${at("slurmctld.pid")}
SlurmdPidFile=${at("slurmd-%n.pid")}
# Nodes may have more processors than this machine.
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MailProg=/bin/true
KillWait=20
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
${node(NODES[0], first)}
${node(NODES[1], second)}
PartitionName=usual Nodes=ALL Default=YES PriorityTier=1 GraceTime=20
PartitionName=urgent Nodes=ALL PriorityTier=2
`;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  const ports = await Promise.all(
    servers.map(async (server) => {
      await once(server, "listening");
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("a server has no port");
      return address.port;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}
