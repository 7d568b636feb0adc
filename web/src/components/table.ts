/** A column of a table. */
export interface Column<Row> {
  key: string;
  label: string;
  /** CSS width. Columns without one share the remaining width. */
  width?: string;
  align?: 'right';
  /** The value to sort by; `null` sorts last. A column without it cannot be sorted in the browser. */
  value?: (row: Row) => number | string | null;
  /** The server sorts by it. */
  sortable?: boolean;
  /** The first click sorts from the largest. */
  descendingFirst?: boolean;
  /** The position in the card that replaces a row on a narrow screen. A column without it is hidden there. */
  card?: 'title' | 'mark' | 'line';
  hint?: string;
  /** The label is for screen readers only. */
  quiet?: boolean;
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

/** The range of rows to render: the visible ones and a few around them. */
export function windowOf(count: number, rowHeight: number, scrollTop: number, height: number, around = 8): { start: number; end: number } {
  const start = Math.max(0, Math.min(count, Math.floor(scrollTop / rowHeight)) - around);
  const end = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + around);
  return { start, end: Math.max(start, end) };
}
