import { defineConfig } from "vite";

/** What the built page may load: itself. Nothing inline; WebAssembly, because the keys live there. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** @type {import("vite").Plugin} */
const contentSecurityPolicy = {
  name: "content-security-policy",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: CONTENT_SECURITY_POLICY }, injectTo: "head-prepend" },
  ],
};

export default defineConfig({
  plugins: [contentSecurityPolicy],
  // Assets stay files: an inlined one would be a data: URL, which the policy forbids.
  build: { assetsInlineLimit: 0, rolldownOptions: { input: ["index.html", "return.html"] } },
});
