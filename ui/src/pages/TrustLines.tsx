// How far the figures of a panel are to be trusted, in a line; of what is not exact one for each reason.

import type { ReactNode } from 'react'
import type { TimeWindow } from '../api/client'
import type { Doubt } from '../api/types'
import { TRUST_GLYPHS, TRUST_WORDS } from '../model/trust'
import { useTrust } from './useTrust'
import '../styles/trust.css'

interface Props {
  id: string
  window: TimeWindow
  filter: string
  /** Of a state, or a row of the error breakdown. */
  listLink(where: { status?: string | null; error?: string | null }, words: ReactNode): ReactNode
  traceLink(trace: string, words: ReactNode): ReactNode
}

export function TrustLines({ id, window, filter, listLink, traceLink }: Props) {
  const data = useTrust(window, filter, id)
  const found = data?.nodes[0] ?? data?.edges[0]
  if (!found) return <p className="trust" aria-hidden="true" />
  return (
    <div className="trust" role="group" aria-label="How far these figures are to be trusted">
      {found.doubts.length === 0 && <Line trust="exact">all were received, and have ended</Line>}
      {found.doubts.map((doubt) => (
        <Line key={doubt.text} trust={doubt.trust}>
          {doubt.text}
          <Behind doubt={doubt} listLink={listLink} traceLink={traceLink} />
        </Line>
      ))}
    </div>
  )
}

function Line({ trust, children }: { trust: Doubt['trust']; children: ReactNode }) {
  return (
    <p>
      <span className="trust-glyph" aria-hidden="true">
        {TRUST_GLYPHS[trust]}
      </span>
      <span>
        <b>{TRUST_WORDS[trust]}</b>: {children}
      </span>
    </p>
  )
}

function Behind({ doubt, listLink, traceLink }: { doubt: Doubt } & Pick<Props, 'listLink' | 'traceLink'>) {
  const { status, error, trace_id } = doubt
  if (trace_id) return <> {traceLink(trace_id, 'Example')}</>
  if (error) return <> {listLink({ error: `ok:${error}` }, 'Traces')}</>
  if (status) return <> {listLink({ status }, 'Traces')}</>
  return null
}
