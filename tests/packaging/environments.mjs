// The environments in which the package must work, in the order of the table, and how each is
// built and run. `modules` is how the WebAssembly is in each output, `parts` what the outputs are.

import assert from "node:assert/strict";
import { copyFile, rm } from "node:fs/promises";

import { freePort, open, serving } from "./pages.mjs";
import * as recipes from "./recipes.mjs";

const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const WITHOUT_CONNECTIONS = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'";
const WITHOUT_WASM = "default-src 'none'; script-src 'self'; connect-src 'self'";

/** A project's page out of the directory that a bundler wrote. */
async function built(project, output, policy) {
  const headers = policy ? { "content-security-policy": policy } : {};
  return serving(project.path(output), headers, async (origin) => {
    return { outcomes: [await succeeded(origin)], outputs: [await project.files(output)] };
  });
}

async function succeeded(url) {
  const { outcome, error } = await open(url);
  assert.equal(error, undefined);
  return outcome;
}

/** The same page, which a policy keeps from running WebAssembly. */
async function refused(project, output) {
  await serving(project.path(output), { "content-security-policy": WITHOUT_WASM }, async (origin) => {
    // The page leaves its error to the browser, which also reports what it blocks.
    const { error } = await open(origin, { problems: [/Content.Security.Policy/] });
    assert.equal(error?.code, "wasm_blocked_by_csp");
    assert.match(error.message, /'wasm-unsafe-eval'/);
  });
}

/** A page of the project as it is. Its output is what the browser loads. */
async function unbundled(project, page) {
  return serving(project.directory, {}, async (origin, served) => {
    return { outcomes: [await succeeded(origin + page)], outputs: [served()] };
  });
}

/** A page of a development server. Its output is what the browser loads. */
async function developed(server, port) {
  try {
    const origin = `http://127.0.0.1:${port}`;
    await server.ready(origin);
    const { outcome, error, files } = await open(origin);
    assert.equal(error, undefined);
    return { outcomes: [outcome], outputs: [files] };
  } finally {
    await server.stop();
  }
}

/** A program that prints its outcome. */
async function inNode(project, file) {
  const { printed, loaded } = await project.nodeLoading(file);
  return { outcomes: [JSON.parse(printed)], outputs: [loaded] };
}

/** Tests that leave their outcome in a file. */
async function inTests(project, ...command) {
  await rm(project.path("outcome.json"), { force: true });
  const { loaded } = await project.nodeLoading(...command);
  return { outcomes: [await project.json("outcome.json")], outputs: [loaded] };
}

const VITE = "node_modules/vite/bin/vite.js";

/** In threads: V8 does not report on the processes that it would otherwise end. */
const VITEST = ["node_modules/vitest/vitest.mjs", "run", "--pool", "threads"];

const viteBuild = (project, name) =>
  project.node(VITE, "build", name, "--outDir", project.path("out", name), "--logLevel", "warn");

async function viteServer(project, directory) {
  // What was pre-bundled of a package that may have changed.
  await rm(project.path("node_modules/.vite"), { recursive: true, force: true });
  const port = await freePort();
  return [project.serve(VITE, directory, "--port", port, "--strictPort", "--host", "127.0.0.1"), port];
}

async function esbuild(project, name, ...options) {
  const build = ["--bundle", "--minify", `--outdir=out/${name}`, "--log-level=warning", ...options];
  await project.node("node_modules/esbuild/bin/esbuild", ...build);
  await copyFile(project.path(name, "index.html"), project.path("out", name, "index.html"));
}

async function next(project, ...options) {
  const program = "node_modules/next/dist/bin/next";
  await rm(project.path(".next"), { recursive: true, force: true });
  await project.node(program, "build", ...options);
  const port = await freePort();
  const server = project.serve(program, "start", "--port", port, "--hostname", "127.0.0.1");
  try {
    const origin = `http://127.0.0.1:${port}`;
    await server.ready(origin);
    const shell = await (await fetch(origin)).text();
    assert.match(shell, /supported here: true/, "the page was not rendered on the server");
    const handler = await fetch(`${origin}/api/use`);
    assert.equal(handler.status, 200, "the route handler failed");
    return {
      outcomes: [await succeeded(origin), await handler.json()],
      outputs: [await project.files(".next/static"), await project.files(".next/server")],
    };
  } finally {
    await server.stop();
  }
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
    name: "vite-dev",
    title: "Vite, development server",
    project: "vite",
    tool: "vite",
    entry: "gridkey",
    modules: ["file"],
    isQuick: true,
    async run(project) {
      const result = await developed(...(await viteServer(project, "default")));
      const [files] = result.outputs;
      assert.ok(files.some(({ name }) => name.includes("/.vite/")), "the package was not pre-bundled");
      return result;
    },
  },
  {
    name: "vite-inline",
    title: "Vite, build",
    project: "vite",
    tool: "vite",
    entry: "gridkey/inline",
    modules: ["inlined"],
    async run(project) {
      await viteBuild(project, "inline");
      return built(project, "out/inline");
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
    name: "csp",
    title: "Vite, build, under a strict Content-Security-Policy",
    project: "vite",
    tool: "vite",
    entry: "gridkey",
    modules: ["file"],
    recipe: recipes.POLICY,
    isQuick: true,
    async run(project) {
      await viteBuild(project, "default");
      await refused(project, "out/default");
      return built(project, "out/default", STRICT);
    },
  },
  {
    name: "csp-inline",
    title: "Vite, build, under a Content-Security-Policy that lets it fetch nothing",
    project: "vite",
    tool: "vite",
    entry: "gridkey/inline",
    modules: ["inlined"],
    recipe: recipes.POLICY,
    isQuick: true,
    async run(project) {
      await viteBuild(project, "inline");
      await refused(project, "out/inline");
      return built(project, "out/inline", WITHOUT_CONNECTIONS);
    },
  },
  {
    name: "vite-7",
    title: "Vite 7, build",
    project: "vite-7",
    tool: "vite",
    entry: "gridkey",
    modules: ["file"],
    async run(project) {
      await project.node(VITE, "build", "--outDir", "out", "--logLevel", "warn");
      return built(project, "out");
    },
  },
  {
    name: "vite-7-dev",
    title: "Vite 7, development server",
    project: "vite-7",
    tool: "vite",
    entry: "gridkey",
    modules: ["file"],
    recipe: recipes.VITE_7,
    run: async (project) => developed(...(await viteServer(project, "."))),
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
    recipe: recipes.ROLLUP,
    async run(project) {
      await project.node("node_modules/rollup/dist/bin/rollup", "--config", "--failAfterWarnings");
      await copyFile(project.path("index.html"), project.path("out/index.html"));
      return built(project, "out");
    },
  },
  {
    name: "esbuild",
    title: "esbuild, with its loader for files",
    project: "esbuild",
    tool: "esbuild",
    entry: "gridkey/slim",
    modules: ["file"],
    recipe: recipes.ESBUILD,
    async run(project) {
      await esbuild(project, "file", "file/main.js", "--format=esm", "--loader:.wasm=file");
      return built(project, "out/file");
    },
  },
  {
    name: "esbuild-copy",
    title: "esbuild, with the file copied by hand",
    project: "esbuild",
    tool: "esbuild",
    entry: "gridkey",
    modules: ["file"],
    recipe: recipes.ESBUILD,
    async run(project) {
      await esbuild(project, "copied", "copied/main.js", "--format=esm");
      await copyFile(project.path("node_modules/gridkey/wasm/gridkey_bg.wasm"), project.path("out/copied/gridkey_bg.wasm"));
      return built(project, "out/copied");
    },
  },
  {
    name: "esbuild-inline",
    title: "esbuild, with nothing beside it",
    project: "esbuild",
    tool: "esbuild",
    entry: "gridkey/inline",
    modules: ["inlined"],
    recipe: recipes.ESBUILD,
    async run(project) {
      await esbuild(project, "inline", "inline/main.js", "--format=esm");
      return built(project, "out/inline");
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
    title: "Next.js (Turbopack): client page, server-rendered shell, route handler",
    project: "next",
    tool: "next",
    entry: "gridkey",
    modules: ["file", "file"],
    parts: ["browser", "server"],
    async run(project) {
      await rm(project.path("next.config.mjs"), { force: true });
      return next(project);
    },
  },
  {
    name: "next-webpack",
    title: "Next.js (webpack): client page, server-rendered shell, route handler",
    project: "next",
    tool: "next",
    entry: "gridkey",
    modules: ["file", "none"],
    parts: ["browser", "server"],
    recipe: recipes.NEXT_WEBPACK,
    async run(project) {
      await copyFile(project.path("next.config.webpack.mjs"), project.path("next.config.mjs"));
      return next(project, "--webpack");
    },
  },
  {
    name: "vitest",
    title: "Vitest, environment node",
    project: "vitest",
    tool: "vitest",
    entry: "gridkey",
    modules: ["file"],
    run: (project) => inTests(project, ...VITEST),
  },
  {
    name: "vitest-jsdom",
    title: "Vitest, environment jsdom",
    project: "vitest",
    tool: "vitest",
    entry: "gridkey",
    modules: ["file"],
    run: (project) => inTests(project, ...VITEST, "--environment", "jsdom"),
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
    recipe: recipes.JEST_JSDOM,
    async run(project) {
      await copyFile(new URL("../testing/jest/environment.js", import.meta.url), project.path("environment.js"));
      return inTests(project, "node_modules/jest/bin/jest.js", "--env", "./environment.js");
    },
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
    recipe: recipes.PLAIN,
    isQuick: true,
    run: (project) => unbundled(project, "/index.html"),
  },
  {
    name: "plain-slim",
    title: "A page without a bundler, with the address given",
    project: "plain",
    tool: "chromium",
    entry: "gridkey/slim",
    modules: ["file"],
    recipe: recipes.PLAIN,
    run: (project) => unbundled(project, "/slim.html"),
  },
  {
    name: "worker",
    title: "A dedicated worker without a bundler",
    project: "plain",
    tool: "chromium",
    entry: "gridkey",
    modules: ["file"],
    recipe: recipes.PLAIN,
    run: (project) => unbundled(project, "/worker.html"),
  },
  {
    name: "service-worker",
    title: "A service worker without a bundler (a module)",
    project: "plain",
    tool: "chromium",
    entry: "gridkey",
    modules: ["file"],
    recipe: recipes.PLAIN,
    run: (project) => unbundled(project, "/service-worker.html"),
  },
  {
    name: "classic-service-worker",
    title: "A service worker that esbuild bundles (no module)",
    project: "esbuild",
    tool: "esbuild",
    entry: "gridkey/inline",
    modules: ["inlined"],
    recipe: recipes.ESBUILD,
    async run(project) {
      await esbuild(project, "service-worker", "service-worker/service-worker.js", "--format=iife");
      await copyFile(project.path("service-worker/page.js"), project.path("out/service-worker/page.js"));
      return built(project, "out/service-worker");
    },
  },
];
