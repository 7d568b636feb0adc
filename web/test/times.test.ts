import { describe, expect, test } from 'vitest';
import type { Checkpoints, Job } from '../src/lib/api/flink';
import { startedFrom } from '../src/lib/checkpoints';
import { isSince } from '../src/lib/format/version';
import { axisOf } from '../src/lib/timeline';
import { hasEnded, timesOf } from '../src/lib/times';

const START = 1795806720465;

describe('times of a document', () => {
  test.each([
    ['as they are written', { 'start-time': 10, 'end-time': 30, duration: 20 }, 'FINISHED', { start: 10, end: 30, duration: 20 }],
    ['of a job that was canceled while it waited, from its duration', { 'start-time': START, 'end-time': 0, duration: 1563 }, 'CANCELED', { start: START, end: START + 1563, duration: 1563 }],
    ['of its overview, which has nothing but the start', { 'start-time': START, 'end-time': 0, duration: -START }, 'CANCELED', { start: START, end: null, duration: null }],
    ['of a running one have no end', { 'start-time': 10, 'end-time': -1, duration: 20 }, 'RUNNING', { start: 10, end: null, duration: 20 }],
    ['from its states', { 'start-time': 0, 'end-time': -1, duration: -1, timestamps: { CREATED: 5, RUNNING: 0, FAILED: 9 } }, 'FAILED', { start: 5, end: 9, duration: 4 }],
    ['without a duration', { 'start-time': 10, 'end-time': 30 }, 'FINISHED', { start: 10, end: 30, duration: 20 }],
    ['that are not there', {}, 'FAILED', { start: null, end: null, duration: null }],
    ['that are far from any calendar', { 'start-time': 1e300, 'end-time': 2 ** 63, duration: 2 ** 63 }, 'FAILED', { start: null, end: null, duration: null }],
  ])('%s', (_, document, state, expected) => expect(timesOf(document, state)).toEqual(expected));

  test.each([
    ['FINISHED', true],
    ['canceled', true],
    ['SUSPENDED', false],
    ['RUNNING', false],
    ['', false],
  ])('%j has ended: %s', (state, ended) => expect(hasEnded(state)).toBe(ended));
});

describe('the axis of a timeline', () => {
  const vertex = (start: number, end: number): Job['vertices'][number] => ({ id: 'v', name: 'v', status: 'FINISHED', metrics: {}, 'start-time': start, 'end-time': end });
  const job = (times: Partial<Job>, vertices: Job['vertices'] = []): Job => ({ jid: 'j', name: 'j', state: 'CANCELED', vertices, ...times });

  test.each([
    ['is that of the job', job({ 'start-time': 10, 'end-time': 30, duration: 20 }, [vertex(12, 28)]), { from: 10, to: 30 }],
    ['ends with its duration where it has no end', job({ 'start-time': START, 'end-time': 0, duration: 1563 }, [vertex(-1, -1)]), { from: START, to: START + 1563 }],
    ['is the one of its vertices if the job has no times', job({ state: 'RUNNING' }, [vertex(START, START + 5), vertex(START + 2, -1)]), { from: START, to: START + 5 }],
    ['does not begin in 1970 because one of them never started', job({ state: 'RUNNING', 'start-time': 0 }, [vertex(0, 0), vertex(START, -1)]), { from: START, to: START + 1 }],
    ['has a length where nothing is known', job({}), { from: 0, to: 1 }],
  ])('%s', (_, of, expected) => expect(axisOf(of)).toEqual(expected));
});

describe('the checkpoint that a job started from', () => {
  const job: Job = { jid: 'j', name: 'j', state: 'CANCELED', vertices: [], timestamps: { RUNNING: 9, RESTARTING: 0 } };
  const checkpoints = (restored: Checkpoints['latest']['restored'], times = 1, ids = [9, 10]): Checkpoints => ({
    counts: { restored: times },
    summary: {},
    latest: restored ? { restored } : {},
    history: ids.map((id) => ({ id, status: 'COMPLETED', is_savepoint: false })),
  });
  const seven = { id: 7, is_savepoint: false };

  test.each([
    ['is not one of its own after a recovery', job, checkpoints(seven), undefined, 7],
    ['is one of its own after a restart', { ...job, timestamps: { RESTARTING: 5 } }, checkpoints(seven), undefined, undefined],
    ['is one of its own where its history has it', job, checkpoints(seven, 1, [7, 8]), undefined, undefined],
    ['is one of its own where it was rescaled', job, checkpoints(seven), { rescalesCounts: { completed: 2 }, latest: {} }, undefined],
    ['is not one of its own where the only rescale was the first schedule', job, checkpoints(seven), { rescalesCounts: { completed: 1 }, latest: {} }, 7],
    ['is not shown for a savepoint, which a user chose', job, checkpoints({ id: 7, is_savepoint: true }), undefined, undefined],
    ['is unknown if there were several restores', job, checkpoints(seven, 2), undefined, undefined],
    ['is none without checkpoints', job, undefined, undefined, undefined],
    ['is none in the empty document of Flink 1.2 to 1.4', job, { summary: {}, latest: {} }, undefined, undefined],
  ])('%s', (_, of, document, rescales, expected) => expect(startedFrom(of, document, rescales)).toBe(expected));
});

describe('versions', () => {
  test.each([
    ['2.3.0', true],
    ['2.3-SNAPSHOT', true],
    ['2.10.1', true],
    ['3.0.0', true],
    ['2.2.1', false],
    ['1.20.5', false],
    ['<unknown>', false],
    ['', false],
    [null, false],
    [undefined, false],
  ])('%s is 2.3 or later: %s', (version, since) => expect(isSince(version, 2, 3)).toBe(since));
});
