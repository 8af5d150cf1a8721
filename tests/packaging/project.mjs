// Copies of the projects, in which the packed package is installed as its users install it.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { GIVEN } from "./outcome.mjs";

const run = promisify(execFile);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Kept from run to run, so that what is installed needs not be installed again. */
const WORK = resolve(process.env.PACKAGING_DIRECTORY ?? here("../../target/packaging"));

const NPM_OPTIONS = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

const MAX_OUTPUT = 1 << 26;
const TIME_LIMIT = 10 * 60_000;

const ENVIRONMENT = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", PARCEL_WORKERS: "1", NO_COLOR: "1", FORCE_COLOR: undefined };

/** Packs the package; gives the archive's path, which changes with its content. */
export async function pack() {
  await mkdir(WORK, { recursive: true });
  for (const name of await readdir(WORK)) {
    if (name.endsWith(".tgz")) await rm(join(WORK, name));
  }
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", WORK, ...NPM_OPTIONS], { cwd: here("../../pkg") });
  return join(WORK, Object.values(JSON.parse(stdout))[0].filename);
}

/** The projects that were prepared in this run. */
const prepared = new Map();

/** The project of this name with its packages installed. */
export function prepare(name, tarball) {
  if (!prepared.has(name)) prepared.set(name, install(name, tarball));
  return prepared.get(name);
}

async function install(name, tarball) {
  const source = here(`projects/${name}`);
  const directory = join(WORK, name);
  await mkdir(directory, { recursive: true });
  // Everything but the packages is made anew.
  for (const entry of await readdir(directory)) {
    if (entry !== "node_modules") await rm(join(directory, entry), { recursive: true });
  }
  await cp(source, directory, { recursive: true });
  await writeShared(directory);

  const lock = await readFile(join(source, "package-lock.json")).catch(() => "");
  await unlessDone(join(directory, "node_modules/.of-lock"), [lock], async () => {
    await rm(join(directory, "node_modules"), { recursive: true, force: true });
    if (lock) await npm(directory, "ci");
  });
  await unlessDone(join(directory, "node_modules/.of-archive"), [lock, await readFile(tarball)], async () => {
    // npm takes a package for installed whose archive has the same name and other content.
    for (const name of ["gridkey", ".package-lock.json"]) await rm(join(directory, "node_modules", name), { recursive: true, force: true });
    await npm(directory, "install", "--no-save", "--no-package-lock", tarball);
  });
  return new Project(directory);
}

/** Does something unless the file at `stamp` says that it was done with the same inputs. */
async function unlessDone(stamp, inputs, body) {
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(input);
  const wanted = hash.digest("hex");
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return;
  await body();
  await mkdir(dirname(stamp), { recursive: true });
  await writeFile(stamp, wanted);
}

async function npm(directory, ...args) {
  await run("npm", [...args, "--prefer-offline", ...NPM_OPTIONS], { cwd: directory, maxBuffer: MAX_OUTPUT, timeout: TIME_LIMIT });
}

/** The vectors and what is done with them, as an ECMAScript and as a CommonJS module. */
async function writeShared(directory) {
  const vector = `export const vector = ${JSON.stringify(GIVEN, null, 2)};\n`;
  const use = await readFile(here("use.js"), "utf8");
  await writeFile(join(directory, "vector.js"), vector);
  await writeFile(join(directory, "use.js"), use);
  const withoutModules = (code) => code.replace(/^import .*$/gm, "").replace(/^export /gm, "");
  await writeFile(join(directory, "use.cjs"), `${withoutModules(vector)}${withoutModules(use)}\nmodule.exports = { use };\n`);
}

class Project {
  constructor(directory) {
    this.directory = directory;
  }

  path(...names) {
    return join(this.directory, ...names);
  }

  /** Runs a file of the project or of its packages with Node; gives what it prints. */
  node(file, ...args) {
    return this.#node(ENVIRONMENT, file, ...args);
  }

  /** Also gives those files of gridkey that were loaded: scripts by V8's own account of them, and all WebAssembly. */
  async nodeLoading(file, ...args) {
    const coverage = this.path("coverage");
    await rm(coverage, { recursive: true, force: true });
    const printed = await this.#node({ ...ENVIRONMENT, NODE_V8_COVERAGE: coverage }, file, ...args);
    const reports = await readdir(coverage);
    const results = await Promise.all(reports.map(async (name) => (await this.json("coverage", name)).result));
    const scripts = new Set(results.flat().map(({ url }) => url.replace(/^file:\/\//, "").replace(/\?.*$/, "")));
    const files = await this.files("node_modules/gridkey");
    const loaded = files.filter(({ path, name }) => name.endsWith(".wasm") || scripts.has(path));
    assert.ok(loaded.some(({ name }) => name === "glue.js"), "V8 reports no script of gridkey's");
    return { printed, loaded };
  }

  async #node(env, file, ...args) {
    try {
      const { stdout } = await run(process.execPath, [this.path(file), ...args], { cwd: this.directory, env, maxBuffer: MAX_OUTPUT, timeout: TIME_LIMIT });
      return stdout;
    } catch (error) {
      throw new Error(`${file} ${args.join(" ")}: ${error.stdout}${error.stderr}`, { cause: error });
    }
  }

  /** Starts a server that runs until `stop` is called. */
  serve(file, ...args) {
    // A group of its own, because some of them start others.
    const child = spawn(process.execPath, [this.path(file), ...args], { cwd: this.directory, env: ENVIRONMENT, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
    const ended = new Promise((resolve) => child.once("exit", resolve));
    return {
      /** Waits until it answers. */
      async ready(url) {
        for (let tries = 0; tries < 300; tries++) {
          assert.equal(child.exitCode, null, `${file} ended: ${output}`);
          if (await fetch(url).then(({ ok }) => ok, () => false)) return;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        assert.fail(`${file} does not answer: ${output}`);
      },
      async stop() {
        if (child.exitCode === null) process.kill(-child.pid, "SIGKILL");
        await ended;
      },
    };
  }

  async json(...names) {
    return JSON.parse(await readFile(this.path(...names), "utf8"));
  }

  /** Every file below a directory. */
  async files(...names) {
    const root = this.path(...names);
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    assert.ok(entries.length > 0, `${root} is empty`);
    const files = entries.filter((entry) => entry.isFile());
    return Promise.all(
      files.map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        return { name, path, content: await readFile(path) };
      }),
    );
  }
}
