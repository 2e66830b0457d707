// A ZIP archive of small texts, stored without compression (APPNOTE.TXT 4.3).

export interface ZipFile {
  name: string
  text: string
}

const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
/** Names are UTF-8. */
const FLAGS = 0x0800
const VERSION = 20
/** The first day that the format knows. */
const DATE = 0x21

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c >>> 0
})

export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff
  for (const byte of bytes) c = (TABLE[(c ^ byte) & 0xff] as number) ^ (c >>> 8)
  return (c ^ 0xffffffff) >>> 0
}

export function zipped(files: readonly ZipFile[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let offset = 0
  for (const file of files) {
    const [name, data] = [bytesOf(file.name), bytesOf(file.text)]
    // Signature and what follows it in both headers: version, flags, method, time, date, CRC, sizes, lengths.
    const common = [VERSION, FLAGS, 0, 0, DATE] as const
    const sizes = [crc32(data), data.length, data.length] as const
    const header = record([LOCAL], common, sizes, [name.length, 0])
    directory.push(
      record([CENTRAL], [VERSION, ...common], sizes, [name.length, 0, 0, 0, 0], [0, offset]),
      name,
    )
    parts.push(header, name, data)
    offset += header.length + name.length + data.length
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0)
  const count = files.length
  return joined([...parts, ...directory, record([END], [0, 0, count, count], [size, offset], [0])])
}

/** Integers in turn of four and of two bytes, the lowest first. */
function record(...groups: (readonly number[])[]): Uint8Array {
  const bytes: number[] = []
  groups.forEach((numbers, at) => {
    const width = at % 2 === 0 ? 4 : 2
    for (const value of numbers) {
      for (let byte = 0; byte < width; byte++) bytes.push((value >>> (8 * byte)) & 0xff)
    }
  })
  return Uint8Array.from(bytes)
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
