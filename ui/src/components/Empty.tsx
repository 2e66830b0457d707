// What stands in place of a picture: nothing yet, nothing here, not found.

import type { ReactNode } from 'react'
import { CopyButton } from './CopyButton'
import { Logo } from './Icon'

interface Props {
  title: string
  children?: ReactNode
}

export function Empty({ title, children }: Props) {
  return (
    <div className="empty">
      <Logo size={48} />
      <h1>{title}</h1>
      {children}
    </div>
  )
}

/** UDP and HTTP share their number, so the page's own port is the SDKs'. Behind a proxy the
 *  page has none: then X-Ray's default. */
function daemonAddress(): string {
  const host = location.hostname === 'localhost' ? '127.0.0.1' : location.hostname
  return `${host}:${location.port || '2000'}`
}

function datagram(host: string): string {
  const port = host.replace(/:(\d+)$/, '/$1')
  const hex = (bytes: number) => `$(head -c${bytes} /dev/urandom | od -An -tx1 | tr -d ' \\n')`
  const header = '{"format":"json","version":1}'
  const segment =
    `{"trace_id":"1-'$(printf %08x $T)'-'${hex(12)}'","id":"'${hex(8)}'",` +
    `"name":"hello","start_time":'$T'.1,"end_time":'$T'.35}`
  // One `cat` of one here-string is one datagram; printf would send a datagram per line.
  return `T=$(date +%s); cat <<< '${header}'$'\\n''${segment}' > /dev/udp/${port}`
}

export function EmptyStore() {
  const address = daemonAddress()
  return (
    <Empty title="Waiting for the first trace">
      <p>Raymap has not received a segment yet. Point a program that uses an X-Ray SDK here:</p>
      <Command text={`export AWS_XRAY_DAEMON_ADDRESS=${address}`} label="Copy the setting for SDKs" />
      <p>Or send one segment by hand, from bash:</p>
      <Command text={datagram(address)} label="Copy the bash command" />
      <p className="mute">This page looks again by itself and shows the map as soon as a trace arrives.</p>
    </Empty>
  )
}

function Command({ text, label }: { text: string; label: string }) {
  return (
    <div className="command">
      <code>{text}</code>
      <CopyButton text={text} label={label} />
    </div>
  )
}
