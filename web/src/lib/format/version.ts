/** True of this version and all later ones: `2.3.0` and `2.3-SNAPSHOT` are since 2.3. */
export function isSince(version: string | null | undefined, major: number, minor: number): boolean {
  const [, ofMajor, ofMinor] = /^(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  return Number(ofMajor) > major || (Number(ofMajor) === major && Number(ofMinor) >= minor);
}
