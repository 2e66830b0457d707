// Colour arithmetic for the palette's tests: contrast (WCAG), colour blindness (Machado 2009), distance (CIEDE2000).

type Triple = [number, number, number]

export const VISION: Record<string, [Triple, Triple, Triple]> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
}

export function linear(hex: string): Triple {
  const channel = (at: number) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }
  return [channel(1), channel(3), channel(5)]
}

export function contrast(one: string, other: string): number {
  const light = (hex: string) => {
    const [r, g, b] = linear(hex)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const [low, high] = [light(one), light(other)].sort((a, b) => a - b) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

/** A colour as seen with one kind of vision, in CIELAB. */
export function seen(hex: string, vision: string): Triple {
  const rgb = linear(hex)
  const matrix = VISION[vision] ?? VISION['normal']!
  const [r, g, b] = matrix.map((row) => clamp(row[0] * rgb[0] + row[1] * rgb[1] + row[2] * rgb[2])) as Triple
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047)
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b)
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883)
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
}

const clamp = (value: number) => Math.min(1, Math.max(0, value))
const f = (t: number) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116)

const degrees = (radians: number) => ((radians * 180) / Math.PI + 360) % 360
const sine = (angle: number) => Math.sin((angle * Math.PI) / 180)
const cosine = (angle: number) => Math.cos((angle * Math.PI) / 180)

/** CIEDE2000, in the notation of Sharma, Wu and Dalal (2005). */
export function ciede2000([L1, a1, b1]: Triple, [L2, a2, b2]: Triple): number {
  const Cm = (Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2
  const G = 0.5 * (1 - Math.sqrt(Cm ** 7 / (Cm ** 7 + 25 ** 7)))
  const [p1, p2] = [(1 + G) * a1, (1 + G) * a2]
  const [C1, C2] = [Math.hypot(p1, b1), Math.hypot(p2, b2)]
  const [h1, h2] = [degrees(Math.atan2(b1, p1)), degrees(Math.atan2(b2, p2))]

  let dh = h2 - h1
  if (dh > 180) dh -= 360
  if (dh < -180) dh += 360
  const dH = 2 * Math.sqrt(C1 * C2) * sine(dh / 2)
  const hm = Math.abs(h1 - h2) <= 180 ? (h1 + h2) / 2 : (h1 + h2 + 360) / 2
  const Lm = (L1 + L2) / 2
  const Cpm = (C1 + C2) / 2

  const T =
    1 - 0.17 * cosine(hm - 30) + 0.24 * cosine(2 * hm) + 0.32 * cosine(3 * hm + 6) - 0.2 * cosine(4 * hm - 63)
  const SL = 1 + (0.015 * (Lm - 50) ** 2) / Math.sqrt(20 + (Lm - 50) ** 2)
  const SC = 1 + 0.045 * Cpm
  const SH = 1 + 0.015 * Cpm * T
  const turn = sine(60 * Math.exp(-(((hm - 275) / 25) ** 2)))
  const RT = -turn * 2 * Math.sqrt(Cpm ** 7 / (Cpm ** 7 + 25 ** 7))
  const [l, c, h] = [(L2 - L1) / SL, (C2 - C1) / SC, dH / SH]
  return Math.sqrt(l * l + c * c + h * h + RT * c * h)
}
