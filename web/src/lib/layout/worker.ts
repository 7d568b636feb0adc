/** Places graphs beside the main thread, which stays free: a graph of 1,000 vertices takes seconds. */
import { layout } from './layout';
import type { LayoutAnswer, LayoutRequest } from './model';

self.onmessage = ({ data: { number, shape } }: MessageEvent<LayoutRequest>): void => {
  let placed: LayoutAnswer['placed'] = null;
  try {
    placed = layout(shape);
  } catch (error) {
    console.error(error);
  }
  self.postMessage({ number, placed } satisfies LayoutAnswer);
};
