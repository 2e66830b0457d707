import { expect, test } from 'vitest'
import { SvgContext } from './svgContext'

const measure = { font: '', measureText: (text: string) => ({ width: text.length }) as TextMetrics }
const drawn = (draw: (g: SvgContext) => void) => {
  const g = new SvgContext(measure)
  draw(g)
  return g.document({ width: 20, height: 10 }, 'A map')
}

test('paths, in groups of one transform', () => {
  const text = drawn((g) => {
    g.setTransform(2, 0, 0, 2, 5, 6)
    g.strokeStyle = 'rgb(1, 2, 3)'
    g.setLineDash([3, 1.23456])
    g.moveTo(1, 2)
    g.bezierCurveTo(1, 2, 3, 4, 5, 6)
    g.closePath()
    g.stroke()
    g.globalAlpha = 0.5
    g.fill()
    g.save()
    g.setTransform(1, 0, 0, 1, 0, 0)
    g.fillRect(0, 0, 1, 1)
    g.restore()
  })
  expect(text).toContain('<g transform="matrix(2 0 0 2 5 6)">\n<path d="M1 2C1 2 3 4 5 6Z" fill="none"')
  expect(text).toContain('stroke-dasharray="3 1.235"')
  expect(text).toContain('opacity="0.5"/>\n</g>\n<g transform="matrix(1 0 0 1 0 0)">')
  expect(text.match(/<g /g)).toHaveLength(text.match(/<\/g>/g)?.length ?? 0)
})

test('a whole circle is two halves, and more than half of one is a large arc', () => {
  const whole = drawn((g) => (g.arc(0, 0, 2, 0, Math.PI * 2), g.stroke()))
  expect(whole).toContain('d="M2 0A2 2 0 0 1 -2 0A2 2 0 0 1 2 0"')
  expect(drawn((g) => (g.arc(0, 0, 2, 0, Math.PI * 1.5), g.stroke()))).toContain('A2 2 0 1 1 0 -2"')
})

test('names cannot end an element, nor have what XML has not', () => {
  const text = drawn((g) => {
    g.font = '600 12px "Noto Sans", sans-serif'
    g.textAlign = 'center'
    g.fillText('<script>"&\u0001', 1, 2)
  })
  expect(text).toContain('style="font:600 12px &quot;Noto Sans&quot;, sans-serif" text-anchor="middle"')
  expect(text).toContain('>&lt;script&gt;&quot;&amp;\ufffd</text>')
})

test('signs are scaled to their place', () => {
  const path = { glyphs: [{ glyph: 'M0 0h10', x: 10, y: 20 }], size: 20 } as never
  const text = drawn((g) => ((g.lineWidth = 2), g.stroke(path)))
  expect(text).toContain('stroke-width="1"')
  expect(text).toContain('<path transform="translate(0 10) scale(2)" d="M0 0h10"/>')
})
