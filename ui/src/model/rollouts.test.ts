import { describe, expect, it } from 'vitest'
import type { Deployment, Version } from '../api/types'
import { arcs, INNER } from '../map/geometry'
import { nodeLabel } from '../map/describe'
import { layoutLabels } from '../map/labels'
import { node } from './samples'
import { deployed, markWindow, rolloutOf, rolloutsOf, withRollouts } from './rollouts'

const NOTHING = { avg_ms: null, p50_ms: null, p95_ms: null, p99_ms: null, in_progress: 0, first: 0, last: 0 }

function version(name: string, share: number, counts: Partial<Version> = {}): Version {
  const zero = { requests: 10, ok: 10, error: 0, throttle: 0, fault: 0, observed: 10 }
  return { ...NOTHING, ...zero, version: name, named: name !== '', share, ...counts } as Version
}

function mark(service: string, deployedVersion: string, more: Partial<Deployment> = {}): Deployment {
  const rest = { id: '', at: 0, account: '', region: '', environment: '', state: '', note: '', link: '' }
  return { ...rest, service, version: deployedVersion, ...more }
}

const checkout = {
  id: 'a',
  name: 'checkout',
  names: ['checkout'],
  account: '1',
  region: 'eu',
  state: 'active',
} as const

describe('which nodes are deployed to', () => {
  it('takes the latest mark that names a service and a version', () => {
    const marks = [mark('', '43'), mark('checkout', ''), mark('checkout', '42'), mark('checkout', '41')]
    expect(deployed(marks, [checkout])).toEqual([{ id: 'a', version: '42' }])
  })

  it('takes a service by name, and by the account and the region that the mark has', () => {
    const elsewhere = { ...checkout, id: 'b', account: '2' }
    const marks = [mark('checkout', '42', { account: '2' })]
    expect(deployed(marks, [checkout, elsewhere])).toEqual([{ id: 'b', version: '42' }])
    expect(deployed([mark('checkout', '42')], [{ ...checkout, state: 'unknown' }])).toEqual([])
    expect(deployed([mark('search', '42')], [checkout])).toEqual([])
  })

  it('takes a service by its name with its namespace or without, not by what its callers call it', () => {
    const names = ['api', 'shop/api', 'api.internal']
    const short = { ...checkout, id: 's', name: 'api', names }
    const full = { ...checkout, id: 'f', name: 'shop/api', names: ['shop/api', 'api', 'api.internal'] }
    const other = { ...checkout, id: 'o', name: 'crm/api', names: ['crm/api', 'api'] }
    const found = (name: string) => deployed([mark(name, '1')], [short, full, other]).map(({ id }) => id)
    expect(found('api')).toEqual(['s', 'f', 'o'])
    expect(found('shop/api')).toEqual(['s', 'f'])
    expect(found('api.internal')).toEqual([])
  })

  it('passes over marks of another environment than the page has', () => {
    const marks = [mark('checkout', '43', { environment: 'dev' }), mark('checkout', '42')]
    expect(deployed(marks, [checkout], 'prod')).toEqual([{ id: 'a', version: '42' }])
    expect(deployed(marks, [checkout])).toEqual([{ id: 'a', version: '43' }])
  })

  it('has the nodes deployed to last first', () => {
    const search = { ...checkout, id: 's', name: 'search', names: ['search'] }
    const marks = [mark('search', '7'), mark('checkout', '42'), mark('search', '6')]
    expect(deployed(marks, [checkout, search]).map(({ id }) => id)).toEqual(['s', 'a'])
  })

  it('looks for marks of a day before the end of the window', () => {
    expect(markWindow({ to: 86_461 })).toEqual({ from: 150, to: 86_550 })
  })
})

describe('two versions', () => {
  it('names the other one with the most requests first, then the one that was deployed last', () => {
    const versions = [version('42', 0.1), version('40', 0.2), version('41', 0.6), version('', 0.1)]
    expect(rolloutOf(versions, '42')?.words).toBe('v41 60 % · v42 10 %')
  })

  it('is nothing unless both have finished requests', () => {
    const idle = { requests: 0, ok: 0 }
    expect(rolloutOf([version('42', 1)], '42')).toBeNull()
    expect(rolloutOf([version('42', 1), version('41', 0, idle)], '42')).toBeNull()
    expect(rolloutOf([version('42', 0, idle), version('41', 1)], '42')).toBeNull()
    expect(rolloutOf([version('', 0.5), version('42', 0.5)], '42')).toBeNull()
  })

  it('is found for each deployment whose node the answer has', () => {
    const versions = [version('41', 0.9), version('42', 0.1)]
    const answer = [
      { node: 'a', versions },
      { node: 'b', versions: [] },
    ]
    const deployments = ['a', 'b', 'c'].map((id) => ({ id, version: '42' }))
    expect([...rolloutsOf(answer, deployments).keys()]).toEqual(['a'])
  })

  it('stands in the label and in the accessible name', () => {
    const rollout = rolloutOf([version('41', 0.9), version('42', 0.1)], '42')!
    const graph = { nodes: [node('a'), node('b', { x: 400 })], edges: [] }
    const { nodes } = withRollouts(graph, new Map([['a', rollout]]))
    expect(nodeLabel(nodes[0]!)).toContain('v41 90 % · v42 10 %')
    expect(nodes[1]).toBe(graph.nodes[1])
    const scene = nodes.map((data) => ({
      data,
      x: data.x,
      y: data.y,
      dragged: false,
      edges: [],
      beside: false,
    }))
    const labels = layoutLabels({
      nodes: scene,
      k: 1,
      tierOf: () => 1,
      measure: (text, size) => text.length * size * 0.5,
    })
    expect(labels.get('a')!.lines.map(({ text }) => text)).toContain('v41 90 % · v42 10 %')
  })
})

describe('the ring of the version deployed last', () => {
  const counts = { requests: 4, ok: 2, fault: 1, throttle: 1 }
  const rollout = rolloutOf([version('41', 0.9), version('42', 0.1, counts)], '42')!
  const palette = { ok: 'ok', error: 'error', throttle: 'throttle', fault: 'fault' }

  function drawn(detail: 'full' | 'far') {
    const arcsDrawn: { state: string; outer: number; inner: number; turn: number }[] = []
    const g = {
      strokeStyle: '',
      lineWidth: 0,
      setLineDash: () => undefined,
      beginPath: () => undefined,
      stroke: () => undefined,
      arc(_x: number, _y: number, r: number, from: number, to: number) {
        const half = this.lineWidth / 2
        arcsDrawn.push({ state: this.strokeStyle, outer: r + half, inner: r - half, turn: to - from })
      },
    }
    rollout.paint({ g, palette, detail } as unknown as Parameters<typeof rollout.paint>[0], 0, 0)
    return arcsDrawn
  }

  it('has its states inside the ring of the node, faults widest and last', () => {
    const found = drawn('full')
    expect(found.map(({ state }) => state)).toEqual(['ok', 'throttle', 'fault'])
    expect(found.every(({ outer }) => outer <= INNER - 2)).toBe(true)
    expect(found[2]!.inner).toBeLessThan(found[0]!.inner)
    const [fault] = arcs({ ok: 0.5, throttle: 0.25, error: 0, fault: 0.25, unknown: 0 })
    expect(found[2]!.turn).toBeCloseTo(fault!.to - fault!.from, 0)
  })

  it('is left out where rings are too small to read', () => {
    expect(drawn('far')).toEqual([])
  })
})
