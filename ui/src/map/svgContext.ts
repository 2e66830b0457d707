// What painters do on a canvas, as the text of an SVG: of a canvas' context the part that they use.

import type { Size } from './camera'
import type { GlyphPath } from './paint'

type Measure = Pick<CanvasRenderingContext2D, 'font' | 'measureText'>
/** Scale and offset: painters do not rotate. */
type Transform = readonly [scaleX: number, scaleY: number, x: number, y: number]

const TURN = Math.PI * 2
/** The side of the field that signs are drawn on (`glyphs`). */
const GLYPH_FIELD = 10

export class SvgContext {
  fillStyle = '#000'
  strokeStyle = '#000'
  lineWidth = 1
  lineCap = 'butt'
  lineJoin = 'miter'
  globalAlpha = 1
  font = '10px sans-serif'
  textAlign = 'start'

  #dash: readonly number[] = []
  #transform: Transform = [1, 1, 0, 0]
  #saved: Transform[] = []
  #path = ''
  #elements: string[] = []
  #open: Transform | null = null

  /** `measure`: a real context, since only fonts know how wide a text is. */
  constructor(private readonly measure: Measure) {}

  document({ width, height }: Size, title: string): string {
    const end = this.#open ? '</g>' : ''
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" role="img"><title>${escaped(title)}</title>` +
      `${this.#elements.join('\n')}${end}</svg>\n`
    )
  }

  measureText(text: string): TextMetrics {
    this.measure.font = this.font
    return this.measure.measureText(text)
  }

  setTransform(a: number, _b: number, _c: number, d: number, e: number, f: number): void {
    this.#transform = [a, d, e, f]
  }

  save(): void {
    this.#saved.push(this.#transform)
  }

  restore(): void {
    this.#transform = this.#saved.pop() ?? this.#transform
  }

  setLineDash(dash: readonly number[]): void {
    this.#dash = dash
  }

  beginPath(): void {
    this.#path = ''
  }

  moveTo(x: number, y: number): void {
    this.#path += `M${short(x)} ${short(y)}`
  }

  lineTo(x: number, y: number): void {
    this.#path += `${this.#path ? 'L' : 'M'}${short(x)} ${short(y)}`
  }

  bezierCurveTo(ax: number, ay: number, bx: number, by: number, x: number, y: number): void {
    this.#path += `C${[ax, ay, bx, by, x, y].map(short).join(' ')}`
  }

  closePath(): void {
    this.#path += 'Z'
  }

  /** Clockwise. A whole circle is two halves: an SVG's arc ends elsewhere than it begins. */
  arc(x: number, y: number, radius: number, from: number, to: number): void {
    this.lineTo(x + radius * Math.cos(from), y + radius * Math.sin(from))
    const sweep = Math.min(to - from, TURN)
    const stops = sweep > TURN - 1e-6 ? [from + sweep / 2, to] : [to]
    for (const stop of stops) {
      const large = stops.length === 1 && sweep > Math.PI ? 1 : 0
      const end = [x + radius * Math.cos(stop), y + radius * Math.sin(stop)].map(short).join(' ')
      this.#path += `A${short(radius)} ${short(radius)} 0 ${large} 1 ${end}`
    }
  }

  fill(): void {
    if (this.#path) this.#add(`<path d="${this.#path}" ${this.#filled()}/>`)
  }

  /** Of a path of signs these: nothing reads a path. */
  stroke(path?: GlyphPath): void {
    if (!path) {
      if (this.#path) this.#add(`<path d="${this.#path}" ${this.#stroked()}/>`)
      return
    }
    const scale = path.size / GLYPH_FIELD
    const uses = path.glyphs.map(({ glyph, x, y }) => {
      const at = `translate(${short(x - path.size / 2)} ${short(y - path.size / 2)}) scale(${short(scale)})`
      return `<path transform="${at}" d="${glyph}"/>`
    })
    this.#add(`<g ${this.#stroked(scale)}>${uses.join('')}</g>`)
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    const place = `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`
    this.#add(`<rect ${place} ${this.#filled()}/>`)
  }

  fillText(text: string, x: number, y: number): void {
    this.#addText(text, x, y, this.#filled())
  }

  strokeText(text: string, x: number, y: number): void {
    this.#addText(text, x, y, this.#stroked())
  }

  #addText(text: string, x: number, y: number, paint: string): void {
    const anchor = this.textAlign === 'center' ? ' text-anchor="middle"' : ''
    const font = escaped(this.font)
    this.#add(
      `<text x="${short(x)}" y="${short(y)}" style="font:${font}"${anchor} ${paint}>${escaped(text)}</text>`,
    )
  }

  #filled(): string {
    return `fill="${this.fillStyle}"${this.#opacity()}`
  }

  #stroked(scale = 1): string {
    const dash = this.#dash.length ? ` stroke-dasharray="${this.#dash.map(short).join(' ')}"` : ''
    const cap = this.lineCap === 'butt' ? '' : ` stroke-linecap="${this.lineCap}"`
    const width = short(this.lineWidth / scale)
    return (
      `fill="none" stroke="${this.strokeStyle}" stroke-width="${width}" ` +
      `stroke-linejoin="${this.lineJoin}"${cap}${dash}${this.#opacity()}`
    )
  }

  #opacity(): string {
    return this.globalAlpha === 1 ? '' : ` opacity="${short(this.globalAlpha)}"`
  }

  /** An element, in a group of those that are transformed alike. */
  #add(element: string): void {
    if (this.#open !== this.#transform) {
      if (this.#open) this.#elements.push('</g>')
      const [a, d, e, f] = this.#transform.map(short)
      this.#elements.push(`<g transform="matrix(${a} 0 0 ${d} ${e} ${f})">`)
      this.#open = this.#transform
    }
    this.#elements.push(element)
  }
}

function short(value: number): number {
  return Math.round(value * 1000) / 1000
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Also without what XML has no way to say: names come from documents. */
function escaped(text: string): string {
  return (
    text
      .replace(/[&<>"]/g, (one) => ENTITIES[one] ?? one)
      // oxlint-disable-next-line no-control-regex -- these are what must not be there
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
  )
}
