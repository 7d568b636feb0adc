import { describe, expect, test } from 'vitest';
import { causes, failures, highlight, isFramework, isTruncated, lineKind, rootCause, searchText } from '../src/lib/exceptions';

const TRACE = `org.apache.flink.runtime.JobException: Recovery is suppressed by NoRestartBackoffTimeStrategy
\tat org.apache.flink.runtime.executiongraph.failover.ExecutionFailureHandler.handleFailure(ExecutionFailureHandler.java:213)
Caused by: java.lang.IllegalStateException: kaboom: attempt 4
and a second line
\tat java.base/java.util.Objects.check(Objects.java:1)
\tat corpus.Jobs$Boom.map(Jobs.java:89)
\tSuppressed: java.lang.Exception: not a cause
\t\tat corpus.Other.close(Other.java:1)
\t... 12 more
Caused by: java.io.IOException
\t... 12 more
`;

describe('a stack trace', () => {
  test('is the chain of its causes, outermost first', () => {
    expect(causes(TRACE)).toEqual([
      {
        name: 'org.apache.flink.runtime.JobException',
        message: 'Recovery is suppressed by NoRestartBackoffTimeStrategy',
        frame: 'org.apache.flink.runtime.executiongraph.failover.ExecutionFailureHandler.handleFailure(ExecutionFailureHandler.java:213)',
      },
      { name: 'java.lang.IllegalStateException', message: 'kaboom: attempt 4\nand a second line', frame: 'corpus.Jobs$Boom.map(Jobs.java:89)' },
      { name: 'java.io.IOException', message: '', frame: 'corpus.Jobs$Boom.map(Jobs.java:89)' },
    ]);
  });

  test('has its innermost cause as the root', () => expect(rootCause(TRACE)?.name).toBe('java.io.IOException'));
  test('may be one line without a class', () => expect(rootCause('it went wrong')).toEqual({ name: '', message: 'it went wrong', frame: null }));
  test('may be empty', () => expect(rootCause('')).toBeUndefined());

  test('has lines of several kinds', () => {
    expect(TRACE.split('\n').map(lineKind).slice(0, 9)).toEqual(['head', 'framework', 'cause', 'cause', 'framework', 'frame', 'cause', 'frame', 'more']);
  });
});

describe('the exceptions of a job', () => {
  const entry = { exceptionName: 'a.B', stacktrace: 'a.B: x', timestamp: 5, taskName: 't', endpoint: 'h:1', taskManagerId: 'tm' };

  test('are the history of 2.x, with labels and concurrent exceptions', () => {
    const [found] = failures({ exceptionHistory: { entries: [{ ...entry, failureLabels: { kind: 'user' }, concurrentExceptions: [{ ...entry, taskName: 'u' }] }] } });
    expect(found).toMatchObject({ name: 'a.B', at: 5, task: 't', endpoint: 'h:1', taskManager: 'tm', labels: [['kind', 'user']] });
    expect(found?.concurrent.map(({ task }) => task)).toEqual(['u']);
  });

  test('have the location of 1.20', () => {
    const [found] = failures({ exceptionHistory: { entries: [{ stacktrace: 'a.B: x', timestamp: 5, location: 'h:2', taskName: '(unassigned)' }] } });
    expect(found).toMatchObject({ name: 'a.B', endpoint: 'h:2', task: null });
  });

  test('are the root exception if there is no history', () => {
    const [found] = failures({
      'root-exception': 'a.B: root',
      timestamp: 7,
      'all-exceptions': [{ exception: 'c.D: other', task: 't', location: 'h:1', timestamp: 6, taskManagerId: 'tm' }],
      truncated: true,
    });
    expect(found).toMatchObject({ name: 'a.B', at: 7, concurrent: [{ name: 'c.D', task: 't', endpoint: 'h:1' }] });
    expect(isTruncated({ 'root-exception': 'x', truncated: true })).toBe(true);
  });

  test('may be empty', () => {
    expect(failures(undefined)).toEqual([]);
    expect(failures({ exceptionHistory: { entries: [] } })).toEqual([]);
  });

  test('are searched in all their members', () => {
    const [found] = failures({ exceptionHistory: { entries: [{ ...entry, concurrentExceptions: [{ ...entry, stacktrace: 'c.D: Deep' }] }] } });
    expect(found && searchText(found)).toContain('c.d: deep');
  });
});

describe('marks of a search', () => {
  const marked = (text: string, search: string) => highlight(text, search).map((part) => (part.match ? `[${part.text}]` : part.text)).join('');

  test('every match is marked, in upper and lower case', () => expect(marked('Boom boom', 'boom')).toBe('[Boom] [boom]'));
  test('the search is not a pattern', () => expect(marked('a.b*c', '.b*')).toBe('a[.b*]c'));
  test('nothing is marked if lower case changes the length', () => expect(marked('İboom', 'boom')).toBe('İboom'));
});

test('the place of a failure is in the program, not in a driver', () => {
  const trace = (frames: string[], cause: string[]): string =>
    ['java.lang.RuntimeException: write failed', ...frames.map((one) => `\tat ${one}`), 'Caused by: org.postgresql.util.PSQLException: refused', ...cause.map((one) => `\tat ${one}`), '\t... 12 more'].join('\n');
  const driver = ['app//org.postgresql.core.v3.ConnectionFactoryImpl.open(ConnectionFactoryImpl.java:300)', 'com.zaxxer.hikari.pool.PoolBase.newConnection(PoolBase.java:360)'];
  const own = 'com.example.billing.Sink.open(Sink.java:41)';
  expect(rootCause(trace([], [...driver, own]))?.frame).toBe(own);
  // The frame of the program is one that the cause shares with the exception around it.
  expect(rootCause(trace(['org.apache.kafka.clients.producer.KafkaProducer.send(KafkaProducer.java:9)', own], driver))?.frame).toBe(own);
  expect(rootCause(trace([], driver))?.frame).toBe(driver[0]);
});

test.each([
  ['java.base@17.0.1/java.lang.Thread.run(Thread.java:840)', true],
  ['app//org.apache.flink.runtime.taskmanager.Task.run(Task.java:1)', true],
  ['org.apache.kafka.clients.consumer.KafkaConsumer.poll(KafkaConsumer.java:1)', true],
  ['software.amazon.awssdk.core.Client.call(Client.java:7)', true],
  // Only whole parts of a package count, and other packages of the same company are programs.
  ['javassistant.Main.main(Main.java:1)', false],
  ['com.google.maps.Job.map(Job.java:3)', false],
  ['org.apache.beam.Job.map(a/b/org.apache.flink.java:3)', false],
])('%s is a frame of a library: %s', (frame, expected) => expect(isFramework(frame)).toBe(expected));
