// What users of some environments must do, in the words of docs/packaging.md. Code is taken out of
// the projects that are run.

import { readFileSync } from "node:fs";

const code = (path, language = "js") => {
  const text = readFileSync(new URL(`projects/${path}`, import.meta.url), "utf8");
  // What the projects do with the package is not the reader's.
  const lines = text.split("\n").filter((line) => !/use\.js"|globalThis\.outcome/.test(line));
  return `\`\`\`${language}\n${lines.join("\n").trim()}\n\`\`\``;
};

export const POLICY = {
  title: "Content-Security-Policy",
  text: `
\`gridkey\` works under

    Content-Security-Policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'

and \`gridkey/inline\`, which fetches nothing, without the \`connect-src\` (your relay needs it all the
same). \`'wasm-unsafe-eval'\` lets a page compile WebAssembly, and is no \`'unsafe-eval'\` for
JavaScript. Where it is missing, calls fail with \`wasm_blocked_by_csp\`.
`,
};

export const VITE_7 = {
  title: "Vite 7 and before",
  text: `
Its development server moves packages and not their files. Leave gridkey where it is:

${code("vite-7/vite.config.js")}
`,
};

export const ROLLUP = {
  title: "Rollup",
  text: `
Rollup by itself neither finds packages nor copies their files. Both are done by plugins:

${code("rollup/rollup.config.js")}
`,
};

export const ESBUILD = {
  title: "esbuild",
  text: `
esbuild does not copy what \`new URL("…", import.meta.url)\` names. Either import
the file, build with \`--loader:.wasm=file\`, and give its address to \`init\`:

\`\`\`js
import { createGridkey, init } from "gridkey/slim";
import address from "gridkey/gridkey.wasm";

await init(address);
\`\`\`

or copy \`node_modules/gridkey/wasm/gridkey_bg.wasm\` yourself, and call \`await
init("/its/address.wasm")\` of \`gridkey\`; or import \`gridkey/inline\`, which needs no file and is a
third bigger on the way. \`gridkey/inline\` is also what scripts need that are no modules, such as
classic service workers.
`,
};

export const NEXT_WEBPACK = {
  title: "Next.js with webpack",
  text: `
Turbopack, which is what Next.js builds with, needs nothing. webpack loses the file on the server if
it bundles the package there; \`next.config.mjs\` tells it not to:

${code("next/next.config.webpack.mjs")}
`,
};

export const JEST_JSDOM = {
  title: "Jest with jsdom",
  text: `
Jest's jsdom lacks what every browser has; [Testing](testing.md#jest-and-jsdom) has the eight lines
that give it that. The package's file is read from disk there, as it is in Node.js.
`,
};

export const PLAIN = {
  title: "Without a bundler",
  text: `
Serve the package's directory as it is, with \`gridkey_bg.wasm\` as \`application/wasm\`, and import
\`index.js\` from it: \`import { createGridkey } from "/node_modules/gridkey/index.js"\`. The
WebAssembly is found beside it; \`slim.js\` looks for none and wants its address in \`init\`. Workers and
service workers must be modules: \`{ type: "module" }\`.
`,
};
