// The package as it is published, in the test runners that people use: Vitest by import, Jest by
// require, each in Node and in jsdom.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { installed } from "../node/packed.mjs";

const PACKAGE_JSON = new URL("../../pkg/package.json", import.meta.url);
const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));

let project;
before(async () => (project = await installed()));
after(() => project?.remove());

for (const [runner, program, options, passes] of [
  ["vitest", "vitest/vitest.mjs", (file) => ["run", "--reporter=json", `--outputFile=${file}`], 20],
  ["jest", "jest/bin/jest.js", (file) => ["--ci", "--json", `--outputFile=${file}`], 19],
]) {
  test(`it works in ${runner}`, async () => {
    const directory = pathOf(runner);
    const target = join(directory, "node_modules/gridkey");
    await rm(target, { recursive: true, force: true });
    await cp(project.target, target, { recursive: true });
    const results = await mkdtemp(join(tmpdir(), "gridkey-runner-"));
    try {
      const file = join(results, "results.json");
      const args = [join(directory, "node_modules", program), ...options(file)];
      const { NODE_TEST_CONTEXT, ...env } = process.env;
      const run = promisify(execFile)(process.execPath, args, { cwd: directory, env });
      await run.catch(({ stdout, stderr }) => assert.fail(stdout + stderr));
      const { success, numPassedTests, numTotalTests } = JSON.parse(await readFile(file, "utf8"));
      assert.deepEqual([success, numPassedTests, numTotalTests], [true, passes, passes]);
    } finally {
      await rm(results, { recursive: true });
    }
  });
}

test("Jest requires it, and bundlers import it", async () => {
  const { exports } = JSON.parse(await readFile(PACKAGE_JSON, "utf8"));
  assert.deepEqual(Object.keys(exports["./testing"]), ["require", "default"]);
});

test("what the documentation shows is run", async () => {
  const unindented = (code) => code.replaceAll(/^ +/gm, "");
  const page = await readFile(pathOf("../../docs/testing.md"), "utf8");
  const blocks = [...page.matchAll(/^```js\n([^]*?)^```$/gm)].map(([, code]) => unindented(code));
  const names = ["vitest/login.test.js", "jest/timers.test.js", "jest/environment.js", "grid.test.mjs"];
  const sources = await Promise.all(names.map(async (name) => unindented(await readFile(pathOf(name), "utf8"))));
  assert.equal(blocks.length, names.length);
  for (const block of blocks) assert.ok(sources.some((source) => source.includes(block)), block);
});
