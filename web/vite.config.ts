import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { workerLicenses } from './dev/worker-licenses.mjs';

const server = process.env['HISTORYSERVER_URL'] ?? 'http://127.0.0.1:8082';
/** What the server answers and the page does not bring itself. */
const answeredByServer = ['/config', '/applications', '/jobs', '/overview', '/api'];

const LICENSES = 'licenses.txt';
const licenses = workerLicenses(LICENSES);

export default defineConfig({
  // Relative, so that the page works below any prefix of a reverse proxy.
  base: './',
  plugins: [svelte(), licenses.page],
  worker: { format: 'es', plugins: () => [licenses.worker()] },
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
    license: { fileName: LICENSES },
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
