/** @jest-environment jsdom */

const { createTestAuthenticator, createTestGrid } = require("gridkey/testing");

test("an environment without WebCrypto is told how to get it", async () => {
  await expect(createTestGrid()).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringContaining("docs/testing.md") });
  expect(() => createTestAuthenticator()).toThrow("docs/testing.md");
});
