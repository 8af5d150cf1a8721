// docs/packaging.md: the environments, and what each takes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";

import { ENVIRONMENTS } from "./environments.mjs";

const PAGE = new URL("../../docs/packaging.md", import.meta.url);

const INTRODUCTION = `# Where the package works

\`cargo xtask packaging\` installs the packed package in a project for each row, builds the project
or runs it, in Chromium where it is a page, and holds against published vectors what it signs and
what it opens. It also counts the WebAssembly in what was built: once, never twice. \`cargo xtask
packaging NAME…\` does so for some. The rows marked ● are a part of \`cargo xtask test\`.

This page is written by \`UPDATE_DOCS=1 cargo xtask packaging\`, and every run holds it against the
projects in \`tests/packaging\`.

`;

export const row = (cells) => `| ${cells.join(" | ")} |`;

/** The version that the environment's project pins. */
export function versionOf({ project, tool }) {
  const { engines, dependencies } = json(`projects/${project}/package.json`);
  return dependencies?.[tool] ?? engines?.[tool] ?? "";
}

/** How the WebAssembly is in what an environment's tool writes or loads. */
export function modulesOf({ modules, parts }) {
  return modules.map((form, index) => (parts ? `${parts[index]}: ${form}` : form)).join(", ");
}

/** Compares the page with what it should be, or writes it if UPDATE_DOCS is set. */
export async function checkPage() {
  const expected = text();
  if (process.env.UPDATE_DOCS) await writeFile(PAGE, expected);
  const found = await readFile(PAGE, "utf8").catch(() => "");
  assert.ok(found === expected, "docs/packaging.md is not what the projects are: UPDATE_DOCS=1 cargo xtask packaging");
}

function text() {
  const header = [row(["name", "environment", "version", "import", "WebAssembly", "what it takes"]), `|${"---|".repeat(6)}`];
  const rows = ENVIRONMENTS.map((environment) => {
    const { name, title, entry, isQuick, recipe } = environment;
    const cells = [`${name}${isQuick ? " ●" : ""}`, title, versionOf(environment), `\`${entry}\``, modulesOf(environment)];
    return row([...cells, recipe ? `[see below](#${anchor(recipe.title)})` : "nothing"]);
  });
  const recipes = [...new Set(ENVIRONMENTS.map(({ recipe }) => recipe).filter(Boolean))];
  const sections = recipes.map(({ title, text }) => `\n## ${title}\n\n${text.trim()}\n`);
  return `${INTRODUCTION}${[...header, ...rows].join("\n")}\n${sections.join("")}`;
}

/** As GitHub makes them of headings. */
const anchor = (title) => title.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-");

const json = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
