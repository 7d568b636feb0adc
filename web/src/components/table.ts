/** A column of a table. */
export interface Column<Row> {
  key: string;
  label: string;
  /** CSS width; without one the column shares what is left. */
  width?: string;
  align?: 'right';
  /** What the column is sorted by; `null` sorts last. Without it the column cannot be sorted in the browser. */
  value?: (row: Row) => number | string | null;
  /** The server sorts by it. */
  sortable?: boolean;
  /** The first click sorts from the largest. */
  descendingFirst?: boolean;
  /** Where it stands in the card that a row becomes on a narrow screen; hidden without. */
  card?: 'title' | 'mark' | 'line';
  hint?: string;
}

export interface TableSort {
  key: string;
  descending: boolean;
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** The rows in the order of a column, `null` last whatever the direction. */
export function sortRows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], sort: TableSort | null): readonly Row[] {
  const value = columns.find(({ key }) => key === sort?.key)?.value;
  if (!sort || !value) return rows;
  const direction = sort.descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const left = value(a);
    const right = value(b);
    if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
    return direction * (typeof left === 'number' && typeof right === 'number' ? left - right : collator.compare(String(left), String(right)));
  });
}

/** Which rows to draw: those in sight and a few around them. */
export function windowOf(count: number, rowHeight: number, scrollTop: number, height: number, around = 8): { start: number; end: number } {
  const start = Math.max(0, Math.min(count, Math.floor(scrollTop / rowHeight)) - around);
  const end = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + around);
  return { start, end: Math.max(start, end) };
}
