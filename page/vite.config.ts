import { gzipSync } from "node:zlib";

import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Writes a compressed copy beside each file, so that the server does not compress. */
const compressed: Plugin = {
  name: "compressed",
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) {
      const content = file.type === "chunk" ? file.code : file.source;
      this.emitFile({ type: "asset", fileName: `${file.fileName}.gz`, source: gzipSync(content, { level: 9 }) });
    }
  },
};

export default defineConfig({
  // Relative addresses, so that the page works behind a path prefix.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    // `dist` itself is committed with a .gitignore, so that Cargo can watch it before the first build.
    outDir: "dist/files",
    emptyOutDir: true,
    assetsDir: "page",
    // A data: URL in a style sheet would need an exception in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  plugins: [compressed],
  // The tests in a browser wait for scrapes and rules.
  test: { testTimeout: 300_000, hookTimeout: 300_000 },
});
