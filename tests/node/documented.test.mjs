// The public types explain themselves: in an editor they are all the documentation that one sees.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

import ts from "../../xtask/tools/node_modules/typescript/lib/typescript.js";

const PACKAGE = new URL("../../pkg/", import.meta.url);
const FILES = ["index.d.ts", "inline.d.ts", "slim.d.ts", "testing/index.d.ts", "wasm/gridkey.d.ts"];

/** What a number may count. */
const UNITS = /milliseconds|smallest unit|HTTP status|[Hh]ow (?:many|often)|decimals|[Uu]nits of|[Aa]t (?:least|most)|the (?:first|second) request|is signed|of a request/;

/** How a text of these names may be written. */
const FORMS = [
  { names: /(?:At|Date)$/, form: /RFC 3339/ },
  { names: /phoneNumber$/i, form: /E\.164|`\+\d+`/ },
  { names: /(?:id|oidc|oauth)Token$/i, form: /JWT/ },
  { names: /(?:publicKey|enclaveKey|publicKeyHex)$/i, form: /SEC1[^.]*\d+ hexadecimal/ },
  { names: /^(?:nonce|fingerprint)$/, form: /hexadecimal/ },
  { names: /^challenge$/, form: /hexadecimal|base64url/ },
  { names: /^(?:credentialId|clientDataJson|authenticatorData|signature|userHandle|attestationObject)$/, form: /base64url/ },
  { names: /(?:bundle|encrypted\w+)$/i, form: /JSON|sealed/i },
  { names: /^(?:payloadToSign|body)$/, form: /JSON|byte for byte/ },
  { names: /^stamp$/, form: /Grid-Wallet-Signature/ },
  { names: /integrity$/i, form: /`integrity`/ },
];

const sources = await Promise.all(
  FILES.map(async (file) => ts.createSourceFile(file, await readFile(new URL(file, PACKAGE), "utf8"), ts.ScriptTarget.Latest, true)),
);

const place = (node) => {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(node.getStart());
  return `${file.fileName}:${line + 1} ${node.getText().split("\n")[0].slice(0, 80)}`;
};

/** The text of the comment that stands directly before it. */
function comment(node) {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter((part) => ts.isJSDoc(part) && part.parent === node);
  return (ts.getTextOfJSDocComment(doc?.comment) ?? "").replaceAll(/\s+/g, " ").trim();
}

const isExported = (node) => ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
const isHidden = (node) => ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);
/** An index signature stands in the place of what Grid may add. */
const isMember = (node) => (ts.isTypeElement(node) || ts.isClassElement(node)) && !ts.isIndexSignatureDeclaration(node);

/** Says which of the types of a union it is, and is explained by its value. */
const isTag = ({ parent, type }) =>
  ts.isTypeLiteralNode(parent) && type && (ts.isUnionTypeNode(type) ? type.types : [type]).every((of) => ts.isLiteralTypeNode(of) && ts.isStringLiteral(of.literal));

/** The exported declarations, and the members of those that are interfaces, classes and types. */
function* documented(source) {
  for (const declaration of source.statements.filter(isExported)) {
    yield declaration;
    yield* members(declaration);
  }
}

/** An object that is written out in a signature, or behind a member in one line, is explained with it. */
function* members(node) {
  for (const child of node.getChildren()) {
    if (ts.isParameter(child) || ts.isFunctionTypeNode(child) || ts.isFunctionDeclaration(node)) continue;
    if (!isMember(child)) yield* members(child);
    else if (!isHidden(child) && !isTag(child)) {
      yield child;
      if (ts.isPropertySignature(child) && /\{\n/.test(child.getText())) yield* members(child);
    }
  }
}

/** It and what it is part of. */
function explanations(node) {
  const texts = [];
  for (let part = node; part; part = part.parent) texts.push(comment(part));
  return texts.join(" ");
}

test("every exported declaration and every member says what it is", () => {
  const all = sources.flatMap((source) => [...documented(source)]);
  assert.ok(all.length > 400, `${all.length}`);
  const silent = all.filter((node) => !/.{4}\.( |$)/.test(comment(node)));
  assert.deepEqual(silent.map(place), []);
});

test("every number says what it counts", () => {
  const numbers = sources.flatMap((source) => [...documented(source)]).filter((node) => node.type?.kind === ts.SyntaxKind.NumberKeyword);
  assert.ok(numbers.length > 20, `${numbers.length}`);
  assert.deepEqual(numbers.filter((node) => !UNITS.test(explanations(node))).map(place), []);
});

test("every encoded text says how it is written", () => {
  const texts = sources.flatMap((source) => [...documented(source)]).filter((node) => node.type?.kind === ts.SyntaxKind.StringKeyword && node.name);
  let encoded = 0;
  for (const { names, form } of FORMS) {
    const named = texts.filter((node) => names.test(node.name.getText()));
    assert.ok(named.length > 0, `nothing is named ${names}`);
    encoded += named.length;
    assert.deepEqual(named.filter((node) => !form.test(explanations(node))).map(place), [], `${form}`);
  }
  assert.ok(encoded > 50, `${encoded}`);
});

test("no type is any", () => {
  const found = [];
  const visit = (node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) found.push(place(node.parent));
    ts.forEachChild(node, visit);
  };
  sources.forEach(visit);
  assert.deepEqual(found, []);
});
