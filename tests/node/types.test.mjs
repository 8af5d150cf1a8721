// The public types: as they are written down, and as a customer's compiler takes them.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { members } from "../../pkg/bridge.js";
import * as gridkey from "../../pkg/node.js";
import { installed } from "./packed.mjs";

const PACKAGE = new URL("../../pkg/", import.meta.url);
const SNAPSHOT = new URL("api.snapshot.d.ts", PACKAGE);

const read = (name) => readFile(new URL(name, PACKAGE), "utf8");

/** All public types in one text. */
async function publicTypes() {
  return `// index.d.ts\n${await read("index.d.ts")}\n// wasm/gridkey.d.ts, from the Rust sources\n${await read("wasm/gridkey.d.ts")}`;
}

test("the types are those that were reviewed", async () => {
  const types = await publicTypes();
  if (process.env.UPDATE_SNAPSHOT) await writeFile(SNAPSHOT, types);
  assert.equal(types, await readFile(SNAPSHOT, "utf8"), "after a review: UPDATE_SNAPSHOT=1 node --test tests/node/types.test.mjs");
});

test("every error code says what it means", async () => {
  const [, union] = (await read("wasm/gridkey.d.ts")).match(/export type GridkeyErrorCode =\n([^]*?);\n/);
  const lines = union.split("\n").map((line) => line.trim());
  const codes = lines.filter((line) => line.startsWith("|"));
  assert.ok(codes.length > 20);
  assert.equal(lines.length, 2 * codes.length);
  for (const code of codes) assert.match(lines[lines.indexOf(code) - 1], /^\/\*\* .*\. \*\/$/, code);
});

test("nothing is any", async () => {
  const code = (await publicTypes()).replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "");
  for (const word of ["any", "object", "Function", "Object"]) {
    assert.doesNotMatch(code, new RegExp(`[:<|&(,=]\\s*${word}\\b`), word);
  }
});

test("every value that the types name is there, and no other", async () => {
  const named = [...(await read("index.d.ts")).matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, names]) => names.split(",").map((name) => name.trim()));
  const declared = [...(await read("index.d.ts")).matchAll(/^export (?:class|const|function) (\w+)/gm)].map(([, name]) => name);
  const names = [...named.filter(Boolean), ...declared].sort();
  assert.deepEqual(Object.keys(gridkey).sort(), names);
  for (const entry of ["index.js", "inline.js", "slim.js", "cjs/node.js", "cjs/inline.js", "cjs/slim.js"]) {
    const path = fileURLToPath(new URL(entry, PACKAGE));
    assert.deepEqual(Object.keys(createRequire(import.meta.url)(path)).sort(), names, entry);
  }
});

test("every member that the types name is there", async () => {
  await gridkey.init();
  const types = await read("wasm/gridkey.d.ts");
  for (const [, name, body] of types.matchAll(/^export class (\w+) \{\n([^]*?)\n\}/gm)) {
    for (const [, method] of body.matchAll(/^    static (\w+)\(/gm)) {
      assert.equal(typeof gridkey[name][method], "function", `${name}.${method}`);
    }
    // Methods that give promises must reject and not throw: the bridge has their names.
    const promises = [...body.matchAll(/^    (\w+)\(.*\): Promise</gm)].map(([, method]) => method);
    const listed = Object.keys(members()[name].promises ?? {});
    assert.deepEqual(listed.sort(), promises.sort(), name);
  }
  const operations = types.match(/export interface GridOperations \{([^]*?)\n\}/)[1];
  const { api } = gridkey.createGridkey({});
  assert.deepEqual([...operations.matchAll(/^    (\w+)\(/gm)].map(([, name]) => name).sort(), Object.keys(api).sort());
});

const TOOLS = new URL("../../xtask/tools/node_modules/", import.meta.url);
const COMPILERS = {
  // Before it the language has no `Symbol.dispose`.
  "5.2": "typescript-oldest/lib/tsc.js",
  5: "typescript/lib/tsc.js",
  7: "typescript-current/bin/tsc",
};
const RESOLUTIONS = {
  bundler: { module: "esnext", files: ["consumer.ts", "entries.ts", "narrowing.ts"] },
  node16: { module: "node16", files: ["consumer.ts", "entries.ts", "narrowing.ts", "required.cts"] },
  nodenext: { module: "nodenext", files: ["consumer.ts", "entries.ts", "narrowing.ts", "required.cts"] },
};

let project;

before(async () => {
  project = await installed();
  await cp(new URL("consumer/", import.meta.url), project.directory, { recursive: true });
  await writeFile(join(project.directory, "package.json"), '{ "type": "module" }');
});

after(() => project?.remove());

/** What the compiler says of the files. */
async function compile(compiler, options, files) {
  const compilerOptions = {
    target: "es2022",
    lib: ["es2022", "dom"],
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    ...options,
  };
  const file = join(project.directory, "tsconfig.json");
  await writeFile(file, JSON.stringify({ compilerOptions, files }));
  const tsc = fileURLToPath(new URL(COMPILERS[compiler], TOOLS));
  return promisify(execFile)(process.execPath, [tsc, "-p", file]).then(() => "", ({ stdout, stderr }) => stdout || stderr);
}

for (const version of Object.keys(COMPILERS)) {
  for (const [moduleResolution, { module, files }] of Object.entries(RESOLUTIONS)) {
    test(`a customer's code compiles with TypeScript ${version} and moduleResolution ${moduleResolution}`, async () => {
      // A `require` is no syntax of a module that is compiled as it is written.
      const options = { module, moduleResolution, verbatimModuleSyntax: moduleResolution === "bundler" };
      assert.equal(await compile(version, options, files), "");
    });
  }
}

test("a customer's mistake does not compile", async () => {
  await writeFile(join(project.directory, "mistake.ts"), 'import { init } from "gridkey/slim"; void init();');
  for (const version of Object.keys(COMPILERS)) {
    assert.match(await compile(version, { module: "nodenext" }, ["mistake.ts"]), /mistake\.ts.*TS2554/);
  }
});
