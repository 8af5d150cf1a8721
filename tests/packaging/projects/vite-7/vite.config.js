import { defineConfig } from "vite";

export default defineConfig({
  // Its pre-bundled packages lose their files in development.
  optimizeDeps: { exclude: ["gridkey"] },
});
