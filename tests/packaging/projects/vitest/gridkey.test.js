import { writeFile } from "node:fs/promises";
import { SealedKeyReceiver, SessionKey, init } from "gridkey";
import { expect, test } from "vitest";
import { use } from "./use.js";

test("gridkey works here", async () => {
  const outcome = await use({ SealedKeyReceiver, SessionKey, init });
  expect(Object.keys(outcome)).toEqual(["stamp", "opened"]);
  await writeFile("outcome.json", JSON.stringify(outcome));
});
