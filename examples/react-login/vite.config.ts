import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// Your backend, with the relay at /api/grid. `cargo xtask demo` starts one with a Grid of its own.
const target = process.env["BACKEND"] ?? "http://localhost:8700";
// As an object, not as a string: then `Host` stays what the browser sent, and the relay sees its own origin.
const proxy = { "/api/grid": { target }, "/config.json": { target } };

// What your server sends with the page. WebAssembly is the one thing that is not in everybody's.
const headers = {
  "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'",
};

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  preview: { proxy, headers },
  test: { environment: "jsdom", testTimeout: 20_000 },
});
