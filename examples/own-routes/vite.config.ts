import { defineConfig } from "vitest/config";

// Where server.mjs listens.
const target = process.env["BACKEND"] ?? "http://localhost:8790";
const proxy = { "/wallet": { target } };

const headers = {
  "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
};

export default defineConfig({
  server: { proxy },
  preview: { proxy, headers },
  test: { testTimeout: 20_000 },
});
