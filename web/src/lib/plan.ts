/** The graph of a job: its vertices, the edges of the plan, and the operators without a vertex. */
import type { Job, JobVertex, PlanNode } from './api/flink';
import { measured } from './format/number';

export interface GraphNode {
  id: string;
  name: string;
  parallelism: number | null;
  /** Null for an operator that was pending when the job ended. */
  vertex: JobVertex | null;
}

export interface GraphEdge {
  from: string;
  to: string;
  label: string;
  /** The consumer starts after the end of the producer. */
  blocking: boolean;
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

export function graphOf(job: Job): Graph {
  const planNodes = job.plan?.nodes ?? [];
  const known = new Set(job.vertices.map(({ id }) => id));
  const nodes: GraphNode[] = job.vertices.map((vertex) => ({ id: vertex.id, name: vertex.name, parallelism: vertex.parallelism ?? null, vertex }));
  const edges: GraphEdge[] = [];
  for (const node of planNodes) {
    for (const input of node.inputs ?? []) {
      if (known.has(node.id) && known.has(input.id)) edges.push(edge(input.id, node.id, input.ship_strategy, input.exchange));
    }
  }
  addPending(job, nodes, edges);
  return { nodes, edges };
}

/** Adds pending operators: an adaptive batch job creates the vertex of an operator after the end of its inputs. */
function addPending(job: Job, nodes: GraphNode[], edges: GraphEdge[]): void {
  const stream = job['stream-graph']?.nodes ?? [];
  const place = new Map(stream.map((node) => [node.id, node.job_vertex_id ?? `pending ${node.id}`]));
  for (const node of stream) {
    if (node.job_vertex_id) continue;
    const id = `pending ${node.id}`;
    nodes.push({ id, name: plainText(node.description) || node.operator || node.id, parallelism: measured(node.parallelism) || null, vertex: null });
    for (const input of node.inputs ?? []) {
      const from = place.get(input.id);
      if (from !== undefined) edges.push(edge(from, id, input.ship_strategy, input.exchange));
    }
  }
}

function edge(from: string, to: string, strategy = '', exchange = ''): GraphEdge {
  return { from, to, label: strategy, blocking: exchange.toLowerCase().startsWith('blocking') };
}

const ENTITIES = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', '\u00a0'],
]);

/**
 * The text of a description. Flink writes line breaks as `<br/>` and escapes the rest as HTML.
 * The result is shown as text only, so it cannot become markup again.
 */
export function plainText(description: string | undefined): string {
  return (description ?? '')
    .replace(/<br\s*\/?>/gi, '\n')
    .replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w+));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return ENTITIES.get(name.toLowerCase()) ?? whole;
      const code = decimal !== undefined ? Number(decimal) : Number.parseInt(hex ?? '', 16);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    })
    .trimEnd();
}

export function planNode(job: Job, vertex: string): PlanNode | undefined {
  return job.plan?.nodes?.find(({ id }) => id === vertex);
}
