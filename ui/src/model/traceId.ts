// The two written forms of a trace id.

const XRAY = /^1-[0-9a-f]{8}-[0-9a-f]{24}$/
const W3C = /^[0-9a-f]{32}$/

/** The X-Ray form of an id in either form, also out of a header (`Root=1-…;Parent=…`); null for anything else. */
export function normalTraceId(text: string): string | null {
  const bare = text
    .trim()
    .toLowerCase()
    .replace(/^.*root=/, '')
    .replace(/;.*$/, '')
  if (XRAY.test(bare)) return bare
  if (W3C.test(bare)) return `1-${bare.slice(0, 8)}-${bare.slice(8)}`
  return null
}
