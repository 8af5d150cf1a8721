// The environments in which the package must work, in the order of the table.

import assert from "node:assert/strict";
import { copyFile, rm } from "node:fs/promises";

import { freePort, open, serving } from "./pages.mjs";

const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const WITHOUT_WASM = "default-src 'none'; script-src 'self'; connect-src 'self'";

/** Opens a page out of a directory that a bundler wrote. */
async function built(project, output, { policy, page = "/" } = {}) {
  const headers = policy ? { "content-security-policy": policy } : {};
  return serving(project.path(output), headers, async (origin) => {
    const { outcome, error } = await open(origin + page);
    assert.equal(error, undefined);
    return { outcomes: [outcome], outputs: [await project.files(output)] };
  });
}

/** Opens a page that a policy keeps from running WebAssembly. */
async function refused(project, output) {
  await serving(project.path(output), { "content-security-policy": WITHOUT_WASM }, async (origin) => {
    // The page leaves its error to the browser, which also reports what it blocks.
    const { error } = await open(origin, { problems: [/Content.Security.Policy/] });
    assert.equal(error?.code, "wasm_blocked_by_csp");
    assert.match(error.message, /'wasm-unsafe-eval'/);
  });
}

/** Opens a page of the project as it is; what it loads is what counts. */
async function unbundled(project, page) {
  return serving(project.directory, {}, async (origin, served) => {
    const { outcome, error } = await open(origin + page);
    assert.equal(error, undefined);
    return { outcomes: [outcome], outputs: [served()] };
  });
}

const viteBuild = (project, name) =>
  project.node("node_modules/vite/bin/vite.js", "build", name, "--outDir", project.path("out", name), "--logLevel", "warn");

/** What Node runs prints its outcome; what it had to choose from is the package. */
async function inNode(project, file) {
  const outcome = JSON.parse(await project.node(file));
  return { outcomes: [outcome], outputs: [await project.files("node_modules/gridkey")] };
}

/** Tests leave their outcome in a file. */
async function inTests(project, ...command) {
  await rm(project.path("outcome.json"), { force: true });
  await project.node(...command);
  return { outcomes: [await project.json("outcome.json")], outputs: [await project.files("node_modules/gridkey")] };
}

export const ENVIRONMENTS = [
  {
    name: "vite",
    title: "Vite, build",
    project: "vite",
    tool: "vite",
    entry: "gridkey",
    modules: ["file"],
    isQuick: true,
    async run(project) {
      await viteBuild(project, "default");
      return built(project, "out/default");
    },
  },
  {
    name: "vite-csp",
    title: "Vite, build, under a strict Content-Security-Policy",
    project: "vite",
    tool: "vite",
    entry: "gridkey",
    modules: ["file"],
    isQuick: true,
    async run(project) {
      await viteBuild(project, "default");
      await refused(project, "out/default");
      return built(project, "out/default", { policy: STRICT });
    },
  },
  {
    name: "vite-dev",
    title: "Vite, development server",
    project: "vite",
    tool: "vite",
    entry: "gridkey",
    modules: ["file"],
    isQuick: true,
    async run(project) {
      const port = await freePort();
      const server = project.serve("node_modules/vite/bin/vite.js", "default", "--port", port, "--strictPort", "--host", "127.0.0.1");
      try {
        const url = `http://127.0.0.1:${port}/`;
        await server.ready(url);
        const { outcome, error, files } = await open(url);
        assert.equal(error, undefined);
        assert.ok(files.some(({ name }) => name.includes("/.vite/")), "the package was not pre-bundled");
        return { outcomes: [outcome], outputs: [files] };
      } finally {
        await server.stop();
      }
    },
  },
  {
    name: "vite-worker",
    title: "Vite, build, in a dedicated worker",
    project: "vite",
    tool: "vite",
    entry: "gridkey",
    modules: ["file"],
    async run(project) {
      await viteBuild(project, "worker");
      return built(project, "out/worker");
    },
  },
  {
    name: "webpack",
    title: "webpack",
    project: "webpack",
    tool: "webpack",
    entry: "gridkey",
    modules: ["file"],
    isQuick: true,
    async run(project) {
      await project.node("node_modules/webpack/bin/webpack.js");
      await copyFile(project.path("index.html"), project.path("out/index.html"));
      return built(project, "out");
    },
  },
  {
    name: "rollup",
    title: "Rollup",
    project: "rollup",
    tool: "rollup",
    entry: "gridkey",
    modules: ["file"],
    async run(project) {
      await project.node("node_modules/rollup/dist/bin/rollup", "--config", "--failAfterWarnings");
      await copyFile(project.path("index.html"), project.path("out/index.html"));
      return built(project, "out");
    },
  },
  {
    name: "esbuild",
    title: "esbuild, with the file copied",
    project: "esbuild",
    tool: "esbuild",
    entry: "gridkey",
    modules: ["file"],
    async run(project) {
      await esbuild(project, "copied");
      await copyFile(project.path("node_modules/gridkey/wasm/gridkey_bg.wasm"), project.path("out/copied/gridkey_bg.wasm"));
      return built(project, "out/copied");
    },
  },
  {
    name: "parcel",
    title: "Parcel",
    project: "parcel",
    tool: "parcel",
    entry: "gridkey",
    modules: ["file"],
    async run(project) {
      await project.node("node_modules/parcel/lib/bin.js", "build", "index.html", "--dist-dir", "out", "--no-source-maps", "--no-cache");
      return built(project, "out");
    },
  },
  {
    name: "next",
    title: "Next.js (Turbopack): page, server rendering, route handler",
    project: "next",
    tool: "next",
    entry: "gridkey",
    modules: ["file", "file"],
    run: (project) => next(project),
  },
  {
    name: "vitest",
    title: "Vitest, environment node",
    project: "vitest",
    tool: "vitest",
    entry: "gridkey",
    modules: ["file"],
    run: (project) => inTests(project, "node_modules/vitest/vitest.mjs", "run"),
  },
  {
    name: "vitest-jsdom",
    title: "Vitest, environment jsdom",
    project: "vitest",
    tool: "vitest",
    entry: "gridkey",
    modules: ["file"],
    run: (project) => inTests(project, "node_modules/vitest/vitest.mjs", "run", "--environment", "jsdom"),
  },
  {
    name: "jest",
    title: "Jest (CommonJS), environment node",
    project: "jest",
    tool: "jest",
    entry: "gridkey",
    modules: ["file"],
    run: (project) => inTests(project, "node_modules/jest/bin/jest.js"),
  },
  {
    name: "jest-jsdom",
    title: "Jest (CommonJS), environment jsdom",
    project: "jest",
    tool: "jest",
    entry: "gridkey",
    modules: ["file"],
    run: (project) => inTests(project, "node_modules/jest/bin/jest.js", "--env", "jsdom"),
  },
  {
    name: "node-esm",
    title: "Node.js, ECMAScript module",
    project: "node",
    tool: "node",
    entry: "gridkey",
    modules: ["file"],
    isQuick: true,
    run: (project) => inNode(project, "main.mjs"),
  },
  {
    name: "node-cjs",
    title: "Node.js, CommonJS",
    project: "node",
    tool: "node",
    entry: "gridkey",
    modules: ["file"],
    isQuick: true,
    run: (project) => inNode(project, "main.cjs"),
  },
  {
    name: "plain",
    title: "A page without a bundler",
    project: "plain",
    tool: "chromium",
    entry: "gridkey",
    modules: ["file"],
    isQuick: true,
    run: (project) => unbundled(project, "/index.html"),
  },
  {
    name: "worker",
    title: "A dedicated worker without a bundler",
    project: "plain",
    tool: "chromium",
    entry: "gridkey",
    modules: ["file"],
    run: (project) => unbundled(project, "/worker.html"),
  },
  {
    name: "service-worker",
    title: "A service worker without a bundler",
    project: "plain",
    tool: "chromium",
    entry: "gridkey",
    modules: ["file"],
    run: (project) => unbundled(project, "/service-worker.html"),
  },
];

async function esbuild(project, name, ...options) {
  await project.node(
    "node_modules/esbuild/bin/esbuild",
    `${name}/main.js`,
    "--bundle",
    "--minify",
    "--format=esm",
    `--outdir=out/${name}`,
    "--log-level=warning",
    ...options,
  );
  await copyFile(project.path(name, "index.html"), project.path("out", name, "index.html"));
}

async function next(project, ...options) {
  await project.node("node_modules/next/dist/bin/next", "build", ...options);
  const port = await freePort();
  const server = project.serve("node_modules/next/dist/bin/next", "start", "--port", String(port), "--hostname", "127.0.0.1");
  try {
    const origin = `http://127.0.0.1:${port}`;
    await server.ready(origin);
    const html = await (await fetch(origin)).text();
    assert.match(html, /supported here: true/, "the page was not rendered on the server");
    const { outcome, error } = await open(origin);
    assert.equal(error, undefined);
    const handler = await fetch(`${origin}/api/use`);
    assert.equal(handler.status, 200, "the route handler failed");
    return {
      outcomes: [outcome, await handler.json()],
      outputs: [await project.files(".next/static"), await project.files(".next/server")],
    };
  } finally {
    await server.stop();
  }
}
