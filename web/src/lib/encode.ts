/** Encodes a part of a path. A lone surrogate, which archives may contain, becomes U+FFFD because it cannot be encoded. */
export function encodePart(text: string): string {
  return encodeURIComponent(text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD'));
}
