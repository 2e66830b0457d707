// The first visit: how traces get here.

import { useState } from 'react'
import { CopyButton } from './CopyButton'
import { Empty } from './Empty'
import { Tabs } from './Tabs'
import '../styles/command.css'

/** UDP and HTTP share their number, so the page's own port is the SDKs'. Behind a proxy the
 *  page has none: then X-Ray's default. */
function daemonAddress(): string {
  const host = location.hostname === 'localhost' ? '127.0.0.1' : location.hostname
  return `${host}:${location.port || '2000'}`
}

/** The demo's own default needs no address. */
function demoCommand(): string {
  const { origin } = location
  return origin === 'http://127.0.0.1:2000' ? 'raymap demo' : `raymap demo --url ${origin}`
}

const SOURCES = ['xray', 'otlp', 'zipkin', 'demo'] as const
type Source = (typeof SOURCES)[number]
const SOURCE_WORDS: Record<Source, string> = {
  xray: 'X-Ray',
  otlp: 'OpenTelemetry',
  zipkin: 'Zipkin',
  demo: 'Demo',
}

/** The first visit: how traces get here, by whatever the programs speak. */
export function EmptyStore() {
  const [source, setSource] = useState<Source>('xray')
  return (
    <Empty title="Waiting for the first trace">
      <Tabs<Source>
        label="How to send traces"
        idPrefix="source"
        panel="source-steps"
        items={SOURCES.map((key) => ({ key, label: SOURCE_WORDS[key] }))}
        active={source}
        onChoose={setSource}
      />
      <div className="source-steps" id="source-steps" role="tabpanel" aria-labelledby={`source-${source}`}>
        <Steps source={source} />
      </div>
      <p className="mute">This page looks again by itself and shows the map as soon as a trace arrives.</p>
    </Empty>
  )
}

function Steps({ source }: { source: Source }) {
  switch (source) {
    case 'xray':
      return <XRaySteps />
    case 'otlp':
      return (
        <>
          <p>Point an OpenTelemetry SDK, agent or Collector here, over HTTP:</p>
          <Command
            text={`export OTEL_EXPORTER_OTLP_ENDPOINT=${location.origin}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`}
            label="Copy the settings for OpenTelemetry"
          />
          <p className="mute">
            OTLP over gRPC has a port of its own, 4317 unless the server was started with another.
          </p>
        </>
      )
    case 'zipkin':
      return (
        <>
          <p>Zipkin v2 reporters send their spans to:</p>
          <Command text={`${location.origin}/api/v2/spans`} label="Copy the address for Zipkin" />
        </>
      )
    case 'demo':
      return (
        <>
          <p>See a small shop with its faults, without a program of your own:</p>
          <Command text="raymap serve --demo" label="Copy the command of the demo" />
        </>
      )
  }
}

function XRaySteps() {
  const address = daemonAddress()
  return (
    <>
      <p>Point a program that uses an X-Ray SDK here:</p>
      <Command text={`export AWS_XRAY_DAEMON_ADDRESS=${address}`} label="Copy the setting for SDKs" />
      <p>Or let a make-believe shop send traffic, until Ctrl+C:</p>
      <Command text={demoCommand()} label="Copy the command of the demo" />
    </>
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
