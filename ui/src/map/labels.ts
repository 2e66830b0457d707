// Which nodes get a name, with how many lines, and where. Works in screen pixels around each node's centre, so that
// no text is ever smaller than 11 px; where there is no room for everyone, the unhealthy and the busiest come first. Pure.

import { cut, timeAndRate } from '../model/format'
import { ringShares } from '../model/fold'
import { isEstimated, traffic } from '../model/health'
import type { Size } from './camera'
import { declaredWords, workWords } from './describe'
import { CLOSE, DISC, R, SELECT_RING, SMALL, type Box } from './geometry'
import type { SceneNode } from './scene'
import { BoxIndex } from './spatialIndex'

export const SMALLEST_TEXT = 11
const NAME_SIZE = 12.5
const NUMBER_SIZE = 11
const LINE = 1.27
/** The same where the map is small: rows of nodes are then a ring and two lines apart. */
const TIGHT = 1.12
const TIGHT_BELOW = 0.6
/** Names that may lie over calm nodes; past that many, a map of names alone would be left. */
export const MOST_OVER_NODES = 60
/** Of calm nodes: enough to know one's way around. */
const MOST_CALM_OVER_NODES = 20
/** On a screen so small that names would cover the nodes. */
const MOST_ON_SMALL = 5
const SMALL_AREA = 300_000
/** Characters of a name that remain beside a long value. */
const LEAST_NAME = 8
/** Pixels between a ring and a text at its side. */
const GAP = 3
const LEADER_RADII = [26, 48, 76, 110]
const LEADER_STEPS = 12

export interface TextLine {
  text: string
  size: number
  bold: boolean
  colour: 'ink' | 'mute'
}

export interface Label {
  node: SceneNode
  lines: TextLine[]
  /** Where all of it is, in pixels from the node's centre. */
  box: Box
  /** Where each line is: a long name leaves room beside the short lines below it. */
  lineBoxes: Box[]
  /** A line leads from the node to a label that is not beside it. */
  leader: boolean
}

/** Width of a text in pixels. */
export type Measure = (text: string, size: number, bold: boolean) => number

/** 0: dimmed, 1: calm, 2: some requests failed, or figures differ, 3: unhealthy, or differences begin here, 4: selected or found. */
export type Tier = 0 | 1 | 2 | 3 | 4

export interface LabelInput {
  nodes: readonly SceneNode[]
  k: number
  tierOf: (node: SceneNode) => Tier
  measure: Measure
  /** Names at most; without a limit, as many as there is room for. */
  most?: number
}

/** How many names a map has at most: few on a phone or a much enlarged page, until one zooms in. */
export function mostLabels({ width, height }: Size, k: number): number {
  const isSmall = width < 600 || width * height < SMALL_AREA
  return isSmall && k < 0.5 ? MOST_ON_SMALL : Infinity
}

export function textSizes(k: number): { name: number; number: number } {
  return { name: Math.max(SMALLEST_TEXT, NAME_SIZE * k), number: Math.max(SMALLEST_TEXT, NUMBER_SIZE * k) }
}

/** The most important first; ties by traffic, then by id, so that a refresh changes as little as possible. */
export function byPriority(nodes: readonly SceneNode[], tierOf: LabelInput['tierOf']): SceneNode[] {
  const keyed = nodes.map((node) => ({
    node,
    tier: tierOf(node),
    begins: Number(node.data.delta?.begins ?? false),
    requests: node.data.requests ?? 0,
  }))
  keyed.sort(
    (a, b) =>
      b.tier - a.tier ||
      b.begins - a.begins ||
      b.requests - a.requests ||
      (a.node.data.id < b.node.data.id ? -1 : 1),
  )
  return keyed.map(({ node }) => node)
}

/**
 * Labels that overlap neither one another nor a node's ring (but see MOST_OVER_NODES); every name comes before any
 * number, and every number before any type.
 */
export function layoutLabels(input: LabelInput): Map<string, Label> {
  const { nodes, k, tierOf, most = Infinity } = input
  const texts = new BoxIndex(96)
  const rings = new BoxIndex(96)
  const failing = new BoxIndex(96)
  const ringOf = new Map<SceneNode, Box[]>()
  const textOf = new Map<SceneNode, Box[]>()
  const place = (label: Label) => {
    const { node } = label
    for (const box of textOf.get(node) ?? []) texts.remove(box)
    const boxes = label.lineBoxes.map((box) => shifted(box, node, k))
    for (const box of boxes) texts.add(box)
    textOf.set(node, boxes)
    placed.set(node.data.id, label)
  }
  for (const node of nodes) {
    const ring = around(node, k)
    ringOf.set(node, [ring])
    rings.add(ring)
    if (tierOf(node) >= 2) failing.add(ring)
  }
  const placed = new Map<string, Label>()
  let [failingOver, calmOver] = [0, 0]
  for (const node of byPriority(nodes, tierOf)) {
    if (placed.size >= most) break
    if (node.beside) continue
    const tier = tierOf(node)
    const own = ringOf.get(node)
    const isClear = (box: Box) => texts.isFree(box) && rings.isFree(box, own)
    const isReadable = (box: Box) => texts.isFree(box) && failing.isFree(box, own)
    let label =
      firstFree(node, input, namesOf(node, k), [below(k)], isClear) ??
      firstFree(node, input, namesOf(node, k), [above(k)], isClear)
    if (!label && tier >= 2 && failingOver < MOST_OVER_NODES) {
      const [names, spots] = [[nameLine(node, k, 24)], anywhere(k)]
      label =
        firstFree(node, input, names, spots, isClear) ?? firstFree(node, input, names, spots, isReadable)
      if (label) failingOver++
    }
    if (!label && tier === 1 && calmOver < MOST_CALM_OVER_NODES) {
      label = firstFree(node, input, [nameLine(node, k, 24)], [below(k)], isReadable)
      if (label) calmOver++
    }
    if (label) place(label)
  }
  const isOneOfSeveral = sharedNames(nodes)
  // Read from afar, only what fails or differs has its numbers: those of all would be a mosaic.
  const spots = k < CLOSE ? besides(k) : [below(k)]
  const details = k < CLOSE ? [numbersBelow] : [numbersBelow, allBelow]
  const near = [...placed].filter(([, { node }]) => k >= CLOSE || tierOf(node) >= 2)
  for (const detailsOf of details) {
    for (const [, { node }] of near) {
      const own = textOf.get(node)
      const isClear = (box: Box) => texts.isFree(box, own) && rings.isFree(box, ringOf.get(node))
      const variants = detailsOf(node, k, isOneOfSeveral.has(node.data.name))
      const label = firstFree(node, input, variants, spots, isClear)
      if (label) place(label)
    }
  }
  return placed
}

/** The ring, with a gap to the text at its sides; above and below, lines keep their own. */
function around({ x, y, beside }: SceneNode, k: number): Box {
  const r = (beside ? SMALL : k >= CLOSE ? DISC : R + 4) * k
  return { left: x * k - r - GAP, right: x * k + r + GAP, top: y * k - r, bottom: y * k + r }
}

/** A place for text: its reference point relative to the node, and which side of the text is there. */
interface Spot {
  x: number
  y: number
  side: 'top' | 'bottom' | 'left' | 'right'
  leader: boolean
}

/** Under the node: below the selection's ring where the map is read closely, else as near as the bands allow. */
function below(k: number): Spot {
  const ring = k >= TIGHT_BELOW ? SELECT_RING * k + 1.5 : k >= 0.3 ? DISC * k + 1 : (R + 5) * k + 1
  return { x: 0, y: ring, side: 'top', leader: false }
}

function above(k: number): Spot {
  return { x: 0, y: -besideRing(k), side: 'bottom', leader: false }
}

function besideRing(k: number): number {
  return (R + 12) * k + 2
}

/** On all four sides of the node. */
function besides(k: number): Spot[] {
  const r = besideRing(k)
  return [
    below(k),
    { x: r + 2, y: 0, side: 'left', leader: false },
    { x: -r - 2, y: 0, side: 'right', leader: false },
    above(k),
  ]
}

function anywhere(k: number): Spot[] {
  const r = besideRing(k)
  const spots = besides(k)
  for (const radius of LEADER_RADII) {
    for (let step = 0; step < LEADER_STEPS; step++) {
      const angle = (step / LEADER_STEPS) * Math.PI * 2 + Math.PI / LEADER_STEPS
      const [x, y] = [Math.cos(angle) * (r + radius), Math.sin(angle) * (r + radius) * 0.7]
      spots.push({ x, y, side: x > 0 ? 'left' : 'right', leader: true })
    }
  }
  return spots
}

function firstFree(
  node: SceneNode,
  { k, measure }: LabelInput,
  variants: TextLine[][],
  spots: Spot[],
  isFree: (box: Box) => boolean,
): Label | null {
  for (const lines of variants) {
    for (const spot of spots) {
      const { box, lineBoxes } = boxesOf(lines, spot, measure)
      if (lineBoxes.every((line) => isFree(shifted(line, node, k))))
        return { node, lines, box, lineBoxes, leader: spot.leader }
    }
  }
  return null
}

/** A node's name, the most of it first; read closely, a part of one is better than none. */
function namesOf(node: SceneNode, k: number): TextLine[][] {
  const lengths = k >= CLOSE ? [24, 14, 10] : [24, 14]
  const names = lengths.map((length) => nameLine(node, k, length))
  return node.data.whole === undefined ? names : [partLines(node, k), ...names]
}

/** Names that several nodes have, but for clients that are drawn beside what they call. */
function sharedNames(nodes: readonly SceneNode[]): ReadonlySet<string> {
  const [seen, shared] = [new Set<string>(), new Set<string>()]
  for (const { beside, data } of nodes) {
    if (!beside) (seen.has(data.name) ? shared : seen).add(data.name)
  }
  return shared
}

/** The name, read closely, and where the node is if that alone tells it from others. */
function headOf(node: SceneNode, k: number, isOneOfSeveral: boolean): TextLine[] {
  const name = node.data.whole === undefined ? nameLine(node, k, 24) : partLines(node, k)
  return isOneOfSeveral ? [...name, ...locationLine(node, k)] : name
}

/** Time and rate below the name, a short one if need be; else where the node is. */
function numbersBelow(node: SceneNode, k: number, isOneOfSeveral: boolean): TextLine[][] {
  const head = headOf(node, k, isOneOfSeveral)
  const name = headOf(node, k, false)
  const numbers = numbersLines(node, k)
  return [
    ...numbers.flatMap((lines) => [
      [...head, ...lines],
      [...name, ...lines],
    ]),
    ...(node.data.whole === undefined ? numbers.map((lines) => [...nameLine(node, k, 14), ...lines]) : []),
    ...(head.length > name.length ? [head] : []),
  ]
}

/** The type between name and numbers. */
function allBelow(node: SceneNode, k: number, isOneOfSeveral: boolean): TextLine[][] {
  const [type, numbers] = [typeLine(node, k), numbersLines(node, k)[0] ?? []]
  return type ? [[...headOf(node, k, isOneOfSeveral), type, ...numbers]] : []
}

/** Text is at its smallest where the map is small. */
function lineHeight(size: number): number {
  return size <= SMALLEST_TEXT ? TIGHT : LINE
}

function boxesOf(
  lines: TextLine[],
  { x, y, side }: Spot,
  measure: Measure,
): Pick<Label, 'box' | 'lineBoxes'> {
  const widths = lines.map(({ text, size, bold }) => measure(text, size, bold) + 4)
  const width = Math.max(...widths)
  const height = lines.reduce((sum, { size }) => sum + size * lineHeight(size), 0)
  const left = side === 'left' ? x : side === 'right' ? x - width : x - width / 2
  const top = side === 'top' ? y : side === 'bottom' ? y - height : y - height / 2
  const middle = left + width / 2
  let bottom = top
  const lineBoxes = lines.map(({ size }, i) => {
    const half = (widths[i] ?? 0) / 2
    const upper = bottom
    bottom += size * lineHeight(size)
    return { left: middle - half, right: middle + half, top: upper, bottom }
  })
  return { box: { left, right: left + width, top, bottom }, lineBoxes }
}

function shifted({ left, right, top, bottom }: Box, node: SceneNode, k: number): Box {
  const [x, y] = [node.x * k, node.y * k]
  return { left: left + x, right: right + x, top: top + y, bottom: bottom + y }
}

/** Baselines of a label's lines: x is its middle. */
export function baselines({ lines, box, lineBoxes }: Label): { line: TextLine; x: number; y: number }[] {
  const x = (box.left + box.right) / 2
  return lines.map((line, i) => ({ line, x, y: (lineBoxes[i]?.top ?? box.top) + line.size }))
}

function nameLine({ data }: SceneNode, k: number, length: number): TextLine[] {
  return [{ text: shortName(data, length), size: textSizes(k).name, bold: true, colour: 'ink' }]
}

/** A part of a node over two lines: what it is part of, and its value. */
function partLines({ data: { name, whole = '' } }: SceneNode, k: number): TextLine[] {
  const size = textSizes(k)
  const value = name.slice(whole.length).replace(/^ · /, '')
  return [
    { text: cut(whole, 24), size: size.name, bold: true, colour: 'ink' },
    { text: cut(value, 26), size: size.number, bold: false, colour: 'ink' },
  ]
}

/** Of a part of a node the value remains, by which it differs from the others. */
function shortName({ name, whole }: SceneNode['data'], length: number): string {
  if (whole === undefined) return cut(name, length)
  const value = cut(name.slice(whole.length), length - LEAST_NAME)
  return cut(whole, length - value.length) + value
}

/** The type; what differs from an earlier period; during a deployment, which version gets how much. */
function typeLine({ data: { name, type, rollout, delta } }: SceneNode, k: number): TextLine | null {
  const words = delta?.words || rollout?.words
  if (!words && (!type || type.toLowerCase() === name.toLowerCase())) return null
  return { text: words || cut(type, 26), size: textSizes(k).number, bold: false, colour: 'mute' }
}

/** Account and region, on a map with several. */
function locationLine({ data: { location } }: SceneNode, k: number): TextLine[] {
  return location ? [{ text: location, size: textSizes(k).number, bold: false, colour: 'mute' }] : []
}

/** Time and rate, with what they are of; in one line, in two where one is too long, or in a shorter one. */
function numbersLines({ data }: SceneNode, k: number): TextLine[][] {
  const delta = k < CLOSE ? data.delta?.words : undefined
  if (delta) return [[numberLine(delta, k, 'ink')]]
  const parts = numbersOf(data).filter(Boolean)
  const together = (words: string[]) => [numberLine(words.join(' · '), k, 'mute')]
  if (parts.length < 2) return parts.length ? [together(parts)] : []
  const short = parts.map((part) => (part === workWords(data) ? 'background' : part))
  return [together(parts), parts.map((part) => numberLine(part, k, 'mute')), together(short)]
}

function numberLine(text: string, k: number, colour: TextLine['colour']): TextLine {
  return { text, size: textSizes(k).number, bold: false, colour }
}

function numbersOf(data: SceneNode['data']): string[] {
  if (data.kind === 'client') return []
  if (data.declared === 'never_seen') return [declaredWords(data)]
  if (traffic(data) === 'none') return ['no traffic']
  if (traffic(data) === 'in_progress') return ['in progress']
  return [
    declaredWords(data),
    workWords(data),
    timeAndRate(data.avg_ms, data.traces_per_min, isEstimated(data)),
  ]
}

/** How important a node's name is. */
export function importance(
  node: SceneNode,
  unhealthy: ReadonlySet<string>,
  lit: ReadonlySet<string> | null,
): Tier {
  const { id, delta } = node.data
  if (lit) return lit.has(id) ? 4 : 0
  if (unhealthy.has(id) || delta?.begins) return 3
  return delta || (ringShares(node.data)?.fault ?? 0) > 0 ? 2 : 1
}
