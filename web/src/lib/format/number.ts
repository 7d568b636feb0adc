/** Numbers of Flink's documents. Flink writes "NaN" for values that were never measured, -1 for unknown ones, and 2^63-1 for "never" or "no limit". */

/** The largest 64-bit integer, which JSON.parse rounds up to 2^63. */
const LONG_MAX = 2 ** 63;

/** A finite number, or null for "NaN", other texts, null and missing values. */
export function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** True of Flink's 2^63-1, which means disabled, unlimited or never, depending on the field. */
export function isLongMax(value: unknown): boolean {
  return typeof value === 'number' && value >= LONG_MAX - 1024;
}

/** A count, size or duration; null for unknown (-1), never measured ("NaN") and no limit (2^63-1). */
export function measured(value: unknown): number | null {
  const number = finite(value);
  return number === null || number < 0 || isLongMax(number) ? null : number;
}

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

/** Formats `1234567` as `1,234,567`. */
export function formatCount(value: number): string {
  return grouped.format(value);
}

/** The sum of all known counts. */
export function sumOf(counts: Record<string, unknown> | undefined): number {
  return Object.values(counts ?? {}).reduce<number>((sum, count) => sum + (measured(count) ?? 0), 0);
}

/** Formats a figure of a document, or returns a dash if it is missing. */
export function formatMeasured(value: unknown): string {
  const number = measured(value);
  return number === null ? '–' : formatCount(number);
}

/** Formats a share of 1 in per cent: `0.5` as `50 %`. */
export function formatShare(value: number): string {
  return `${grouped.format(Math.round(value * 1000) / 10)} %`;
}
