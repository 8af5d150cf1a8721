// Completes `pkg/wasm` and makes `pkg/cjs`, which are what the package has beside its sources:
//
//   wasm/gridkey_bg.wasm  gets the build's name, so that JavaScript of another build refuses it
//   wasm/build.js         the same name, and the module's digest
//   wasm/base64.js        the module as text, for gridkey/inline
//   cjs/                  all modules and types as CommonJS, for require()
//   LICENSE-*             the workspace's
//
// It writes only what has changed, and may be run any number of times.

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { transform } from "esbuild";

const SECTION = "gridkey";
/** Its bundlers and browsers have ECMAScript's modules. */
const NOT_FOR_REQUIRE = ["index.js"];

const [pkg] = process.argv.slice(2);
const read = (path, encoding) => readFile(join(pkg, path), encoding);

const { version } = JSON.parse(await read("package.json", "utf8"));
const module = withoutSection(await read("wasm/gridkey_bg.wasm"));
const glue = await read("wasm/glue.js", "utf8");
const id = createHash("sha256").update(module).update(glue).digest("hex").slice(0, 16);
const build = `${version}+${id}`;
const named = Buffer.concat([module, section(build)]);
const integrity = `sha384-${createHash("sha384").update(named).digest("base64")}`;

await write("wasm/gridkey_bg.wasm", named);
await write(
  "wasm/build.js",
  `export const BUILD = ${JSON.stringify(build)};\nexport const WASM_INTEGRITY = ${JSON.stringify(integrity)};\n`,
);
await write("wasm/base64.js", `export const WASM = ${JSON.stringify(named.toString("base64"))};\n`);

const cjs = { "package.json": '{ "type": "commonjs", "sideEffects": false }\n' };
for (const path of await sources()) {
  const text = await read(path, "utf8");
  cjs[path] = path.endsWith(".d.ts") ? text : await required(path, text);
}
for (const [path, text] of Object.entries(cjs)) await write(`cjs/${path}`, text);
for (const path of await readdir(join(pkg, "cjs"), { recursive: true, withFileTypes: true })) {
  const file = join(path.parentPath, path.name);
  if (path.isFile() && !Object.keys(cjs).some((name) => join(pkg, "cjs", name) === file)) await rm(file);
}

for (const license of ["LICENSE-APACHE", "LICENSE-MIT"]) await write(license, await read(join("..", license)));

/** The modules and types of the package, and what the build has written. */
async function sources() {
  const paths = [];
  for (const directory of [".", "wasm", "testing"]) {
    const names = await readdir(join(pkg, directory)).catch(() => []);
    paths.push(...names.map((name) => join(directory, name)));
  }
  return paths.filter(
    (path) => /\.(js|d\.ts)$/.test(path) && !path.endsWith(".snapshot.d.ts") && !NOT_FOR_REQUIRE.includes(path),
  );
}

async function required(path, text) {
  const source = text.replaceAll(
    'new URL("./wasm/gridkey_bg.wasm", import.meta.url)',
    'require("node:path").join(__dirname, "../wasm/gridkey_bg.wasm")',
  );
  const { code } = await transform(source, { format: "cjs", platform: "node", target: "node20" });
  // Jest's virtual machine has neither.
  if (/\bimport\(|\bimport\.meta\b|\bimport_meta\b/.test(code)) throw new Error(`${path} cannot be CommonJS`);
  return code;
}

/** A custom section (WebAssembly Core Specification, 5.5.3) that says of which build this is. */
function section(text) {
  const name = Buffer.from(SECTION);
  const content = Buffer.concat([Buffer.of(name.length), name, Buffer.from(text)]);
  if (content.length > 127) throw new Error("the length takes more than one byte of LEB128");
  return Buffer.concat([Buffer.of(0, content.length), content]);
}

/** The module as it was before it was given a section, which is the last. */
function withoutSection(bytes) {
  const start = bytes.lastIndexOf(Buffer.concat([Buffer.of(SECTION.length), Buffer.from(SECTION)])) - 2;
  const isSection = start > 0 && bytes[start] === 0 && bytes[start + 1] === bytes.length - start - 2;
  return isSection ? bytes.subarray(0, start) : bytes;
}

/** In its place in one step, and only where it says something new: others compare times. */
async function write(path, content) {
  const file = join(pkg, path);
  const old = await readFile(file).catch(() => undefined);
  if (old?.equals(Buffer.from(content))) return;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}
