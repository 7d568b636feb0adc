import dagre from '@dagrejs/dagre';
import type { Graph } from './plan';

export const NODE_WIDTH = 230;
export const NODE_HEIGHT = 92;

export interface Placed {
  width: number;
  height: number;
  nodes: Map<string, { x: number; y: number }>;
  edges: { path: string; label: string; blocking: boolean; x: number; y: number }[];
}

/** Places the nodes from left to right. Coordinates are those of the upper left corner. */
export function layout(graph: Graph): Placed {
  const g = new dagre.graphlib.Graph({ multigraph: true });
  g.setGraph({ rankdir: 'LR', nodesep: 28, ranksep: 96, edgesep: 16, marginx: 16, marginy: 16 });
  g.setDefaultEdgeLabel(() => ({}));
  for (const { id } of graph.nodes) g.setNode(id, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const [index, { from, to, label }] of graph.edges.entries()) g.setEdge(from, to, { label, width: 76, height: 16, labelpos: 'c' }, String(index));
  dagre.layout(g);
  const size = g.graph();
  const nodes = new Map<string, { x: number; y: number }>();
  for (const { id } of graph.nodes) {
    const at = g.node(id);
    nodes.set(id, { x: at.x - NODE_WIDTH / 2, y: at.y - NODE_HEIGHT / 2 });
  }
  const edges = graph.edges.map(({ from, to, label, blocking }, index) => {
    const { points = [], x = 0, y = 0 } = g.edge(from, to, String(index)) as { points?: { x: number; y: number }[]; x?: number; y?: number };
    return { path: curve(points), label, blocking, x, y };
  });
  return { width: size.width ?? 0, height: size.height ?? 0, nodes, edges };
}

/** A soft line through the points. */
function curve(points: readonly { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  const at = ({ x, y }: { x: number; y: number }): string => `${x.toFixed(1)},${y.toFixed(1)}`;
  let path = `M${at(first)}`;
  for (const [index, point] of rest.entries()) {
    const next = rest[index + 1];
    if (!next) path += ` L${at(point)}`;
    else path += ` Q${at(point)} ${at({ x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 })}`;
  }
  return path;
}
