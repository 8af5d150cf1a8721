// `../vectors/INDEX.md`, read.

import { readFileSync } from "node:fs";

/** Its rows: how many cases a file has, the Rust test that runs so many of them, and how many the package runs. */
export function covered() {
  const text = readFileSync(new URL("../vectors/INDEX.md", import.meta.url), "utf8").replaceAll("\\|", "\u2016");
  const rows = text.split("\n").filter((line) => /^\| \S+\.json \|/.test(line));
  return rows.map((row) => {
    const [file, cases, , , , test, inPackage] = row.split("|").slice(1, -1).map((cell) => cell.trim());
    const [number, ...why] = inPackage.split(",");
    const [, by, natively = cases] = /^(\S+)(?: \((\d+)\))?$/.exec(test);
    return { file, cases: Number(cases), by, natively: Number(natively), inPackage: number === "–" ? 0 : Number(number), why: why.join(",").trim() };
  });
}

/** How many cases a file has, whatever its format calls them. */
export function count({ source, testGroups, tests, negatives, vectors, valid, invalid, challenge, nonce, ceremonies, ...rest }) {
  const lists = [tests, negatives, vectors, valid, invalid, challenge, nonce, ceremonies, ...(testGroups ?? []).map((group) => group.tests)];
  const listed = lists.reduce((sum, list) => sum + (list?.length ?? 0), 0);
  // turnkey_keys.json has a name for each.
  return listed || Object.keys(rest).length;
}
