import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

const server = process.env['HISTORYSERVER_URL'] ?? 'http://127.0.0.1:8082';
/** What the server answers and the page does not bring itself. */
const answeredByServer = ['/config', '/applications', '/jobs', '/overview', '/api'];

export default defineConfig({
  // Relative, so that the page works below any prefix of a reverse proxy.
  base: './',
  plugins: [svelte()],
  build: {
    outDir: '../web-dist',
    emptyOutDir: true,
    target: 'es2022',
    // The Content-Security-Policy allows neither inline script nor data: modules.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: true,
    reportCompressedSize: false,
    // The licences of what is bundled go with it.
    license: { fileName: 'licenses.txt' },
  },
  server: {
    port: 5173,
    proxy: Object.fromEntries(answeredByServer.map((path) => [path, server])),
  },
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
  },
});
