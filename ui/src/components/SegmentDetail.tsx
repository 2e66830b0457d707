// Everything one segment or subsegment recorded.

import { useState, type ReactNode } from 'react'
import type { Trace, TraceRow } from '../api/types'
import {
  annotationsOf,
  asObject,
  exceptionsOf,
  httpOf,
  linksOf,
  resourcesOf,
  sqlOf,
  type LinkInfo,
  type Pair,
} from '../model/document'
import { annotationTerm, textTerm } from '../filter/terms'
import { count, dateTime, duration } from '../model/format'
import { shownCode, statusWord } from '../model/health'
import { Exceptions } from './Exceptions'
import { JsonTree } from './JsonTree'
import { PanelHead } from './PanelHead'
import { StatusMark } from './StatusMark'
import { Tabs } from './Tabs'
import { ValueLinks, type TermLink } from './ValueLinks'
import { usePanelFocus } from './usePanelFocus'
import { CopyButton } from './CopyButton'
import '../styles/command.css'

interface Props {
  trace: Trace
  row: TraceRow
  /** Rows of the same service, to step through; empty where the timeline shows them all. */
  siblings: readonly TraceRow[]
  /** A link to a segment of another trace. */
  traceLink(trace: string, segment: string, words: ReactNode): ReactNode
  /** Absent where there is no list to go to. */
  termLink: TermLink | undefined
  onSelect(id: string): void
  onClose(): void
}

interface Tab {
  key: string
  words: string
  size?: number
  content: ReactNode
}

export function SegmentDetail({ trace, row, siblings, traceLink, termLink, onSelect, onClose }: Props) {
  const panel = usePanelFocus<HTMLElement>()
  const tabs = tabsOf({ trace, row, traceLink, termLink, onSelect })
  const [wanted, setWanted] = useState(() => (row.exception ? 'exceptions' : 'overview'))
  const active = tabs.find(({ key }) => key === wanted) ?? (tabs[0] as Tab)
  return (
    <aside className="side-panel segment-detail" ref={panel} tabIndex={-1} aria-label="Segment details">
      <PanelHead
        title={row.name}
        subtitle={[row.type, row.service === row.name ? '' : `in ${row.service}`].filter(Boolean).join(' · ')}
        onClose={onClose}
      />
      {siblings.length > 1 && <Siblings row={row} siblings={siblings} onSelect={onSelect} />}
      <Tabs
        label="Segment details"
        idPrefix="detail"
        panel="segment-detail"
        items={tabs.map(({ key, words, size }) => ({
          key,
          label: (
            <>
              {words}
              {size !== undefined && <span className="tab-size">{count(size)}</span>}
            </>
          ),
        }))}
        active={active.key}
        onChoose={setWanted}
      />
      <div
        className="panel-body"
        id="segment-detail"
        role="tabpanel"
        tabIndex={0}
        aria-labelledby={`detail-${active.key}`}
      >
        {active.content}
      </div>
    </aside>
  )
}

interface SiblingProps {
  row: TraceRow
  siblings: readonly TraceRow[]
  onSelect(id: string): void
}

/** A service may have worked several times in one trace. */
function Siblings({ row, siblings, onSelect }: SiblingProps) {
  return (
    <label className="siblings">
      Segment
      <select value={row.id} onChange={(event) => onSelect(event.target.value)}>
        {siblings.map((one, index) => (
          <option key={one.id} value={one.id}>
            {`${index + 1} of ${siblings.length}: ${one.name}, ${statusWord(one.status)}, ${duration(one.duration_ms)}`}
          </option>
        ))}
      </select>
    </label>
  )
}

/** Only the tabs that have something to show, the overview always. */
function tabsOf({
  trace,
  row,
  traceLink,
  termLink,
  onSelect,
}: Pick<Props, 'trace' | 'row' | 'traceLink' | 'termLink' | 'onSelect'>): Tab[] {
  const document = trace.documents[row.id] ?? {}
  const exceptions = exceptionsOf(row.id, trace.documents)
  const resources = resourcesOf(document)
  const annotations = annotationsOf(document)
  const metadata = asObject(document['metadata'])
  const sql = sqlOf(document)
  const nameOf = (id: string) => trace.rows.find((one) => one.id === id)?.name ?? id
  const tabs: (Tab | false)[] = [
    {
      key: 'overview',
      words: 'Overview',
      content: <Overview trace={trace} row={row} traceLink={traceLink} termLink={termLink} />,
    },
    exceptions.length > 0 && {
      key: 'exceptions',
      words: 'Exceptions',
      size: exceptions.length,
      content: <Exceptions exceptions={exceptions} nameOf={nameOf} onSelect={onSelect} />,
    },
    resources.length > 0 && {
      key: 'resources',
      words: 'Resources',
      content: <Pairs pairs={resources} termOf={textTerm} termLink={termLink} />,
    },
    annotations.length > 0 && {
      key: 'annotations',
      words: 'Annotations',
      size: annotations.length,
      content: (
        <Pairs
          pairs={annotations}
          termOf={(key) => annotationTerm(key, asObject(document['annotations'])?.[key])}
          termLink={termLink}
        />
      ),
    },
    metadata !== null && {
      key: 'metadata',
      words: 'Metadata',
      content: <JsonTree value={metadata} depth={3} />,
    },
    sql !== null && { key: 'sql', words: 'SQL', content: <Sql {...sql} /> },
  ]
  return tabs.filter((tab) => tab !== false)
}

function Overview({
  trace,
  row,
  traceLink,
  termLink,
}: Pick<Props, 'trace' | 'row' | 'traceLink' | 'termLink'>) {
  const document = trace.documents[row.id] ?? {}
  const start = trace.start + row.start_ms / 1000
  return (
    <>
      <table className="pairs">
        <tbody>
          <Pair name="Status">
            <StatusMark status={row.status} /> <span className="mute">{shownCode(row.status, row.code)}</span>
          </Pair>
          <Pair name="Duration">{row.duration_ms === null ? 'in progress' : duration(row.duration_ms)}</Pair>
          <Pair name="Starts after">{duration(row.start_ms)}</Pair>
          <Pair name="Start">{dateTime(start)}</Pair>
          <Pair name="Kind">{row.kind === 'inferred' ? 'inferred from its caller' : row.kind}</Pair>
          {row.namespace && <Pair name="Namespace">{row.namespace}</Pair>}
          <Pair name="Id">
            <code>{row.id}</code> <CopyButton text={row.id} label="Copy the segment id" />
          </Pair>
        </tbody>
      </table>
      <Section title="Request and response" pairs={httpOf(document)} termOf={textTerm} termLink={termLink} />
      <Links links={linksOf(document)} traceLink={traceLink} />
    </>
  )
}

function Links({ links, traceLink }: { links: LinkInfo[] } & Pick<Props, 'traceLink'>) {
  if (links.length === 0) return null
  return (
    <>
      <h3>Linked traces</h3>
      <ul className="linked-traces">
        {links.map(({ trace, segment, kind }) => (
          <li key={`${trace} ${segment}`}>
            {traceLink(trace, segment, trace)}
            {kind && <span className="mute"> {kind}</span>}
          </li>
        ))}
      </ul>
    </>
  )
}

function Section({ title, ...rest }: { title: string } & PairsProps) {
  if (rest.pairs.length === 0) return null
  return (
    <>
      <h3>{title}</h3>
      <Pairs {...rest} />
    </>
  )
}

function Pair({ name, children }: { name: string; children: ReactNode }) {
  return (
    <tr>
      <th>{name}</th>
      <td>{children}</td>
    </tr>
  )
}

interface PairsProps {
  pairs: Pair[]
  /** The filter's term for a value, if there is one. */
  termOf?: (key: string, value: string) => string | null
  termLink?: TermLink | undefined
}

function Pairs({ pairs, termOf, termLink }: PairsProps) {
  const links = (key: string, value: string) => {
    const term = termLink && termOf?.(key, value)
    return term && <ValueLinks term={term} termLink={termLink} />
  }
  return (
    <table className="pairs">
      <tbody>
        {pairs.map(([key, value]) => (
          <Pair key={key} name={key}>
            {value}
            {links(key, value)}
          </Pair>
        ))}
      </tbody>
    </table>
  )
}

function Sql({ query, facts }: { query: string; facts: Pair[] }) {
  return (
    <>
      {query && (
        <div className="command sql">
          <code>{query}</code>
          <CopyButton text={query} label="Copy the query" />
        </div>
      )}
      <Pairs pairs={facts} />
    </>
  )
}
