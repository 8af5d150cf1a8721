// The entries of the package, as npm installs it and as Node, bundlers and compilers find them.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { promisify } from "node:util";
import vm from "node:vm";

import { build } from "../../xtask/tools/node_modules/esbuild/lib/main.js";
import { installed } from "./packed.mjs";

const ENTRIES = ["gridkey", "gridkey/inline", "gridkey/slim"];
const PAYLOAD = '{"memo":"naïve — 日本"}';

let project;

before(async () => {
  project = await installed();
});

after(() => project?.remove());

/** What a script of the project prints. */
async function run(file, script, flags = []) {
  await writeFile(join(project.directory, file), script);
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, file], { cwd: project.directory });
  return stdout.trim();
}

/** A signature by the entry, made by a program of its own. */
const signing = (entry) => `
  const source = ${entry === "gridkey/slim"} ? readFileSync(resolve("gridkey/gridkey.wasm")) : undefined;
  gridkey.init(source, { integrity: gridkey.WASM_INTEGRITY }).then(async () => {
    const key = gridkey.SessionKey.generate();
    console.log(key.publicKey, await key.dangerouslyStampUnchecked(${JSON.stringify(PAYLOAD)}));
  });`;

const PROGRAMS = {
  import: (entry) => [
    "program.mjs",
    `import { readFileSync } from "node:fs";
    import { createRequire } from "node:module";
    import * as gridkey from "${entry}";
    const { resolve } = createRequire(import.meta.url);
    ${signing(entry)}`,
  ],
  require: (entry) => [
    "program.cjs",
    `const { readFileSync } = require("node:fs");
    const { resolve } = require;
    const gridkey = require("${entry}");
    ${signing(entry)}`,
  ],
};

for (const entry of ENTRIES) {
  for (const [way, program] of Object.entries(PROGRAMS)) {
    test(`${entry} signs, by ${way}`, async () => {
      const [publicKey, stamp] = (await run(...program(entry))).split(" ");
      const { signature, publicKey: stamped } = JSON.parse(Buffer.from(stamp, "base64url").toString());
      assert.equal(stamped, publicKey);
      assert.ok(verify("sha256", Buffer.from(PAYLOAD), p256(publicKey), Buffer.from(signature, "hex")));
    });
  }
}

test("gridkey/slim asks for its source", async () => {
  const out = await run(
    "slim.mjs",
    `import { createGridkey, init } from "gridkey/slim";
    const client = createGridkey({ transport() {} });
    for (const call of [init(), client.listAuthMethods({ accountId: "a" })]) await call.catch(({ code, message }) => console.log(code, message));`,
  );
  const lines = out.split("\n");
  assert.equal(lines.length, 2);
  for (const line of lines) assert.match(line, /^wasm_unavailable .*call `await init\(source\)` first.*gridkey\/gridkey\.wasm/);
});

test("what is imported under two names is loaded once", async () => {
  for (const [file, head] of [
    ["both.mjs", ENTRIES.map((entry, at) => `import * as g${at} from "${entry}";`).join("")],
    ["both.cjs", ENTRIES.map((entry, at) => `const g${at} = require("${entry}");`).join("")],
  ]) {
    const script = `${head} g1.init().then(() => console.log(g0.SessionKey === g1.SessionKey, g2.SessionKey.generate().publicKey.length));`;
    assert.equal(await run(file, script), "true 66");
  }
});

test("errors of another copy are known by their code", async () => {
  const out = await run(
    "copies.mjs",
    `import { createRequire } from "node:module";
    import * as imported from "gridkey";
    const required = createRequire(import.meta.url)("gridkey");
    for (const [mine, other] of [[imported, required], [required, imported]]) {
      const error = await other.init("http://127.0.0.1:9/").catch((error) => error);
      console.log(error instanceof mine.GridkeyError, error instanceof other.GridkeyError, mine.isGridkeyError(error), error.code);
      console.log(mine.isGridkeyError(Object.assign(new Error("no"), { code: "wasm_unavailable" })));
    }`,
  );
  const of = "false true true wasm_unavailable\nfalse";
  assert.equal(out, `${of}\n${of}`);
});

test("an import needs nothing but the language, does nothing, and waits for nothing", async () => {
  const script = `
    import { readFile } from "node:fs/promises";
    import vm from "node:vm";
    for (const entry of ["index.js", "inline.js", "slim.js", "node.js"]) {
      const context = vm.createContext(Object.create(null));
      const names = vm.runInContext("delete globalThis.WebAssembly; Object.getOwnPropertyNames(globalThis).join()", context);
      const modules = new Map();
      const load = async (url) => {
        if (!modules.has(url)) {
          const text = await readFile(new URL(url), "utf8");
          modules.set(url, new vm.SourceTextModule(text, { context, identifier: url, initializeImportMeta(meta) { meta.url = url; } }));
        }
        return modules.get(url);
      };
      const link = (specifier, { identifier }) => specifier.startsWith("node:")
        ? new vm.SyntheticModule(["readFile"], () => {}, { context })
        : load(new URL(specifier, identifier).href);
      const module = await load(new URL("node_modules/gridkey/" + entry, import.meta.url).href);
      await module.link(link);
      // Without an await in it, a module's evaluation is over when the call is.
      const evaluating = module.evaluate();
      console.log(entry, module.status, vm.runInContext("Object.getOwnPropertyNames(globalThis).join()", context) === names, modules.size > 5);
      await evaluating;
    }`;
  const out = await run("bare.mjs", script, ["--experimental-vm-modules", "--no-warnings"]);
  assert.deepEqual(out.split("\n"), ["index.js", "inline.js", "slim.js", "node.js"].map((entry) => `${entry} evaluated true true`));
});

test("a require needs nothing but the language, and imports nothing", () => {
  const { resolve } = createRequire(join(project.directory, "index.cjs"));
  for (const entry of ENTRIES) {
    // Without `importModuleDynamically`, as in Jest, `import()` fails.
    const context = vm.createContext(Object.create(null));
    const modules = new Map();
    const load = (file) => {
      if (file.startsWith("node:")) return {};
      if (modules.has(file)) return modules.get(file).exports;
      const module = { exports: {} };
      modules.set(file, module);
      const { require } = { require: createRequire(file) };
      const wrapped = vm.compileFunction(require("node:fs").readFileSync(file, "utf8"), ["module", "exports", "require", "__dirname"], { parsingContext: context });
      wrapped(module, module.exports, (name) => load(name.startsWith("node:") ? name : require.resolve(name)), join(file, ".."));
      return module.exports;
    };
    const names = Object.getOwnPropertyNames(context).join();
    assert.equal(typeof load(resolve(entry)).createGridkey, "function");
    assert.equal(Object.getOwnPropertyNames(context).join(), names);
    for (const file of modules.keys()) assert.match(file, /\/cjs\//);
  }
});

/** A bundle of a module with this in it: the JavaScript, and the names of the files beside it. */
async function bundle(contents, options = {}) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: project.directory },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    metafile: true,
    outdir: "out",
    ...options,
  });
  assert.equal(outputFiles.length, 1);
  return { text: outputFiles[0].text, inputs: Object.keys(metafile.inputs) };
}

const count = (text, part) => text.split(part).length - 1;
/** How a module begins, in base64. */
const BASE64 = "AGFzbQEAAAA";

test("who imports only isGridkeyError gets no more than that", async () => {
  for (const entry of ENTRIES) {
    const { text } = await bundle(`import { isGridkeyError } from "${entry}"; console.log(isGridkeyError(null));`);
    assert.ok(text.length < 250, `${entry}: ${text.length} bytes: ${text.slice(0, 500)}`);
    assert.doesNotMatch(text, /wasm|AGFzb/i);
  }
});

test("each bundle has the WebAssembly once, or its address", async () => {
  const use = (entry) => `import { createGridkey } from "${entry}"; globalThis.gridkey = createGridkey({ baseUrl: "/" });`;
  for (const [entry, contents, options, modules, addresses] of [
    ["gridkey", use("gridkey"), {}, 0, 1],
    ["gridkey/inline", use("gridkey/inline"), {}, 1, 0],
    ["gridkey/slim", use("gridkey/slim"), {}, 0, 0],
    ["all of gridkey/inline", 'export * from "gridkey/inline"', {}, 1, 0],
    ["a required gridkey", 'globalThis.gridkey = require("gridkey")', {}, 1, 0],
    ["gridkey in Node", use("gridkey"), { platform: "node" }, 0, 1],
  ]) {
    const { text } = await bundle(contents, options);
    assert.equal(count(text, BASE64), modules, entry);
    assert.equal(count(text, 'gridkey_bg.wasm",import.meta.url'), addresses, entry);
  }
});

test("a bundle that names only some of the classes behaves like the whole", async () => {
  // A WalletSession comes out of a call: its class is not imported.
  const { text } = await bundle(
    `import { SessionKey, createGridkey } from "gridkey/inline";
    const client = createGridkey({ transport: async () => ({ status: 200, body: { data: [] } }) });
    await client.listAuthMethods({ accountId: "InternalAccount:1" });
    const now = new Date().toISOString();
    const expiresAt = new Date(Date.now() + 600_000).toISOString();
    const of = { id: "Session:1", accountId: "InternalAccount:1", type: "EMAIL_OTP", nickname: "a", createdAt: now, updatedAt: now, expiresAt };
    const session = client.adoptSession(of, SessionKey.generate());
    const rejected = session.stamp(5, 5);
    console.log(rejected instanceof Promise, await rejected.catch(({ code }) => code));
    try { client.adoptSession(of, session); } catch ({ code }) { console.log(code); }`,
  );
  assert.equal(await run("some.mjs", text), "true invalid_argument\ninvalid_argument");
});

test("the package has one module, and no code that only tests need is in an app", async () => {
  const files = await readdir(project.target, { recursive: true });
  assert.deepEqual(files.filter((file) => file.endsWith(".wasm")), ["wasm/gridkey_bg.wasm"]);
  const { inputs } = await bundle('export * from "gridkey"');
  assert.ok(inputs.length > 5);
  for (const input of inputs) assert.doesNotMatch(input, /testing/);
});

test("the package needs no other, and runs nothing when it is installed", async () => {
  const manifest = JSON.parse(await readFile(join(project.target, "package.json"), "utf8"));
  for (const key of ["dependencies", "peerDependencies", "optionalDependencies", "scripts"]) assert.equal(manifest[key], undefined, key);
  const files = await readdir(project.target, { recursive: true });
  for (const file of files.filter((file) => file.endsWith(".js"))) {
    const text = await readFile(join(project.target, file), "utf8");
    for (const [, name] of text.matchAll(/(?:from |import |require\()"([^"]+)"/g)) {
      assert.match(name, file.endsWith("node.js") ? /^\.|^node:/ : /^\./, file);
    }
  }
});

/** SubjectPublicKeyInfo (RFC 5480) of a compressed P-256 key. */
function p256(compressedHex) {
  const der = Buffer.from(`3039301306072a8648ce3d020106082a8648ce3d030107032200${compressedHex}`, "hex");
  return createPublicKey({ key: der, format: "der", type: "spki" });
}
