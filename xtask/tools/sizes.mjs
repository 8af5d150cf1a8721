// Prints what an app that uses all of the package in the directory named downloads for it: the
// lengths in bytes of the WebAssembly module and of the JavaScript, bundled and minified.
import { readFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const [directory] = process.argv.slice(2);

const bundle = await build({
  stdin: { contents: 'export * from "gridkey";', resolveDir: directory },
  bundle: true,
  minify: true,
  format: "esm",
  write: false,
});

console.log(
  JSON.stringify({
    wasm: lengths(readFileSync(`${directory}/wasm/gridkey_bg.wasm`)),
    javascript: lengths(bundle.outputFiles[0].contents),
  }),
);

function lengths(bytes) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
  return {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes, { params }).length,
  };
}
