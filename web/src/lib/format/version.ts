/** True of `2.3.0` and `2.3-SNAPSHOT` for 2.3, and of all that came after. */
export function isSince(version: string | null | undefined, major: number, minor: number): boolean {
  const [, ofMajor, ofMinor] = /^(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  return Number(ofMajor) > major || (Number(ofMajor) === major && Number(ofMinor) >= minor);
}
