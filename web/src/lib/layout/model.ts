/** A graph as the worker gets it, and the places that it returns. */

/** The size of a vertex in the graph, in pixels. */
export const NODE_WIDTH = 230;
export const NODE_HEIGHT = 92;

/** The parts of a `Graph` that decide where its nodes are. */
export interface Shape {
  nodes: readonly { id: string }[];
  edges: readonly { from: string; to: string; label: string; blocking: boolean }[];
}

export interface Point {
  x: number;
  y: number;
}

export interface Placed {
  width: number;
  height: number;
  /** The upper left corners, in the order of the nodes of the graph. */
  nodes: Point[];
  /** Each edge with its path and the middle of its label, which is on the path. */
  edges: (Point & { path: string; label: string; blocking: boolean })[];
}

/** A graph to place, and the answer to it. They have the same number. */
export interface LayoutRequest {
  number: number;
  shape: Shape;
}

export interface LayoutAnswer {
  number: number;
  /** `null`: the layout failed. */
  placed: Placed | null;
}
