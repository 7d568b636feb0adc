import { expect, test } from 'vitest';
import { encodePart } from '../src/lib/encode';

test.each([
  ['a b/c?d#e', 'a%20b%2Fc%3Fd%23e'],
  ['日本', '%E6%97%A5%E6%9C%AC'],
  ['🚀', '%F0%9F%9A%80'],
  ['half \uD800 of it', 'half%20%EF%BF%BD%20of%20it'],
  ['\uDC00', '%EF%BF%BD'],
])('%j is %s in a path', (text, encoded) => expect(encodePart(text)).toBe(encoded));
