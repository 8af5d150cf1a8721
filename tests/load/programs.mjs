// The programs under load: started, watched through /proc, and ended.

import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const RELAY_HOST = "127.0.0.1";
/** Two for each of 1,000 connections and more, whatever the program does besides. */
const OPEN_FILES = 4096;

const logs = mkdtempSync(join(tmpdir(), "gridkey-load-"));
let started = 0;

// Also where an error ends this program.
const children = [];
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(logs, { recursive: true, force: true });
});

/** The relay program, with these settings besides what it always needs. */
export async function startRelay(gridUrl, customer, settings) {
  const log = join(logs, `relay-${(started += 1)}.log`);
  const file = openSync(log, "w");
  // A file, because a pipe that is not emptied in time would hold the relay up.
  const child = spawn(process.env.RELAY_PROGRAM, {
    stdio: ["ignore", "ignore", file],
    env: {
      GRID_BASE_URL: gridUrl,
      GRID_CLIENT_ID: process.env.GRID_CLIENT_ID,
      GRID_CLIENT_SECRET: process.env.GRID_CLIENT_SECRET,
      GRID_ACCOUNT_ID: customer.accountId,
      GRID_CUSTOMER_ID: customer.customerId,
      RELAY_LISTEN: `${RELAY_HOST}:0`,
      RELAY_ORIGINS: "http://localhost",
      RELAY_USER_ID_SECRET: "a secret for the time of the load",
      // Everybody is one customer to this program.
      RELAY_MAX_REQUESTS_PER_CUSTOMER: "100000",
      ...settings,
    },
  });
  children.push(child);
  closeSync(file);
  const address = /the relay is at (http:\/\/\S+)\/api\/grid/;
  const url = await until("the relay listens", 30_000, () => {
    if (child.exitCode !== null) throw new Error(`the relay ended: ${readFileSync(log, "utf8")}`);
    return readFileSync(log, "utf8").match(address)?.[1];
  });
  return new Relay(child, url, log);
}

class Relay {
  #child;
  #log;
  #watch;
  #files = 0;

  constructor(child, url, log) {
    this.#child = child;
    this.#log = log;
    this.url = url;
    const allowed = readFileSync(this.#proc("limits"), "utf8").match(/Max open files +(\d+)/);
    if (Number(allowed?.[1]) < OPEN_FILES) {
      this.stop();
      throw new Error(
        `the load needs ${OPEN_FILES} open files, and ${allowed?.[1]} are allowed here: ` +
          `raise the hard limit ("ulimit -Hn ${OPEN_FILES}" as root, or limits.conf)`,
      );
    }
    this.filesAtRest = this.files();
    this.#watch = setInterval(() => this.files(), 50);
  }

  #proc(name) {
    return `/proc/${this.#child.pid}/${name}`;
  }

  /** How many files are open now. */
  files() {
    if (this.#child.exitCode !== null) return 0;
    const files = readdirSync(this.#proc("fd")).length;
    this.#files = Math.max(this.#files, files);
    return files;
  }

  /** The most files and the most memory that there ever were. */
  peaks() {
    const kilobytes = readFileSync(this.#proc("status"), "utf8").match(/VmHWM:\s+(\d+) kB/);
    return { files: this.#files, mebibytes: Math.round(Number(kilobytes[1]) / 1024) };
  }

  isRunning() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The log so far. */
  log() {
    return readFileSync(this.#log, "utf8");
  }

  async stop() {
    clearInterval(this.#watch);
    if (!this.isRunning()) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
    rmSync(this.#log);
  }
}

/** The sandbox program. */
export async function startSandbox() {
  const child = spawn(process.env.SANDBOX_PROGRAM, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [line] = await once(child.stdout, "data");
  return { url: String(line).trim(), stop: () => child.kill("SIGKILL") };
}

/** A Grid of which one operation misbehaves: see grid.mjs. */
export async function startGrid(mode) {
  const child = fork(new URL("grid.mjs", import.meta.url), [mode]);
  children.push(child);
  const [{ port }] = await once(child, "message");
  return {
    url: `http://127.0.0.1:${port}`,
    /** How many connections are open on which that operation was asked for. */
    async open() {
      const answer = once(child, "message");
      child.send("open");
      return (await answer)[0].open;
    },
    stop: () => child.kill("SIGKILL"),
  };
}

/** Asks again and again until there is an answer. */
export async function until(what, limitMs, ask) {
  const end = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await sleep(50);
  }
}
