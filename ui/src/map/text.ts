// Text on the canvas: widths, remembered, and writing with a halo.

const REFERENCE = 12
const MOST_REMEMBERED = 20_000
const widths = new Map<string, number>()

/** Width of a text at a size; measured once, as widths grow with the size. */
export function textWidth(
  g: CanvasRenderingContext2D,
  family: string,
  text: string,
  size: number,
  bold: boolean,
): number {
  const key = `${bold ? 'b' : 'r'}${text}`
  let width = widths.get(key)
  if (width === undefined) {
    if (widths.size > MOST_REMEMBERED) widths.clear()
    const font = g.font
    g.font = `${bold ? '600 ' : ''}${REFERENCE}px ${family}`
    width = g.measureText(text).width
    g.font = font
    widths.set(key, width)
  }
  return (width * size) / REFERENCE
}

/** Writes over whatever is there, with a rim of the background's colour. */
export function writeWithHalo(
  g: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  halo: number,
): void {
  g.lineWidth = halo
  g.strokeText(text, x, y)
  g.fillText(text, x, y)
}
