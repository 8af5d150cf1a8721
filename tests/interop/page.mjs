// docs/interop.md: where gridkey and its peers disagree.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";

import { KINDS, WHY_TAKEN, compare } from "./verdicts.mjs";
import { Dice } from "./dice.mjs";

const PAGE = new URL("../../docs/interop.md", import.meta.url);
/** Of the page's examples. */
const SEED = "examples";

const takes = (verdict) => "takes" in verdict;
const word = (verdict) => (verdict === undefined ? "" : takes(verdict) ? "takes" : "refuses");

/** Which of them take it, as a text that can be compared. */
export const pattern = ({ ours, peers }) => [ours, ...Object.values(peers)].map(word).join(" ");

/** The disagreements on the page's keys, by kind and class, in their order. */
export async function disagreements() {
  const dice = new Dice(SEED);
  const restore = dice.fillsGetRandomValues();
  const found = new Map();
  try {
    await compare(dice, (found_) => found.set(`${found_.kind} / ${found_.name}`, found_));
  } finally {
    restore();
  }
  return found;
}

/** Fails if gridkey takes what a peer refuses and nobody has said why. */
export function checkReasons(found) {
  for (const [key, difference] of found) {
    if (takes(difference.ours)) assert.ok(key in WHY_TAKEN, `gridkey takes what others refuse: ${key}: ${difference.text}`);
  }
  for (const key of Object.keys(WHY_TAKEN)) assert.ok(found.has(key) && takes(found.get(key).ours), `a reason for what does not happen: ${key}`);
}

/** Writes the page, with `UPDATE_DOCS`, or fails if it says something else. */
export function holdAgainstPage(found, classes) {
  const page = written(found, classes);
  if (process.env.UPDATE_DOCS) {
    writeFileSync(PAGE, page);
    console.log("wrote docs/interop.md");
    return;
  }
  assert.equal(readFileSync(PAGE, "utf8"), page, "docs/interop.md says something else: `UPDATE_DOCS=1 cargo xtask test interop` writes it");
}

function written(found, classes) {
  const all = [...found.values()];
  const [laxer, stricter] = [all.filter(({ ours }) => takes(ours)), all.filter(({ ours }) => !takes(ours))];
  const kinds = [...new Set(stricter.map(({ kind }) => kind))];
  const tables = kinds.map((kind) => {
    const rows = stricter.filter((row) => row.kind === kind);
    const peers = Object.keys(rows[0].peers);
    const head = ["changed", ...peers, "for example"];
    const lines = rows.map((row) => [cell(row.name), ...peers.map((peer) => word(row.peers[peer])), example(row)]);
    return `### ${kind[0].toUpperCase()}${kind.slice(1)}\n\n${table([head, ...lines])}`;
  });
  const why = laxer.map((row) => [row.kind, cell(row.name), Object.entries(row.peers).filter(([, verdict]) => !takes(verdict)).map(([name]) => name).join(", "), WHY_TAKEN[`${row.kind} / ${row.name}`], example(row)]);
  return `# Beside Turnkey's and hand-written code

\`cargo xtask test interop\` holds the built package against Turnkey's own JavaScript (\`@turnkey/crypto\`,
\`@turnkey/api-key-stamper\`), against what Grid's sample code puts together by hand from
\`@noble/curves\` and \`@hpke/core\`, and against OpenSSL, in the versions of
\`tests/interop/package-lock.json\`. What the one makes the others take, in both directions: public keys,
stamps, signatures, sealed session keys, one-time codes, wallet exports and verification tokens. Private keys
are 1, 2, 3, n - 1, n - 2, n - 3, every power of two, ones with up to 31 leading zero bytes, ones whose public x or y
begins with zero bytes, and random ones; shared secrets with one and with two leading zero bytes; messages
around the ends of SHA-256's blocks, empty, in many scripts, and of 64 KiB. A run prints its seed, and
\`INTEROP_SEED\` repeats it.

Then valid ones are changed, in ${classes} ways, and what is taken and refused is compared. This page lists every way in
which they disagree, and is written by \`UPDATE_DOCS=1 cargo xtask test interop\`; for any other keys the verdicts are
the same. "By hand" is \`JSON.parse\`, noble and @hpke/core.

## What gridkey takes and others refuse

${table([["what", "changed", "refused by", "why it is taken", "for example"], ...why])}

## What gridkey refuses and others take

${tables.join("\n\n")}
`;
}

const cell = (text) => text.replaceAll("|", "\\|");

const table = ([head, ...rows]) => [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** What is changed, in what is readable of it. */
function example({ kind, text, valid }) {
  const [changed, before] = readable(kind, text, valid);
  let [from, end] = [0, 0];
  while (from < Math.min(changed.length, before.length) && changed[from] === before[from]) from++;
  while (end < Math.min(changed.length, before.length) - from && changed.at(-1 - end) === before.at(-1 - end)) end++;
  const [start, stop] = [Math.max(0, from - 24), Math.min(changed.length, Math.max(changed.length - end, from) + 8)];
  const shown = changed.length <= 120 ? changed : `${start > 0 ? "…" : ""}${cut(changed.slice(start, stop))}${stop < changed.length ? "…" : ""}`;
  const escaped = JSON.stringify(shown).slice(1, -1).replaceAll('\\"', '"').replaceAll("\\\\", "\\").replace(/[\ufeff\ufffd]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
  return `\`${cell(escaped).replaceAll("`", "'")}\``;
}

const cut = (text) => (text.length > 120 ? `${text.slice(0, 60)}…${text.slice(-60)}` : text);

/** What is signed is shown as it reads, not as the digits that it is sent in. */
function readable(kind, text, valid) {
  const data = (envelope) => {
    try {
      return JSON.parse(envelope);
    } catch {
      return {};
    }
  };
  const [changed, before] = [data(text), data(valid)];
  if (typeof changed.data === "string" && changed.data !== before.data && changed.dataSignature !== before.dataSignature) {
    return [changed, before].map((envelope) => Buffer.from(envelope.data, "hex").toString());
  }
  const [mine, theirs] = [text, valid].map((token) => token.split("."));
  if (kind === "verification token" && (mine[0] !== theirs[0] || mine[1] !== theirs[1])) {
    return [mine, theirs].map(([header, claims]) => [header, claims].map((part) => Buffer.from(part, "base64url").toString()).join("."));
  }
  return [text, valid];
}

/** How many classes there are of all kinds. */
export const classCount = (dice) => KINDS.reduce((sum, make) => sum + Object.keys(make(dice).classes).length, 0);
