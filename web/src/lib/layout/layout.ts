import dagre from '@dagrejs/dagre';
import { NODE_HEIGHT, NODE_WIDTH, type Placed, type Point, type Shape } from './model';

/**
 * Places the nodes from left to right. Coordinates are the upper left corner. Ids come from archives: they may be empty or occur twice, and
 * an edge may have no node at its end. So nodes are identified by their number.
 */
export function layout(graph: Shape): Placed {
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
      return { ...curve(points, { x, y }), label, blocking };
    }),
  };
}

/** A smooth line through the points, and its place that is nearest to `near`, the middle of the room for the label. */
export function curve(points: readonly Point[], near: Point): Point & { path: string } {
  const [first, ...rest] = points;
  if (!first) return { path: '', ...near };
  const at = ({ x, y }: Point): string => `${x.toFixed(1)},${y.toFixed(1)}`;
  let path = `M${at(first)}`;
  let from = first;
  const on: Point[] = [];
  for (const [index, point] of rest.entries()) {
    const next = rest[index + 1];
    const to = next ? middle(point, next) : point;
    path += next ? ` Q${at(point)} ${at(to)}` : ` L${at(point)}`;
    // The point only pulls the line: the middle of the arc lies halfway between it and the middle of the ends.
    on.push(next ? middle(point, middle(from, to)) : middle(from, to));
    from = to;
  }
  const distance = (one: Point): number => Math.hypot(one.x - near.x, one.y - near.y);
  const place = on.reduce((best, one) => (distance(one) < distance(best) ? one : best), on[0] ?? first);
  return { path, ...place };
}

const middle = (one: Point, other: Point): Point => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });
