// Adds the licences of the packages in workers to the file that Vite writes, which covers the scripts of the page only.
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Returns the plugin of the build of workers, which collects their packages, and the plugin of the build of the page.
 *
 * @param {string} fileName
 * @returns {{ worker: () => import('vite').Plugin, page: import('vite').Plugin }}
 */
export function workerLicenses(fileName) {
  /** @type {Set<string>} */
  const folders = new Set();
  return {
    worker: () => ({
      name: 'packages-of-workers',
      generateBundle(_, bundle) {
        for (const chunk of Object.values(bundle)) {
          if (chunk.type === 'asset') continue;
          for (const id of chunk.moduleIds) {
            const [folder] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? [];
            if (folder) folders.add(folder);
          }
        }
      },
    }),
    page: {
      name: 'licenses-of-workers',
      apply: 'build',
      writeBundle({ dir = '.' }) {
        const file = join(dir, fileName);
        const known = readFileSync(file, 'utf8');
        for (const folder of folders) {
          const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
          const text = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
          const heading = `## ${name} - ${version} (${license})\n`;
          if (!known.includes(heading)) appendFileSync(file, `\n${heading}${text ? `\n${readFileSync(join(folder, text), 'utf8').trim()}\n` : ''}`);
        }
      },
    },
  };
}
