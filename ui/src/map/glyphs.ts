// Own-drawn signs of the node kinds, on a 10×10 field, stroked. Used by the canvas and by the page.

import type { NodeKind } from '../api/types'

export const GLYPHS: Record<NodeKind, string> = {
  client: 'M5 4.6a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM1.2 9.4c0-2.4 1.6-3.6 3.8-3.6s3.8 1.2 3.8 3.6',
  gateway: 'M1 1.2v7.6M9 1.2v7.6M3 5h4M5.4 3.2 7.2 5 5.4 6.8',
  service: 'M5 .8 8.8 2.9v4.2L5 9.2 1.2 7.1V2.9ZM1.4 3 5 5l3.6-2M5 5v4',
  function: 'M1.6 1.2h1.6L8.4 8.8M5 4.2 1.6 8.8',
  workflow: 'M1 1.2h3v2.6H1ZM6 6.2h3v2.6H6ZM2.5 3.8v3.7H6M4 2.5h3.5v3.7',
  database:
    'M1.4 2.2C1.4.4 8.6.4 8.6 2.2v5.6c0 1.8-7.2 1.8-7.2 0ZM1.4 2.2c0 1.8 7.2 1.8 7.2 0M1.4 5c0 1.8 7.2 1.8 7.2 0',
  table: 'M1 1.4h8v7.2H1ZM1 3.9h8M4.2 3.9v4.7M1 6.3h8',
  queue: 'M.8 2.6h8.4v4.8H.8ZM3.6 2.6v4.8M6.4 2.6v4.8',
  topic: 'M1 3.8v2.4h1.8L6.6 9V1L2.8 3.8ZM8.2 3.4c.9.9.9 2.3 0 3.2',
  stream:
    'M.8 2.4c1.4-1.4 2.8-1.4 4.2 0s2.8 1.4 4.2 0M.8 5.4c1.4-1.4 2.8-1.4 4.2 0s2.8 1.4 4.2 0M.8 8.4C2.2 7 3.6 7 5 8.4s2.8 1.4 4.2 0',
  bucket: 'M1.2 1.8h7.6L7.8 9H2.2ZM1.6 4.4h6.8',
  remote: 'M2.9 8.2a2.1 2.1 0 0 1-.2-4.2 2.6 2.6 0 0 1 5-.2 2.2 2.2 0 0 1-.5 4.4Z',
}

/** Kinds added to the API later than here look like a service. */
export function glyphOf(kind: NodeKind): string {
  return GLYPHS[kind] ?? GLYPHS.service
}

/** What a kind is called where no AWS type name is known. */
export const KIND_WORDS: Record<NodeKind, string> = {
  client: 'Client',
  gateway: 'Gateway',
  service: 'Service',
  function: 'Function',
  workflow: 'Workflow',
  database: 'Database',
  table: 'Table',
  queue: 'Queue',
  topic: 'Topic',
  stream: 'Stream',
  bucket: 'Bucket',
  remote: 'Remote',
}
