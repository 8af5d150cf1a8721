// Does what `docs/newcomer.md` says, as it is written there: its commands, its files, and a person's
// part in Chromium. The demo is at `GRIDKEY_DEMO_URL`, the packed package at `GRIDKEY_TARBALL`. With
// `UPDATE_DOCS` the page's times are written.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { LoginPage, closeBrowser } from "../e2e/login-page.mjs";
import * as sandbox from "../e2e/sandbox.mjs";

const TARBALL = process.env.GRIDKEY_TARBALL ?? assert.fail("GRIDKEY_TARBALL is not set: run `cargo xtask packaging newcomer`");
const PAGE = fileURLToPath(new URL("../../docs/newcomer.md", import.meta.url));
const README = fileURLToPath(new URL("../../README.md", import.meta.url));

const page = await readFile(PAGE, "utf8");
await checkReadme();
const times = [];
const directory = await mkdtemp(join(tmpdir(), "gridkey-newcomer-"));
let browser;
let server;
try {
  let cwd = directory;
  for (const [info, text] of blocks(page)) {
    if (info !== "sh") {
      await writeFile(join(cwd, info.split(" ")[1]), atTheDemo(text));
      continue;
    }
    for (const line of text.trim().split("\n")) {
      await timed(line, async () => {
        if (line === "cargo xtask demo") browser = await addPasskey();
        else if (line === "cargo xtask pack") await access(TARBALL);
        else if (line.startsWith("cd ")) cwd = resolve(cwd, line.slice(3));
        else if (line === "npm run dev") await develop(cwd);
        else await run(line.replace(/\S+\.tgz$/, TARBALL), cwd);
      });
    }
  }
} finally {
  await browser?.close();
  await closeBrowser();
  server?.kill();
  await rm(directory, { recursive: true, force: true });
}
await writeTimes();

/** The fenced blocks, with what stands behind the fence. */
function blocks(markdown) {
  return [...markdown.matchAll(/^```(.+)\n([^]*?)^```$/gm)].map(([, info, text]) => [info, text]);
}

/** The demo of a test has another port than that of a person. */
function atTheDemo(text) {
  return text.replaceAll("http://localhost:8700", sandbox.DEMO_URL.origin);
}

/** Each of the README's ten lines is in the page, in their order. */
async function checkReadme() {
  const readme = blocks(await readFile(README, "utf8")).find(([info, text]) => info === "ts" && text.includes("createGridkey"));
  const [, main] = blocks(page).find(([info]) => info === "ts src/main.ts");
  let lines = main.split("\n");
  for (const line of readme[1].split("\n")) {
    const at = lines.indexOf(line);
    assert.ok(at >= 0, `the README's line is not in ${PAGE}: ${line}`);
    lines = lines.slice(at + 1);
  }
}

/** What a person does on the demo's own page. */
async function addPasskey() {
  await sandbox.reset();
  const login = await LoginPage.open();
  await login.signInByCode();
  await login.addPasskey("Newcomer");
  await login.signOut();
  return login;
}

/** What a person does on their own page. */
async function develop(cwd) {
  server = spawn(process.execPath, ["node_modules/vite/bin/vite.js", "--port", "0"], { cwd, stdio: ["ignore", "pipe", "inherit"], env: environment() });
  const address = await new Promise((found, failed) => {
    let output = "";
    server.stdout.on("data", (data) => {
      output += data;
      const [address] = output.match(/http:\/\/localhost:\d+\//) ?? [];
      if (address) found(address);
    });
    server.on("exit", () => failed(new Error(`the development server ended: ${output}`)));
    setTimeout(() => failed(new Error(`the development server gives no address: ${output}`)), 60_000).unref();
  });
  const before = (await sandbox.sessions()).length;
  const { page: tab } = browser;
  const button = tab.getByRole("button");
  try {
    await tab.goto(address);
    // The challenge is fetched ahead of the tap.
    await tab.waitForFunction(() => document.querySelector("button")?.onclick);
    assert.equal(await button.textContent(), "Sign in");
    await button.click();
    await button.filter({ hasText: /^Signed in until \d/ }).waitFor();
  } catch (error) {
    throw new Error(["nobody was signed in", ...browser.problems].join("\n  "), { cause: error });
  }
  assert.deepEqual(browser.problems, [], "problems on the page");
  const opened = (await sandbox.sessions()).slice(before);
  assert.equal(opened.length, 2, "one session by passkey, and the one that replaced it");
}

async function run(line, cwd) {
  const [program, ...args] = line.split(" ");
  assert.equal(program, "npm", `a command that this does not know: ${line}`);
  const child = spawn(program, args, { cwd, stdio: ["ignore", "inherit", "inherit"], env: environment() });
  const [status] = await once(child, "exit");
  assert.equal(status, 0, line);
}

/** A person is asked, and says yes. What an outer npm set for itself is not theirs. */
function environment() {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_(lifecycle|package|config_local)/.test(name));
  return { ...Object.fromEntries(own), npm_config_yes: "true", npm_config_audit: "false", npm_config_fund: "false", NO_COLOR: "1" };
}

async function timed(step, work) {
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  console.log(`${seconds.toFixed(1).padStart(6)} s  ${step}`);
  times.push([step, seconds]);
}

/** Numbers are those of the day when they were written; the steps must be these. */
async function writeTimes() {
  const done = times.filter(([step]) => !/^(cd|cargo) /.test(step));
  const [head, table] = page.split(/(?<=^\|---\|---\|\n)/m);
  if (process.env.UPDATE_DOCS) {
    await writeFile(PAGE, head + done.map(([step, seconds]) => `| \`${step}\` | ${seconds.toFixed(1)} |\n`).join(""));
    return;
  }
  const written = [...(table ?? "").matchAll(/^\| `(.+)` \|/gm)].map(([, step]) => step);
  assert.deepEqual(written, done.map(([step]) => step), `the steps in ${PAGE}; \`UPDATE_DOCS=1 cargo xtask packaging newcomer\` writes them`);
}
