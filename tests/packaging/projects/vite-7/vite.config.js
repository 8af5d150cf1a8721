import { defineConfig } from "vite";

export default defineConfig({
  // Its pre-bundled packages lose their files in development (vitejs/vite#8427).
  optimizeDeps: { exclude: ["gridkey"] },
});
