// The list view: everything the map shows, as a table.

import { useState } from 'react'
import type { MapNode } from '../api/types'
import { estimateWords, typeWords } from '../map/describe'
import { duration, percent, rate } from '../model/format'
import { STATE_LABELS, STATES, isEstimated, shares } from '../model/health'
import { DEFAULT_SORT, sortedBy, sortedNodes, type Column } from '../model/table'
import { KindBadge } from './KindBadge'
import { SharesBar } from './SharesBar'
import '../styles/tables.css'

interface Heading {
  column: Column
  words: string
  numeric?: boolean
}

const COLUMNS: Heading[] = [
  { column: 'name', words: 'Service' },
  { column: 'type', words: 'Type' },
  { column: 'rate', words: 'Rate', numeric: true },
  { column: 'avg', words: 'Average', numeric: true },
  { column: 'p95', words: 'p95', numeric: true },
  ...STATES.map((state) => ({ column: state as Column, words: STATE_LABELS[state].word, numeric: true })),
  { column: 'health', words: 'Health' },
]

interface Props {
  nodes: MapNode[]
  selection: string | null
  onSelect(id: string): void
}

export function NodeTable({ nodes, selection, onSelect }: Props) {
  const [sort, setSort] = useState(DEFAULT_SORT)
  return (
    <div className="table-frame">
      <table className="table node-table">
        <caption className="visually-hidden">Services</caption>
        <thead>
          <tr>
            {COLUMNS.map(({ column, words, numeric }) => {
              const active = sort.column === column
              const direction = sort.descending ? 'descending' : 'ascending'
              return (
                <th
                  key={column}
                  className={numeric ? 'numeric' : undefined}
                  aria-sort={active ? direction : 'none'}
                >
                  <button type="button" className="sort" onClick={() => setSort(sortedBy(sort, column))}>
                    {words}
                    <span aria-hidden="true">{active ? (sort.descending ? '▾' : '▴') : ''}</span>
                  </button>
                </th>
              )
            })}
          </tr>
        </thead>
        <tbody>
          {sortedNodes(nodes, sort).map((node) => (
            <NodeRow key={node.id} node={node} selected={node.id === selection} onSelect={onSelect} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function NodeRow({
  node,
  selected,
  onSelect,
}: {
  node: MapNode
  selected: boolean
  onSelect(id: string): void
}) {
  const part = shares(node)
  return (
    <tr className={selected ? 'is-selected' : undefined} onClick={() => onSelect(node.id)}>
      <td className="node-cell">
        <KindBadge kind={node.kind} size={20} />
        <button
          type="button"
          className="link"
          aria-pressed={selected}
          onClick={(event) => {
            event.stopPropagation()
            onSelect(node.id)
          }}
        >
          {node.name}
        </button>
      </td>
      <td className="mute">{typeWords(node)}</td>
      <td className="numeric" title={estimateWords(node) ?? undefined}>
        {rate(node.traces_per_min, isEstimated(node))}
      </td>
      <td className="numeric">{duration(node.avg_ms)}</td>
      <td className="numeric">{duration(node.p95_ms)}</td>
      {STATES.map((state) => (
        <td
          key={state}
          className={part && part[state] > 0 && state !== 'ok' ? `numeric status-${state}` : 'numeric'}
        >
          {part && part.unknown < 1 ? percent(part[state]) : '–'}
        </td>
      ))}
      <td className="shares-cell">{part && <SharesBar shares={part} />}</td>
    </tr>
  )
}
