#!/bin/sh
# The steps of the Dockerfile without Docker, as root: deploy/docker/chroot.sh FOLDER [PORT]
# FOLDER becomes a Debian with Raymap in it, by debootstrap; one that is there already is used. Then
# `raymap serve` runs in it as uid 10001 with a read-only root, until /readyz and a map have answered.
set -eu
folder=$1
port=${2:-2000}
repository=$(cd "$(dirname "$0")/../.." && pwd)

if [ ! -x "$folder/usr/bin/python3" ]; then
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$folder"
fi
# The image's RUN lines: what COPY brings to it is in git.
if [ ! -x "$folder/opt/raymap/bin/raymap" ]; then
  cp /etc/resolv.conf /etc/hosts "$folder/etc/"
  mkdir -p "$folder/src"
  # Where the registries are behind a certificate of their own, pip and npm have to know it.
  cp /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/"
  (cd "$repository" && git archive HEAD pyproject.toml requirements.txt hatch_build.py README.md LICENSE \
    proto ui raymap collector store api) | tar -x -C "$folder/src"
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt chroot "$folder" sh -euc '
    cd /src
    python3 -m venv /build
    /build/bin/pip wheel --quiet --no-cache-dir --no-deps --wheel-dir /wheels .
    python3 -m venv /opt/raymap
    /opt/raymap/bin/pip install --quiet --no-cache-dir --require-hashes --requirement requirements.txt
    /opt/raymap/bin/pip install --quiet --no-cache-dir --no-deps /wheels/raymap-*.whl
    /opt/raymap/bin/pip check
    rm -rf /src /build /wheels
    useradd --system --uid 10001 --home-dir /data --no-create-home raymap
    install -d -o 10001 -g 10001 -m 0700 /data'
fi

exec unshare --mount sh -euc '
  folder=$1 port=$2
  mount --bind "$folder" "$folder"
  mount --bind "$folder/data" "$folder/data"
  mount -t tmpfs tmpfs "$folder/tmp"
  mount -t proc proc "$folder/proc"
  mount --rbind /dev "$folder/dev"
  mount -o remount,ro,bind "$folder"
  inside() {
    exec chroot --userspec=10001:10001 "$folder" /usr/bin/env -i PATH=/opt/raymap/bin:/usr/bin:/bin HOME=/data \
      PYTHONUNBUFFERED=1 RAYMAP_DATA_DIR=/data RAYMAP_HOST=0.0.0.0 RAYMAP_AUTH=on RAYMAP_LOG_FORMAT=json "$@"
  }
  (inside sh -c "id; touch /root-is-writable 2>&1 || true")
  inside raymap serve --port "$port" --grpc-port 0 --otlp-port 0 --workers 1 &
  server=$!
  trap "kill -TERM $server; wait $server || :" EXIT
  (inside python3 -c "
import json, secrets, subprocess, sys, time, urllib.request
base = \"http://127.0.0.1:\" + sys.argv[1]
def ask(path, token=None, body=None):
    headers = {\"x-api-key\": token} if token else {}
    request = urllib.request.Request(base + path, body and json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()
def wait(what, seconds=180):
    end = time.monotonic() + seconds
    while True:
        try:
            if found := what():
                return found
        except OSError:
            pass
        assert time.monotonic() < end, \"no answer in time\"
        time.sleep(0.5)
print(\"readyz:\", wait(lambda: ask(\"/readyz\"))[:120])
made = subprocess.run([\"raymap\", \"key\", \"add\", \"check\", \"--role\", \"admin\", \"--json\"], check=True, capture_output=True)
token = json.loads(made.stdout)[\"token\"]
wait(lambda: ask(\"/api/status\", token))
now = time.time() - 2
document = {\"trace_id\": f\"1-{int(now):08x}-{secrets.token_hex(12)}\", \"id\": secrets.token_hex(8),
            \"name\": \"in-the-image\", \"start_time\": now, \"end_time\": now + 0.1}
ask(\"/TraceSegments\", token, {\"TraceSegmentDocuments\": [json.dumps(document)]})
window = f\"from={int(now) - 300}&to={int(now) + 300}\"
names = wait(lambda: [each[\"name\"] for each in json.loads(ask(\"/api/map?\" + window, token))[\"nodes\"]])
print(\"map:\", names)
print(\"console:\", ask(\"/\")[:15])
assert \"in-the-image\" in names
" "$port")
' sh "$(cd "$folder" && pwd)" "$port"
