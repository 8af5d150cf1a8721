// The types of the testing entry: as they are written down, and as a customer's compiler takes them.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import * as testing from "../../pkg/testing/index.js";
import { installed } from "../node/packed.mjs";
import { authenticator, clock } from "./support.mjs";

const TOOLS = new URL("../../xtask/tools/node_modules/", import.meta.url);
const types = await readFile(new URL("../../pkg/testing/index.d.ts", import.meta.url), "utf8");

let project;
before(async () => {
  project = await installed();
  await cp(new URL("consumer/", import.meta.url), project.directory, { recursive: true });
  await writeFile(join(project.directory, "package.json"), '{ "type": "module" }');
});
after(() => project?.remove());

for (const [compiler, program] of [
  ["5.2", "typescript-oldest/lib/tsc.js"],
  ["7", "typescript-current/bin/tsc"],
]) {
  for (const [module, moduleResolution, files] of [
    ["esnext", "bundler", ["imported.ts"]],
    ["nodenext", "nodenext", ["imported.ts", "required.cts"]],
  ]) {
    test(`a customer's tests compile with TypeScript ${compiler} and moduleResolution ${moduleResolution}`, async () => {
      const lib = ["es2022", "dom"];
      const compilerOptions = { target: "es2022", lib, types: [], strict: true, noEmit: true, exactOptionalPropertyTypes: true, module, moduleResolution };
      const file = join(project.directory, "tsconfig.json");
      await writeFile(file, JSON.stringify({ compilerOptions, files }));
      const tsc = fileURLToPath(new URL(program, TOOLS));
      await promisify(execFile)(process.execPath, [tsc, "-p", file]).catch(({ stdout, stderr }) => assert.fail(stdout || stderr));
    });
  }
}

test("nothing is any, and everything is described", () => {
  const code = types.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "");
  for (const word of ["any", "object", "Function", "Object"]) assert.doesNotMatch(code, new RegExp(`[:<|&(,=]\\s*${word}\\b`), word);
  const lines = types.split("\n");
  // Declarations, and members at either depth; parameters and unions' texts stand in one line or begin with a bar.
  const described = lines.flatMap((line, at) => (/^export |^ {2,6}(?:readonly )?[\w[][\w.\]]*\??[:(]/.test(line) ? [at] : []));
  assert.ok(described.length > 60);
  for (const at of described) assert.match(lines[at - 1], /\*\/$/, lines[at]);
});

test("every value and every member that the types name is there, and no other", async () => {
  const values = [...types.matchAll(/^export function (\w+)/gm)].map(([, name]) => name).sort();
  assert.deepEqual(Object.keys(testing).sort(), values);
  const required = createRequire(import.meta.url)(fileURLToPath(new URL("../../pkg/cjs/testing/index.js", import.meta.url)));
  assert.deepEqual(Object.keys(required).sort(), values);
  const grid = await testing.createTestGrid();
  for (const [name, object] of Object.entries({ TestGrid: grid, TestAuthenticator: authenticator(), TestClock: clock() })) {
    const [, body] = types.match(new RegExp(`^export interface ${name} \\{\\n([^]*?)\\n\\}`, "m"));
    const members = [...body.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map(([, member]) => member);
    assert.deepEqual(Object.keys(object).sort(), members.sort(), name);
    assert.equal(body.includes("[Symbol.dispose]"), name !== "TestGrid");
  }
});
