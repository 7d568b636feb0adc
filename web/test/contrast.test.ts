import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/** Contrast by WCAG 2.2, computed from the tokens themselves, in both themes. */
const css = readFileSync(new URL('../src/styles/tokens.css', import.meta.url), 'utf8');
const tokens = new Map([...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [name ?? '', { light: light ?? '', dark: dark ?? '' }]));

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const SURFACES = ['bg', 'surface', 'surface-2', 'hover', 'selected'];
const TONES = ['finished', 'failed', 'canceled', 'running', 'pending', 'neutral'];

const text: [string, string][] = [
  ...['text', 'text-muted', 'accent', 'failed'].flatMap((color) => SURFACES.map((surface): [string, string] => [color, surface])),
  ...['bg', 'surface', 'surface-2', 'hover'].map((surface): [string, string] => ['text-faint', surface]),
  ...TONES.flatMap((tone): [string, string][] => [
    [tone, `${tone}-bg`],
    [tone, 'surface'],
    [tone, 'hover'],
  ]),
  ['text', 'accent-bg'],
  ['text-muted', 'accent-bg'],
  ['accent', 'accent-bg'],
  ['on-accent', 'accent'],
  ['mark-text', 'mark-bg'],
  ['sidebar-text', 'sidebar'],
  ['sidebar-text', 'sidebar-hover'],
  ['sidebar-muted', 'sidebar'],
  ['sidebar-muted', 'sidebar-hover'],
  ['sidebar-active-text', 'sidebar-active'],
];

const shapes: [string, string][] = [
  ...[...TONES.map((tone) => `${tone}-fill`), 'phase-deploying', 'phase-initializing', 'border-strong', 'focus'].flatMap((color): [string, string][] => [
    [color, 'surface'],
    [color, 'bg'],
  ]),
];

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  const color = (name: string): string => {
    const token = tokens.get(name);
    if (!token) throw new Error(`there is no token --${name} with a light and a dark colour`);
    return token[theme];
  };

  test.each(text)('--%s is readable on --%s', (front, back) => {
    expect(contrast(color(front), color(back))).toBeGreaterThanOrEqual(4.5);
  });

  test.each(shapes)('--%s is visible on --%s', (front, back) => {
    expect(contrast(color(front), color(back))).toBeGreaterThanOrEqual(3);
  });
});
