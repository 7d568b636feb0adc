// Every document of every archive that the tests have is read whole; and whatever is changed in it, something of the right types comes of it.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as flink from '../src/lib/api/flink';
import { readDocument, type Shape } from '../src/lib/api/shape';

const FIXTURES = ['archives', 'versions'].map((folder) => fileURLToPath(new URL(`../../tests/fixtures/${folder}`, import.meta.url)));

/** How the pages read what stands at a path; the last that fits. */
const SHAPES: [RegExp, Shape<unknown>][] = [
  [/^\/applications\/[0-9a-f]{32}$/, flink.application],
  [/\/exceptions$/, flink.exceptions],
  [/^\/jobs\/[0-9a-f]{32}$/, flink.job],
  [/^\/jobs\/[^/]+\/config$/, flink.jobConfiguration],
  [/^\/jobs\/[^/]+\/accumulators$/, flink.jobAccumulators],
  [/\/jobmanager\/config$/, flink.clusterConfiguration],
  [/\/jobmanager\/environment$/, flink.environment],
  [/\/checkpoints$/, flink.checkpoints],
  [/\/checkpoints\/config$/, flink.checkpointConfiguration],
  [/\/checkpoints\/details\/\d+$/, flink.checkpoint],
  [/\/checkpoints\/details\/\d+\/subtasks\/[^/]+$/, flink.checkpointSubtasks],
  [/\/rescales\/overview$/, flink.rescalesOverview],
  [/\/rescales\/history$/, flink.rescalesHistory],
  [/\/rescales\/summary$/, flink.rescalesSummary],
  [/\/rescales\/config$/, flink.rescalesConfiguration],
  [/\/rescales\/details\/[^/]+$/, flink.rescale],
  [/\/vertices\/[^/]+$/, flink.vertexDetails],
  [/\/vertices\/[^/]+\/subtasktimes$/, flink.vertexTimes],
  [/\/vertices\/[^/]+\/taskmanagers$/, flink.taskManagers],
  [/\/attempts\/\d+$/, flink.attempt],
  [/\/attempts\/\d+\/accumulators$/, flink.attemptAccumulators],
];
/** What no page shows: lists have the overviews from the index, and the plan stands in the document of its job. */
const NOT_SHOWN = /^\/(?:jobs|applications)\/overview$|^\/jobs\/[^/]+\/plan$/;

const shapeOf = (path: string): Shape<unknown> | undefined => SHAPES.findLast(([pattern]) => pattern.test(path))?.[1];

interface Entry {
  file: string;
  path: string;
  json: string;
}

const entries: Entry[] = FIXTURES.flatMap((folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .flatMap((one) => {
      const file = join(one.parentPath, one.name);
      return (JSON.parse(readFileSync(file, 'utf8')) as { archive: { path: string; json: string }[] }).archive.map((entry) => ({ file, ...entry }));
    }),
);

describe('documents of real archives', () => {
  test('there are thousands, each of a kind that is known', () => {
    expect(entries.length).toBeGreaterThan(5000);
    expect(entries.filter(({ path }) => !shapeOf(path) && !NOT_SHOWN.test(path)).map(({ path }) => path)).toEqual([]);
    expect(SHAPES.filter(([, shape]) => !entries.some(({ path }) => shapeOf(path) === shape)).map(([pattern]) => String(pattern))).toEqual([]);
  });

  test('have nothing that a page would call unexpected', () => {
    const found = entries.flatMap(({ file, path, json }) => {
      const shape = shapeOf(path);
      return shape ? readDocument(shape, JSON.parse(json)).flaws.map((flaw) => `${file} ${path}: ${flaw.at} ${flaw.what}`) : [];
    });
    expect(found).toEqual([]);
  });
});

const STRANGE = [null, -7.5, 'strange', ['strange', null, 7, {}], { strange: { strange: [] } }, true, undefined];

/** The value with each of its members replaced in turn, and the path of the member; of a list the first one stands for all. */
function* changed(value: unknown, strange: unknown, at = ''): Generator<[unknown, string]> {
  yield [strange, at];
  const inner: [string | number, unknown][] = Array.isArray(value) ? value.slice(0, 1).map((one, index) => [index, one]) : value && typeof value === 'object' ? Object.entries(value) : [];
  for (const [key, one] of inner) {
    for (const [other, path] of changed(one, strange, `${at}/${key}`)) {
      const copy: unknown = Array.isArray(value) ? [...value] : { ...(value as object) };
      if (other === undefined && !Array.isArray(copy)) delete (copy as Record<string, unknown>)[key];
      else (copy as Record<string | number, unknown>)[key] = other;
      yield [copy, path];
    }
  }
}

/** Where two values are not of the same types; members that are not there are of any. */
function differences(value: unknown, like: unknown, at = ''): string[] {
  if (value === undefined || like === undefined || value === null || like === null) return [];
  const kind = (one: unknown): string => (Array.isArray(one) ? 'list' : typeof one);
  // Java writes "NaN" for a number, and in a record of options values are of any type.
  if (kind(value) !== kind(like)) return [value, like].some((one) => one === 'NaN') || at.startsWith('/rescales-config') ? [] : [`${at}: ${kind(value)} instead of ${kind(like)}`];
  if (Array.isArray(value)) return value.flatMap((one) => differences(one, (like as unknown[])[0], `${at}/0`));
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, one]) => differences(one, (like as Record<string, unknown>)[key], `${at}/${key}`));
}

describe('a document with a member of another type', () => {
  for (const [pattern, shape] of SHAPES) {
    test(String(pattern), () => {
      // One with much to change, and little of it twice.
      const samples = entries.filter(({ path, json }) => shapeOf(path) === shape && json.length < 30_000 && !json.startsWith('{"errors"'));
      const sample = samples.reduce((most, one) => (one.json.length > most.json.length ? one : most));
      const body: unknown = JSON.parse(sample.json);
      const like = readDocument(shape, body).value;
      const root = shape === flink.rescalesConfiguration ? '/rescales-config' : '';
      expect(like).toBeDefined();
      for (const strange of STRANGE) {
        for (const [other, path] of changed(body, strange)) {
          const { value, flawCount, flaws } = readDocument(shape, other);
          expect(differences(value, like, root), `${path} as ${JSON.stringify(strange)}`).toEqual([]);
          // Nothing is left out without a word, but what is null or not there.
          if (value === undefined) expect(flawCount, path).toBeGreaterThan(0);
          expect(flaws.length).toBeLessThanOrEqual(3);
        }
      }
    });
  }
});

describe('what is wrong is said', () => {
  test('with the place and both types', () => {
    const { value, flaws, flawCount } = readDocument(flink.job, {
      state: 'FAILED',
      vertices: [{ id: 'v', status: 7, name: { text: 'Source' }, tasks: [] }],
      plan: { nodes: [{ id: 'v', inputs: 5 }] },
    });
    expect(flawCount).toBe(4);
    expect(flaws).toEqual([
      { at: 'vertices[0].name', what: 'an object instead of a text' },
      { at: 'vertices[0].status', what: 'a number instead of a text' },
      { at: 'vertices[0].tasks', what: 'a list instead of an object' },
    ]);
    expect(value?.vertices).toEqual([{ id: 'v', name: '', status: '7', metrics: {} }]);
  });

  test('of what every version writes, that it is missing or null', () => {
    expect(readDocument(flink.job, { vertices: null }).flaws).toEqual([
      { at: 'state', what: 'missing' },
      { at: 'vertices', what: 'null' },
    ]);
  });

  test.each([
    [null, 'null'],
    [[], 'a list instead of an object'],
    ['x', 'a text instead of an object'],
    [1e999, 'a number instead of an object'],
  ])('of a document that is %j', (body, what) => expect(readDocument(flink.job, body)).toEqual({ value: undefined, flaws: [{ at: '', what }], flawCount: 1, refusal: null }));

  test('a refusal that Flink archived is none', () => {
    expect(readDocument(flink.checkpoints, { errors: ['Checkpointing has not been enabled.'] })).toMatchObject({ refusal: 'Checkpointing has not been enabled.', flawCount: 0 });
  });

  test('a number that JSON can write and no machine can hold is none', () => expect(readDocument(flink.job, JSON.parse('{"state":"x","vertices":[],"duration":1e999}')).flaws).toMatchObject([{ at: 'duration' }]));
});
