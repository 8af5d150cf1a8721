// The tarball as the registry gets it: what is in it, and what tools that read packages say of it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { publint } from "../../xtask/tools/node_modules/publint/src/index-node.js";
import { installed } from "./packed.mjs";

const SNAPSHOT = new URL("../../pkg/files.snapshot.txt", import.meta.url);
const ATTW = fileURLToPath(new URL("../../xtask/tools/node_modules/@arethetypeswrong/cli/dist/index.js", import.meta.url));

let project;

before(async () => {
  project = await installed();
});

after(() => project?.remove());

test("the files are those that were reviewed", async () => {
  const { stdout } = await promisify(execFile)("tar", ["-tzf", project.tarball]);
  const files = stdout.trim().split("\n").map((path) => path.replace(/^package\//, ""));
  const list = `${files.sort().join("\n")}\n`;
  if (process.env.UPDATE_SNAPSHOT) await writeFile(SNAPSHOT, list);
  assert.equal(list, await readFile(SNAPSHOT, "utf8"), "after a review: UPDATE_SNAPSHOT=1 node --test tests/node/published.test.mjs");
});

test("publint finds nothing, and suggests nothing", async () => {
  const tarball = await readFile(project.tarball);
  const { messages } = await publint({ pack: { tarball: new Uint8Array(tarball).buffer }, level: "suggestion", strict: true });
  assert.deepEqual(messages, []);
});

test("the types of every entry are found, and are of the module that is loaded", async () => {
  // A compiler has no use for the file itself.
  const only = ["--exclude-entrypoints", "./gridkey.wasm", "--profile", "strict", "--format", "json"];
  const { stdout } = await promisify(execFile)(process.execPath, [ATTW, project.tarball, ...only]).catch((error) => error);
  const { analysis } = JSON.parse(stdout);
  assert.deepEqual(analysis.problems, []);
  const { exports } = JSON.parse(await readFile(new URL("../../pkg/package.json", import.meta.url), "utf8"));
  assert.deepEqual(Object.keys(analysis.entrypoints).sort(), Object.keys(exports).filter((entry) => entry !== "./gridkey.wasm").sort());
});
