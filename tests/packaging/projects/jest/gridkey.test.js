const { writeFile } = require("node:fs/promises");
const { SealedKeyReceiver, SessionKey, init } = require("gridkey");
const { use } = require("./use.cjs");

test("gridkey works here", async () => {
  const outcome = await use({ SealedKeyReceiver, SessionKey, init });
  expect(Object.keys(outcome)).toEqual(["stamp", "opened"]);
  await writeFile("outcome.json", JSON.stringify(outcome));
});
