import { defineConfig } from "vite";

// Names without hashes: the bridge serves the built files by name, and lets no browser keep them unasked.
export default defineConfig({
  base: "/",
  build: {
    outDir: "../aegis/bridge/static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { app: "index.html", docs: "docs.html" },
      output: { entryFileNames: "[name].js", chunkFileNames: "[name].js", assetFileNames: "[name][extname]" },
    },
  },
});
