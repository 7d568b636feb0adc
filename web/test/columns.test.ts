import { describe, expect, test } from 'vitest';
import { fitting, OPTIONAL, shortName, simpleName, slowerThanUsual } from '../src/lib/lists/columns';

describe('names in lists', () => {
  test('lose what Flink adds to every name', () => {
    expect(shortName('SingleJobApplication(orders (daily))')).toBe('orders (daily)');
    expect(shortName('insert-into_default_catalog.default_database.orders')).toBe('insert-into_orders');
    expect(shortName('SingleJobApplication()')).toBe('SingleJobApplication()');
    expect(shortName('orders')).toBe('orders');
  });

  test('of classes lose their package and the class around them', () => {
    expect(['java.io.IOException', 'com.example.Outer$Inner', 'Plain', 'odd.'].map(simpleName)).toEqual(['IOException', 'Inner', 'Plain', 'odd.']);
  });
});

test('a run that took about as long as usual is not marked', () => {
  expect(slowerThanUsual(180, 100)).toBe('1.8');
  expect([slowerThanUsual(119, 100), slowerThanUsual(50, 100), slowerThanUsual(null, 100), slowerThanUsual(100, null), slowerThanUsual(100, 0)]).toEqual([null, null, null, null, null]);
});

test('columns leave where names need the room, the counts first', () => {
  const all = OPTIONAL.map(({ key }) => key);
  expect(fitting(3000, 40, all)).toEqual(all);
  expect(fitting(1400, 40, all)).not.toContain('counts');
  expect(fitting(800, 40, all)).toEqual(['cluster', 'reason', 'duration', 'end']);
});
