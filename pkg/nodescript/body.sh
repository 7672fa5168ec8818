say() { echo "nodedoc: $*" >&2; }

fail() {
  say "$*"
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# decode reads base64 and writes what was packed: gzip's own check sum and length
# tell whether all of it came.
decode() {
  if has base64; then
    base64 -d
  elif has openssl; then
    openssl base64 -d
  else
    python3 -c 'import base64,sys; sys.stdout.buffer.write(base64.b64decode(sys.stdin.buffer.read()))'
  fi | gzip -dc
}

clean() {
  [ -z "$work" ] || rm -rf "$work"
  work=''
}

# unpack puts the probe into a directory that takes it, memory before disks, and
# from which programs may be run.
unpack() {
  for dir in /dev/shm /run /tmp /var/tmp /root; do
    work=$dir/nodedoc.$$
    mkdir "$work" 2>/dev/null || { work=''; continue; }
    if probe_of "$machine" | decode >"$work/probe" 2>"$work/error"; then
      chmod 700 "$work/probe"
      "$work/probe" </dev/null >/dev/null 2>&1
      [ $? -ge 126 ] || return 0 # 126: the mount is noexec
      why="$why; $dir: programs there do not run"
    else
      why="$why; $dir: $(cat "$work/error" 2>/dev/null)"
    fi
    clean
  done
  return 1
}

main() {
  work='' why=''
  [ "$(id -u)" = 0 ] || fail "this reads what only root may: ssh NODE 'sudo sh -s' < SCRIPT > REPORT"
  [ ! -t 1 ] || fail "the report goes to stdout, which is a terminal: sh SCRIPT > REPORT"
  machine=$(uname -m)
  probe_of "$machine" >/dev/null || fail "there is no probe for $(uname -s) on $machine in this script: make one with --arch"
  has gzip || fail "there is no gzip here"
  has base64 || has openssl || has python3 || fail "there is no base64, openssl or python3 here"
  trap clean EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  unpack || fail "no directory takes the probe (4 MiB)$why"
  # Without a name it goes when it ends, whatever ends it.
  exec 3<"$work/probe"
  clean
  say "examining this node"
  /proc/self/fd/3 report "$request" </dev/null || fail "the probe failed: there is no report"
  say "done; where kubectl works: kubectl nodedoc fd --from REPORT"
}
