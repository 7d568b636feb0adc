/** The worker that places graphs: one for the lifetime of the page. */
import type { LayoutAnswer, LayoutRequest, Placed, Shape } from './model';

const FAILED = 'The layout of the graph failed.';

interface Waiting {
  resolve: (placed: Placed) => void;
  reject: (error: Error) => void;
}

let worker: Worker | null = null;
let last = 0;
const waiting = new Map<number, Waiting>();

/** Starts the worker, unless it runs. A page that will show a graph calls it early, because a worker takes some time to start. */
export function startPlacer(): Worker {
  if (worker) return worker;
  const started = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  started.onmessage = ({ data: { number, placed } }: MessageEvent<LayoutAnswer>) => {
    const one = waiting.get(number);
    waiting.delete(number);
    if (placed) one?.resolve(placed);
    else one?.reject(new Error(FAILED));
  };
  // The script of the worker could not be loaded. The next graph tries again.
  started.onerror = () => {
    worker = null;
    for (const { reject } of waiting.values()) reject(new Error(FAILED));
    waiting.clear();
  };
  worker = started;
  return started;
}

/** Places the nodes and edges of a graph. */
export function place({ nodes, edges }: Shape): Promise<Placed> {
  const number = (last += 1);
  return new Promise((resolve, reject) => {
    const placer = startPlacer();
    waiting.set(number, { resolve, reject });
    // A copy of what the layout needs: nodes also have their vertices with all figures.
    const shape: Shape = { nodes: nodes.map(({ id }) => ({ id })), edges: edges.map(({ from, to, label, blocking }) => ({ from, to, label, blocking })) };
    placer.postMessage({ number, shape } satisfies LayoutRequest);
  });
}
