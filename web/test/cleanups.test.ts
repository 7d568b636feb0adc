import { expect, test } from 'vitest';
import openapi from '../openapi.json';
import type { HeldCleanup } from '../src/lib/api/server';
import { confirmCommand, explainHeld } from '../src/lib/cleanups';

const REASONS = openapi.components.schemas.HeldReason.enum as HeldCleanup['reason'][];

test('each reason has its own explanation, with the removed part of the directory and an action', () => {
  const all = REASONS.map((reason) => explainHeld({ reason, units: 1_200, of: 2_000 }));
  expect(new Set(all.map(({ why }) => why)).size).toBe(REASONS.length);
  for (const { why, action } of all) {
    expect(why).toContain('1,200 of 2,000 applications and jobs (60 %)');
    expect(action).toMatch(/confirm the plan/);
  }
});

test('a wrong clock and wrong times are not blamed on a limit', () => {
  expect(explainHeld({ reason: 'clock', units: 1, of: 2 }).action).toMatch(/^Correct the clock\./);
  expect(explainHeld({ reason: 'times', units: 1, of: 2 }).action).toMatch(/^Restore the modification times/);
});

test('an unknown reason, and a directory without units', () => {
  expect(explainHeld({ reason: 'toString' as HeldCleanup['reason'], units: 3, of: 0 }).why).toBe('It would remove 3 of 0 applications and jobs.');
});

test('the command confirms this plan alone', () => {
  expect(confirmCommand({ plan: 'a1b2' })).toBe('historyserver cleanup --confirm a1b2');
});
