import { expect, test } from 'vitest';
import { BUDGET, scriptSizes } from '../dev/sizes.mjs';

test.each(['first', 'all'] as const)('the built scripts are within the budget: %s', (scripts) => {
  const size = scriptSizes()[scripts];
  expect(size).toBeGreaterThan(0);
  expect(size).toBeLessThanOrEqual(BUDGET[scripts]);
});
