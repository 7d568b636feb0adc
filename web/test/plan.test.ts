import { describe, expect, test } from 'vitest';
import type { Job } from '../src/lib/api/flink';
import { curve, layout } from '../src/lib/layout/layout';
import { safeLink } from '../src/lib/logs';
import { graphOf, plainText } from '../src/lib/plan';
import { subtaskLane, ticks, vertexLane } from '../src/lib/timeline';

describe('descriptions', () => {
  test('line breaks become lines, and escaped markup becomes text', () => {
    expect(plainText('Source: src &lt;img src=x onerror=alert(1)&gt;<br/>+- desc &amp; &quot;q&quot;<br/>')).toBe('Source: src <img src=x onerror=alert(1)>\n+- desc & "q"');
  });
  test('unescaped markup stays text', () => expect(plainText('<b>x</b><BR>y')).toBe('<b>x</b>\ny'));
  test('text that was escaped twice is unescaped once', () => expect(plainText('&amp;lt;b&amp;gt;')).toBe('&lt;b&gt;'));
  test('invalid character references stay', () => expect(plainText('&#0;&#99999999;&#x41;&#66;&unknown;&constructor;')).toBe('&#0;&#99999999;AB&unknown;&constructor;'));
  test('a missing description is empty', () => expect(plainText(undefined)).toBe(''));
});

describe('links to logs', () => {
  test.each([
    ['https://logs/x', 'https://logs/x'],
    ['http://logs/x?y=1', 'http://logs/x?y=1'],
    ['javascript:alert(1)', null],
    ['data:text/html,x', null],
    ['file:///etc/passwd', null],
    ['//logs/x', null],
    ['', null],
    [null, null],
  ])('%s becomes %s', (url, expected) => expect(safeLink(url)).toBe(expected));
});

const metrics = { 'read-bytes': 0, 'write-bytes': 0, 'read-records': 0, 'write-records': 0 };
const vertex = { id: 'v', name: 'v', status: 'FINISHED', parallelism: 2, 'start-time': 10, 'end-time': 30, duration: 20, tasks: {}, metrics };

describe('the graph', () => {
  const job: Job = {
    jid: 'j',
    name: 'j',
    state: 'CANCELED',
    'start-time': 0,
    'end-time': 50,
    duration: 50,
    vertices: [vertex, { ...vertex, id: 'w', name: 'w' }],
    plan: { nodes: [{ id: 'w', parallelism: 2, inputs: [{ id: 'v', ship_strategy: 'HASH', exchange: 'blocking' }, { id: 'missing' }] }] },
    'stream-graph': { nodes: [{ id: '1', parallelism: 2, job_vertex_id: 'w' }, { id: '2', parallelism: -1, description: 'sink', inputs: [{ id: '1', ship_strategy: 'REBALANCE' }] }] },
  };

  test('joins vertices by the plan, and leaves out edges without a node', () => {
    expect(graphOf(job).edges[0]).toEqual({ from: 'v', to: 'w', label: 'HASH', blocking: true });
    expect(graphOf(job).edges).toHaveLength(2);
  });

  test('has the operators without a vertex', () => {
    const { nodes, edges } = graphOf(job);
    expect(nodes.at(-1)).toEqual({ id: 'pending 2', name: 'sink', parallelism: null, vertex: null });
    expect(edges.at(-1)).toMatchObject({ from: 'w', to: 'pending 2', label: 'REBALANCE' });
  });
});

describe('the timeline', () => {
  test('a vertex that never started has no bar', () => {
    expect(vertexLane({ ...vertex, 'start-time': -1, 'end-time': -1 }, 50)).toMatchObject({ note: 'never started', segments: [] });
  });

  test('a subtask is a row of its states in the colour of its final state', () => {
    const lane = subtaskLane({ subtask: 3, duration: 40, timestamps: { CREATED: 10, SCHEDULED: 20, DEPLOYING: 20, RUNNING: 30, FAILED: 50, FINISHED: 0 } }, 99);
    expect(lane.segments.map(({ from, to, look }) => [from, to, look])).toEqual([
      [10, 20, 'phase-CREATED'],
      [20, 20, 'phase-SCHEDULED'],
      [20, 30, 'phase-DEPLOYING'],
      [30, 50, 'failed'],
    ]);
  });

  test('ticks are round and few', () => {
    expect(ticks(1003, 9990, 5)).toEqual([2000, 4000, 6000, 8000]);
    expect(ticks(0, 10 * 365 * 86_400_000, 4).length).toBeLessThanOrEqual(5);
    expect(ticks(5, 5, 4).length).toBeLessThanOrEqual(5);
  });
});

describe('the layout of a graph', () => {
  const node = (id: string) => ({ id, name: id, parallelism: null, vertex: null });
  const edge = (from: string, to: string) => ({ from, to, label: 'HASH', blocking: false });

  test.each([
    ['a chain', ['a', 'b', 'c'], [edge('a', 'b'), edge('b', 'c')], 2],
    ['no node', [], [], 0],
    ['an id that is empty', ['', 'b'], [edge('', 'b')], 1],
    ['ids that are there twice', ['', '', 'b', 'b'], [edge('', 'b'), edge('b', '')], 2],
    ['ids that are names of objects', ['__proto__', 'constructor', 'toString'], [edge('__proto__', 'constructor'), edge('constructor', 'toString')], 2],
    ['edges without a node', ['a', 'b'], [edge('a', 'x'), edge('x', 'b'), edge('a', 'b')], 1],
    ['an edge to itself', ['a', 'b'], [edge('a', 'a'), edge('a', 'b')], 2],
    ['a circle', ['a', 'b', 'c'], [edge('a', 'b'), edge('b', 'c'), edge('c', 'a')], 3],
    ['edges that are there twice', ['a', 'b'], [edge('a', 'b'), edge('a', 'b')], 2],
  ])('%s', (_, ids, edges, drawn) => {
    const placed = layout({ nodes: ids.map(node), edges });
    expect(placed.nodes).toHaveLength(ids.length);
    expect(new Set(placed.nodes.map(({ x, y }) => `${x} ${y}`)).size).toBe(ids.length);
    expect(placed.edges.filter(({ path }) => path.startsWith('M') && !path.includes('NaN'))).toHaveLength(drawn);
    expect([placed.width, placed.height].every(Number.isFinite)).toBe(true);
  });

  test('a label is on its edge, near the room that the layout left for it', () => {
    // The quadratic curve from the start over (10, 20) ends in the middle of (10, 20) and (20, 0), which is (15, 10).
    expect(curve([{ x: 0, y: 0 }, { x: 10, y: 20 }, { x: 20, y: 0 }], { x: 10, y: 20 })).toEqual({ path: 'M0.0,0.0 Q10.0,20.0 15.0,10.0 L20.0,0.0', x: 8.75, y: 12.5 });
    expect(curve([{ x: 0, y: 0 }, { x: 10, y: 0 }], { x: 9, y: 9 })).toEqual({ path: 'M0.0,0.0 L10.0,0.0', x: 5, y: 0 });
    expect(curve([], { x: 1, y: 2 })).toEqual({ path: '', x: 1, y: 2 });
  });
});
