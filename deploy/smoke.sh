#!/bin/sh
# An installed raymap[embedded,demo] starts, draws a map, and has its console: deploy/smoke.sh RAYMAP [PORT]
set -eu
raymap=$1
port=${2:-2000}
folder=$(mktemp -d)
cd "$folder" # so that nothing of the repository is imported
"$raymap" serve --demo --port "$port" --grpc-port 0 --otlp-port 0 --workers 1 --data-dir "$folder/data" &
server=$!
trap 'kill -TERM $server; wait $server || :; rm -rf "$folder"' EXIT
"$(dirname "$raymap")/python" - "$port" <<'PYTHON'
import json, re, sys, time, urllib.request

base = f"http://127.0.0.1:{sys.argv[1]}"


def read(path):
    with urllib.request.urlopen(base + path, timeout=10) as answer:
        return answer.read().decode()


end = time.monotonic() + 300
names = set()
while len(names) < 4:
    assert time.monotonic() < end, f"no map in time: {sorted(names)}"
    time.sleep(1)
    try:
        window = f"from={time.time() - 600:.0f}&to={time.time():.0f}"
        names = {each["name"] for each in json.loads(read(f"/api/map?{window}"))["nodes"]}
    except OSError:
        pass
script = re.search(r'src="(/assets/index-[^"]+\.js)"', read("/")).group(1)
print(f"map: {len(names)} names; console: {script}, {len(read(script)):,} characters")
PYTHON
