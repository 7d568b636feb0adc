/** Numbers of Flink's documents. Flink writes "NaN" for what was never measured, -1 for unknown and 2^63-1 for "never" or "without limit". */

/** The largest 64-bit integer, which JSON.parse rounds up to 2^63. */
const LONG_MAX = 2 ** 63;

/** A number that means something, else null: "NaN", null, absent and other words are null. */
export function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** True for Flink's 2^63-1: disabled, unlimited or never, by the field it stands in. */
export function isLongMax(value: unknown): boolean {
  return typeof value === 'number' && value >= LONG_MAX - 1024;
}

/** A count, size or duration: null where Flink says unknown (-1), never measured ("NaN") or without limit (2^63-1). */
export function measured(value: unknown): number | null {
  const number = finite(value);
  return number === null || number < 0 || isLongMax(number) ? null : number;
}

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

/** `1234567` as `1,234,567`. */
export function formatCount(value: number): string {
  return grouped.format(value);
}

/** Counts taken together, as far as they are known. */
export function sumOf(counts: Record<string, unknown> | undefined): number {
  return Object.values(counts ?? {}).reduce<number>((sum, count) => sum + (measured(count) ?? 0), 0);
}

/** A figure of a document as text, a dash where there is none. */
export function formatMeasured(value: unknown): string {
  const number = measured(value);
  return number === null ? '–' : formatCount(number);
}

/** A share of 1 as per cent: `0.5` as `50 %`. */
export function formatShare(value: number): string {
  return `${grouped.format(Math.round(value * 1000) / 10)} %`;
}
