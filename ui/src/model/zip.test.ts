import { expect, test } from 'vitest'
import { crc32, zipped } from './zip'

const text = new TextDecoder()
const bytes = (words: string) => new TextEncoder().encode(words)

test('the checksum is that of the format', () => {
  expect(crc32(bytes('123456789'))).toBe(0xcbf43926)
  expect(crc32(bytes(''))).toBe(0)
})

test('an archive has its files, and says where each begins', () => {
  const files = [
    { name: 'notebook.md', text: '# Übersicht\n' },
    { name: 'pictures/a.svg', text: '<svg/>' },
  ]
  const zip = zipped(files)
  const view = new DataView(zip.buffer)
  const end = zip.length - 22
  expect(view.getUint32(end, true)).toBe(0x06054b50)
  expect([view.getUint16(end + 8, true), view.getUint16(end + 10, true)]).toEqual([2, 2])
  let at = view.getUint32(end + 16, true)
  expect(at + view.getUint32(end + 12, true)).toBe(end)
  for (const file of files) {
    expect(view.getUint32(at, true)).toBe(0x02014b50)
    const [size, length] = [view.getUint32(at + 24, true), view.getUint16(at + 28, true)]
    const local = view.getUint32(at + 42, true)
    expect(view.getUint32(local, true)).toBe(0x04034b50)
    expect(text.decode(zip.subarray(local + 30, local + 30 + length))).toBe(file.name)
    const data = zip.subarray(local + 30 + length, local + 30 + length + size)
    expect(text.decode(data)).toBe(file.text)
    expect(view.getUint32(at + 16, true)).toBe(crc32(data))
    at += 46 + length
  }
})
