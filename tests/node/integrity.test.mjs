// A file that is not the one that `integrity` names, where the package itself looks for it.

import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import test, { after, before } from "node:test";

import * as real from "../../pkg/node.js";
import { failure } from "./failure.mjs";

const ACCOUNT = { accountId: "InternalAccount:1" };
const transport = async () => ({ status: 200, body: { data: [] } });

let directory;
let wasm;
let changed;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "gridkey-"));
  await cp(fileURLToPath(new URL("../../pkg", import.meta.url)), directory, { recursive: true });
  wasm = join(directory, "wasm/gridkey_bg.wasm");
  // It names the same build and works as well: a section of nobody's is all that is new.
  await writeFile(wasm, Buffer.concat([await readFile(wasm), Buffer.of(0, 3, 1, 0x78, 0)]));
  changed = await import(pathToFileURL(join(directory, "node.js")).href);
});

after(() => rm(directory, { recursive: true }));

test("what `integrity` has refused, no client loads by itself", async () => {
  const integrity = changed.WASM_INTEGRITY;
  await failure("wasm_unavailable", changed.init(undefined, { integrity }));
  const client = changed.createGridkey({ transport });
  const error = await failure("wasm_unavailable", client.listAuthMethods(ACCOUNT));
  assert.match(error.message, /not the one that `integrity` names/);
  await failure("wasm_unavailable", changed.init(await readFile(wasm)));

  // The right one is held against it too, so asking for that again is no news.
  await changed.init(await readFile(new URL("../../pkg/wasm/gridkey_bg.wasm", import.meta.url)));
  await changed.init(undefined, { integrity });
  assert.deepEqual(await client.listAuthMethods(ACCOUNT), []);
});

test("once it is loaded, `integrity` comes too late", async () => {
  await real.createGridkey({ transport }).listAuthMethods(ACCOUNT);
  const error = await failure("invalid_argument", real.init(undefined, { integrity: real.WASM_INTEGRITY }));
  assert.match(error.message, /too late/);
});
