// Every document of every test archive is read without flaws. If a member is changed, the result still has the right types.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as flink from '../src/lib/api/flink';
import { readDocument, type Shape } from '../src/lib/api/shape';

const FIXTURES = ['archives', 'versions'].map((folder) => fileURLToPath(new URL(`../../tests/fixtures/${folder}`, import.meta.url)));

/** The shapes of the documents by path. The last match counts. */
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
/** Documents that no page shows: lists have the overviews from the index, and the document of a job contains its plan. */
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
  test('are thousands, all of a known kind', () => {
    expect(entries.length).toBeGreaterThan(5000);
    expect(entries.filter(({ path }) => !shapeOf(path) && !NOT_SHOWN.test(path)).map(({ path }) => path)).toEqual([]);
    expect(SHAPES.filter(([, shape]) => !entries.some(({ path }) => shapeOf(path) === shape)).map(([pattern]) => String(pattern))).toEqual([]);
  });

  test('have no flaws', () => {
    const found = entries.flatMap(({ file, path, json }) => {
      const shape = shapeOf(path);
      return shape ? readDocument(shape, JSON.parse(json)).flaws.map((flaw) => `${file} ${path}: ${flaw.at} ${flaw.what}`) : [];
    });
    expect(found).toEqual([]);
  });
});

const STRANGE = [null, -7.5, 'strange', ['strange', null, 7, {}], { strange: { strange: [] } }, true, undefined];

/** The value with each of its members replaced in turn, and the path of the member. Only the first item of a list is changed. */
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

/** The paths at which two values have different types. A missing member matches any type. */
function differences(value: unknown, like: unknown, at = ''): string[] {
  if (value === undefined || like === undefined || value === null || like === null) return [];
  const kind = (one: unknown): string => (Array.isArray(one) ? 'list' : typeof one);
  // Java writes "NaN" for a number, and a record of options has values of any type.
  if (kind(value) !== kind(like)) return [value, like].some((one) => one === 'NaN') || at.startsWith('/rescales-config') ? [] : [`${at}: ${kind(value)} instead of ${kind(like)}`];
  if (Array.isArray(value)) return value.flatMap((one) => differences(one, (like as unknown[])[0], `${at}/0`));
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, one]) => differences(one, (like as Record<string, unknown>)[key], `${at}/${key}`));
}

describe('a document with a member of another type', () => {
  for (const [pattern, shape] of SHAPES) {
    test(String(pattern), () => {
      // The largest document has the most different members.
      const samples = entries.filter(({ path, json }) => shapeOf(path) === shape && json.length < 30_000 && !json.startsWith('{"errors"'));
      const sample = samples.reduce((largest, one) => (one.json.length > largest.json.length ? one : largest));
      const body: unknown = JSON.parse(sample.json);
      const like = readDocument(shape, body).value;
      const root = shape === flink.rescalesConfiguration ? '/rescales-config' : '';
      expect(like).toBeDefined();
      for (const strange of STRANGE) {
        for (const [other, path] of changed(body, strange)) {
          const { value, flawCount, flaws } = readDocument(shape, other);
          expect(differences(value, like, root), `${path} as ${JSON.stringify(strange)}`).toEqual([]);
          // Only null and missing members are left out without a flaw.
          if (value === undefined) expect(flawCount, path).toBeGreaterThan(0);
          expect(flaws.length).toBeLessThanOrEqual(3);
        }
      }
    });
  }
});

describe('a flaw is reported', () => {
  test('with its path and both types', () => {
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

  test('for a missing or null member that every version writes', () => {
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
  ])('for a document that is %j', (body, what) => expect(readDocument(flink.job, body)).toEqual({ value: undefined, flaws: [{ at: '', what }], flawCount: 1, refusal: null }));

  test('but not for an error that Flink archived', () => {
    expect(readDocument(flink.checkpoints, { errors: ['Checkpointing has not been enabled.'] })).toMatchObject({ refusal: 'Checkpointing has not been enabled.', flawCount: 0 });
  });

  test('for a number beyond the range of a double', () => expect(readDocument(flink.job, JSON.parse('{"state":"x","vertices":[],"duration":1e999}')).flaws).toMatchObject([{ at: 'duration' }]));
});
