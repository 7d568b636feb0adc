/** Exceptions of jobs and applications of Flink 1.x and 2.x in one type, and the parts of a Java stack trace. */
import type { ExceptionEntry, Exceptions } from './api/flink';
import { instant } from './format/time';

export interface Failure {
  name: string;
  stacktrace: string;
  at: number | null;
  task: string | null;
  endpoint: string | null;
  taskManager: string | null;
  job: string | null;
  labels: [string, string][];
  concurrent: Failure[];
}

/** The recorded failures, newest first. The newest one ended the job. */
export function failures(document: Exceptions | undefined): Failure[] {
  const entries = document?.exceptionHistory?.entries ?? [];
  if (entries.length > 0) return entries.map(failure);
  const root = document?.['root-exception'];
  if (!root) return [];
  const concurrent = (document?.['all-exceptions'] ?? []).map((one) =>
    failure({
      stacktrace: one.exception,
      timestamp: one.timestamp,
      taskName: one.task,
      endpoint: one.endpoint ?? one.location,
      taskManagerId: one.taskManagerId,
    }),
  );
  return [{ ...failure({ stacktrace: root, timestamp: document?.timestamp }), concurrent }];
}

/** True if Flink kept only the newest failures. */
export function isTruncated(document: Exceptions | undefined): boolean {
  return document?.exceptionHistory?.truncated ?? document?.truncated ?? false;
}

/** A failure with a stack trace only, and possibly a time. */
export const bareFailure = (stacktrace: string, timestamp: number | undefined): Failure => failure({ stacktrace, timestamp });

type Entry = { [K in keyof ExceptionEntry]?: ExceptionEntry[K] | undefined } & { stacktrace: string };

function failure(entry: Entry): Failure {
  return {
    name: entry.exceptionName ?? causes(entry.stacktrace)[0]?.name ?? 'Exception',
    stacktrace: entry.stacktrace,
    at: instant(entry.timestamp),
    task: word(entry.taskName),
    endpoint: word(entry.endpoint ?? entry.location),
    taskManager: word(entry.taskManagerId),
    job: word(entry.jobId),
    labels: Object.entries(entry.failureLabels ?? {}),
    concurrent: (entry.concurrentExceptions ?? []).map(failure),
  };
}

/** Flink writes `(unassigned)` and `null` for an unknown location. */
function word(text: string | null | undefined): string | null {
  return text && text !== 'null' && text !== '(unassigned)' ? text : null;
}

export interface Cause {
  name: string;
  message: string;
  /**
   * The first frame of the program, such as `corpus.Jobs$Boom.map(Jobs.java:89)`. Java leaves out the frames that a cause shares with the
   * exception around it, so that one is searched next. The first frame of all, if no frame is of the program.
   */
  frame: string | null;
}

const FRAME = /^\s+at (.+)$/;
const CAUSED_BY = 'Caused by: ';

/** The exception and its causes, outermost first. */
export function causes(stacktrace: string): Cause[] {
  const found: { head: string[]; frames: string[] }[] = [];
  for (const line of stacktrace.split('\n')) {
    // A suppressed exception is not a cause. Its own causes are indented like itself.
    const top = found.at(-1);
    const frame = FRAME.exec(line);
    if (!top || line.startsWith(CAUSED_BY)) found.push({ head: [line.startsWith(CAUSED_BY) ? line.slice(CAUSED_BY.length) : line], frames: [] });
    else if (frame?.[1] !== undefined) top.frames.push(frame[1]);
    else if (top.frames.length === 0 && !/^\s*\.\.\. \d+ more/.test(line)) top.head.push(line);
  }
  return found.map(({ head, frames }, index) => {
    const text = head.join('\n').trim();
    const mark = /^[\w.$]+(?=:\s|$)/.exec(text)?.[0] ?? '';
    return {
      name: mark,
      message: text.slice(mark ? mark.length + 1 : 0).trim(),
      frame: ownFrame(found.slice(0, index + 1).map((one) => one.frames)) ?? frames[0] ?? null,
    };
  });
}

/** The first frame of the program in the last of these lists that has one. */
function ownFrame(lists: readonly string[][]): string | undefined {
  for (const frames of [...lists].reverse()) {
    const own = frames.find((one) => !isFramework(one));
    if (own !== undefined) return own;
  }
  return undefined;
}

/** The innermost cause, which is often the real one. */
export function rootCause(stacktrace: string): Cause | undefined {
  const chain = causes(stacktrace);
  // A cause without a name and a message is less useful than the one around it.
  return chain.findLast(({ name, message }) => name !== '' || message !== '');
}

/** Returns `IOException` for `java.io.IOException`. Java packages begin in lower case. A text that is not a class is returned unchanged. */
export const shortClass = (name: string): string => /^(?:[\p{Ll}_][\w$]*\.)+(\p{Lu}[\w.$]*)$/u.exec(name)?.[1] ?? name;

/** Flink, Java, Scala, and the libraries that programs of Flink often use: drivers, clients, formats and what lies below them. */
const FRAMEWORKS = [
  'org.apache.flink java javax jdk sun com.sun scala kotlin akka org.apache.pekko',
  'org.postgresql com.mysql org.mariadb oracle.jdbc oracle.net com.microsoft.sqlserver com.ibm.db2 com.clickhouse net.snowflake com.zaxxer.hikari',
  'org.apache.kafka org.apache.pulsar com.rabbitmq com.mongodb com.datastax redis.clients io.lettuce org.elasticsearch org.opensearch co.elastic',
  'com.amazonaws software.amazon com.azure com.google.api com.google.cloud com.google.common com.google.gson com.google.protobuf',
  'org.apache.hadoop org.apache.hive org.apache.hbase org.apache.iceberg org.apache.hudi org.apache.paimon org.apache.avro org.apache.parquet org.apache.orc',
  'org.apache.calcite org.codehaus org.apache.commons org.apache.http org.apache.hc org.apache.logging org.slf4j ch.qos.logback',
  'com.fasterxml.jackson com.esotericsoftware io.netty io.grpc io.confluent okhttp3 okio org.rocksdb org.springframework org.hibernate net.bytebuddy',
].flatMap((line) => line.split(' '));

/** True of frames of Flink, Java, Scala and well-known libraries, which a trace shows in a muted colour. */
export function isFramework(frame: string): boolean {
  // A frame may begin with its class loader and its module: `app//org.postgresql…`, `java.base@17.0.1/java.lang…`.
  const name = frame.slice(frame.lastIndexOf('/', frame.indexOf('(') < 0 ? undefined : frame.indexOf('(')) + 1);
  return FRAMEWORKS.some((one) => name.startsWith(`${one}.`));
}

export type LineKind = 'head' | 'cause' | 'frame' | 'framework' | 'more';

export function lineKind(line: string, index: number): LineKind {
  const frame = FRAME.exec(line)?.[1];
  if (frame !== undefined) return isFramework(frame) ? 'framework' : 'frame';
  if (/^\s*(?:Caused by|Suppressed): /.test(line)) return 'cause';
  if (/^\s*\.\.\. \d+ more/.test(line)) return 'more';
  return index === 0 ? 'head' : 'cause';
}

/** All text of a failure that a search covers, in lower case. */
export function searchText(one: Failure): string {
  return [one.stacktrace, one.name, one.task, one.endpoint, one.taskManager, ...one.labels.flat(), ...one.concurrent.map(searchText)].join('\n').toLowerCase();
}

/** Splits a text into parts that match the search and parts that do not. */
export function highlight(text: string, search: string): { text: string; match: boolean }[] {
  const wanted = search.toLowerCase();
  if (!wanted) return [{ text, match: false }];
  const lower = text.toLowerCase();
  // Lower case can change the length of a text. The matches are not marked then, because their positions would be wrong.
  if (lower.length !== text.length) return [{ text, match: false }];
  const parts: { text: string; match: boolean }[] = [];
  let at = 0;
  for (let next = lower.indexOf(wanted); next >= 0; next = lower.indexOf(wanted, at)) {
    if (next > at) parts.push({ text: text.slice(at, next), match: false });
    parts.push({ text: text.slice(next, next + wanted.length), match: true });
    at = next + wanted.length;
  }
  if (at < text.length) parts.push({ text: text.slice(at), match: false });
  return parts;
}
