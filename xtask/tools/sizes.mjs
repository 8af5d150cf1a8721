// Prints what an app that uses all of an entry makes its visitors download, in bytes: the
// WebAssembly, and the JavaScript bundled and minified. Beside it, what the peers weigh that do the
// keys' part of it.
//
//     node sizes.mjs PACKAGE PEERS

import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const [directory, peers] = process.argv.slice(2);
const wasm = readFileSync(join(directory, "wasm/gridkey_bg.wasm"));

const entries = [
  { name: "gridkey", parts: [await everythingOf("gridkey"), wasm] },
  { name: "gridkey/slim", parts: [await everythingOf("gridkey/slim"), wasm] },
  { name: "gridkey/inline", parts: [await everythingOf("gridkey/inline")] },
];
const compared = readdirSync(peers)
  .filter((file) => file.endsWith(".mjs"))
  .sort()
  .map(async (file) => ({ name: basename(file, ".mjs"), parts: [await bundled(`export * from "./${file}";`, peers)] }));

console.log(
  JSON.stringify({
    parts: [
      { name: "WebAssembly", ...lengths([wasm]) },
      { name: "JavaScript", ...lengths(entries[0].parts.slice(0, 1)) },
    ],
    entries: entries.map(({ name, parts }) => ({ name, ...lengths(parts) })),
    peers: (await Promise.all(compared)).map(({ name, parts }) => ({ name, ...lengths(parts) })),
  }),
);

function everythingOf(entry) {
  return bundled(`export * from "${entry}";`, directory);
}

async function bundled(contents, resolveDir) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    // Peers ask for Node's modules where there is no WebCrypto.
    external: ["crypto", "node:*"],
    write: false,
  });
  return outputFiles[0].contents;
}

/** Of files that are downloaded one by one. */
function lengths(parts) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
  const sum = (length) => parts.map(length).reduce((a, b) => a + b, 0);
  return {
    raw: sum((bytes) => bytes.length),
    gzip: sum((bytes) => gzipSync(bytes, { level: 9 }).length),
    brotli: sum((bytes) => brotliCompressSync(bytes, { params }).length),
  };
}
