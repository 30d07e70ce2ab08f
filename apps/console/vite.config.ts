// How the console is built: same-origin assets only, so that it works under a strict policy.

import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const server = 'http://127.0.0.1:8080';

export default defineConfig({
  root: here('.'),
  plugins: [react()],
  resolve: {
    alias: [
      { find: '#contract', replacement: here('../../libs/contract/src/index.ts') },
      // The build without subtitles and DRM; it has no type declarations of its own.
      { find: /^hls\.js$/, replacement: 'hls.js/light' },
    ],
  },
  build: {
    outDir: here('../../dist/console'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
  },
  server: {
    proxy: { '/api': { target: server, ws: true }, '/healthz': { target: server } },
  },
});
