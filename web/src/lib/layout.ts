import dagre from '@dagrejs/dagre';
import type { Graph } from './plan';

export const NODE_WIDTH = 230;
export const NODE_HEIGHT = 92;

interface Point {
  x: number;
  y: number;
}

export interface Placed {
  width: number;
  height: number;
  /** In the order of the nodes of the graph. */
  nodes: Point[];
  edges: (Point & { path: string; label: string; blocking: boolean })[];
}

/**
 * Places the nodes from left to right. Coordinates are the upper left corner. Ids come from archives: they may be empty or occur twice, and
 * an edge may have no node at its end. So nodes are identified by their number.
 */
export function layout(graph: Graph): Placed {
  if (graph.nodes.length === 0) return { width: 0, height: 0, nodes: [], edges: [] };
  const g = new dagre.graphlib.Graph({ multigraph: true });
  g.setGraph({ rankdir: 'LR', nodesep: 28, ranksep: 96, edgesep: 16, marginx: 16, marginy: 16 });
  g.setDefaultEdgeLabel(() => ({}));
  const names = graph.nodes.map((_, index) => `node ${index}`);
  for (const name of names) g.setNode(name, { width: NODE_WIDTH, height: NODE_HEIGHT });
  // The first one of several nodes with the same id.
  const byId = new Map(graph.nodes.map(({ id }, index) => [id, `node ${index}`] as const).reverse());
  const edges = graph.edges.flatMap(({ from, to, label, blocking }, index) => {
    const [source, target] = [byId.get(from), byId.get(to)];
    return source && target ? [{ source, target, name: `edge ${index}`, label, blocking }] : [];
  });
  for (const { source, target, name, label } of edges) g.setEdge(source, target, { label, width: 76, height: 16, labelpos: 'c' }, name);
  dagre.layout(g);
  const size = g.graph();
  return {
    width: size.width ?? 0,
    height: size.height ?? 0,
    nodes: names.map((name) => {
      const at = g.node(name);
      return { x: at.x - NODE_WIDTH / 2, y: at.y - NODE_HEIGHT / 2 };
    }),
    edges: edges.map(({ source, target, name, label, blocking }) => {
      const { points = [], x = 0, y = 0 } = g.edge(source, target, name) as { points?: Point[]; x?: number; y?: number };
      return { path: curve(points), label, blocking, x, y };
    }),
  };
}

/** A smooth line through the points. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  const at = ({ x, y }: Point): string => `${x.toFixed(1)},${y.toFixed(1)}`;
  let path = `M${at(first)}`;
  for (const [index, point] of rest.entries()) {
    const next = rest[index + 1];
    if (!next) path += ` L${at(point)}`;
    else path += ` Q${at(point)} ${at({ x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 })}`;
  }
  return path;
}
